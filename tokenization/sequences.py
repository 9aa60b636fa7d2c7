"""Which training step sees which tokens: a pure function of the seed, and the one place where it is written.

All shards are one long stream of ids, cut into sequences of `context` + 1 ids that overlap by one; an epoch is a
permutation of them from the seed and the epoch's number, and the last sequences of the stream are held out. The loader
asks what comes at a place of the order; lineage asks the other way round.

Traded away: a permutation takes four bytes a sequence (1 GB for a corpus of 2**39 tokens at 2,048 a sequence).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class Order:
    """The order of a training over a stream of ids: `count` sequences are trained on, `held_out` come after them."""

    context: int
    seed: int
    count: int
    held_out: int

    @staticmethod
    def of(tokens: int, context: int, seed: int, held_out: int) -> Order:
        """Of a stream of `tokens` ids; at most a tenth of the sequences are held out.

        >>> Order.of(1001, 100, 0, 64)
        Order(context=100, seed=0, count=9, held_out=1)
        """
        everything = max(tokens - 1, 0) // context
        apart = min(held_out, everything // 10)
        return Order(context, seed, everything - apart, apart)

    def number_at(self, place: int) -> int:
        """Which sequence comes at `place`, counted from 0 over all epochs."""
        epoch, within = divmod(place, self.count)
        return int(_permutation(self.seed, epoch, self.count)[within])

    def sequences_with(self, token: int) -> list[int]:
        """The sequences that the id at `token` of the stream is in: two where it ends one and begins the next.

        >>> Order.of(1001, 100, 0, 0).sequences_with(100), Order.of(1001, 100, 0, 0).sequences_with(101)
        ([0, 1], [1])
        """
        last = token // self.context
        both = [last - 1, last] if token % self.context == 0 else [last]
        return [number for number in both if 0 <= number < self.count + self.held_out]

    def places_of(self, numbers: npt.NDArray[np.int64], before: int) -> Iterator[tuple[int, int]]:
        """(place, sequence) at which the order comes to any of `numbers`, below place `before`, in order."""
        for epoch in range(-(-before // self.count)):
            order = _permutation(self.seed, epoch, self.count)
            for within in np.flatnonzero(np.isin(order, numbers)).tolist():
                place = epoch * self.count + within
                if place < before:
                    yield place, int(order[within])


@lru_cache(maxsize=2)  # a batch may lie across the end of an epoch
def _permutation(seed: int, epoch: int, count: int) -> npt.NDArray[np.integer]:
    numbers: npt.NDArray[np.integer] = np.arange(count).astype(np.uint32 if count < 1 << 32 else np.uint64)
    np.random.default_rng((seed, epoch)).shuffle(numbers)
    return numbers
