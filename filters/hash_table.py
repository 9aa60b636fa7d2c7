"""Tables and bitmaps of hashes that kernels share: counting what occurs twice.

Tables are open-addressing, a power of two of cells and at most half full, cleared and sized for each text: the
work for a text depends on that text alone, not on its neighbours in the batch.
"""

from __future__ import annotations

import numpy as np

from filters.bytewise import trailing_zeros
from filters.compiled import step


@step
def cells_for(n):  # type: ignore[no-untyped-def]
    """Cells of a table for up to n entries."""
    size = 16
    while size < 2 * n + 2:
        size *= 2
    return size


@step
def find(keys, size, key):  # type: ignore[no-untyped-def]
    """Cell of `key` among the first `size` cells: its own if it is there, else a free one (0 is no key)."""
    mask = np.uint64(size - 1)
    cell = np.int64(key & mask)
    while keys[cell] != np.uint64(0) and keys[cell] != key:
        cell = (cell + 1) & np.int64(mask)
    return cell


@step
def bitmap_for(n):  # type: ignore[no-untyped-def]
    """Bytes of the two bitmaps that `mark_repeats` wants for n hashes."""
    size = 8
    while size < 2 * n:
        size *= 2
    return size


ROUNDS = (np.uint64(0xFF51AFD7ED558CCD), np.uint64(0x9FB21C651E98DF25))  # factors for `mark_repeats`


@step
def mark_repeats(hashes, n, factor, seen, hot):  # type: ignore[no-untyped-def]
    """Mark in `hot` where hashes that may occur twice lie; returns the shift that `may_repeat` wants.

    A bitmap of 16 bits a hash stays in the fastest cache: of what occurs once seven in eight end here, and no repeat is
    missed. Where hashes lie depends on an odd `factor`: a second round with another has seven in eight of the rest.
    """
    size = bitmap_for(n)
    shift = np.uint64(64 - 3 - trailing_zeros(np.uint64(size)))
    seen[:size] = 0
    hot[:size] = 0
    for k in range(n):
        place = np.int64((hashes[k] * factor) >> shift)
        mask = np.uint8(1 << (place & 7))
        was = seen[place >> 3]
        hot[place >> 3] |= was & mask
        seen[place >> 3] = was | mask
    return shift


@step
def may_repeat(h, factor, shift, hot):  # type: ignore[no-untyped-def]
    """Whether a hash lies where `mark_repeats` saw two."""
    place = np.int64((h * factor) >> shift)
    return (hot[place >> 3] >> (place & 7)) & 1


@step
def keep_repeats(hashes, n, seen, hot):  # type: ignore[no-untyped-def]
    """Keep the hashes that may occur twice, in order; returns how many."""
    live = n
    for factor in ROUNDS:
        shift, n, live = mark_repeats(hashes, live, factor, seen, hot), live, 0
        for k in range(n):
            h = hashes[k]
            hashes[live] = h
            live += may_repeat(h, factor, shift, hot)
    return live


@step
def longest_text(bounds):  # type: ignore[no-untyped-def]
    """Bytes (or tokens) of the longest text of a batch."""
    most = 0
    for doc in range(len(bounds) - 1):
        most = max(most, bounds[doc + 1] - bounds[doc])
    return most
