"""C4's line rules as released (TFDS `c4_utils.py`) and as FineWeb runs them (datatrove's C4QualityFilter).

Both cut with str.splitlines(), strip each line, drop it for a word of more than 1,000 characters, take Wikipedia's
citations out, ask for an end mark (TFDS only), for words (5, counted after the citations; 3, counted before them),
and drop lines that speak of JavaScript or of policies. What is left is joined and stripped. Page verdicts (lorem
ipsum, a brace, too few sentences) are signals and rules, not edits.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from filters.compiled import kernel, step
from filters.edits.kernels import copy, edit, room, strip, words
from filters.edits.tables import BREAK, DECIMAL, SPACE, flags
from filters.segment import Bytes, decode_at

LONGEST_WORD = 1000
PLAIN, BLANK, BREAKING, ANCHOR, BRACKET, LEAD = 0, 1, 2, 3, 4, 5


def _phrases() -> tuple[tuple[bytes, bytes, bytes], ...]:
    """Each phrase as (before, anchor, after); the anchor is a letter that is rare in English."""
    listed = ("|j|avascript", "terms o|f| use", "pri|v|acy policy", "coo|k|ie policy", "uses coo|k|ies",
              "use of coo|k|ies", "use coo|k|ies")  # fmt: skip
    return tuple(tuple(p.encode() for p in phrase.split("|")) for phrase in listed)  # type: ignore[misc]


def _byte_kinds() -> Bytes:
    kinds = np.zeros(256, np.uint8)
    kinds[[9, 0x1F, 0x20]] = BLANK
    kinds[[10, 11, 12, 13, 0x1C, 0x1D, 0x1E]] = BREAKING
    kinds[[ord(c) for c in "jJfFvVkK"]] = ANCHOR
    kinds[ord("[")] = BRACKET
    kinds[[0xC2, 0xE1, 0xE2, 0xE3]] = LEAD  # of white space beyond ASCII, and of U+212A, whose lower case is k
    return kinds


PHRASES = _phrases()
PACKED = np.frombuffer(b"".join(b + k + a for b, k, a in PHRASES), np.uint8)
SHAPES = np.array([(k[0], len(b), len(a)) for b, k, a in PHRASES], np.int64)
KINDS = _byte_kinds()


@step
def _same(data: Bytes, i: int, packed: Bytes, p: int, n: int) -> bool:
    """Whether n bytes at i, in lower case, are those at p."""
    for k in range(n):
        b = data[i + k]
        if (b | 0x20 if 0x41 <= b <= 0x5A else b) != packed[p + k]:
            return False
    return True


@step
def _phrase_at(data, start, end, i, packed, shapes):  # type: ignore[no-untyped-def]
    """Whether a phrase of [start, end) in lower case has its anchor at byte i."""
    b, width = np.int64(data[i]), 1
    if b == 0xE2:
        if i + 2 >= end or data[i + 1] != 0x84 or data[i + 2] != 0xAA:
            return False
        b, width = np.int64(0x6B), 3
    b |= 0x20
    p = 0
    for k in range(len(shapes)):
        anchor, left, right = shapes[k]
        if (
            anchor == b
            and i - left >= start
            and i + width + right <= end
            and _same(data, i - left, packed, p, left)
            and _same(data, i + width, packed, p + left + 1, right)
        ):
            return True
        p += left + 1 + right
    return False


@step
def _has_phrase(data, start, end, kinds, packed, shapes):  # type: ignore[no-untyped-def]
    for i in range(start, end):
        kind = kinds[data[i]]
        if (kind == ANCHOR or (kind == LEAD and data[i] == 0xE2)) and _phrase_at(data, start, end, i, packed, shapes):
            return True
    return False


@step
def _citation_end(data, i, end, flags):  # type: ignore[no-untyped-def]
    """End of the citation "[12]", "[edit]" or "[citation needed]" at the bracket i, or i."""
    for word in (b"[edit]", b"[citation needed]"):
        if i + len(word) <= end:
            k = 0
            while k < len(word) and data[i + k] == word[k]:
                k += 1
            if k == len(word):
                return i + k
    j = i + 1
    while j < end:
        code, width = decode_at(data, j)
        if code == 0x5D:
            return j + 1
        if not flags[code] & DECIMAL:
            break
        j += width
    return i


@step
def _without_citations(data, start, end, out, o, flags):  # type: ignore[no-untyped-def]
    i = start
    while i < end:
        if data[i] == 0x5B:
            stop = _citation_end(data, i, end, flags)
            if stop > i:
                i = stop
                continue
        out[o] = data[i]
        o += 1
        i += 1
    return o


@step
def _too_long(data, start, end, limit):  # type: ignore[no-untyped-def]
    """Whether [start, end) has more than `limit` characters."""
    if end - start <= limit:
        return False
    chars = 0
    for i in range(start, end):
        chars += data[i] & 0xC0 != 0x80
    return chars > limit


@step
def _scan(data, i, end, flags, kinds, packed, shapes):  # type: ignore[no-untyped-def]
    """One line from i: (its end, start of the next, words, a word too long, a bracket, a phrase)."""
    start = i
    count = 0
    word = -1  # where the present word began
    longest, bracket, phrase = False, False, False
    stop, following = end, end
    while i < end:
        kind = kinds[data[i]]
        if kind in (PLAIN, BRACKET):
            if word < 0:
                word = i
                count += 1
            bracket |= kind == BRACKET
            i += 1
            continue
        blank, width = kind == BLANK, 1
        if kind == LEAD:
            code, width = decode_at(data, i)
            blank = flags[code] & SPACE != 0
            if flags[code] & BREAK:
                stop, following = i, i + width
        elif kind == BREAKING:
            stop, following = i, i + 1
            if data[i] == 0x0D and i + 1 < end and data[i + 1] == 0x0A:
                following += 1
        if following < end or stop < end:
            break
        if blank:
            longest |= word >= 0 and _too_long(data, word, i, LONGEST_WORD)
            word = -1
        else:
            if word < 0:
                word = i
                count += 1
            if kind == ANCHOR or data[i] == 0xE2:  # phrases hold no line break, so the line's end need not be known
                phrase |= _phrase_at(data, start, end, i, packed, shapes)
        i += width
    longest |= word >= 0 and _too_long(data, word, stop, LONGEST_WORD)
    return stop, following, count, longest, bracket, phrase


@step
def _terminal(data, start, end):  # type: ignore[no-untyped-def]
    """Whether [start, end) ends in one of . ? ! " and not in three points."""
    if end == start:
        return False
    b = data[end - 1]
    if b == 0x2E:
        return not (end - start >= 3 and data[end - 2] == 0x2E and data[end - 3] == 0x2E)
    return b == 0x3F or b == 0x21 or b == 0x22


@step
def _strip_out(out, begin, o, flags):  # type: ignore[no-untyped-def]
    """Strip the text [begin, o) of `out` in place; its new end."""
    start, end = strip(out, begin, o, flags)
    if start == begin:
        return end
    for k in range(start, end):
        out[begin + k - start] = out[k]
    return begin + end - start


@kernel
def _c4(data, bounds, flags, kinds, packed, shapes, least, terminal):  # type: ignore[no-untyped-def]
    out, offsets = room(bounds)
    o = 0
    for doc in range(len(bounds) - 1):
        i, end, begin = bounds[doc], bounds[doc + 1], o
        first = True
        while i < end:
            stop, following, count, longest, bracket, phrase = _scan(data, i, end, flags, kinds, packed, shapes)
            start, i = i, following
            if longest or count < least:  # taking citations out never makes words
                continue
            start, stop = strip(data, start, stop, flags)
            at = o if first else o + 1
            if bracket:
                stop_out = _without_citations(data, start, stop, out, at, flags)
                if stop_out - at != stop - start:
                    phrase = _has_phrase(out, at, stop_out, kinds, packed, shapes)
                    if terminal and words(out, at, stop_out, flags) < least:
                        continue
            else:
                stop_out = -1
            if phrase:
                continue
            if stop_out < 0:
                if terminal and not _terminal(data, start, stop):
                    continue
                stop_out = copy(data, start, stop, out, at)
            elif terminal and not _terminal(out, at, stop_out):
                continue
            if not first:
                out[o] = 0x0A
            first = False
            o = stop_out
        o = _strip_out(out, begin, o, flags)
        offsets[doc + 1] = o
    return out, offsets


def c4_lines(text: pa.LargeStringArray) -> pa.LargeStringArray:
    """Lines with a terminal mark and five words; see the module."""
    return edit(text, _c4, flags(), KINDS, PACKED, SHAPES, 5, True)


def c4_lines_nopunct(text: pa.LargeStringArray) -> pa.LargeStringArray:
    """Lines of three words, terminal mark or not; see the module."""
    return edit(text, _c4, flags(), KINDS, PACKED, SHAPES, 3, False)
