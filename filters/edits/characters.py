"""Edits of single characters: runs of newlines and of marks, blanks between Chinese characters, odd symbols.

`max_two_newlines` is DCLM's newline_removal_modifier. The others are known from descriptions only (ERNIE 3.0,
PanGu-α, WuDao; evidence S and M), and which characters they touch is our own reading: see each and the tables.
"""

from __future__ import annotations

import pyarrow as pa

from filters.compiled import kernel, step
from filters.edits.kernels import before, copy, edit, room
from filters.edits.tables import HAN, ODD, REPEATABLE, ZH_MARK, flags
from filters.segment import decode_at

ZERO, NUMERALS = 0x25CB, "〇零一二三四五六七八九十"
NUMERAL_CODES = tuple(map(ord, NUMERALS))
JOINER = 0x200D


@kernel
def _newlines(data, bounds):  # type: ignore[no-untyped-def]
    out, offsets = room(bounds)
    o = 0
    for doc in range(len(bounds) - 1):
        run = 0
        for i in range(bounds[doc], bounds[doc + 1]):
            run = run + 1 if data[i] == 0x0A else 0
            if run < 3:
                out[o] = data[i]
                o += 1
        offsets[doc + 1] = o
    return out, offsets


@step
def _longest_run(code):  # type: ignore[no-untyped-def]
    """How many of a mark make one mark: …… and —— are written double, ... with three points."""
    if code == 0x2026 or code == 0x2014:
        return 2
    return 3 if code == 0x2E else 1


@kernel
def _collapse(data, bounds, flags):  # type: ignore[no-untyped-def]
    out, offsets = room(bounds)
    o = 0
    for doc in range(len(bounds) - 1):
        i, end = bounds[doc], bounds[doc + 1]
        last, run = -1, 0
        kept = i  # bytes from here on are kept and not yet copied
        while i < end:
            code, width = decode_at(data, i)
            if code != last:
                last, run = code, 1
            else:
                run += 1
                if flags[code] & REPEATABLE and run > _longest_run(code):
                    o = copy(data, kept, i, out, o)
                    kept = i + width
            i += width
        o = copy(data, kept, end, out, o)
        offsets[doc + 1] = o
    return out, offsets


@kernel
def _zh_blanks(data, bounds, flags):  # type: ignore[no-untyped-def]
    out, offsets = room(bounds)
    o = 0
    for doc in range(len(bounds) - 1):
        i, end = bounds[doc], bounds[doc + 1]
        kept = i
        chinese = False
        while i < end:
            b = data[i]
            if b < 0x80 and b != 0x20 and b != 0x09:
                chinese = False
                i += 1
                continue
            code, width = decode_at(data, i)
            blank = code == 0x20 or code == 0x09 or code == 0xA0 or code == 0x3000
            if not blank:
                chinese = flags[code] & (HAN | ZH_MARK) != 0
                i += width
                continue
            start = i
            while i < end:
                code, width = decode_at(data, i)
                if not (code == 0x20 or code == 0x09 or code == 0xA0 or code == 0x3000):
                    break
                i += width
            if chinese and i < end and flags[code] & (HAN | ZH_MARK):
                o = copy(data, kept, start, out, o)
                kept = i
            chinese = False
        o = copy(data, kept, end, out, o)
        offsets[doc + 1] = o
    return out, offsets


@step
def _is_zero(data, start, i, end, after_zero):  # type: ignore[no-untyped-def]
    """Whether the circle at i is the zero of a Chinese number, as in 二○○八年."""
    if after_zero:
        return True
    if i > start and decode_at(data, before(data, i))[0] in NUMERAL_CODES:
        return True
    return i + 3 < end and decode_at(data, i + 3)[0] in NUMERAL_CODES


@kernel
def _symbols(data, bounds, flags):  # type: ignore[no-untyped-def]
    out, offsets = room(bounds)
    o = 0
    for doc in range(len(bounds) - 1):
        start, end = bounds[doc], bounds[doc + 1]
        i = kept = start
        zero = False  # the last character was a circle that stands for zero
        odd = False  # the last character went
        while i < end:
            b = data[i]
            if b < 0x80 and not flags[b] & ODD:
                zero, odd = False, False
                i += 1
                continue
            code, width = decode_at(data, i)
            gone = flags[code] & ODD != 0 or (code == JOINER and odd)
            if code == ZERO:
                zero = _is_zero(data, start, i, end, zero)
                gone = not zero
            else:
                zero = False
            if gone:
                o = copy(data, kept, i, out, o)
                kept = i + width
            odd = gone
            i += width
        o = copy(data, kept, end, out, o)
        offsets[doc + 1] = o
    return out, offsets


def max_two_newlines(text: pa.LargeStringArray) -> pa.LargeStringArray:
    """Three and more newlines become two."""
    return edit(text, _newlines)


def collapse_chars(text: pa.LargeStringArray) -> pa.LargeStringArray:
    """A run of one blank (not of newlines) or sentence mark becomes one mark; letters, digits and - = _ * # / stay.

    "……" and "——" are one mark written twice and stay double; four points become three.
    """
    return edit(text, _collapse, flags())


def zh_blanks(text: pa.LargeStringArray) -> pa.LargeStringArray:
    """Blanks (space, tab, U+00A0, U+3000) go where both neighbours are Han characters or full-width marks."""
    return edit(text, _zh_blanks, flags())


def symbols(text: pa.LargeStringArray) -> pa.LargeStringArray:
    """Emoji, decoration, private-use and replacement characters and odd controls go; ○ stays as a Chinese zero.

    U+200B goes too, which Khmer and Thai may use between words.
    """
    return edit(text, _symbols, flags())
