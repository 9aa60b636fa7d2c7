"""What would be kept under other thresholds, from the measurements that a run already has.

The rules of the other recipe are the same SQL that the run's own decisions came from, over the same columns; what a
run cannot know is said in `stats.rows`. Where bounds of the run's own recipe are only made stricter, the decisions tell
what else a document passes, and only the changed rules are asked.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import zip_longest

import pyarrow as pa

from filters.rules import column_of, columns_read, first_failing, with_verdicts
from recipes.model import Recipe
from stats.examples import Example, sentences
from stats.rows import COUNT, FATE, PART, RULE, SIGNED, SUMS, Rates, Sums, decided_parts, ready, side_by_side, table
from stats.run import Run
from stats.stricter import stricter_rules, then_of_stricter

EXAMPLES = 5  # documents of each side
CELLS = f"""
SELECT {FATE}, "rule then", lang, any_value({RULE} IS NULL), {SUMS},
       coalesce(min(CASE WHEN "rule then" IS DISTINCT FROM {RULE} THEN doc_id || {PART} END, {EXAMPLES}), [])
FROM (SELECT *, CAST(({{rule}}) AS VARCHAR) AS "rule then" FROM {{source}}) GROUP BY ALL
"""
TOTAL_SCHEMA = pa.schema([
    pa.field("kept", pa.string()), pa.field("now", pa.int64(), metadata=COUNT),
    pa.field("then, at most", pa.int64(), metadata=COUNT), pa.field("change", pa.int64(), metadata=SIGNED),
    pa.field("share of now", pa.float64(), metadata={"format": "+.1%"})])  # fmt: skip
FATE_SCHEMA = pa.schema([
    pa.field("fate", pa.string()), pa.field("now", pa.int64(), metadata=COUNT),
    pa.field("then", pa.int64(), metadata=COUNT), pa.field("change", pa.int64(), metadata=SIGNED),
    pa.field("bytes", pa.int64(), metadata=SIGNED),
    pa.field("tokens, about", pa.int64(), metadata=SIGNED)])  # fmt: skip
LANGUAGE_SCHEMA = pa.schema([
    pa.field("language", pa.string()), pa.field("kept now", pa.int64(), metadata=COUNT),
    pa.field("kept then, at most", pa.int64(), metadata=COUNT), pa.field("bytes now", pa.int64(), metadata=COUNT),
    pa.field("bytes then", pa.int64(), metadata=COUNT), pa.field("tokens now", pa.int64(), metadata=COUNT),
    pa.field("tokens then, about", pa.int64(), metadata=COUNT)])  # fmt: skip


Place = tuple[str, str]  # doc_id, and the file name of its part


@dataclass(frozen=True)
class Cell:
    """Documents of one language and of one fate now and then; the lowest (doc_id, part) of those that change rules."""

    now: str
    then: str
    lang: str | None
    sums: Sums
    examples: Sequence[Place]


@dataclass(frozen=True)
class WhatIf:
    """The answer: totals, fates now and then, kept documents by language, and sentences on documents that move."""

    totals: pa.Table
    fates: pa.Table
    languages: pa.Table
    comes_in: list[str]
    goes_out: list[str]
    notices: list[str]


def what_if(run: Run, recipe: Recipe) -> WhatIf:
    """What `recipe`'s rules would make of the run; ValueError if the run did not measure what they need."""
    recipe, notices = ready(run, recipe)
    cells = _cells(run, recipe)
    rates = Rates((cell.lang, cell.sums) for cell in cells)
    comes_in = _chosen(cell for cell in cells if cell.now != "kept" and cell.then == "kept")
    goes_out = _chosen(cell for cell in cells if cell.now == "kept" and cell.then != "kept")
    told = sentences(run, recipe, comes_in, goes_out)
    return WhatIf(
        table(_totals(cells, rates), TOTAL_SCHEMA),
        table(_fates(cells, rates), FATE_SCHEMA),
        table(_languages(cells, rates), LANGUAGE_SCHEMA),
        [told[one.doc_id] for one in comes_in],
        [told[one.doc_id] for one in goes_out],
        notices,
    )


def _cells(run: Run, recipe: Recipe) -> list[Cell]:
    """Every decided document in one cell."""
    parts = decided_parts(run)
    if not parts:
        return []
    changed = stricter_rules(run.recipe, recipe)
    if changed is None:
        rule, source = first_failing(recipe), with_verdicts(recipe, side_by_side(run, columns_read(recipe), parts))
    else:
        columns = [column_of(step.signal, edits) for step, edits in changed if step.signal]
        rule, source = then_of_stricter(recipe, changed), side_by_side(run, columns, parts)
    return [
        Cell(now, _fate(now, then, passed), lang, Sums(*sums), [(one[:32], parts[int(one[32:])]) for one in examples])
        for now, then, lang, passed, *sums, examples in run.rows(CELLS.format(rule=rule, source=f"({source})"))
    ]


def _fate(now: str, rule: str | None, passed: bool) -> str:
    """The fate under `rule`; what went by no rule (a duplicate, or an evaluation item in it) goes still.

    What was removed by request stays so under any rule.
    """
    if now.startswith("removed:"):
        return now
    if rule is not None:
        return f"filtered:{rule}"
    return now if passed else "kept"


def _chosen(cells: Iterable[Cell]) -> list[Example]:
    """At most EXAMPLES documents: one of each pair of fates, the commonest pair first, then a second of each."""
    pairs: dict[tuple[str, str], list[Example]] = defaultdict(list)
    counts: dict[tuple[str, str], int] = defaultdict(int)
    for cell in cells:
        pairs[cell.now, cell.then] += [Example(*place, cell.now, cell.then, cell.lang) for place in cell.examples]
        counts[cell.now, cell.then] += cell.sums.documents
    order = sorted(pairs, key=lambda pair: (-counts[pair], pair))
    turns = zip_longest(*(sorted(pairs[pair], key=lambda one: one.doc_id)[:EXAMPLES] for pair in order))
    return [one for turn in turns for one in turn if one is not None][:EXAMPLES]


def _totals(cells: Sequence[Cell], rates: Rates) -> list[tuple[object, ...]]:
    sides = []
    for side in ("now", "then"):
        kept = [cell for cell in cells if getattr(cell, side) == "kept"]
        total = sum((cell.sums for cell in kept), Sums())
        tokens = total.tokens if side == "now" else round(sum(rates.tokens(cell.lang, cell.sums) for cell in kept))
        sides.append((total.documents, total.bytes, tokens))
    names = ("documents", "bytes of text", "tokens, about")
    return [
        (name, now, then, then - now, (then - now) / now if now else None)
        for name, now, then in zip(names, *sides, strict=True)
    ]


def _fates(cells: Sequence[Cell], rates: Rates) -> list[tuple[object, ...]]:
    """Rows of FATE_SCHEMA: kept first, then what changes most."""
    by: dict[str, list[float]] = defaultdict(lambda: [0, 0, 0, 0])
    for cell in cells:
        tokens = rates.tokens(cell.lang, cell.sums)
        by[cell.now][0] += cell.sums.documents
        by[cell.then][1] += cell.sums.documents
        for fate, sign in ((cell.now, -1), (cell.then, 1)):
            by[fate][2] += sign * cell.sums.bytes
            by[fate][3] += sign * tokens
    order = sorted(by, key=lambda fate: (fate != "kept", -abs(by[fate][1] - by[fate][0]), fate))
    return [
        (fate, by[fate][0], by[fate][1], by[fate][1] - by[fate][0], by[fate][2], round(by[fate][3])) for fate in order
    ]


def _languages(cells: Sequence[Cell], rates: Rates) -> list[tuple[object, ...]]:
    """Rows of LANGUAGE_SCHEMA for languages that have a kept document on either side."""
    by: dict[str | None, list[Sums]] = defaultdict(lambda: [Sums(), Sums()])
    for cell in cells:
        for i, fate in enumerate((cell.now, cell.then)):
            if fate == "kept":
                by[cell.lang][i] += cell.sums
    return [
        (lang or "unknown", now.documents, then.documents, now.bytes, then.bytes,
         now.tokens, round(rates.tokens(lang, then)))
        for lang, (now, then) in sorted(by.items(), key=lambda one: (-one[1][1].documents, one[0] or ""))
    ]  # fmt: skip
