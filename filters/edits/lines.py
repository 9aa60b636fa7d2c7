"""Edits that drop whole lines, by what they are made of or where they stand.

`pipe_lines` is datatrove's SymbolLinesFormatter as FineWeb-2 calls it. `navbar` (PanGu-α), `han_paragraphs` (MNBVC)
and `line_ends` (CulturaX) are known from descriptions (evidence S and M): their bounds are our own reading where
the function says so. What that costs: a list of short parts can pass for a navigation bar.
"""

from __future__ import annotations

import pyarrow as pa

from filters.compiled import kernel, step
from filters.edits.kernels import copy, edit, room, skip, strip
from filters.edits.tables import END, HAN, SPACE, WIDE, flags
from filters.scan import find_byte, next_break
from filters.segment import decode_at

LEAST_HAN = 10  # MNBVC [S]
SHORT_LINE = 30  # columns; CulturaX names no figure, FineWeb's short line has 30 characters
NAV_ITEMS, NAV_CHARS = 3, 12  # own reading
MENU_ITEMS, MENU_CHARS = 5, 4  # own reading: five parts with nothing but blanks between


@kernel
def _pipes(data, bounds, flags):  # type: ignore[no-untyped-def]
    out, offsets = room(bounds)
    o = 0
    for doc in range(len(bounds) - 1):
        i, end = bounds[doc], bounds[doc + 1]
        first, removed = True, False
        while i < end:
            start = i
            stop, i = next_break(data, i, end)
            j, pipes = start, 0
            while j < stop and (data[j] == 0x7C or data[j] == 0x20):
                pipes += data[j] == 0x7C
                j += 1
            if j == stop and pipes:
                if removed:
                    continue
                removed = True
            else:
                removed = False
            if not first:
                out[o] = 0x0A
                o += 1
            first = False
            if removed:
                out[o] = 0x0A
                o += 1
            else:
                o = copy(data, start, stop, out, o)
        offsets[doc + 1] = o
    return out, offsets


@step
def _han_line(data, i, stop, flags):  # type: ignore[no-untyped-def]
    han = 0
    while i < stop and han < LEAST_HAN:
        if data[i] < 0x80:
            i += 1
            continue
        code, width = decode_at(data, i)
        han += flags[code] & HAN != 0
        i += width
    return han >= LEAST_HAN


@step
def _parts(data, i, stop, flags, blanks):  # type: ignore[no-untyped-def]
    """(parts, characters of the longest) of a line cut at | ｜ > » › → · • / and tabs, or at blanks; 0 parts when
    a mark that ends or divides sentences stands in it."""
    parts, chars, longest = 0, 0, 0
    while i < stop:
        code, width = decode_at(data, i)
        i += width
        if flags[code] & END or code == 0x2C or code == 0xFF0C or code == 0x3B or code == 0xFF1B or code == 0x3001:
            return 0, 0
        if code == 0x2E and (i == stop or flags[decode_at(data, i)[0]] & SPACE):
            return 0, 0
        cut = (code == 0x7C or code == 0xFF5C or code == 0x3E or code == 0xBB or code == 0x203A or code == 0x2192
               or code == 0xB7 or code == 0x2022 or code == 0x2F or code == 0x09)  # fmt: skip
        space = flags[code] & SPACE != 0
        if cut or (blanks and space):
            parts += chars > 0
            longest = max(longest, chars)
            chars = 0
        elif not space:
            chars += 1
    return parts + (chars > 0), max(longest, chars)


@step
def _nav_line(data, i, stop, flags):  # type: ignore[no-untyped-def]
    parts, longest = _parts(data, i, stop, flags, False)
    if parts >= NAV_ITEMS and longest <= NAV_CHARS:
        return True
    if parts == 0:
        return False
    parts, longest = _parts(data, i, stop, flags, True)
    return parts >= MENU_ITEMS and longest <= MENU_CHARS and _all_han(data, i, stop, flags)


@step
def _all_han(data, i, stop, flags):  # type: ignore[no-untyped-def]
    """Whether the line has nothing but Han characters and blanks."""
    return skip(data, i, stop, flags, HAN | SPACE) == stop


@kernel
def _by_line(data, bounds, flags, navbar):  # type: ignore[no-untyped-def]
    """Lines that are no navigation bar (`navbar`), or lines with ten Han characters."""
    out, offsets = room(bounds)
    o = 0
    for doc in range(len(bounds) - 1):
        i, end = bounds[doc], bounds[doc + 1]
        first = True
        while i <= end:
            stop = find_byte(data, i, end, 0x0A)
            keep = not _nav_line(data, i, stop, flags) if navbar else _han_line(data, i, stop, flags)
            if keep:
                if not first:
                    out[o] = 0x0A
                    o += 1
                first = False
                o = copy(data, i, stop, out, o)
            i = stop + 1
        offsets[doc + 1] = o
    return out, offsets


@step
def _columns(data, i, end, flags):  # type: ignore[no-untyped-def]
    """Columns of a line, wide characters counting two."""
    n = 0
    while i < end:
        code, width = decode_at(data, i)
        n += 2 if flags[code] & WIDE else 1
        i += width
    return n


@kernel
def _ends(data, bounds, flags):  # type: ignore[no-untyped-def]
    out, offsets = room(bounds)
    o = 0
    for doc in range(len(bounds) - 1):
        begin, stop = bounds[doc], bounds[doc + 1]
        while stop > begin:
            i = stop
            while i > begin and data[i - 1] != 0x0A:
                i -= 1
            s, e = strip(data, i, stop, flags)
            if _columns(data, s, e, flags) >= SHORT_LINE:
                break
            stop = max(i - 1, begin)
        if stop == begin:  # nothing but short lines: a poem, a list, or a short page
            stop = bounds[doc + 1]
        o = copy(data, begin, stop, out, o)
        offsets[doc + 1] = o
    return out, offsets


def pipe_lines(text: pa.LargeStringArray) -> pa.LargeStringArray:
    """A run of lines of '|' and spaces becomes one newline; lines by str.splitlines(), joined by newlines."""
    return edit(text, _pipes, flags())


def navbar(text: pa.LargeStringArray) -> pa.LargeStringArray:
    """Lines of three parts of up to 12 characters between | > · / and the like, or of five blank-separated parts of
    up to four Han characters, go; a line with a comma or an end mark is none. Own reading: PanGu-α gives no rule.
    """
    return edit(text, _by_line, flags(), True)


def han_paragraphs(text: pa.LargeStringArray) -> pa.LargeStringArray:
    """Lines with fewer than ten Han characters go, blank ones among them. For Chinese only."""
    return edit(text, _by_line, flags(), False)


def line_ends(text: pa.LargeStringArray) -> pa.LargeStringArray:
    """Short lines at the text's end go (under 30 columns, a wide character counting two; own figure).

    A text of nothing but short lines stays as it is (own reading).
    """
    return edit(text, _ends, flags())
