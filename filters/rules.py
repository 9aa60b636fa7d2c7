"""A recipe's rules as SQL: one `CASE` that names the first failing step, its value and its bound.

The same expression runs inside the Beam job over one part and in a what-if over a whole run. Literals are
quoted here and nowhere else. A NULL signal passes. What a sampler asks is in `filters.samplers`.
"""

from __future__ import annotations

from collections.abc import Sequence

from filters.columns import DOCUMENT_SIGNALS
from filters.samplers import DOMAIN, ranked, sampler_bound, sampler_fails
from filters.sql import literal, quoted
from recipes.model import Recipe
from recipes.scrub import MODEL_KINDS
from recipes.steps import Edit, Rule, Sample, column

SIGNS = {"min": ">=", "max": "<=", "above": ">", "below": "<", "equals": "=", "any_of": "IN"}
Placed = tuple[Rule | Sample, tuple[Edit, ...]]


def column_of(signal: str, edits: tuple[Edit, ...]) -> str:
    """The column of signals/ in which a step finds its signal; scores, names and facts of it know no edits."""
    plain = signal in DOCUMENT_SIGNALS or signal.startswith("score_") or signal.removeprefix("pii_") in MODEL_KINDS
    return signal if plain else column(signal, edits)


def name_of(step: Rule | Sample, edits: tuple[Edit, ...]) -> str:
    """The quoted column that a step reads; NULL for a sampler without a signal."""
    return quoted(column_of(step.signal, edits)) if step.signal else "NULL"


def columns_read(recipe: Recipe) -> list[str]:
    """The columns of signals/ that deciding reads, each once."""
    read = [column_of(step.signal, edits) for step, edits in recipe.placed() if step.signal]
    capped = any(isinstance(step, Sample) and step.method == "domain_cap" for step in recipe.steps)
    return list(dict.fromkeys(["doc_id", "lang", *read, *([DOMAIN] if capped else [])]))


def fails(step: Rule | Sample, edits: tuple[Edit, ...]) -> str:
    """SQL that is true for a document which the step drops."""
    if isinstance(step, Sample):
        test = sampler_fails(step, name_of(step, edits))
    else:
        test = f"NOT ({name_of(step, edits)} {SIGNS[step.bound]} {_bound(step)})"
    return f"lang IN {literal(step.languages)} AND {test}" if step.languages else test


def _bound(rule: Rule) -> str:
    """SQL for the bound; where it is stated by language, NULL for the others, so that they pass."""
    if not isinstance(rule.threshold, dict):
        return literal(rule.threshold)
    arms = " ".join(f"WHEN {literal(lang)} THEN {literal(value)}" for lang, value in rule.threshold.items())
    return f"CASE lang {arms} END"


def _case(placed: Sequence[Placed], outcomes: Sequence[str]) -> str:
    if not placed:
        return "NULL"
    arms = [f"WHEN {fails(*one)} THEN {then}" for one, then in zip(placed, outcomes, strict=True)]
    return "CASE " + " ".join(arms) + " END"


def first_failing_of(placed: Sequence[Placed]) -> str:
    """SQL for the id of the first of these steps that drops the document, NULL if none does."""
    return _case(placed, [literal(step.id) for step, _ in placed])


def first_failing(recipe: Recipe) -> str:
    """SQL for the id of the first failing step, NULL if the document passes all."""
    return first_failing_of(recipe.placed())


def with_verdicts(recipe: Recipe, source: str = "signals") -> str:
    """SQL for `source` with a column for each sampler that must see the whole run: all that the rules read."""
    placed = recipe.placed()
    return ranked(recipe, source, lambda i: first_failing_of(placed[:i]), lambda i: name_of(*placed[i]))


def failing_value(recipe: Recipe) -> str:
    """SQL for what the first failing step measured, as text."""
    return _case(recipe.placed(), [f"CAST({name_of(*placed)} AS VARCHAR)" for placed in recipe.placed()])


def failing_threshold(recipe: Recipe) -> str:
    """SQL for the first failing step's bound, as text such as '>= 50'; by language, that of the document's."""
    return _case(recipe.placed(), [_bound_sql(step) for step, _ in recipe.placed()])


def _bound_sql(step: Rule | Sample) -> str:
    if isinstance(step, Sample) or not isinstance(step.threshold, dict):
        return literal(bound_text(step))
    sign = SIGNS[step.bound]
    arms = " ".join(f"WHEN {literal(lang)} THEN {literal(f'{sign} {v:g}')}" for lang, v in step.threshold.items())
    return f"CASE lang {arms} END"


def all_failing(recipe: Recipe) -> str:
    """SQL for the list of all failing steps' ids."""
    arms = [f"CASE WHEN {fails(*placed)} THEN {literal(placed[0].id)} END" for placed in recipe.placed()]
    return f"list_filter([{', '.join(arms)}], lambda x: x IS NOT NULL)" if arms else "[]"


def bound_text(step: Rule | Sample) -> str:
    """A step's bound for people.

    >>> bound_text(Rule(id="a.b.v1", signal="word_count", min=50, evidence="C"))
    '>= 50'
    >>> bound_text(Rule(id="a.b.v1", signal="top_2gram_char_ratio", max={"zh": 0.256, "fr": 0.161}, evidence="C"))
    '<= 0.256 (zh), 0.161 (fr)'
    """
    if isinstance(step, Sample):
        return sampler_bound(step)
    value = step.threshold
    if isinstance(value, tuple):
        return f"in {', '.join(value)}"
    if isinstance(value, dict):
        return f"{SIGNS[step.bound]} {', '.join(f'{v:g} ({lang})' for lang, v in value.items())}"
    number = f"{value:g}" if isinstance(value, float) else str(value)
    return f"{SIGNS[step.bound]} {number}"
