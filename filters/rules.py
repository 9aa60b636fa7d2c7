"""A recipe's rules as SQL: one `CASE` that names the first failing rule, its value and its bound.

The same expression runs inside the Beam job over one part and in a what-if over a whole run. Literals are
quoted here and nowhere else. A NULL signal passes.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence

from filters.annotate import DOCUMENT_SIGNALS
from filters.edits import EDITS
from filters.signals import SIGNALS
from recipes.model import Edit, Recipe, Rule, column

SIGNS = {"min": ">=", "max": "<=", "above": ">", "below": "<", "equals": "=", "any_of": "IN"}


def literal(value: object) -> str:
    """A value as SQL.

    >>> literal("it's"), literal(True), literal(0.5), literal(("en", "zh"))
    ("'it''s'", 'TRUE', '0.5', "('en', 'zh')")
    """
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, tuple):
        return f"({', '.join(map(literal, value))})"
    return "'" + value.replace("'", "''") + "'" if isinstance(value, str) else repr(value)


def name_of(rule: Rule, edits: tuple[Edit, ...]) -> str:
    """The quoted column that a rule reads."""
    signal = rule.signal if rule.signal in DOCUMENT_SIGNALS else column(rule.signal, edits)
    return '"' + signal.replace('"', '""') + '"'


def fails(rule: Rule, edits: tuple[Edit, ...]) -> str:
    """SQL that is true for a document which the rule drops."""
    test = f"NOT ({name_of(rule, edits)} {SIGNS[rule.bound]} {literal(rule.threshold)})"
    return f"lang IN {literal(rule.languages)} AND {test}" if rule.languages else test


def _case(recipe: Recipe, outcomes: Sequence[str]) -> str:
    rules = recipe.placed_rules()
    if not rules:
        return "NULL"
    arms = [f"WHEN {fails(*placed)} THEN {then}" for placed, then in zip(rules, outcomes, strict=True)]
    return "CASE " + " ".join(arms) + " END"


def first_failing(recipe: Recipe) -> str:
    """SQL for the id of the first failing rule, NULL if the document passes all."""
    return _case(recipe, [literal(rule.id) for rule, _ in recipe.placed_rules()])


def failing_value(recipe: Recipe) -> str:
    """SQL for what the first failing rule measured, as text."""
    return _case(recipe, [f"CAST({name_of(*placed)} AS VARCHAR)" for placed in recipe.placed_rules()])


def failing_threshold(recipe: Recipe) -> str:
    """SQL for the first failing rule's bound, as text such as '>= 50'."""
    return _case(recipe, [literal(bound_text(rule)) for rule, _ in recipe.placed_rules()])


def all_failing(recipe: Recipe) -> str:
    """SQL for the list of all failing rules' ids."""
    arms = [f"CASE WHEN {fails(*placed)} THEN {literal(placed[0].id)} END" for placed in recipe.placed_rules()]
    return f"list_filter([{', '.join(arms)}], lambda x: x IS NOT NULL)" if arms else "[]"


def bound_text(rule: Rule) -> str:
    """A rule's bound for people.

    >>> bound_text(Rule(id="a.b.v1", signal="word_count", min=50, evidence="C"))
    '>= 50'
    """
    value = rule.threshold
    if isinstance(value, tuple):
        return f"in {', '.join(value)}"
    number = f"{value:g}" if isinstance(value, float) else str(value)
    return f"{SIGNS[rule.bound]} {number}"


def check(recipe: Recipe) -> None:
    """Refuse a rule that names no signal and an edit that does not exist, with the nearest known name."""
    known = [*SIGNALS, *DOCUMENT_SIGNALS]
    for rule, _ in recipe.placed_rules():
        if rule.signal not in known:
            raise ValueError(
                f"{recipe.name}: rule {rule.id} names no signal: {rule.signal!r}.{nearest(rule.signal, known)}"
            )
    for edit in recipe.edits:
        if edit.edit not in EDITS:
            raise ValueError(
                f"{recipe.name}: step {edit.id} names no edit: {edit.edit!r}.{nearest(edit.edit, [*EDITS])}"
            )


def nearest(name: str, known: Sequence[str]) -> str:
    """' Did you mean ...?' or nothing."""
    found = difflib.get_close_matches(name, known, n=1)
    return f" Did you mean {found[0]}?" if found else ""


def set_thresholds(recipe: Recipe, settings: Sequence[str]) -> Recipe:
    """The recipe with other bounds: each setting is RULE=VALUE, the rule's `.vN` may be left out."""
    steps = list(recipe.steps)
    ids = {step.id: i for i, step in enumerate(steps) if isinstance(step, Rule)}
    short = {full.rpartition(".")[0]: full for full in ids}
    for setting in settings:
        name, mark, value = setting.partition("=")
        full = short.get(name, name)
        if not mark:
            raise ValueError(f"--set {setting}: write it as RULE=VALUE.")
        if full not in ids:
            raise ValueError(f"--set {setting}: {recipe.name} has no rule {name!r}.{nearest(name, [*ids, *short])}")
        rule = steps[ids[full]]
        assert isinstance(rule, Rule)
        steps[ids[full]] = _changed(rule, value, setting)
    return recipe.model_copy(update={"steps": tuple(steps)})


def _changed(rule: Rule, value: str, setting: str) -> Rule:
    old = rule.threshold
    if isinstance(old, tuple):
        new: object = tuple(v.strip() for v in value.split(","))
    elif isinstance(old, bool):
        if value.lower() not in ("true", "false"):
            raise ValueError(f"--set {setting}: {rule.id} wants true or false.")
        new = value.lower() == "true"
    elif isinstance(old, float):
        try:
            new = float(value)
        except ValueError as error:
            raise ValueError(f"--set {setting}: {rule.id} wants a number.") from error
    else:
        new = value
    return Rule.model_validate({**rule.model_dump(), rule.bound: new})
