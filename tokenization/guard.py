"""Which texts a fast engine must not see, because it is known to read them otherwise than the reference.

Two kinds. Engines carry tables of different Unicode versions, so a character that one of them takes for a letter is
unassigned to the other: a character newer than this Python's `unicodedata` is tried in several surroundings when it is
first met, and a text with one that is read otherwise goes to the reference. And some engines take the spelling of a
special piece for the piece, with no switch against it.

Traded away: such a text is encoded at the reference's speed.
"""

from __future__ import annotations

import sys
import unicodedata
from collections.abc import Sequence
from functools import cache
from typing import Any

import numba
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import regex

from filters.bytewise import load64

Mask = npt.NDArray[np.bool_]
FRAMES = ("a?a", "1?1", " ? ", "??", ".?.", "\n?\n", "我?我", "e\u0301?", "e?\u0301", "e\u0327?\u0301")


@cache
def contested() -> Mask:
    """By code point: whether it is newer than this Python's `unicodedata` and known to `regex`, which has the newest.

    What neither knows (general category Cn in both) is in no engine's tables. Planes 4 to 13 are empty, and 15 and 16
    are for private use (Unicode 17, section 2.8).
    """
    new = np.zeros(sys.maxunicode + 1, np.bool_)
    for plane in (0, 1, 2, 3, 14):
        points = [p for p in range(plane << 16, (plane + 1) << 16) if unicodedata.category(chr(p)) == "Cn"]
        found = regex.findall(r"\P{Cn}", "".join(map(chr, points)))
        new[[ord(character) for character in found]] = True
    return new


def buffers(text: pa.LargeStringArray) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    """The UTF-8 bytes and the n + 1 offsets of an array without nulls; views, no copy."""
    _, starts, data = text.buffers()
    offsets = np.frombuffer(starts, np.int64)[text.offset : text.offset + len(text) + 1]
    return (np.frombuffer(data, np.uint8) if data is not None else np.empty(0, np.uint8)), offsets


def strange(text: pa.LargeStringArray, unknown: Mask | None = None) -> Mask:
    """Which texts have a character of `unknown`; of any that is contested, without it.

    >>> strange(pa.array(["plain", "我们 \\U0001f642", "\\u1acf"], pa.large_string())).tolist()
    [False, False, True]
    """
    return _strange(*buffers(text), contested() if unknown is None else unknown)  # type: ignore[no-any-return]


def framed(points: Sequence[int]) -> pa.LargeStringArray:
    """Each character in every one of FRAMES, row by row: what a split pattern or a normalisation may see beside it."""
    return pa.array([frame.replace("?", chr(point)) for point in points for frame in FRAMES], pa.large_string())


def spelling(text: pa.LargeStringArray, spellings: Sequence[str]) -> Mask:
    """Which texts have one of `spellings` in them."""
    if not spellings:
        return np.zeros(len(text), np.bool_)
    pattern = "|".join(map(literal, sorted(spellings)))
    return pc.match_substring_regex(text, pattern).to_numpy(zero_copy_only=False)  # type: ignore[no-any-return]


def literal(spelled: str) -> str:
    r"""A spelling as an RE2 pattern.

    >>> literal("<|a.b|>")
    '<\\|a\\.b\\|>'
    """
    return "".join(c if c.isalnum() or ord(c) > 127 or c in "<>_ " else f"\\x{ord(c):02x}" if ord(c) < 32 else "\\" + c
                   for c in spelled)  # fmt: skip


@numba.njit(cache=True, nogil=True)  # type: ignore[misc]
def _strange(data: Any, offsets: Any, unknown: Any) -> Any:
    found = np.zeros(len(offsets) - 1, np.bool_)
    for row in range(len(found)):
        i, stop = offsets[row], offsets[row + 1]
        while i < stop:
            byte = data[i]
            if byte < 0x80:
                plain = i + 8 <= stop and load64(data, i) & np.uint64(0x8080808080808080) == np.uint64(0)
                i += 8 if plain else 1
                continue
            length = 2 if byte < 0xE0 else 3 if byte < 0xF0 else 4
            point = np.int64(byte & (0xFF >> (length + 1)))
            for k in range(1, length):
                point = (point << 6) | np.int64(data[i + k] & 0x3F)
            if unknown[point]:
                found[row] = True
                break
            i += length
    return found
