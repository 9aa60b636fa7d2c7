"""The plan of a training: which stretches of the shards make which sequence, and which sequence comes at which place.

Without a mixture and without packing, sequence n is the ids [n * context, n * context + context] of all shards one
after another: nothing is built and nothing is read but the manifest. Else the segments of every sequence are written
once into files that are mapped, about forty bytes a sequence of ordinary text (see `plan_files`), from the offsets and
labels of the shards alone.

The loader asks what comes at a place; lineage asks at which places a token came. Both are here, so they cannot differ.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal

import numpy as np

from tokenization.mix import PERIOD, pattern
from tokenization.packing import Packed
from tokenization.permutation import Numbers
from tokenization.sequences import Order


@dataclass(frozen=True)
class Layout:
    """All that a plan depends on beside the manifest; `window` is in ids, 0 for the whole corpus."""

    context: int
    seed: int
    held_out: int = 0
    packing: Literal["concat", "best-fit"] = "concat"
    mix: str = ""
    window: int = 0

    @staticmethod
    def of(options: dict[str, Any]) -> Layout:
        """The part of a training's options that is a layout; KeyError where one is not stated."""
        return Layout(**{field.name: options[field.name] for field in fields(Layout)})

    @property
    def indexed(self) -> bool:
        """Whether segments have to be written out."""
        return bool(self.mix) or self.packing == "best-fit"

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


@dataclass(frozen=True)
class Group:
    """Sequences of one label: numbers [base, base + count) are trained on, `held_out` more come after them."""

    name: str
    base: int
    quota: int
    order: Order
    held_out: int
    packed: Packed | None = None

    @property
    def count(self) -> int:
        """Sequences an epoch."""
        return self.order.count


@dataclass(frozen=True)
class Plan:
    """Sequences of a corpus by number, and numbers by place. Groups lie one after another in the numbers."""

    layout: Layout
    groups: tuple[Group, ...]

    @property
    def count(self) -> int:
        """Sequences that are trained on, over all groups."""
        return sum(group.count for group in self.groups)

    @property
    def held_out(self) -> Numbers:
        """Numbers of the sequences that are held out."""
        parts = [np.arange(g.base + g.count, g.base + g.count + g.held_out, dtype=np.int64) for g in self.groups]
        return np.concatenate(parts)

    def numbers_at(self, places: Numbers) -> Numbers:
        """Which sequences come at `places`, counted from 0 over the whole training."""
        if len(self.groups) == 1:
            return self.groups[0].order.numbers_at(places)
        out = np.empty(len(places), np.int64)
        which, turn = self._turns(places)
        for index, group in enumerate(self.groups):
            mine = which == index
            out[mine] = group.base + group.order.numbers_at(turn[mine])
        return out

    def segments(self, number: int) -> list[tuple[int, int]]:
        """(first id, ids) in the stream of all shards of each stretch of a sequence, in order."""
        group = self._group_of(number)
        if group.packed is None:
            return [(number * self.layout.context, self.layout.context + 1)]
        first, last = group.packed.firsts[number - group.base : number - group.base + 2]
        return list(
            zip(group.packed.starts[first:last].tolist(), group.packed.lengths[first:last].tolist(), strict=True)
        )

    def sequences_with(self, first: int, last: int) -> Numbers:
        """The sequences with any of the ids [first, last) of the stream, in order; at a seam an id is in two."""
        found = []
        for group in self.groups:
            total = group.count + group.held_out
            if group.packed is None:
                lowest = max(0, -(-first // self.layout.context) - 1)
                found.append(np.arange(lowest, min(total, (last - 1) // self.layout.context + 1)))
                continue
            starts, lengths, firsts = group.packed
            rows = np.flatnonzero((starts < last) & (starts + lengths > first))
            numbers = np.unique(np.searchsorted(firsts, rows, side="right") - 1)
            found.append(group.base + numbers[numbers < total])
        return np.concatenate(found).astype(np.int64)

    def places_of(self, numbers: Sequence[int] | Numbers, before: int) -> list[tuple[int, int]]:
        """(place, sequence) at which the training comes to any of `numbers`, below place `before`, in order."""
        found = []
        for number in np.asarray(numbers, np.int64).tolist():
            group = self._group_of(number)
            if number - group.base >= group.count:
                continue
            most = before if len(self.groups) == 1 else (before // PERIOD + 1) * group.quota
            turns = group.order.places_of(number - group.base, -(-most // group.count))
            found += [(place, number) for turn in turns.tolist() if (place := self._place(group, turn)) < before]
        return sorted(found)

    def epochs(self, places: int) -> dict[str, float]:
        """How often each group's sequences have been seen after so many places."""
        whole, rest = divmod(places, PERIOD)
        which = pattern(self.layout.seed, whole, self._quotas())[0][:rest] if len(self.groups) > 1 else np.zeros(rest)
        quotas = self._quotas() if len(self.groups) > 1 else (PERIOD,)
        seen = [whole * quota + int((which == index).sum()) for index, quota in enumerate(quotas)]
        return {group.name: n / group.count for group, n in zip(self.groups, seen, strict=True)}

    def epoch_of(self, place: int) -> int:
        """Which epoch of its own group the sequence at `place` is seen in."""
        if len(self.groups) == 1:
            return place // self.count
        which, turn = self._turns(np.array([place]))
        return int(turn[0]) // self.groups[int(which[0])].count

    def padding(self) -> float:
        """Share of places for ids that hold none."""
        size = self.layout.context + 1
        filled = sum(int(g.packed.lengths.sum(dtype=np.int64)) for g in self.groups if g.packed is not None)
        places = sum((len(g.packed.firsts) - 1) * size for g in self.groups if g.packed is not None)
        return 1 - filled / places if places else 0.0

    def _turns(self, places: Numbers) -> tuple[Numbers, Numbers]:
        """(group, how many of the group's came before) at each place."""
        which, turn = np.empty(len(places), np.int64), np.empty(len(places), np.int64)
        periods = places // PERIOD
        for period in np.unique(periods).tolist():
            mine = periods == period
            groups, before = pattern(self.layout.seed, period, self._quotas())
            which[mine] = groups[places[mine] % PERIOD]
            turn[mine] = period * np.array(self._quotas())[which[mine]] + before[places[mine] % PERIOD]
        return which, turn

    def _place(self, group: Group, turn: int) -> int:
        if len(self.groups) == 1:
            return turn
        period, within = divmod(turn, group.quota)
        which, before = pattern(self.layout.seed, period, self._quotas())
        at = np.flatnonzero((which == self.groups.index(group)) & (before == within))
        return period * PERIOD + int(at[0])

    def _quotas(self) -> tuple[int, ...]:
        return tuple(group.quota for group in self.groups)

    def _group_of(self, number: int) -> Group:
        return next(g for g in self.groups if g.base <= number < g.base + g.count + g.held_out)
