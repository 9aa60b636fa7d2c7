"""RefinedWeb's line corrections (arXiv:2306.01116, G.2), as DCLM's `baselines/mappers/modifiers.py` and
`refinedweb.yaml` run them: seven passes over the lines, most of which strip the page after them.

A line goes if more than half of its characters are upper case, if more than 0.999999 of them are digits, if it is
a counter ("1.2K views"), or if it has one word. Of lines of ten words at most, "items in cart" goes anywhere,
"read more" with three more characters at the end (DCLM's points are not escaped, so any three), and "sign-in" at
the start. Traded away: nothing of DCLM's run; its passes are followed with their order and their stripping.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from filters.bytewise import load64
from filters.compiled import kernel, step
from filters.edits.caseless import fold, match
from filters.edits.kernels import before, copy, edit, room, skip, skip_back, words
from filters.edits.tables import DECIMAL, DIGIT, SPACE, UPPER, WORD, flags
from filters.scan import find_byte
from filters.segment import decode_at

COUNTED = (b"likes", b"shares", b"comments", b"retweets", b"reposts", b"quotes", b"bookmarks", b"upvotes",
           b"downvotes", b"downloads", b"views", b"followers")  # fmt: skip
MOST_UPPER, MOST_DIGITS, SHORT = 0.5, 0.999999, 10
CART, MORE, SIGN_IN = 1, 2, 4  # the three phrases, in the order of their passes
CART_4, MORE_4 = (np.uint32(int.from_bytes(letters, "little")) for letters in (b"cart", b"more"))
SIGN_2 = np.uint16(int.from_bytes(b"n-", "little"))


@step
def is_counter(data, start, end, flags):  # type: ignore[no-untyped-def]
    """Whether the line in lower case is ^\\W*\\d[\\d.,]*[kmb]?\\s+(likes|...)\\W*$."""
    i = start
    while i < end:
        code, width = decode_at(data, i)
        if flags[code] & WORD:
            break
        i += width
    if i == end or not flags[decode_at(data, i)[0]] & DECIMAL:
        return False
    while i < end:
        code, width = decode_at(data, i)
        if not (flags[code] & DECIMAL or code == 0x2C or code == 0x2E):
            break
        i += width
    if i < end:
        code, width = decode_at(data, i)
        letter = fold(code, False)
        if letter == 0x6B or letter == 0x6D or letter == 0x62:
            i += width
    after = skip(data, i, end, flags, SPACE)
    if after == i:
        return False
    for word in COUNTED:
        stop = match(data, after, end, word, False)
        if stop >= 0:
            while stop < end:
                code, width = decode_at(data, stop)
                if flags[code] & WORD:
                    break
                stop += width
            if stop == end:
                return True
    return False


@step
def _measure(data, i, end, flags):  # type: ignore[no-untyped-def]
    """(end of line, characters, upper-case ones, digits, words) of the line at i."""
    chars, upper, digits, count = 0, 0, 0, 0
    inside = False
    while i < end:
        code = np.int64(data[i])
        if code == 0x0A:
            break
        width = 1
        if code >= 0x80:
            code, width = decode_at(data, i)
        kind = flags[code]
        chars += 1
        upper += kind & UPPER != 0
        digits += kind & DIGIT != 0
        inside_now = kind & SPACE == 0
        count += inside_now and not inside
        inside = inside_now
        i += width
    return i, chars, upper, digits, count


@step
def _strip_page(data, starts, ends, n, flags):  # type: ignore[no-untyped-def]
    """Strip the page that lines 0..n-1 are: (first line left, one past the last)."""
    first = 0
    while first < n:
        starts[first] = skip(data, starts[first], ends[first], flags, SPACE)
        if starts[first] < ends[first]:
            break
        first += 1
    while n > first:
        ends[n - 1] = skip_back(data, starts[n - 1], ends[n - 1], flags, SPACE)
        if starts[n - 1] < ends[n - 1]:
            break
        n -= 1
    return first, n


@step
def _numeric(data, start, end, flags):  # type: ignore[no-untyped-def]
    chars, digits = 0, 0
    while start < end:
        code, width = decode_at(data, start)
        chars += 1
        digits += flags[code] & DIGIT != 0
        start += width
    return chars > 0 and digits / chars > MOST_DIGITS


@step
def _cut_cart(data, start, end, flags):  # type: ignore[no-untyped-def]
    """Take "items in cart" and one blank before it out of the line, in place; the new end."""
    o, i = start, start
    floor = start  # what was written before the last cut is out of the next cut's reach
    while i < end:
        stop = -1
        if data[i] | 0x20 == 0x69 or data[i] >= 0xC0:  # never inside a character: its last bytes would decode too
            stop = match(data, i, end, b"items in cart", True)
        if stop >= 0:
            if o > floor:
                at = before(data, o)
                if flags[decode_at(data, at)[0]] & SPACE:
                    o = at
            floor = o
            i = stop
        else:
            data[o] = data[i]
            o += 1
            i += 1
    return o


@step
def _cut_more(data, start, end, flags):  # type: ignore[no-untyped-def]
    """The line's end without "read more" and three characters, and one blank before."""
    i, chars = end, 0
    while i > start and chars < 12:
        i = before(data, i)
        chars += 1
    if chars < 12 or match(data, i, end, b"read more", True) < 0:
        return end
    if i > start:
        at = before(data, i)
        if flags[decode_at(data, at)[0]] & SPACE:
            return at
    return i


@step
def _cut_sign_in(data, start, end, flags):  # type: ignore[no-untyped-def]
    """The line's start without "sign-in" and one blank after."""
    stop = match(data, start, end, b"sign-in", True)
    if stop < 0:
        return start
    if stop < end:
        code, width = decode_at(data, stop)
        if flags[code] & SPACE:
            stop += width
    return stop


@step
def _cut(data, starts, ends, n, flags, which):  # type: ignore[no-untyped-def]
    """One of the three passes over short lines; lines left without words go. How many lines are left."""
    kept = 0
    for k in range(n):
        s, e = starts[k], ends[k]
        if which == CART:
            e = _cut_cart(data, s, e, flags) if words(data, s, e, flags) <= SHORT else e
        elif which == MORE:
            e = _cut_more(data, s, e, flags)
        else:
            s = _cut_sign_in(data, s, e, flags)
        if s != starts[k] or e != ends[k]:
            if which != CART and words(data, starts[k], ends[k], flags) > SHORT:
                s, e = starts[k], ends[k]
            elif skip(data, s, e, flags, SPACE) == e:
                continue
        starts[kept], ends[kept] = s, e
        kept += 1
    return kept


@step
def _first_passes(data, i, end, flags, starts, ends, counts):  # type: ignore[no-untyped-def]
    """Lines that upper case, digits, counters and one word leave: (first, one past the last, they changed)."""
    n, lines = 0, 0
    while True:
        stop, chars, upper, digits, count = _measure(data, i, end, flags)
        lines += 1
        if not chars or upper / chars <= MOST_UPPER:
            starts[n], ends[n] = i, stop
            # 1 or 2: a number or a counter may be in question; the word counts survive stripping
            counts[n] = count * 2 + (digits > 0)
            n += 1
        if stop == end:
            break
        i = stop + 1
    for which in range(2):
        first, n = _strip_page(data, starts, ends, n, flags)
        kept = 0
        for k in range(first, n):
            if counts[k] & 1:
                if which == 0 and _numeric(data, starts[k], ends[k], flags):
                    continue
                if which == 1 and is_counter(data, starts[k], ends[k], flags):
                    continue
            starts[kept], ends[kept], counts[kept] = starts[k], ends[k], counts[k]
            kept += 1
        n = kept
    first, n = _strip_page(data, starts, ends, n, flags)
    kept = 0
    for k in range(first, n):
        if starts[k] == ends[k] or counts[k] >= 4:
            starts[kept], ends[kept] = starts[k], ends[k]
            kept += 1
    return kept


@step
def _may_cut(data, start, end):  # type: ignore[no-untyped-def]
    """Which phrases may stand here, as bits: c-a-r-t, m-o-r-e and n-[-] in some case say so, and need no folding."""
    found = 0
    whole = min(end - 1, len(data) - 7)
    for i in range(start, whole):  # no branch: twice as fast
        four = load64(data, i) | np.uint64(0x20202020)
        found |= CART * (np.uint32(four) == CART_4) | MORE * (np.uint32(four) == MORE_4)
        found |= SIGN_IN * (np.uint16(four) == SIGN_2)
    return found if whole == end - 1 else CART | MORE | SIGN_IN  # of the buffer's last bytes nothing is known


@kernel
def _rw(data, bounds, flags):  # type: ignore[no-untyped-def]
    out, offsets = room(bounds)
    o = 0
    most = 1
    for doc in range(len(bounds) - 1):
        lines = 1
        i = find_byte(data, bounds[doc], bounds[doc + 1], 0x0A)
        while i < bounds[doc + 1]:
            lines += 1
            i = find_byte(data, i + 1, bounds[doc + 1], 0x0A)
        most = max(most, lines)
    starts, ends, counts = np.empty(most, np.int64), np.empty(most, np.int64), np.empty(most, np.int64)
    for doc in range(len(bounds) - 1):
        size = bounds[doc + 1] - bounds[doc]
        out[o : o + size] = data[bounds[doc] : bounds[doc + 1]]  # edited in place below
        n = _first_passes(out, o, o + size, flags, starts, ends, counts)
        may = _may_cut(out, o, o + size)
        for which in (CART, MORE, SIGN_IN):
            if may & which:
                n = _cut(out, starts, ends, n, flags, which)
            first, last = _strip_page(out, starts, ends, n, flags)
            if first > 0:
                for k in range(first, last):
                    starts[k - first], ends[k - first] = starts[k], ends[k]
            n = last - first
        for k in range(n):
            if k > 0:
                out[o] = 0x0A
                o += 1
            s, e = starts[k], ends[k]
            o = copy(out, s, e, out, o) if s != o else e
        offsets[doc + 1] = o
    return out, offsets


def rw_lines(text: pa.LargeStringArray) -> pa.LargeStringArray:
    """RefinedWeb's line corrections; see the module. A page left without lines is empty."""
    return edit(text, _rw, flags())
