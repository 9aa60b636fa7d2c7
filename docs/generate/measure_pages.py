"""What can be measured, changed and asked of a text: signals, edits, kinds of personal data, and the recipes' rules."""

from __future__ import annotations

from docs.generate.markdown import code, linked, plain, table
from flows.recipe_words import EVIDENCE, step_text
from recipes.load import available, load
from recipes.steps import Edit


def signal_page() -> str:
    """Every signal of the text, with type, doc line and source."""
    from filters.signals import SIGNALS

    rows = ((code(one.name), str(one.type), plain(one.doc), linked(one.source)) for one in SIGNALS.values())
    return "\n".join(
        (
            "# Signals\n",
            f"The {len(SIGNALS)} measurements of a text: columns of `signals/`, and names in a rule. Those about "
            "rights are in [rights](../rights.md), of models and lists (`score_ID`) in [recipes](../recipes.md).\n",
            table(("signal", "type", "what it measures", "source"), rows),
        )
    )


def edit_page() -> str:
    """Every edit of the text, and every kind of personal data."""
    from filters.edits import EDITS
    from filters.pii import KINDS

    edits = (
        (
            code(one.name),
            linked(one.doc),
            f"{one.evidence}, {EVIDENCE[one.evidence][0]}",
            ", ".join(one.languages) or "any",
        )
        for one in EDITS.values()
    )
    kinds = ((code(kind),) for kind in KINDS)
    return "\n".join(
        (
            "# Edits and personal data\n",
            'An edit is a step of a recipe that changes the text: `kind = "edit"`, `edit = "NAME"`.\n',
            table(("edit", "what it does", "evidence", "languages"), edits),
            "\n## Kinds of personal data\n",
            "Keys of `[scrub] policy`, and columns `pii_KIND` of `kept/`; what each is stands in "
            "[personal data](../personal-data.md).\n",
            table(("kind",), kinds),
        )
    )


def rule_page() -> str:
    """Every rule and sampler of every shipped recipe, by its id, with each bound and who states it."""
    asked: dict[str, dict[str, list[str]]] = {}
    for name in available():
        for step in load(name).steps:
            if not isinstance(step, Edit):
                asked.setdefault(step.id, {}).setdefault(step_text(step, zh=False), []).append(name)
    rows = [
        (code(rule), plain(bound), ", ".join(f"[{name}](../recipes/{name}.md)" for name in names))
        for rule, bounds in sorted(asked.items())
        for bound, names in bounds.items()
    ]
    return "\n".join(
        (
            "# Rules\n",
            f"The {len(asked)} rules and samplers of the shipped recipes. A document that fails one has the fate "
            "`filtered:ID`; a document stays if what the second column says holds.\n",
            table(("rule", "keeps a document when", "in"), rows),
        )
    )
