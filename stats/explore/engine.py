"""What a moved threshold keeps, answered from memory: for each document, how many rules drop it.

A document is kept if no rule drops it and it is no duplicate. So when one rule moves, all that has to be asked anew is
that rule: one comparison over one column. The counts of the others change only when a threshold is set for good.

Traded away: samplers that look at the whole run keep the verdicts that the run gave them, and what a run cannot know
is counted as `winnow what-if` counts it (`stats.rows`): a document that comes in was never looked at for duplicates.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from filters.check import check
from filters.rules import Placed, column_of, fails
from filters.samplers import whole_run
from filters.sql import literal, quoted
from filters.thresholds import set_thresholds
from recipes.model import Recipe
from recipes.steps import Edit, Rule, Sample
from stats.explore.answers import Answer, Line, Mask, Moved, estimated
from stats.report.rows import TABLE, hold
from stats.report.rules import Bar, histogram_of
from stats.report.texts import Page, pages
from stats.rows import BYTES, FATE, PART, RULE, TOKENS
from stats.run import Run

EXAMPLES = 3


class Engine:
    """One run in memory. `recipe` has the thresholds as they are set now; not for more than one thread."""

    def __init__(self, run: Run) -> None:
        self.run, self.own, self.recipe = run, run.recipe, run.recipe
        self.held = hold(run, run.recipe)
        if not self.held.documents:
            raise ValueError(f"{run.path} has no decided documents to explore. Give its `winnow run` again.")
        self.placed: dict[str, tuple[Rule, tuple[Edit, ...]]] = {
            step.id: (step, edits)
            for step, edits in run.recipe.placed()
            if isinstance(step, Rule) and column_of(step.signal, edits) in self.held.columns
        }
        columns = self._columns(
            f"doc_id, coalesce(lang, 'und') AS lang, {BYTES} AS bytes, {TOKENS} AS tokens, {PART} AS part, "
            f"coalesce({FATE} = 'kept' OR {RULE} IS NOT NULL, false) AS free"
        )
        if not self.placed:
            raise ValueError(f"{run.recipe.name} has no rules whose threshold could be moved.")
        self.ids: npt.NDArray[Any] = columns["doc_id"].to_numpy()
        names = columns["lang"].combine_chunks().dictionary_encode()
        self.names: list[str] = names.dictionary.to_pylist()
        self.lang = names.indices.to_numpy().astype(np.int64)
        self.bytes = columns["bytes"].to_numpy().astype(np.int64)
        self.tokens = estimated(columns["tokens"], self.bytes, self.lang)
        self.part: npt.NDArray[Any] = columns["part"].to_numpy()
        self.free: Mask = columns["free"].to_numpy()
        self.dropping = self._dropping()
        self.first_kept = self.kept()
        self.first_sums = self._sums(self.first_kept)
        self._others: tuple[str, Mask] | None = None

    def _columns(self, columns: str) -> Any:
        return self.run.table(f"SELECT {columns} FROM {TABLE} ORDER BY rowid")

    def _mask(self, test: str) -> Mask:
        found: Mask = self._columns(f"coalesce({test}, false) AS test")["test"].to_numpy()
        return found

    def _dropping(self) -> npt.NDArray[np.int16]:
        """How many steps drop each document."""
        asked: list[Placed] = [self._of(name) for name in self.placed]
        asked += [
            (step, edits)
            for step, edits in self.recipe.placed()
            if isinstance(step, Sample) and not step.of_run
            and (step.signal is None or column_of(step.signal, edits) in self.held.columns)
        ]  # fmt: skip
        here = {step.id for step, _ in asked}
        still = tuple(step.id for step in self.recipe.steps if step.id not in here)
        counted = [f"CASE WHEN {fails(*one)} THEN 1 ELSE 0 END" for one in asked]
        counted += [f"CASE WHEN {RULE} IN {literal(still)} THEN 1 ELSE 0 END"] if still else []
        found = self._columns(f"CAST({' + '.join(counted) or '0'} AS SMALLINT) AS n")["n"].to_numpy()
        return np.array(found, np.int16)

    def _of(self, name: str) -> tuple[Rule, tuple[Edit, ...]]:
        """A rule as it is set now."""
        _, edits = self.placed[name]
        step = next(step for step in self.recipe.steps if step.id == name)
        assert isinstance(step, Rule)
        return step, edits

    @property
    def busiest(self) -> str:
        """The rule with a number for a bound that drops most documents, else the first rule."""
        found = self.run.rows(
            f"SELECT {RULE} FROM {TABLE} WHERE {RULE} IS NOT NULL GROUP BY 1 ORDER BY count(*) DESC, 1"
        )
        named = [str(name) for (name,) in found if name in self.placed]
        return next((name for name in named if self.bars(name)), next(iter(self.placed)))

    def rule(self, name: str) -> Rule:
        """A rule as it is set now; ValueError if the run has no such rule."""
        if name not in self.placed:
            raise ValueError(f"This run has no rule {name}.")
        return self._of(name)[0]

    def moved(self, name: str, value: str) -> Recipe:
        """The recipe with one more threshold changed; ValueError in a sentence if it cannot have this value."""
        self.rule(name)
        return set_thresholds(self.recipe, [f"{name}={value}"])

    def kept(self, name: str | None = None, recipe: Recipe | None = None) -> Mask:
        """Which documents are kept, now or with rule `name` as `recipe` has it."""
        if name is None or recipe is None:
            return self.free & (self.dropping == 0)
        if self._others is None or self._others[0] != name:  # what a slider leaves as it is, is asked once
            others = self.dropping - self._fails(name, self.recipe)
            self._others = name, self.free & (others == 0)
        return self._others[1] & ~self._fails(name, recipe)

    def _fails(self, name: str, recipe: Recipe) -> Mask:
        step = next(step for step in recipe.steps if step.id == name)
        assert isinstance(step, Rule)
        return self._tested(step, self.placed[name][1])

    @lru_cache(maxsize=4)  # noqa: B019 - an engine lives as long as its page
    def values(self, name: str) -> npt.NDArray[np.float64]:
        """A rule's measurements, NaN where there is none."""
        column = quoted(column_of(self.placed[name][0].signal, self.placed[name][1]))
        found = self._columns(f"CAST({column} AS DOUBLE) AS v")["v"]
        return np.array(found.to_numpy(zero_copy_only=False) if hasattr(found, "chunks") else found, np.float64)

    def _tested(self, step: Rule, edits: tuple[Edit, ...]) -> Mask:
        if not isinstance(step.threshold, float) or isinstance(step.threshold, bool) or step.bound == "equals":
            return self._mask(fails(step, edits))
        values, bound = self.values(step.id), step.threshold
        with np.errstate(invalid="ignore"):
            test: Mask = {"min": values < bound, "above": values <= bound,
                          "max": values > bound, "below": values >= bound}[step.bound]  # fmt: skip
        return test & self._looked_at(step) if step.languages else test

    def _looked_at(self, step: Rule) -> Mask:
        wanted = np.array([name in (step.languages or ()) for name in self.names], bool)
        found: Mask = wanted[self.lang]
        return found

    def set(self, name: str, value: str) -> None:
        """Set a threshold for good: what is asked next is asked under it. ValueError if it could never be met."""
        recipe = self.moved(name, value)
        check(recipe)
        self.dropping += self._fails(name, recipe).astype(np.int16) - self._fails(name, self.recipe).astype(np.int16)
        self.recipe, self._others = recipe, None

    def reset(self) -> None:
        """Back to the run's own thresholds."""
        self.recipe, self._others = self.own, None
        self.dropping = self._dropping()

    @property
    def changes(self) -> list[tuple[str, object, object]]:
        """(rule, the run's own threshold, the one that is set) of each that differs."""
        return [(name, was.threshold, now.threshold) for name, (was, _) in self.placed.items()
                if (now := self._of(name)[0]).threshold != was.threshold]  # fmt: skip

    def answer(self, name: str, value: str) -> tuple[Answer, Mask]:
        """What the run would keep; and which documents."""
        then = self.kept(name, self.moved(name, value))
        now = self.first_kept
        both = [self.first_sums, self._sums(then)]
        lines = [Line(name, *(tuple(round(s[i]) for s in side) for side in both)) for i, name in enumerate(self.names)]  # type: ignore[arg-type]
        total = Line("", *(tuple(round(s.sum()) for s in side) for side in both))  # type: ignore[arg-type]
        shown = sorted((one for one in lines if one.now[0] or one.then[0]), key=lambda one: -one.then[0])
        return Answer(total, shown[:12], int((then & ~now).sum()), int((now & ~then).sum())), then

    def _sums(self, mask: Mask) -> list[npt.NDArray[np.float64]]:
        codes, size = self.lang[mask], len(self.names)
        return [
            np.asarray(np.bincount(codes, weight, size), np.float64)
            for weight in (None, self.bytes[mask], self.tokens[mask])
        ]

    def examples(self, name: str, then: Mask) -> tuple[list[Moved], list[Moved]]:
        """(documents that come in, documents that go out) with rule `name`: a few, spread over what they measure.

        They are taken from one part a side, so that a text is shown as fast as a number.
        """
        step, now = self.rule(name), self.first_kept
        numeric = not isinstance(step.threshold, bool | str | tuple)
        values = self.values(name) if numeric else np.zeros(len(self.ids))
        sides = [self._nearest(mask, values) for mask in (then & ~now, now & ~then)]
        told = self._pages(tuple(sorted(str(self.ids[i]) for side in sides for i in side)))

        def shown(side: list[int]) -> list[Moved]:
            named = [(f"{values[i]:.6g}" if numeric else "", str(self.ids[i])) for i in side]
            return [Moved(value, told[name]) for value, name in named if name in told]

        return shown(sides[0]), shown(sides[1])

    def _nearest(self, mask: Mask, values: npt.NDArray[np.float64]) -> list[int]:
        rows = np.flatnonzero(mask)
        if not len(rows):
            return []
        parts, counts = np.unique(self.part[rows], return_counts=True)
        rows = rows[self.part[rows] == parts[np.argmax(counts)]]
        order = np.argsort(np.nan_to_num(values[rows], nan=np.inf), kind="stable")
        return [int(row) for row in rows[order][:: max(1, len(rows) // EXAMPLES)][:EXAMPLES]]

    @lru_cache(maxsize=64)  # noqa: B019 - as above
    def _pages(self, ids: tuple[str, ...]) -> dict[str, Page]:
        return dict(pages(self.run, self.held, ids))

    @lru_cache(maxsize=8)  # noqa: B019 - as above
    def bars(self, name: str) -> list[Bar]:
        """How a rule's measurement is distributed; pass and fail are by the run's own bound."""
        step, edits = self.placed[name]
        if isinstance(step.threshold, bool | str | tuple):
            return []
        bound = step.threshold
        column = quoted(column_of(step.signal, edits))
        where = f"{column} IS NOT NULL" + (f" AND lang IN {literal(step.languages)}" if step.languages else "")
        lines = bound.values() if isinstance(bound, dict) else [bound]
        return histogram_of(self.run, column, f"coalesce({fails(step, edits)}, false)", where, lines)

    @property
    def notices(self) -> list[str]:
        """What the answers leave out."""
        told = [f"The verdicts of {step.id} are those that the run gave." for step in whole_run(self.own)]
        if self.held.share < 1:
            told.append(f"Figures are of a sample: {self.held.documents:,} of {self.held.of:,} documents.")
        return told
