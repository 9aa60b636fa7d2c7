"""How documents become sequences of one length: one after another and cut, or each whole where it best fits.

A sequence is a list of segments, each a stretch of the stream of ids (all shards one after another). `chunked` lays
documents end to end and cuts: no padding, and nearly every sequence begins and ends within a document. `best_fit` is
best-fit decreasing of "Fewer Truncations Improve Language Modeling" (arXiv:2404.10830, section 3): only a document
longer than a sequence is cut, every piece goes into the sequence with the least room that still takes it, and what is
left over is padding. Finding that sequence is a search for the next set leaf of a tree, O(log capacity) a piece.

A sequence has `capacity` = context + 1 ids, of which the first is only seen and the last only predicted, so pieces of
one document overlap by one id. Traded away: packing a shard at a time leaves a little more padding than packing all.
"""

from __future__ import annotations

from typing import NamedTuple

import numba
import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]


class Packed(NamedTuple):
    """Sequences as segments: sequence k has [firsts[k], firsts[k + 1]) of `starts` and `lengths`, in ids."""

    starts: Ints
    lengths: Ints
    firsts: Ints

    def taken(self, order: Ints) -> Packed:
        """These sequences, in this order."""
        sizes = np.diff(self.firsts)[order]
        firsts = np.concatenate(([0], np.cumsum(sizes)))
        rows = np.repeat(self.firsts[:-1][order] - firsts[:-1], sizes) + np.arange(firsts[-1])
        return Packed(self.starts[rows], self.lengths[rows], firsts)


def chunked(starts: Ints, lengths: Ints, context: int) -> tuple[Packed, Ints, Ints]:
    """Documents end to end, cut every `context` ids; also the segments that are too few for a last sequence.

    Those left over go before the next documents. They begin with the id that the last sequence ends with.

    >>> made, starts, lengths = chunked(np.array([0, 50]), np.array([6, 3]), 4)
    >>> [x.tolist() for x in made], starts.tolist(), lengths.tolist()
    ([[0, 4, 50], [5, 2, 3], [0, 1, 3]], [52], [1])
    """
    *made, tail_starts, tail_lengths = _chunked(starts, lengths, context)
    return Packed(*made), tail_starts, tail_lengths


@numba.njit(cache=True, nogil=True)
def _chunked(starts, lengths, context):  # type: ignore[no-untyped-def]
    most = len(starts) * 2 + 2 * (lengths.sum() // context) + 2
    out_starts, out_lengths = np.empty(most, np.int64), np.empty(most, np.int64)
    firsts = np.empty(most, np.int64)
    firsts[0] = 0
    made, rows, filled = 0, 0, 0
    for i in range(len(starts)):
        at, end = starts[i], starts[i] + lengths[i]
        while at < end:
            taken = min(end - at, context + 1 - filled)
            out_starts[rows], out_lengths[rows] = at, taken
            rows, at, filled = rows + 1, at + taken, filled + taken
            if filled == context + 1:
                made += 1
                firsts[made] = rows
                if at < end:
                    at, filled = at - 1, 0
                else:
                    out_starts[rows], out_lengths[rows] = at - 1, 1
                    rows, filled = rows + 1, 1
    done = firsts[made]
    return (
        out_starts[:done].copy(), out_lengths[:done].copy(), firsts[: made + 1].copy(),
        out_starts[done:rows].copy(), out_lengths[done:rows].copy(),
    )  # fmt: skip


def pieces(starts: Ints, lengths: Ints, context: int) -> tuple[Ints, Ints]:
    """Documents, those longer than context + 1 ids cut into pieces that overlap by one id.

    >>> [x.tolist() for x in pieces(np.array([0, 50]), np.array([10, 5]), 4)]
    [[0, 4, 8, 50], [5, 5, 2, 5]]
    """
    counts = np.maximum(1, -(-(lengths - 1) // context))
    which = np.repeat(np.arange(len(starts)), counts)
    within = np.arange(len(which)) - np.repeat(np.cumsum(counts) - counts, counts)
    return starts[which] + within * context, np.minimum(context + 1, lengths[which] - within * context)


def best_fit(starts: Ints, lengths: Ints, context: int, seed: int) -> Packed:
    """Documents in as few sequences as best-fit decreasing finds, sequences in a seeded order.

    >>> made = best_fit(np.array([0, 3, 9]), np.array([3, 6, 2]), 4, seed=0)
    >>> sorted(np.add.reduceat(made.lengths, made.firsts[:-1]).tolist())
    [2, 5, 5]
    """
    starts, lengths = pieces(starts, lengths, context)
    if not len(starts):
        return Packed(starts, lengths, np.zeros(1, np.int64))
    bins = _best_fit(lengths, np.argsort(-lengths, kind="stable"), context + 1)
    rows = np.argsort(bins, kind="stable")  # within a sequence, as in the stream
    firsts = np.concatenate(([0], np.cumsum(np.bincount(bins))))
    made = Packed(starts[rows], lengths[rows], firsts)
    return made.taken(np.random.default_rng(seed).permutation(len(firsts) - 1))


@numba.njit(cache=True, nogil=True)
def _best_fit(lengths, order, capacity):  # type: ignore[no-untyped-def]
    """The bin of each piece. A leaf of `tree` is set where a bin has just that much room left."""
    leaves = 1
    while leaves < capacity + 1:
        leaves *= 2
    tree = np.zeros(2 * leaves, np.bool_)
    top = np.full(capacity + 1, -1, np.int64)  # the last bin with so much room, and the one below it
    below = np.full(len(lengths), -1, np.int64)
    bins, made = np.empty(len(lengths), np.int64), 0
    for piece in order:
        size = lengths[piece]
        at = size + leaves
        while at and not tree[at]:
            while at % 2:  # a right child: what is right of its parent comes next, and right of the root is nothing
                at //= 2
            at += at > 0
        if at:
            while at < leaves:
                at = 2 * at if tree[2 * at] else 2 * at + 1
            room = at - leaves
            found = top[room]
            top[room] = below[found]
            if top[room] < 0:
                _set(tree, at, False)
        else:
            room, found, made = capacity, made, made + 1
        bins[piece] = found
        left = room - size
        below[found] = top[left]
        top[left] = found
        if left > 0:
            _set(tree, left + leaves, True)
    return bins


@numba.njit(cache=True, nogil=True)
def _set(tree, at, value):  # type: ignore[no-untyped-def]
    tree[at] = value
    at //= 2
    while at >= 1:
        tree[at] = tree[2 * at] or tree[2 * at + 1]
        at //= 2
