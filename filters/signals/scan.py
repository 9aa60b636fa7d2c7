"""Small compiled steps that line and word kernels share: finding a newline, stripping blanks, tables of hashes.

Tables are open-addressing, a power of two of cells and at most half full, cleared and sized for each text: the
work for a text depends on that text alone, not on its neighbours in the batch.
"""

from __future__ import annotations

import numpy as np

from filters.bytewise import decode_at, load64, trailing_zeros
from filters.codepoints import IS_SPACE
from filters.compiled import step


@step
def find_byte(data, i, end, byte):  # type: ignore[no-untyped-def]
    """Where an ASCII byte next stands in [i, end); `end` if nowhere. Eight bytes a step."""
    same = np.uint64(byte) * np.uint64(0x0101010101010101)
    while i + 8 <= end:
        x = load64(data, i) ^ same
        zero = (x - np.uint64(0x0101010101010101)) & ~x & np.uint64(0x8080808080808080)
        if zero != np.uint64(0):
            return i + (trailing_zeros(zero) >> 3)
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
def next_break(data, i, end):  # type: ignore[no-untyped-def]
    """Where the next line break of `str.splitlines` begins and ends; (end, end) if there is none."""
    while i < end:
        if i + 8 <= end:  # eight plain characters at once
            x = load64(data, i)
            odd = ((x - np.uint64(0x2020202020202020)) | x) & np.uint64(0x8080808080808080)
            if odd == np.uint64(0):
                i += 8
                continue
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
def longest_text(bounds):  # type: ignore[no-untyped-def]
    """Bytes (or tokens) of the longest text of a batch."""
    most = 0
    for doc in range(len(bounds) - 1):
        most = max(most, bounds[doc + 1] - bounds[doc])
    return most
