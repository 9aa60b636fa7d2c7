"""Edits that drop whole lines or paragraphs: inside one document, by what they are made of, or where they stand.

`pipe_lines` is datatrove's SymbolLinesFormatter as FineWeb-2 calls it; `dedup_lines` and `dedup_paragraphs` are
DCLM's within_page_dedup. `collapse_paragraphs` (ERNIE 3.0), `navbar` (PanGu-α), `han_paragraphs` (MNBVC) and
`line_ends` (CulturaX) are known from descriptions (RECIPES tags S and M): their bounds are our own reading where
the function says so. Traded away: equal lines are found by 64-bit hashes of their lower case.
"""

from __future__ import annotations

import numba
import numpy as np
import pyarrow as pa

from filters.edits.kernels import before, copy, edit, find, line_end, room, skip, skip_back, strip
from filters.edits.tables import CASED, END, HAN, IGNORABLE, SPACE, WIDE, flags, lower
from filters.segment import decode_at, mix

MOST_SENTENCES = 100  # ERNIE 3.0: a repeated paragraph has fewer [M]
LEAST_HAN = 10  # MNBVC [S]
SHORT_LINE = 30  # columns; CulturaX names no figure, FineWeb's short line has 30 characters
NAV_ITEMS, NAV_CHARS = 3, 12  # own reading
MENU_ITEMS, MENU_CHARS = 5, 4  # own reading: five parts with nothing but blanks between


@numba.njit(cache=True, nogil=True)  # type: ignore[misc]
def _pipes(data, bounds, flags):  # type: ignore[no-untyped-def]
    out, offsets = room(bounds)
    o = 0
    for doc in range(len(bounds) - 1):
        i, end = bounds[doc], bounds[doc + 1]
        first, removed = True, False
        while i < end:
            start = i
            stop, i = line_end(data, i, end, flags)
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


@numba.njit(cache=True, nogil=True)  # type: ignore[misc]
def _final_sigma(data, start, i, end, flags):  # type: ignore[no-untyped-def]
    """Whether str.lower() writes the capital sigma at byte i as a final one."""
    j = skip_back(data, start, i, flags, IGNORABLE)
    if j == start or not flags[decode_at(data, before(data, j))[0]] & CASED:
        return False
    j = skip(data, i + 2, end, flags, IGNORABLE)
    return j == end or not flags[decode_at(data, j)[0]] & CASED


@numba.njit(cache=True, nogil=True)  # type: ignore[misc]
def lower_hash(data, start, end, flags, lower):  # type: ignore[no-untyped-def]
    """64-bit hash of the characters of str.lower() of [start, end)."""
    h = np.uint64(0xCBF29CE484222325)
    i = start
    while i < end:
        code, width = decode_at(data, i)
        if code == 0x3A3:
            code = 0x3C2 if _final_sigma(data, start, i, end, flags) else 0x3C3
        elif code == 0x130:  # İ becomes i and a dot above
            h = (h ^ np.uint64(0x69)) * np.uint64(0x100000001B3)
            code = 0x307
        else:
            code = lower[code]
        h = (h ^ np.uint64(code)) * np.uint64(0x100000001B3)
        i += width
    return mix(h)


@numba.njit(cache=True, nogil=True)  # type: ignore[misc]
def _separator(data, i, end, double):  # type: ignore[no-untyped-def]
    """Position of the next newline, or of the next pair of newlines, or end."""
    while True:
        i = find(data, 0x0A, i, end)
        if not double or i >= end - 1:
            return end if double else i
        if data[i + 1] == 0x0A:
            return i
        i += 1


@numba.njit(cache=True, nogil=True)  # type: ignore[misc]
def _spans(data, i, end, double):  # type: ignore[no-untyped-def]
    """How many lines (or paragraphs, with `double`) [i, end) has."""
    n = 1
    while True:
        i = _separator(data, i, end, double)
        if i >= end:
            return n
        n += 1
        i += 2 if double else 1


@numba.njit(cache=True, nogil=True)  # type: ignore[misc]
def _repeated(hashes):  # type: ignore[no-untyped-def]
    """1 where a hash other than 0 was seen before; sorted, so that no text can make it slow."""
    again = np.zeros(len(hashes), np.uint8)
    order = np.argsort(hashes, kind="mergesort")
    for k in range(1, len(order)):
        again[order[k]] = hashes[order[k]] == hashes[order[k - 1]] and hashes[order[k]] != 0
    return again


@numba.njit(cache=True, nogil=True)  # type: ignore[misc]
def _dedup(data, bounds, flags, lower, double):  # type: ignore[no-untyped-def]
    out, offsets = room(bounds)
    o = 0
    for doc in range(len(bounds) - 1):
        begin, end = bounds[doc], bounds[doc + 1]
        n = _spans(data, begin, end, double)
        hashes = np.zeros(n, np.uint64)
        starts = np.empty(n + 1, np.int64)
        i = begin
        for k in range(n):
            starts[k] = i
            stop = _separator(data, i, end, double)
            s, e = strip(data, i, stop, flags)
            if s < e:
                hashes[k] = lower_hash(data, s, e, flags, lower) | np.uint64(1)
            i = stop + (2 if double else 1)
        starts[n] = i
        again = _repeated(hashes)
        first = True
        for k in range(n):
            if again[k]:
                continue
            if not first:
                for _ in range(2 if double else 1):
                    out[o] = 0x0A
                    o += 1
            first = False
            o = copy(data, starts[k], min(starts[k + 1] - (2 if double else 1), end), out, o)
        offsets[doc + 1] = o
    return out, offsets


@numba.njit(cache=True, nogil=True)  # type: ignore[misc]
def _equal(data, a, a_end, b, b_end):  # type: ignore[no-untyped-def]
    same = a_end - a == b_end - b
    k = 0
    while same and k < a_end - a:
        same = data[a + k] == data[b + k]
        k += 1
    return same


@numba.njit(cache=True, nogil=True)  # type: ignore[misc]
def _sentences(data, i, end, flags):  # type: ignore[no-untyped-def]
    """Runs of end marks, the full stop among them."""
    n = 0
    inside = False
    while i < end:
        code, width = decode_at(data, i)
        mark = flags[code] & END != 0 or code == 0x2E
        n += mark and not inside
        inside = mark
        i += width
    return n


@numba.njit(cache=True, nogil=True)  # type: ignore[misc]
def _collapse(data, bounds, flags):  # type: ignore[no-untyped-def]
    out, offsets = room(bounds)
    o = 0
    for doc in range(len(bounds) - 1):
        i, end = bounds[doc], bounds[doc + 1]
        kept = i  # bytes from here on are kept and not yet copied
        last, last_stop, last_line = i, i, i  # the last paragraph, stripped, and the end of its line
        while i <= end:
            stop = find(data, 0x0A, i, end)
            s, e = strip(data, i, stop, flags)
            if s < e:
                if _equal(data, s, e, last, last_stop) and _sentences(data, s, e, flags) < MOST_SENTENCES:
                    o = copy(data, kept, last_line, out, o)
                    kept = stop
                last, last_stop, last_line = s, e, stop
            i = stop + 1
        o = copy(data, kept, end, out, o)
        offsets[doc + 1] = o
    return out, offsets


@numba.njit(cache=True, nogil=True)  # type: ignore[misc]
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


@numba.njit(cache=True, nogil=True)  # type: ignore[misc]
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


@numba.njit(cache=True, nogil=True)  # type: ignore[misc]
def _nav_line(data, i, stop, flags):  # type: ignore[no-untyped-def]
    parts, longest = _parts(data, i, stop, flags, False)
    if parts >= NAV_ITEMS and longest <= NAV_CHARS:
        return True
    if parts == 0:
        return False
    parts, longest = _parts(data, i, stop, flags, True)
    return parts >= MENU_ITEMS and longest <= MENU_CHARS and _all_han(data, i, stop, flags)


@numba.njit(cache=True, nogil=True)  # type: ignore[misc]
def _all_han(data, i, stop, flags):  # type: ignore[no-untyped-def]
    """Whether the line has nothing but Han characters and blanks."""
    return skip(data, i, stop, flags, HAN | SPACE) == stop


@numba.njit(cache=True, nogil=True)  # type: ignore[misc]
def _by_line(data, bounds, flags, navbar):  # type: ignore[no-untyped-def]
    """Lines that are no navigation bar (`navbar`), or lines with ten Han characters."""
    out, offsets = room(bounds)
    o = 0
    for doc in range(len(bounds) - 1):
        i, end = bounds[doc], bounds[doc + 1]
        first = True
        while i <= end:
            stop = find(data, 0x0A, i, end)
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


@numba.njit(cache=True, nogil=True)  # type: ignore[misc]
def _columns(data, i, end, flags):  # type: ignore[no-untyped-def]
    """Columns of a line, wide characters counting two."""
    n = 0
    while i < end:
        code, width = decode_at(data, i)
        n += 2 if flags[code] & WIDE else 1
        i += width
    return n


@numba.njit(cache=True, nogil=True)  # type: ignore[misc]
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


def dedup_lines(text: pa.LargeStringArray) -> pa.LargeStringArray:
    """Of lines with equal strip().lower() the first stays; blank lines stay."""
    return edit(text, _dedup, flags(), lower(), False)


def dedup_paragraphs(text: pa.LargeStringArray) -> pa.LargeStringArray:
    """Of paragraphs (cut at two newlines) with equal strip().lower() the first stays; blank ones stay."""
    return edit(text, _dedup, flags(), lower(), True)


def collapse_paragraphs(text: pa.LargeStringArray) -> pa.LargeStringArray:
    """A line equal to the line before it (stripped; blank lines between do not count) goes, with those blank lines.

    Only lines of fewer than 100 sentences. Own reading: a paragraph is a line.
    """
    return edit(text, _collapse, flags())


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
