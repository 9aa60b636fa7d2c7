"""What the edit kernels share: steps over UTF-8 in Arrow's buffers, and the way back to an Arrow array.

A kernel writes the bytes that stay into one buffer and returns it with new offsets; no edit here makes a text
longer in bytes, so the input's size is room enough. Text is valid UTF-8, as Arrow promises.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pyarrow as pa

from filters.bytewise import load64, store64
from filters.compiled import kernel, step
from filters.edits.tables import SPACE
from filters.segment import Bytes, Ints, buffers, decode_at

Kernel = Callable[[pa.LargeStringArray], pa.LargeStringArray]


def rebuild(out: Bytes, offsets: Ints) -> pa.LargeStringArray:
    """The Arrow array of `len(offsets) - 1` texts whose UTF-8 lies in `out`."""
    # a copy of what is used, so that a strongly cut batch does not hold the whole batch's memory
    data = out[: offsets[-1]].copy()
    built: pa.LargeStringArray = pa.LargeStringArray.from_buffers(
        len(offsets) - 1, pa.py_buffer(offsets), pa.py_buffer(data)
    )
    return built


def edit(text: pa.LargeStringArray, kernel: Callable[..., tuple[Bytes, Ints]], *tables: object) -> pa.LargeStringArray:
    """`kernel(data, bounds, *tables)` over the buffers of `text`."""
    data, bounds = buffers(text)
    return rebuild(*kernel(data, bounds, *tables))


@kernel
def room(bounds: Ints) -> tuple[Bytes, Ints]:
    """An output buffer as large as the input, and offsets to fill."""
    return np.empty(max(bounds[-1] - bounds[0], 1), np.uint8), np.zeros(len(bounds), np.int64)


@step
def copy(source: Bytes, start: int, end: int, out: Bytes, o: int) -> int:
    """Bytes [start, end) of `source` to `out` at o; the end of what was written. Moving down in place is fine."""
    while start + 8 <= end:
        store64(out, o, load64(source, start))
        start += 8
        o += 8
    while start < end:
        out[o] = source[start]
        start += 1
        o += 1
    return o


@step
def before(data: Bytes, i: int) -> int:
    """Start of the character that ends at byte i."""
    i -= 1
    while data[i] & 0xC0 == 0x80:
        i -= 1
    return i


@step
def skip(data, i, end, flags, wanted):  # type: ignore[no-untyped-def]
    """The first position from i on whose character has none of the flags `wanted`, or end."""
    while i < end:
        code, width = decode_at(data, i)
        if not flags[code] & wanted:
            break
        i += width
    return i


@step
def skip_back(data, start, i, flags, wanted):  # type: ignore[no-untyped-def]
    """The end of the last character before i, not before start, that has none of the flags `wanted`."""
    while i > start:
        at = before(data, i)
        code, _ = decode_at(data, at)
        if not flags[code] & wanted:
            break
        i = at
    return i


@step
def strip(data, start, end, flags):  # type: ignore[no-untyped-def]
    """[start, end) without the white space about it, as str.strip() sees white space."""
    start = skip(data, start, end, flags, SPACE)
    return start, skip_back(data, start, end, flags, SPACE)


@step
def words(data, start, end, flags):  # type: ignore[no-untyped-def]
    """How many words str.split() finds in [start, end)."""
    count = 0
    inside = False
    i = start
    while i < end:
        code, width = np.int64(data[i]), 1
        if code >= 0x80:
            code, width = decode_at(data, i)
        blank = flags[code] & SPACE != 0
        count += inside and blank
        inside = not blank
        i += width
    return count + inside
