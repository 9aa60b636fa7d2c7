"""What each rule saw: the distribution of its measurement, where its bound lies in it, and documents at the border.

The histogram is of every document that the rule looks at, by its own test alone, whatever an earlier rule had done
with it; `first` counts those whose fate names this rule. The examples are the nearest to the bound on either side:
dropped by this rule, and kept. Traded away: values beyond the 0.5 % on either end share the outermost bars.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import floor, isfinite, log10
from typing import Any

import numpy as np
from numpy import spacing

from filters.rules import bound_text, column_of, fails
from filters.sql import literal, quoted
from recipes.model import Recipe
from recipes.steps import Edit, Rule, Sample
from stats.report.rows import TABLE, Held
from stats.report.strings import MARGIN, shortened, without_personal_data
from stats.report.texts import Page, pages
from stats.rows import FATE, RULE
from stats.run import Run

BARS = 36
LINES = 4  # bounds by language that are drawn
VALUES = 8
SAID = 60  # characters of a value that is no number
EXAMPLES = 2  # a side
NUMBER = re.compile(r"-?[0-9.]+(e-?[0-9]+)?")


@dataclass(frozen=True)
class Bar:
    """[low, high) of the measurement, and documents that pass and fail there."""

    low: float
    high: float
    passing: int
    failing: int


@dataclass(frozen=True)
class Example:
    """A document near the bound."""

    doc_id: str
    value: str
    lang: str | None
    page: Page | None = None


@dataclass(frozen=True)
class RuleView:
    """One rule: `failing` of `asked` documents fail it, `first` of them had no earlier reason to go."""

    step: Rule | Sample
    bound: str
    asked: int
    failing: int
    first: int
    bars: Sequence[Bar] = ()
    lines: Mapping[str, float] = field(default_factory=dict)
    values: Sequence[tuple[str, int, int]] = ()
    dropped: Sequence[Example] = ()
    kept: Sequence[Example] = ()


def rule_views(run: Run, recipe: Recipe, held: Held) -> list[RuleView]:
    """A view for each rule whose measurement is there, in the recipe's order; samplers have counts alone."""
    first = dict(run.rows(f"SELECT {RULE}, count(*) FROM {TABLE} WHERE {RULE} IS NOT NULL GROUP BY 1"))
    views = [
        rule_view(run, step, edits, first.get(step.id, 0))
        for step, edits in recipe.placed()
        if isinstance(step, Sample) or column_of(step.signal, edits) in held.columns
    ]
    examples = [one for view in views for one in (*view.dropped, *view.kept)]
    told = pages(run, held, [one.doc_id for one in examples])
    # A number is no personal data, and would be taken for some; a string may be anything.
    words = list({said for one in examples for said in (one.value, one.lang or "") if not NUMBER.fullmatch(said)})
    clean = {word: shortened(said, SAID) for word, said in zip(words, without_personal_data(words), strict=True)}

    def shown(side: Sequence[Example]) -> list[Example]:
        return [
            replace(
                one, page=told.get(one.doc_id), value=clean.get(one.value, one.value), lang=clean.get(one.lang or "")
            )
            for one in side
        ]

    return [replace(view, dropped=shown(view.dropped), kept=shown(view.kept)) for view in views]


def rule_view(run: Run, step: Rule | Sample, edits: tuple[Edit, ...], first: int) -> RuleView:
    """The view of one step, its examples without their pages."""
    if isinstance(step, Sample):
        return RuleView(step, bound_text(step), 0, first, first)
    column = quoted(column_of(step.signal, edits))
    fail = f"coalesce({fails(step, edits)}, false)"
    where = f"{column} IS NOT NULL{_of_languages(step)}"
    asked, failing = run.rows(f"SELECT count(*), count(*) FILTER ({fail}) FROM {TABLE} WHERE {where}")[0]
    view = RuleView(step, bound_text(step), asked, failing, first)
    value = f"left(CAST({column} AS VARCHAR), {MARGIN})"
    numeric = not isinstance(step.threshold, bool | str | tuple)
    if numeric:
        lines = _lines(run, step, where)
        view = replace(view, bars=histogram_of(run, column, fail, where, lines.values()), lines=lines)
    elif asked:
        values = run.rows(
            f"""SELECT {value}, count(*) FILTER (NOT {fail}), count(*) FILTER ({fail})
            FROM {TABLE} WHERE {where} GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT {VALUES}"""
        )
        clean = without_personal_data([value for value, *_ in values])
        view = replace(
            view, values=[(shortened(name, SAID), *counts) for name, (_, *counts) in zip(clean, values, strict=True)]
        )
    near = f"abs({column} - {_bound_sql(step)}), doc_id" if numeric else "doc_id"
    sides = (f"{RULE} = {literal(step.id)}", f"{FATE} = 'kept' AND {where}")
    nearest = (
        f"SELECT doc_id, {value}, left(lang, {MARGIN}) FROM {TABLE} WHERE {{side}} ORDER BY {near} LIMIT {EXAMPLES}"
    )
    dropped, kept = ([Example(*row) for row in run.rows(nearest.format(side=side))] if first else [] for side in sides)
    return replace(view, dropped=dropped, kept=kept)


def histogram_of(run: Run, column: str, fail: str, where: str, bounds: Iterable[float]) -> list[Bar]:
    """About BARS bars of equal width over the middle 99 % and the bounds; the outermost hold what lies beyond."""
    low, high, least, most = run.rows(
        f"""SELECT quantile_disc({column}, 0.005)::DOUBLE, quantile_disc({column}, 0.995)::DOUBLE,
            min({column})::DOUBLE, max({column})::DOUBLE FROM {TABLE} WHERE {where}"""
    )[0]
    if low is None or not all(map(isfinite, (low, high, least, most, most - least))):
        return []
    inside = [bound for bound in bounds if least <= bound <= most]
    low, high = min(low, *inside, high), max(high, *inside, low)
    if _equal(least, most):
        low, high = least - max(0.5, _apart(least, most)), most + max(0.5, _apart(least, most))
    elif _equal(low, high):
        low, high = least, most
    step = _round_width((high - low) / BARS)
    start = floor(low / step) * step
    count = max(1, floor((high - start) / step) + 1)
    rows = run.rows(
        f"""SELECT least(greatest(floor(({column} - {start!r}) / {step!r}), 0), {count - 1})::BIGINT,
            count(*) FILTER (NOT {fail}), count(*) FILTER ({fail}) FROM {TABLE} WHERE {where} GROUP BY 1"""
    )
    filled = np.zeros((count, 2), np.int64)
    for number, passing, failing in rows:
        filled[number] = passing, failing
    return [Bar(start + i * step, start + (i + 1) * step, int(p), int(f)) for i, (p, f) in enumerate(filled)]


def _round_width(width: float) -> float:
    """The next width above that reads well: 1, 2, 2.5 or 5 times a power of ten.

    >>> _round_width(0.021), _round_width(30), _round_width(2.4e-17)
    (0.025, 50.0, 2.5e-17)
    """
    power = 10.0 ** floor(log10(width))
    return float(next(f"{m * power:.3g}" for m in (1, 2, 2.5, 5, 10) if m * power >= width * (1 - 1e-9)))


def _equal(low: float, high: float) -> bool:
    """Whether numbers are as good as one: sums differ so by their order, and bars between them would have no width."""
    return high - low <= _apart(low, high)


def _apart(low: float, high: float) -> float:
    """What numbers of this size must differ by so that every bar has some of them."""
    return float(4 * BARS * spacing(max(abs(low), abs(high))))


def _of_languages(step: Rule) -> str:
    if isinstance(step.threshold, dict):
        return f" AND lang IN {literal(tuple(step.threshold))}"
    return f" AND lang IN {literal(step.languages)}" if step.languages else ""


def _bound_sql(step: Rule) -> str:
    if isinstance(step.threshold, dict):
        arms = " ".join(f"WHEN {literal(lang)} THEN {value!r}" for lang, value in step.threshold.items())
        return f"CASE lang {arms} END"
    return literal(step.threshold)


def _lines(run: Run, step: Rule, where: str) -> dict[str, float]:
    """Bounds to draw: the one, or those of the commonest languages."""
    bound: Any = step.threshold
    if not isinstance(bound, dict):
        return {"": float(bound)}
    common = run.rows(f"SELECT lang, count(*) FROM {TABLE} WHERE {where} GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT {LINES}")
    return {lang: bound[lang] for lang, _ in common}
