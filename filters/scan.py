"""Small compiled steps that loops over lines and words share: finding a byte, stripping blanks, line breaks."""

from __future__ import annotations

import numpy as np

from filters.bytewise import decode_at, holds, load64, trailing_zeros
from filters.codepoints import IS_SPACE
from filters.compiled import step


@step
def find_byte(data, i, end, byte):  # type: ignore[no-untyped-def]
    """Where an ASCII byte next stands in [i, end); `end` if nowhere. Eight bytes a step."""
    while i + 8 <= end:
        found = holds(load64(data, i), byte)
        if found != np.uint64(0):
            return i + (trailing_zeros(found) >> 3)
        i += 8
    while i < end and data[i] != byte:
        i += 1
    return i


@step
def count_chars(data, start, end):  # type: ignore[no-untyped-def]
    """Characters in a span of bytes."""
    n = 0
    for i in range(start, end):
        n += (data[i] & 0xC0) != 0x80
    return n


@step
def before(data, start, end):  # type: ignore[no-untyped-def]
    """Code point before byte `end`, and where it begins."""
    i = end - 1
    while i > start and (data[i] & 0xC0) == 0x80:
        i -= 1
    return decode_at(data, i)[0], i


@step
def strip(data, start, end, properties):  # type: ignore[no-untyped-def]
    """The span without the blanks at its ends, as `str.strip` has it."""
    while start < end:
        code, width = decode_at(data, start)
        if not properties[code] & IS_SPACE:
            break
        start += width
    while end > start:
        code, at = before(data, start, end)
        if not properties[code] & IS_SPACE:
            break
        end = at
    return start, end


@step
def _may_break(x):  # type: ignore[no-untyped-def]
    """Not zero if one of eight bytes is a control character of ASCII, 0xC2 or 0xE2: bit 7 of the first such is set."""
    control = (x - np.uint64(0x2020202020202020)) & ~x & np.uint64(0x8080808080808080)
    return control | holds(x, 0xC2) | holds(x, 0xE2)


@step
def next_break(data, i, end):  # type: ignore[no-untyped-def]
    """Where the next line break of `str.splitlines` begins and ends; (end, end) if there is none."""
    while i < end:
        if i + 8 <= end:
            found = _may_break(load64(data, i))
            if found == np.uint64(0):
                i += 8
                continue
            i += trailing_zeros(found) >> 3
        b = data[i]
        if b == 13 and i + 1 < end and data[i + 1] == 10:
            return i, i + 2
        if 10 <= b <= 13 or 28 <= b <= 30:
            return i, i + 1
        if b == 0xC2 and data[i + 1] == 0x85:
            return i, i + 2
        if b == 0xE2 and data[i + 1] == 0x80 and (data[i + 2] == 0xA8 or data[i + 2] == 0xA9):
            return i, i + 3
        i += 1
    return end, end
