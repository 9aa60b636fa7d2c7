"""Texts to units: lines, paragraphs, sentences or tokens as atoms, and hashes of as many in a row as a unit has.

An atom is a span of bytes; a unit begins at an atom and is `width` atoms long: one line, three sentences, fifty
tokens. Units with nothing but white space are no units: they are never compared. Hashes have 64 bits and stand for
the text: among ten billion different units about three pairs are taken for one. Traded away: the hashes are not
keyed; the sentence splitter knows no abbreviations; tokens are cut by character class, which makes three of "can't"
where Unicode's word bounds make one.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from filters.compiled import kernel, step
from filters.edits.kernels import skip, strip
from filters.edits.repeats import final_sigma, lower_hash
from filters.edits.sentences import next_sentence
from filters.edits.tables import DECIMAL, SPACE, flags, lower
from filters.scan import find_byte
from filters.segment import CLASSES, OTHER, SINGLE, Ints, buffers, decode_at, hash_bytes, mix
from filters.segment import SPACE as BLANK

Hashes = npt.NDArray[np.uint64]
Truths = npt.NDArray[np.bool_]
HOW = {"none": 0, "lower_strip": 1, "ccnet": 2}
LINE, PARAGRAPH = 0, 1
# What CCNet's normalize_for_dedup takes out after case and digits (cc_net/text_normalizer.py, UNICODE_PUNCT and the
# control characters): wide and typographic marks; the marks of ASCII stay.
CCNET_MARKS = "，。、„”“«»１」「《》´∶：？！（）；–—．～’…━〈〉【】％►"
CONTROLS = (*range(32), *range(127, 160))


@dataclass(frozen=True)
class Units:
    """Atoms of text i are [first[i], first[i + 1]); `starts` and `ends` are bytes from the text's own first byte.

    `hashes[k]` is that of the unit that begins at atom k, where `valid[k]`. `group` numbers the line that holds the
    atom, over the whole batch, where atoms are tokens; else it is the atom's own number.
    """

    first: Ints
    starts: Ints
    ends: Ints
    hashes: Hashes
    valid: Truths
    group: Ints
    width: int


@cache
def _dropped() -> npt.NDArray[np.bool_]:
    table = np.zeros(0x110000, np.bool_)
    table[[*map(ord, CCNET_MARKS), *CONTROLS]] = True
    return table


@step
def _ccnet_hash(data, start, end, flags, lower, dropped):  # type: ignore[no-untyped-def]
    """Hash of a stripped span as CCNet levels it: lower case, digits to 0, its marks and control characters out."""
    h = np.uint64(0)
    i = start
    while i < end:
        code, width = decode_at(data, i)
        if code == 0x3A3:
            low = 0x3C2 if final_sigma(data, start, i, end, flags) else 0x3C3
        elif code == 0x130:
            h = mix(h * np.uint64(31) + np.uint64(0x6A))
            low = 0x307
        else:
            low = lower[code]
        i += width
        if flags[low] & DECIMAL:
            low = 0x30
        if not dropped[low]:
            h = mix(h * np.uint64(31) + np.uint64(low) + np.uint64(1))
    return h


@step
def _hash(data, start, end, how, flags, lower, dropped):  # type: ignore[no-untyped-def]
    if how == 0:
        return hash_bytes(data, start, end)
    start, end = strip(data, start, end, flags)
    if how == 1:
        return lower_hash(data, start, end, flags, lower)
    return _ccnet_hash(data, start, end, flags, lower, dropped)


@step
def _break(data, i, end, kind):  # type: ignore[no-untyped-def]
    """(end of the line or paragraph that holds i, start of the next; -1 after the last)."""
    while True:
        stop = find_byte(data, i, end, 0x0A)
        if stop == end:
            return end, -1
        after = stop + 1
        while kind == PARAGRAPH and after < end and data[after] == 0x0A:
            after += 1
        if kind == LINE or after > stop + 1:
            return stop, after
        i = after


@kernel
def _lines(data, bounds, kind, how, flags, lower, dropped):  # type: ignore[no-untyped-def]
    docs = len(bounds) - 1
    most = docs
    for i in range(bounds[0], bounds[docs]):
        most += data[i] == 0x0A
    first = np.zeros(docs + 1, np.int64)
    starts, ends = np.empty(most, np.int64), np.empty(most, np.int64)
    hashes, valid = np.zeros(most, np.uint64), np.zeros(most, np.bool_)
    n = 0
    for doc in range(docs):
        begin, end = bounds[doc], bounds[doc + 1]
        at = begin
        while at >= 0:
            stop, after = _break(data, at, end, kind)
            starts[n], ends[n] = at - begin, stop - begin
            if skip(data, at, stop, flags, SPACE) < stop:
                valid[n] = True
                hashes[n] = _hash(data, at, stop, how, flags, lower, dropped)
            n += 1
            at = after
        first[doc + 1] = n
    return first, starts[:n], ends[:n], hashes[:n], valid[:n]


@kernel
def _sentences(data, bounds, how, flags, lower, dropped, room):  # type: ignore[no-untyped-def]
    docs = len(bounds) - 1
    first = np.zeros(docs + 1, np.int64)
    starts, ends, hashes = np.empty(room, np.int64), np.empty(room, np.int64), np.empty(room, np.uint64)
    n = 0
    for doc in range(docs):
        begin, end = bounds[doc], bounds[doc + 1]
        i = begin
        while i <= end:
            stop = find_byte(data, i, end, 0x0A)
            while i < stop:
                after, _ = next_sentence(data, i, stop, flags)
                s, e = strip(data, i, after, flags)
                if s < e:
                    if n < room:
                        starts[n], ends[n] = s - begin, e - begin
                        hashes[n] = _hash(data, s, e, how, flags, lower, dropped)
                    n += 1
                i = after
            i = stop + 1
        first[doc + 1] = n
    return first, starts, ends, hashes, n


@kernel
def _tokens(data, bounds, classes, room):  # type: ignore[no-untyped-def]
    docs = len(bounds) - 1
    first = np.zeros(docs + 1, np.int64)
    starts, ends = np.empty(room, np.int64), np.empty(room, np.int64)
    hashes, group = np.empty(room, np.uint64), np.empty(room, np.int64)
    n, line = 0, 0
    for doc in range(docs):
        begin, end = bounds[doc], bounds[doc + 1]
        i = begin
        while i < end:
            code, width = decode_at(data, i)
            kind = classes[code]
            if kind == BLANK:
                line += code == 0x0A
                i += width
                continue
            at = i
            i += width
            if kind != OTHER and kind != SINGLE:
                while i < end:
                    code, width = decode_at(data, i)
                    if classes[code] == BLANK or classes[code] == OTHER or classes[code] == SINGLE:
                        break
                    i += width
            if n < room:
                starts[n], ends[n], group[n] = at - begin, i - begin, line
                hashes[n] = hash_bytes(data, at, i)
            n += 1
        line += 1
        first[doc + 1] = n
    return first, starts, ends, hashes, group, n


@kernel
def _in_a_row(first, atoms, group, width, least, within):  # type: ignore[no-untyped-def]
    """Hashes of `width` atoms in a row of one text (`within`: of one line), and where such units begin.

    A line of at least `least` atoms and under `width` is one unit, as BFF has it.
    """
    out, valid = np.zeros(len(atoms), np.uint64), np.zeros(len(atoms), np.bool_)
    for doc in range(len(first) - 1):
        for k in range(first[doc], first[doc + 1]):
            size, stop = width, k + width
            if within and (stop > first[doc + 1] or group[stop - 1] != group[k]):
                if k > first[doc] and group[k - 1] == group[k]:
                    continue  # the line's later atoms
                stop = k
                while stop < first[doc + 1] and group[stop] == group[k]:
                    stop += 1
                size = stop - k
                if size < least:
                    continue
            elif stop > first[doc + 1]:
                break
            h = np.uint64(size)
            for j in range(k, stop):
                h = mix(h * np.uint64(0x9E3779B97F4A7C15) + atoms[j])
            out[k], valid[k] = h, True
    return out, valid


def lines(text: pa.LargeStringArray, unit: str, normalise: str) -> Units:
    """Lines between newlines (`line`) or paragraphs between blank ones (`paragraph`), each a unit."""
    kind = PARAGRAPH if unit == "paragraph" else LINE
    found = _lines(*buffers(text), kind, HOW[normalise], flags(), lower(), _dropped())
    first, starts, ends, hashes, valid = found
    return Units(first, starts, ends, hashes, valid, np.arange(len(starts)), 1)


def sentence_spans(text: pa.LargeStringArray, normalise: str, width: int = 3) -> Units:
    """Every `width` sentences in a row; a text with fewer has no unit (as datatrove's sentence deduplication)."""
    data, bounds = buffers(text)
    room = max(int(bounds[-1] - bounds[0]) // 32, 16)
    while True:  # sentences are counted by finding them: once is enough for prose
        first, starts, ends, atoms, n = _sentences(data, bounds, HOW[normalise], flags(), lower(), _dropped(), room)
        if n <= room:
            break
        room = n
    group = np.arange(n)
    hashes, valid = _in_a_row(first, atoms[:n], group, width, width, False)
    return Units(first, starts[:n], ends[:n], hashes, valid, group, width)


def token_spans(text: pa.LargeStringArray, width: int, least: int | None = None) -> Units:
    """Every `width` tokens in a row; with `least`, within one line, and a shorter line from `least` on as one unit."""
    data, bounds = buffers(text)
    room = max(int(bounds[-1] - bounds[0]) // 4, 16)
    while True:
        first, starts, ends, atoms, group, n = _tokens(data, bounds, CLASSES, room)
        if n <= room:
            break
        room = n
    hashes, valid = _in_a_row(first, atoms[:n], group[:n], width, least or width, least is not None)
    return Units(first, starts[:n], ends[:n], hashes, valid, group[:n], width)
