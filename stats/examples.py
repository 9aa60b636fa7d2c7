"""Documents that change sides, each told in a sentence: the page, what was measured against which bound, the text.

The text is crawled, and so hostile: what goes to the terminal is one short line of it that cannot steer anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from filters.rules import bound_text, name_of
from filters.sql import literal
from recipes.model import Recipe
from recipes.steps import Rule, Sample
from stats.run import Run
from stats.show import harmless, safe

EXCERPT = 100  # characters


@dataclass(frozen=True)
class Example:
    """A document that changes sides; `part` is the file name of its part, `now` and `then` are fates."""

    doc_id: str
    part: str
    now: str
    then: str
    lang: str | None


def sentences(run: Run, recipe: Recipe, comes_in: Sequence[Example], goes_out: Sequence[Example]) -> dict[str, str]:
    """A sentence for each example: the page, its fate on the other side, what was measured, and how the text begins."""
    pages = _rows_of(run, "documents", ["url", f"left(text, {4 * EXCERPT})"], [*comes_in, *goes_out])
    before = _rows_of(run, "decisions", ["value", "threshold"], comes_in)
    steps = {f"filtered:{step.id}": (step, edits) for step, edits in recipe.placed()}
    columns = {one.then: f"CAST({name_of(*steps[one.then])} AS VARCHAR)" for one in goes_out}
    after = _rows_of(run, "signals", list(columns.values()), goes_out)
    told = {}
    for one in (*comes_in, *goes_out):
        if one.then == "kept":
            fate, (value, bound) = f"was {one.now}", before[one.doc_id]
        else:
            value = after[one.doc_id][list(columns).index(one.then)]
            fate, bound = f"would be {one.then}", bound_of(steps[one.then][0], one.lang)
        url, text = pages[one.doc_id]
        page = harmless(url[:200]) if url else one.doc_id
        told[one.doc_id] = f"{page}: {fate}, {safe(value)} against {safe(bound)}: {excerpt(text)}"
    return told


def _rows_of(run: Run, dataset: str, columns: Sequence[str], examples: Sequence[Example]) -> dict[str, Sequence[str]]:
    """These columns of the examples' documents, by doc_id, from the parts that hold them."""
    if not examples:
        return {}
    files = run.files([run.path / dataset / part for part in sorted({one.part for one in examples})])
    ids = literal(tuple(one.doc_id for one in examples))
    query = f"SELECT {', '.join(('doc_id', *columns))} FROM {files} WHERE doc_id IN {ids}"
    return {doc_id: values for doc_id, *values in run.rows(query)}


def bound_of(step: Rule | Sample, lang: str | None) -> str:
    """A step's bound for a document of this language."""
    if isinstance(step, Rule) and isinstance(step.threshold, dict) and lang in step.threshold:
        return f"{bound_text(step.model_copy(update={step.bound: step.threshold[lang]}))} ({lang})"
    return bound_text(step)


def excerpt(text: str) -> str:
    """How a text begins, on one line, harmless to a terminal.

    >>> excerpt("one  two\\n\\x1b[31mthree")
    '“one two �[31mthree”'
    """
    line = " ".join(text.split())
    return f"“{harmless(line[:EXCERPT])}{'…' if len(line) > EXCERPT else ''}”"
