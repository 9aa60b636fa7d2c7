"""C4's line rules as released (TFDS `c4_utils.py`) and as FineWeb runs them (datatrove's C4QualityFilter).

Both cut with str.splitlines(), strip each line, drop it for a word of more than 1,000 characters, take Wikipedia's
citations out, ask for an end mark (TFDS only), for words (5, counted after the citations; 3, counted before them),
and drop lines that speak of JavaScript or of policies. What is left is joined and stripped. Page verdicts (lorem
ipsum, a brace, too few sentences) are signals and rules, not edits.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from filters.bytewise import load64
from filters.compiled import kernel, step
from filters.edits.kernels import copy, edit, room, strip
from filters.edits.tables import DECIMAL, SPACE, flags
from filters.scan import find_byte, next_break
from filters.segment import Bytes, decode_at

LONGEST_WORD = 1000
# Where none of these four bytes stand, in some case, no phrase does; U+212A is a k in lower case.
OPENINGS = np.frombuffer(b"javaf uslicycookcoo\xe2", "<u4")
JAVA, F_US, LICY, COOK, COO = (np.uint32(four) for four in OPENINGS)


def _phrases() -> tuple[tuple[bytes, bytes, bytes], ...]:
    """Each phrase as (before, anchor, after); the anchor is a letter that is rare in English."""
    listed = ("|j|avascript", "terms o|f| use", "pri|v|acy policy", "coo|k|ie policy", "uses coo|k|ies",
              "use of coo|k|ies", "use coo|k|ies")  # fmt: skip
    return tuple(tuple(p.encode() for p in phrase.split("|")) for phrase in listed)  # type: ignore[misc]


PHRASES = _phrases()
PACKED = np.frombuffer(b"".join(b + k + a for b, k, a in PHRASES), np.uint8)
SHAPES = np.array([(k[0], len(b), len(a)) for b, k, a in PHRASES], np.int64)


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
def _may_hold_phrase(data, start, end):  # type: ignore[no-untyped-def]
    """Whether [start, end) has what a phrase cannot be without; quick, and says yes to some that have none."""
    whole, found = min(end - 3, len(data) - 7), False
    for i in range(start, whole):  # no branch, no early end: four times as fast
        four = np.uint32(load64(data, i) | np.uint64(0x20202020))
        found |= (four == JAVA) | (four == F_US) | (four == LICY) | (four == COOK) | (four == COO)
    return found or whole < end - 3  # of the buffer's last bytes nothing is known


@step
def _has_phrase(data, start, end, packed, shapes):  # type: ignore[no-untyped-def]
    """Whether a phrase stands in [start, end) in lower case."""
    if not _may_hold_phrase(data, start, end):
        return False
    for i in range(start, end):
        b = data[i] | 0x20
        anchor = b == 0x6A or b == 0x66 or b == 0x76 or b == 0x6B or b == 0xE2
        if anchor and _phrase_at(data, start, end, i, packed, shapes):
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
def _has_words(data, i, end, flags, least):  # type: ignore[no-untyped-def]
    """Whether str.split() finds so many words in [i, end)."""
    count, inside = 0, False
    while i < end and count < least:
        code, width = decode_at(data, i)
        blank = flags[code] & SPACE != 0
        count += not blank and not inside
        inside = not blank
        i += width
    return count >= least


@step
def _has_long_word(data, i, end, flags):  # type: ignore[no-untyped-def]
    """Whether a word of [i, end) has more than LONGEST_WORD characters."""
    while i + LONGEST_WORD < end:
        blank = i + LONGEST_WORD
        while blank > i and data[blank] != 0x20:
            blank -= 1
        if blank == i:  # no blank of ASCII in so many bytes: other blanks, and characters of several bytes, are seen
            break
        i = blank
    if i + LONGEST_WORD >= end:
        return False
    chars = 0
    while i < end:
        code, width = decode_at(data, i)
        chars = 0 if flags[code] & SPACE else chars + 1
        if chars > LONGEST_WORD:
            return True
        i += width
    return False


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


@step
def _write_line(data, start, stop, out, o, flags, packed, shapes, least, terminal, may):  # type: ignore[no-untyped-def]
    """Write a stripped line without its citations; where it ends, or `o` if it goes. `may` it hold a phrase?"""
    if find_byte(data, start, stop, 0x5B) == stop:
        if (terminal and not _terminal(data, start, stop)) or (may and _has_phrase(data, start, stop, packed, shapes)):
            return o
        return copy(data, start, stop, out, o)
    end = _without_citations(data, start, stop, out, o, flags)
    fewer = end - o < stop - start
    if terminal and (not _terminal(out, o, end) or (fewer and not _has_words(out, o, end, flags, least))):
        return o
    return o if may and _has_phrase(out, o, end, packed, shapes) else end


@kernel
def _c4(data, bounds, flags, packed, shapes, least, terminal):  # type: ignore[no-untyped-def]
    out, offsets = room(bounds)
    o = 0
    for doc in range(len(bounds) - 1):
        i, end, begin = bounds[doc], bounds[doc + 1], o
        first, may = True, _may_hold_phrase(data, i, end)
        while i < end:
            start = i
            stop, i = next_break(data, i, end)
            # taking citations out never makes words
            if not _has_words(data, start, stop, flags, least) or _has_long_word(data, start, stop, flags):
                continue
            start, stop = strip(data, start, stop, flags)
            at = o if first else o + 1
            written = _write_line(data, start, stop, out, at, flags, packed, shapes, least, terminal, may)
            if written == at:
                continue
            if not first:
                out[o] = 0x0A
            first = False
            o = written
        o = _strip_out(out, begin, o, flags)
        offsets[doc + 1] = o
    return out, offsets


def c4_lines(text: pa.LargeStringArray) -> pa.LargeStringArray:
    """Lines with a terminal mark and five words; see the module."""
    return edit(text, _c4, flags(), PACKED, SHAPES, 5, True)


def c4_lines_nopunct(text: pa.LargeStringArray) -> pa.LargeStringArray:
    """Lines of three words, terminal mark or not; see the module."""
    return edit(text, _c4, flags(), PACKED, SHAPES, 3, False)
