"""The windows of all evaluation items, as a hash table, and the scan that finds them in documents.

A window is so many units in a row, as one polynomial hash with its length mixed in. The scan keeps a ring of the last
units, so its memory does not grow with a text; bitmaps of what windows end with, and of whole ones, turn nearly every
place away, since a look into a large table costs more than cutting the text does. A hit is not compared with the item's
text: with 64 bits, a corpus of 10^12 words against 10^6 windows claims a false one with a chance of about 5 %, once in
the whole corpus.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dedup.decontam.letters import letters
from dedup.decontam.units import BASE, Hashes, next_unit, taken
from filters.compiled import kernel, step
from filters.segment import Ints, buffers, mix

LONGEST = 255  # units of a window
RING = 256
EMPTY = np.int64(-1)
SALT = np.uint64(0xD6E8FEB86659FD93)


Bitmap = npt.NDArray[np.uint8]


class Index(NamedTuple):
    """`grams` different windows. Those of item j are owners[i] == j for i in first[g]:first[g+1], for window g."""

    by_letter: bool
    lengths: Ints  # different lengths of windows, shortest first
    powers: Hashes  # BASE to the power of each length
    ends: Bitmap  # of the last lengths[0] units of every window
    wholes: Bitmap  # of every window
    shift: np.uint64
    keys: Hashes
    slots: Ints
    first: Ints
    owners: Ints

    @property
    def grams(self) -> int:
        """How many different windows there are."""
        return len(self.first) - 1


class Hits(NamedTuple):
    """Windows found: text, window, first byte and byte after the last, in the text; in the order of the texts."""

    doc: Ints
    gram: Ints
    start: Ints
    stop: Ints


@kernel
def _hash_windows(hashes, at, length, last):  # type: ignore[no-untyped-def]
    """Hash of each window, and of its last `last` units."""
    whole, tail = np.empty(len(at), np.uint64), np.empty(len(at), np.uint64)
    for w in range(len(at)):
        h = np.uint64(0)
        for j in range(at[w], at[w] + length[w]):
            h = h * BASE + hashes[j]
        whole[w] = mix(h ^ np.uint64(length[w]) * SALT)
        h = np.uint64(0)
        for j in range(at[w] + length[w] - last, at[w] + length[w]):
            h = h * BASE + hashes[j]
        tail[w] = h
    return whole, tail


@step
def _seen(bitmap, shift, x):  # type: ignore[no-untyped-def]
    """Whether both bits of a mixed hash are set: its highest and its lowest."""
    place = x >> shift
    if not bitmap[np.int64(place >> np.uint64(3))] & np.uint8(1 << np.int64(place & np.uint64(7))):
        return False
    place = (x << np.uint64(20)) >> shift
    return bool(bitmap[np.int64(place >> np.uint64(3))] & np.uint8(1 << np.int64(place & np.uint64(7))))


@step
def _set(bitmap, shift, x):  # type: ignore[no-untyped-def]
    for y in (x, x << np.uint64(20)):
        place = y >> shift
        bitmap[np.int64(place >> np.uint64(3))] |= np.uint8(1 << np.int64(place & np.uint64(7)))


@kernel
def _insert(whole, tail, keys, slots, ends, wholes, shift):  # type: ignore[no-untyped-def]
    mask = len(keys) - 1
    for g in range(len(whole)):
        at = np.int64(whole[g] & np.uint64(mask))
        while slots[at] != EMPTY:
            at = (at + 1) & mask
        keys[at], slots[at] = whole[g], g
        _set(wholes, shift, whole[g])
    for t in tail:
        _set(ends, shift, mix(t))


def build(hashes: Hashes, at: Ints, length: Ints, item: Ints, by_letter: bool) -> Index:
    """An index of windows: window w is units at[w] to at[w] + length[w] of `hashes`, and item[w]'s."""
    if len(at) and length.max() > LONGEST:
        raise ValueError(f"A window has {length.max()} units; at most {LONGEST} can be looked for.")
    lengths = np.unique(length) if len(at) else np.array([LONGEST], np.int64)
    whole, tail = _hash_windows(hashes, at, length, lengths[0])
    keys, gram = np.unique(whole, return_inverse=True)
    pairs = np.unique(np.column_stack([gram.astype(np.int64), item]), axis=0) if len(at) else np.empty((0, 2), np.int64)
    first = np.searchsorted(pairs[:, 0], np.arange(len(keys) + 1)).astype(np.int64)
    size = 1 << max(int(len(keys) * 2).bit_length(), 3)
    bits = max(int(len(keys) * 16).bit_length(), 6)
    table, slots = np.zeros(size, np.uint64), np.full(size, EMPTY, np.int64)
    ends, wholes, shift = np.zeros(1 << (bits - 3), np.uint8), np.zeros(1 << (bits - 3), np.uint8), np.uint64(64 - bits)
    _insert(keys, tail, table, slots, ends, wholes, shift)
    powers = np.array([pow(int(BASE), int(n), 1 << 64) for n in lengths], np.uint64)
    owners = np.ascontiguousarray(pairs[:, 1])
    return Index(by_letter, lengths.astype(np.int64), powers, ends, wholes, shift, table, slots, first, owners)


@step
def _find(key, keys, slots):  # type: ignore[no-untyped-def]
    at = np.int64(key & np.uint64(len(keys) - 1))
    while slots[at] != EMPTY:
        if keys[at] == key:
            return slots[at]
        at = (at + 1) & (len(keys) - 1)
    return EMPTY


@kernel
def _scan(data, bounds, by_letter, lengths, powers, ends, wholes, shift, keys, slots, one, first, many):  # type: ignore[no-untyped-def]
    out, n = np.empty((64, 4), np.int64), 0
    sums, starts = np.zeros(RING, np.uint64), np.zeros(RING, np.int64)
    shortest, power = lengths[0], powers[0]
    for doc in range(len(bounds) - 1):
        i, end, within, count, total = bounds[doc], bounds[doc + 1], 0, 0, np.uint64(0)
        sums[0] = total
        while True:
            if by_letter and within == 0 and i < end and data[i] < 0x80:  # what nearly all letters are, without a call
                letter = one[np.int64(data[i])]
                i += 1
                if letter < 0:
                    continue
                start, stop, h = i - 1, i, taken(np.uint64(0), letter)
            else:
                i, within, start, stop, h, _ = next_unit(data, i, end, within, by_letter, one, first, many)
                if stop < 0:
                    break
            starts[count & (RING - 1)] = start
            total = total * BASE + h
            count += 1
            sums[count & (RING - 1)] = total
            if count < shortest:
                continue
            if not _seen(ends, shift, mix(total - sums[(count - shortest) & (RING - 1)] * power)):
                continue
            for k in range(len(lengths)):
                length = lengths[k]
                if count < length:
                    break
                whole = total - sums[(count - length) & (RING - 1)] * powers[k]
                whole = mix(whole ^ np.uint64(length) * SALT)
                if not _seen(wholes, shift, whole):
                    continue
                gram = _find(whole, keys, slots)
                if gram != EMPTY:
                    if n == len(out):
                        out = np.concatenate((out, np.empty((n, 4), np.int64)))
                    out[n, 0], out[n, 1] = doc, gram
                    out[n, 2] = starts[(count - length) & (RING - 1)] - bounds[doc]
                    out[n, 3] = stop - bounds[doc]
                    n += 1
    return out[:n]


def scan(text: pa.LargeStringArray, index: Index) -> Hits:
    """Every window of `index` in the texts; time is linear in their length, memory in what is found."""
    found = _scan(
        *buffers(text), index.by_letter, index.lengths, index.powers, index.ends, index.wholes, index.shift,
        index.keys, index.slots, *letters(),
    )  # fmt: skip
    return Hits(*np.ascontiguousarray(found.T))
