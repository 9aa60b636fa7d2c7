"""Many literal strings in many texts at once: Aho-Corasick over Arrow's own bytes (the `aho-corasick` library of Rust,
https://docs.rs/aho-corasick, by ahocorasick_rs).

The bytes of a whole batch are searched in windows, so that the list of hits in memory is bounded by a window's size
and not by what a hostile document repeats. Every occurrence is found, overlapping ones included.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from ahocorasick_rs import BytesAhoCorasick

from filters.compiled import kernel
from filters.segment import CLASSES, DIGIT, LETTER, SINGLE, Bytes, Ints, buffers, decode_at

WINDOW = 1 << 20
# Python's \w, which C4 and mC4 ask about: letters, numbers, underscore; no combining marks.
WORD = np.isin(CLASSES, (LETTER, DIGIT, SINGLE)).astype(np.uint8)
ASCII_WORD = np.array([c < 128 and chr(c).isalnum() for c in range(0x110000)]).astype(np.uint8)


@kernel
def _flanked(data: Bytes, bounds: Ints, rows: Ints, starts: Ints, ends: Ints, inside: Bytes) -> npt.NDArray[np.bool_]:
    """Which hits have no character of `inside` just before or after them in their own text."""
    out = np.ones(len(rows), np.bool_)
    for k in range(len(rows)):
        low, high = bounds[rows[k]], bounds[rows[k] + 1]
        i = starts[k] - 1
        if i >= low:
            while i > low and (data[i] & 0xC0) == 0x80:
                i -= 1
            out[k] = inside[decode_at(data, i)[0]] == 0
        if out[k] and ends[k] < high:
            out[k] = inside[decode_at(data, ends[k])[0]] == 0
    return out


class Search:
    """Literal strings, ready to be looked for. `find` tells of every hit its text and its string, by their numbers."""

    def __init__(self, patterns: Sequence[str]) -> None:
        coded = [p.encode() for p in patterns]
        self.size = len(coded)
        self.longest = max(map(len, coded), default=0)
        self.machine = BytesAhoCorasick(coded) if coded else None

    def find(self, text: pa.LargeStringArray, inside: Bytes | None = None) -> tuple[Ints, Ints]:
        """(text numbers, string numbers), one of each a hit, in no promised order. With `inside` (a table over code
        points) only hits whose neighbours are not in it."""
        data, bounds = buffers(text)
        empty = np.zeros(0, np.int64)
        if self.machine is None or not len(text):
            return empty, empty
        found = [self._window(data, bounds, low, inside) for low in range(int(bounds[0]), int(bounds[-1]), WINDOW)]
        return np.concatenate([empty, *(f[0] for f in found)]), np.concatenate([empty, *(f[1] for f in found)])

    def _window(self, data: Bytes, bounds: Ints, low: int, inside: Bytes | None) -> tuple[Ints, Ints]:
        """Hits that end in (low, low + WINDOW]."""
        assert self.machine is not None
        begin, high = max(int(bounds[0]), low - self.longest + 1), min(int(bounds[-1]), low + WINDOW)
        hits = self.machine.find_matches_as_indexes(memoryview(data[begin:high].data), overlapping=True)
        table = np.array(hits, np.int64).reshape(-1, 3)
        which, starts, ends = table[:, 0], table[:, 1] + begin, table[:, 2] + begin
        rows = np.searchsorted(bounds, starts, side="right") - 1
        good = (ends > low) & (ends <= bounds[rows + 1])  # not found by the window before, and within one text
        which, starts, ends, rows = which[good], starts[good], ends[good], rows[good]
        if inside is not None and len(rows):
            alone = _flanked(data, bounds, rows, starts, ends, inside)
            which, rows = which[alone], rows[alone]
        return rows, which


def distinct(rows: Ints, which: Ints, size: int, count: int) -> npt.NDArray[np.int64]:
    """How many different strings (of `size`) each of `count` texts has."""
    pairs = np.unique(rows * max(size, 1) + which)
    return np.bincount(pairs // max(size, 1), minlength=count)
