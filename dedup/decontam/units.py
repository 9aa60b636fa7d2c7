"""Text to units with their places: words without punctuation, one character where no blanks are written, or letters.

A unit is a 64-bit hash of its folded letters (`letters`) and the bytes that it stands on, from its first letter to
its last: marks before and after it are outside. Units are handed out one by one, so what reads them keeps no more of a
text than it needs. Two different units collide about once in 10^19 pairs.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dedup.decontam.letters import ALONE, NOTHING, SEVERAL, SPACE, letters
from filters.compiled import kernel, step
from filters.segment import Ints, buffers, decode_at, mix

Hashes = npt.NDArray[np.uint64]
STEP = np.uint64(0xFF51AFD7ED558CCD)
BASE = np.uint64(0x9E3779B97F4A7C15)  # odd, so that a place in a window never loses bits


@step
def taken(h, letter):  # type: ignore[no-untyped-def]
    """A word's hash with one letter more."""
    h = (h ^ np.uint64(letter + 1)) * STEP
    return h ^ (h >> np.uint64(29))


@step
def next_unit(data, i, end, within, by_letter, one, first, many):  # type: ignore[no-untyped-def]
    """The next unit from byte i: (where to go on, letters of that character already used, start, stop, hash, alone).

    `stop` is -1 when there is none left. A character that stands for several letters may end one unit and begin
    another; `within` says how many of its letters have been used.
    """
    h, start, stop = np.uint64(0), np.int64(-1), np.int64(-1)
    while i < end:
        code = np.int64(data[i])
        width = 1
        if code >= 0x80:
            code, width = decode_at(data, i)
        letter = one[code]
        if letter >= 0:
            if not by_letter and letter < ALONE:
                if start < 0:
                    start = i
                h = taken(h, letter)
                i += width
                stop = i
                continue
            if start >= 0:
                break
            return i + width, 0, i, i + width, taken(h, letter), letter >= ALONE
        if letter == NOTHING:
            i += width
            continue
        if letter == SPACE:
            i += width
            if start >= 0:
                break
            continue
        at, last = first[SEVERAL - letter] + within, first[SEVERAL - letter + 1]
        while at < last and not by_letter and many[at] < ALONE:
            if start < 0:
                start = i
            h = taken(h, many[at])
            at += 1
            stop = i + width
        if at < last:
            if start >= 0:
                within = at - first[SEVERAL - letter]
                return i, within, start, stop, mix(h), False
            found, at = many[at], at + 1
            within = at - first[SEVERAL - letter] if at < last else 0
            return i if at < last else i + width, within, i, i + width, taken(h, found), found >= ALONE
        within = 0
        i += width
    return i, 0, start, stop, mix(h), False


class Units(NamedTuple):
    """Units of n texts: those of text i are `first[i]` to `first[i + 1]`; places are bytes of their own text."""

    hashes: Hashes
    start: Ints
    stop: Ints
    alone: npt.NDArray[np.bool_]
    first: Ints


@kernel
def _units(data, bounds, by_letter, one, first, many):  # type: ignore[no-untyped-def]
    hashes, start, stop = np.empty(1024, np.uint64), np.empty(1024, np.int64), np.empty(1024, np.int64)
    alone, ends = np.empty(1024, np.bool_), np.zeros(len(bounds), np.int64)
    n = 0
    for doc in range(len(bounds) - 1):
        i, within = bounds[doc], 0
        while True:
            i, within, a, b, h, single = next_unit(data, i, bounds[doc + 1], within, by_letter, one, first, many)
            if b < 0:
                break
            if n == len(hashes):
                hashes = np.concatenate((hashes, np.empty(n, np.uint64)))
                start = np.concatenate((start, np.empty(n, np.int64)))
                stop = np.concatenate((stop, np.empty(n, np.int64)))
                alone = np.concatenate((alone, np.empty(n, np.bool_)))
            hashes[n], start[n], stop[n], alone[n] = h, a - bounds[doc], b - bounds[doc], single
            n += 1
        ends[doc + 1] = n
    return hashes[:n], start[:n], stop[:n], alone[:n], ends


def units(text: pa.LargeStringArray, by_letter: bool = False) -> Units:
    """The units of each text: words and single characters, or with `by_letter` every letter by itself."""
    return Units(*_units(*buffers(text), by_letter, *letters()))


@kernel
def _windows(hashes, n, out):  # type: ignore[no-untyped-def]
    """Polynomial hash of every n units in a row; `out` has room for them."""
    for k in range(len(hashes) - n + 1):
        h = np.uint64(0)
        for j in range(k, k + n):
            h = h * BASE + hashes[j]
        out[k] = h
    return out


def windows(hashes: Hashes, n: int) -> Hashes:
    """Hashes of every n units in a row (uint64[len - n + 1]); empty if there are fewer than n."""
    room = np.empty(max(len(hashes) - n + 1, 0), np.uint64)
    result: Hashes = _windows(hashes, n, room)
    return result
