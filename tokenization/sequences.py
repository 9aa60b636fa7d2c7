"""Which sequence a training comes to at which place: a pure function of the seed, and the one place that says so.

An epoch is a permutation of `count` sequences from the seed, the stream's number and the epoch's (see `permutation`),
computed for each place as it is asked, and the other way round. So a position in the data is one number, whatever the
number of ranks, and lineage asks where a sequence came without going through the order.

With a `window`, an epoch goes through blocks of that many neighbouring sequences, blocks in a permuted order and
sequences permuted within each; what is left over at the end of the stream comes last. Shards are shuffled already, so
that is a fair order too, and one that needs only few shards at a time. Traded away: in it, neighbours stay near.
"""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np

from tokenization.permutation import Numbers, backward, forward, key_of

ORDER = 2  # which way of ordering: checkpoints of another cannot be continued or traced
BLOCKS = -1  # the block number that stands for the order of the blocks themselves


@dataclass(frozen=True)
class Order:
    """The order of a training over `count` sequences; `stream` tells apart the orders that one training mixes."""

    seed: int
    count: int
    window: int = 0
    stream: int = 0

    def numbers_at(self, places: Numbers) -> Numbers:
        """Which sequences come at `places`, counted from 0 over all epochs.

        >>> sorted(Order(7, 5).numbers_at(np.arange(5)).tolist())
        [0, 1, 2, 3, 4]
        """
        return _numbers_at(places, self.seed, self.stream, self.count, self._window())

    def places_of(self, number: int, epochs: int) -> Numbers:
        """The place of sequence `number` in each of the first `epochs` epochs, in order.

        >>> order = Order(7, 1000, window=64)
        >>> order.numbers_at(order.places_of(321, 3)).tolist()
        [321, 321, 321]
        """
        return _places_of(number, epochs, self.seed, self.stream, self.count, self._window())

    def _window(self) -> int:
        return self.window if 0 < self.window < self.count else self.count


@numba.njit(cache=True, nogil=True)
def _numbers_at(places, seed, stream, count, window):  # type: ignore[no-untyped-def]
    out = np.empty(len(places), np.int64)
    blocks = count // window
    for i in range(len(places)):
        epoch, within = places[i] // count, places[i] % count
        block, inside = within // window, within % window
        size = window
        if block < blocks:
            block = forward(block, blocks, key_of(seed, stream, epoch, BLOCKS))
        else:
            size = count - blocks * window
        out[i] = block * window + forward(inside, size, key_of(seed, stream, epoch, block))
    return out


@numba.njit(cache=True, nogil=True)
def _places_of(number, epochs, seed, stream, count, window):  # type: ignore[no-untyped-def]
    out = np.empty(epochs, np.int64)
    blocks = count // window
    for epoch in range(epochs):
        block, inside = number // window, number % window
        size = window if block < blocks else count - blocks * window
        at = backward(inside, size, key_of(seed, stream, epoch, block))
        if block < blocks:
            block = backward(block, blocks, key_of(seed, stream, epoch, BLOCKS))
        out[epoch] = epoch * count + block * window + at
    return out
