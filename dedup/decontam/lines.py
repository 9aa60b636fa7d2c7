"""The lines of texts as hashes: a paragraph, in Dolma's sense, is what stands between two line ends.

Dolma asks a Bloom filter, since its filter also holds whole corpora. An evaluation set has a few thousand lines: their
sorted 64-bit hashes take less room than a Bloom filter at Dolma's rate of 1e-15 (8 bytes a line, where that needs 9),
say which item was found, and claim a false one with the number of lines over 2^64, which is 1e-15 for 18,000 of them.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pyarrow as pa

from dedup.decontam.letters import letters
from dedup.decontam.units import BASE, Hashes, next_unit
from filters.compiled import kernel, step
from filters.segment import Ints, buffers, hash_bytes, mix

NEWLINE = 10


class Lines(NamedTuple):
    """Lines that are not blank: text, first byte, byte after the last, hash."""

    doc: Ints
    start: Ints
    stop: Ints
    hashes: Hashes


@step
def _hash_line(data, start, stop, by_letter, one, first, many):  # type: ignore[no-untyped-def]
    """Hash of a trimmed line, and whether it says anything."""
    if not by_letter:
        return hash_bytes(data, start, stop), start < stop
    i, within, total, count = start, 0, np.uint64(0), 0
    while True:
        i, within, _, b, h, _ = next_unit(data, i, stop, within, True, one, first, many)
        if b < 0:
            return mix(total ^ np.uint64(count)), count > 0
        total = total * BASE + h
        count += 1


@kernel
def _lines(data, bounds, by_letter, one, first, many):  # type: ignore[no-untyped-def]
    places, hashes, n = np.empty((64, 3), np.int64), np.empty(64, np.uint64), 0
    for doc in range(len(bounds) - 1):
        at, end = bounds[doc], bounds[doc + 1]
        while at < end:
            stop = at
            while stop < end and data[stop] != NEWLINE:
                stop += 1
            a, b = at, stop
            while a < b and (data[a] == 32 or 9 <= data[a] <= 13):
                a += 1
            while b > a and (data[b - 1] == 32 or 9 <= data[b - 1] <= 13):
                b -= 1
            h, some = _hash_line(data, a, b, by_letter, one, first, many)
            if some:
                if n == len(hashes):
                    places = np.concatenate((places, np.empty((n, 3), np.int64)))
                    hashes = np.concatenate((hashes, np.empty(n, np.uint64)))
                places[n, 0], places[n, 1], places[n, 2] = doc, a - bounds[doc], b - bounds[doc]
                hashes[n] = h
                n += 1
            at = stop + 1
    return places[:n], hashes[:n]


def lines(text: pa.LargeStringArray, by_letter: bool = False) -> Lines:
    """The lines of each text, trimmed of ASCII blanks; hashed as bytes, or by their letters and digits."""
    places, hashes = _lines(*buffers(text), by_letter, *letters())
    doc, start, stop = np.ascontiguousarray(places.T)
    return Lines(doc, start, stop, hashes)
