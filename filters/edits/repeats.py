"""Edits that take repetition out of one document: lines and paragraphs seen before, and neighbours that are equal.

`dedup_lines` and `dedup_paragraphs` are DCLM's within_page_dedup; `collapse_paragraphs` is ERNIE 3.0's step, known from
descriptions (evidence S and M). Traded away: equal lines are found by 64-bit hashes of their lower case, so two
different lines are taken for one about once in 10^19 pairs.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from filters.compiled import kernel, step
from filters.edits.kernels import before, copy, edit, room, skip, skip_back, strip
from filters.edits.tables import CASED, END, IGNORABLE, flags, lower
from filters.scan import find_byte
from filters.segment import decode_at, mix

MOST_SENTENCES = 100  # ERNIE 3.0: a repeated paragraph has fewer [M]


@step
def final_sigma(data, start, i, end, flags):  # type: ignore[no-untyped-def]
    """Whether str.lower() writes the capital sigma at byte i as a final one."""
    j = skip_back(data, start, i, flags, IGNORABLE)
    if j == start or not flags[decode_at(data, before(data, j))[0]] & CASED:
        return False
    j = skip(data, i + 2, end, flags, IGNORABLE)
    return j == end or not flags[decode_at(data, j)[0]] & CASED


@step
def lower_hash(data, start, end, flags, lower):  # type: ignore[no-untyped-def]
    """64-bit hash of the characters of str.lower() of [start, end)."""
    h = np.uint64(0xCBF29CE484222325)
    i = start
    while i < end:
        code, width = decode_at(data, i)
        if code == 0x3A3:
            code = 0x3C2 if final_sigma(data, start, i, end, flags) else 0x3C3
        elif code == 0x130:  # İ becomes i and a dot above
            h = (h ^ np.uint64(0x69)) * np.uint64(0x100000001B3)
            code = 0x307
        else:
            code = lower[code]
        h = (h ^ np.uint64(code)) * np.uint64(0x100000001B3)
        i += width
    return mix(h)


@step
def _separator(data, i, end, double):  # type: ignore[no-untyped-def]
    """Position of the next newline, or of the next pair of newlines, or end."""
    while True:
        i = find_byte(data, i, end, 0x0A)
        if not double or i >= end - 1:
            return end if double else i
        if data[i + 1] == 0x0A:
            return i
        i += 1


@step
def _spans(data, i, end, double):  # type: ignore[no-untyped-def]
    """How many lines (or paragraphs, with `double`) [i, end) has."""
    n = 1
    while True:
        i = _separator(data, i, end, double)
        if i >= end:
            return n
        n += 1
        i += 2 if double else 1


@kernel
def _repeated(hashes):  # type: ignore[no-untyped-def]
    """1 where a hash other than 0 was seen before; sorted, so that no text can make it slow."""
    again = np.zeros(len(hashes), np.uint8)
    order = np.argsort(hashes, kind="mergesort")
    for k in range(1, len(order)):
        again[order[k]] = hashes[order[k]] == hashes[order[k - 1]] and hashes[order[k]] != 0
    return again


@kernel
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


@step
def _equal(data, a, a_end, b, b_end):  # type: ignore[no-untyped-def]
    same = a_end - a == b_end - b
    k = 0
    while same and k < a_end - a:
        same = data[a + k] == data[b + k]
        k += 1
    return same


@step
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


@kernel
def _collapse(data, bounds, flags):  # type: ignore[no-untyped-def]
    out, offsets = room(bounds)
    o = 0
    for doc in range(len(bounds) - 1):
        i, end = bounds[doc], bounds[doc + 1]
        kept = i  # bytes from here on are kept and not yet copied
        last, last_stop, last_line = i, i, i  # the last paragraph, stripped, and the end of its line
        while i <= end:
            stop = find_byte(data, i, end, 0x0A)
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
