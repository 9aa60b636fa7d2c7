"""RedPajama-v2's normal form of text, character by character, and the words that it leaves.

Its utilities/text/normalization.py removes ASCII punctuation, lower-cases, collapses blanks and decomposes (NFD).
Each code point's decomposed lower case stands in a table; marks that follow one another are put in canonical order
(runs of up to 32, the bound of Unicode's stream-safe format). A capital sigma before no letter becomes ς.
"""

from __future__ import annotations

import string
import unicodedata
from functools import cache
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from filters.bytewise import Ints, decode_at, hash_bytes, letters8, load64, store64
from filters.codepoints import ASSIGNED, IS_ALPHA, IS_NUMERIC, IS_SPACE, LAST, PROPERTIES
from filters.compiled import kernel, step
from filters.segment import TextView

SIGMA, FINAL_SIGMA, MARKS = 0x3A3, 0x3C2, 32
GONE, SEVERAL = -1, -2
FIVE = np.uint64(0xFFFFFFFFFF)  # the first five of eight bytes
LOREM, IPSUM = (np.uint64(int.from_bytes(word, "little")) for word in (b"lorem", b"ipsum"))


class Forms(NamedTuple):
    """A code point's normal form: one[code], GONE, or for SEVERAL parts[at[code]:at[code] + 4], 0 after the last."""

    one: np.ndarray
    at: np.ndarray
    parts: np.ndarray
    order: np.ndarray  # canonical combining class


@cache
def forms() -> Forms:
    """The tables, built when first asked for."""
    one, at = np.arange(LAST, dtype=np.int32), np.zeros(LAST, np.int32)
    order = np.zeros(LAST, np.uint8)
    parts: list[int] = []
    for start, stop in ASSIGNED:
        for code in range(start, stop):
            c = chr(code)
            if c.isascii():
                one[code] = GONE if c in string.punctuation else ord(c.lower())
                continue
            order[code] = unicodedata.combining(c)
            form = unicodedata.normalize("NFD", c.lower())
            if len(form) == 1:
                one[code] = ord(form)
            else:
                one[code], at[code] = SEVERAL, len(parts)
                parts += [ord(x) for x in form.ljust(4, "\0")]
    return Forms(one, at, np.array(parts, np.int32), order)


@step
def _append(out, o, code):  # type: ignore[no-untyped-def]
    """Write a code point above ASCII as UTF-8 at byte o; returns the byte after it."""
    if code < 0x800:
        out[o] = 0xC0 | (code >> 6)
    elif code < 0x10000:
        out[o], out[o + 1] = 0xE0 | (code >> 12), 0x80 | ((code >> 6) & 0x3F)
        o += 1
    else:
        out[o], out[o + 1] = 0xF0 | (code >> 18), 0x80 | ((code >> 12) & 0x3F)
        out[o + 2] = 0x80 | ((code >> 6) & 0x3F)
        o += 2
    out[o + 1] = 0x80 | (code & 0x3F)
    return o + 2


@step
def _flush(run, count, order, out, o):  # type: ignore[no-untyped-def]
    """Put the first `count` marks of a run in canonical order and write them."""
    for k in range(1, count):
        c, j = run[k], k
        while j > 0 and order[run[j - 1]] > order[c]:
            run[j] = run[j - 1]
            j -= 1
        run[j] = c
    for k in range(count):
        o = _append(out, o, np.int64(run[k]))
    return o


@step
def _sigma(data, i, end, properties, after_letter):  # type: ignore[no-untyped-def]
    """The lower case of a capital sigma that ends at byte i."""
    if not after_letter:
        return 0x3C3
    return 0x3C3 if i < end and properties[decode_at(data, i)[0]] & IS_ALPHA else FINAL_SIGMA


@step
def _expand(code, one, at, parts, order, sigma, run, marks, out, o):  # type: ignore[no-untyped-def]
    """Write the normal form of a code point above ASCII; returns (marks that wait, byte after, characters)."""
    form, chars = np.int64(one[code]), 0
    for k in range(1 if form >= 0 else 4):
        c = form if form >= 0 else np.int64(parts[at[code] + k])
        if c == 0:
            break
        c = sigma if code == SIGMA else c
        chars += 1
        if order[c] > 0 and marks < MARKS:
            run[marks] = c
            marks += 1
            continue
        o = _flush(run, marks, order, out, o)
        marks = 0
        if c < 128:
            out[o] = c
            o += 1
        else:
            o = _append(out, o, c)
    return marks, o, chars


@step
def numeric_parts(code, one, at, parts, properties):  # type: ignore[no-untyped-def]
    """Numeric characters in the normal form of a code point above ASCII."""
    form = np.int64(one[code])
    if form >= 0:
        return np.int64((properties[form] & IS_NUMERIC) != 0)
    n = 0
    for k in range(4):
        n += (properties[parts[at[code] + k]] & IS_NUMERIC) != 0
    return n


# One loop without a call for each word: passing arrays to a compiled function costs more than most words do.
@kernel
def normal_words(data, bounds, properties, one, at, parts, order, out, first, lengths, hashes, flags, numeric):  # type: ignore[no-untyped-def]  # fmt: skip
    """Write each word's length and hash, flags (1: ends a line, 2: ends in 'lorem', 4: begins with 'ipsum') and
    numeric characters into the arrays; `out` is room for a word. A line that ends without one writes length 0."""
    n, run = 0, np.zeros(MARKS, np.int32)
    for doc in range(len(bounds) - 1):
        i, end, letter = bounds[doc], bounds[doc + 1], False
        o = chars = digits = marks = 0
        while i < end:
            code, blank = np.int64(0), False
            word = load64(data, i) if i + 8 <= end else np.uint64(0)
            many = letters8(word)
            if marks > 0 and data[i] < 128 and one[data[i]] != GONE:
                o, marks = _flush(run, marks, order, out, o), 0
            if many > 0:  # letters of ASCII, up to eight at once
                store64(out, o, word | np.uint64(0x2020202020202020))
                i, o, chars, letter = i + many, o + many, chars + many, True
            else:
                code, width = decode_at(data, i)
                i += width
                blank = (properties[code] & IS_SPACE) != 0
                if code < 128:
                    kept = not blank and one[code] != GONE
                    out[o] = one[code]
                    o, chars, digits = o + kept, chars + kept, digits + (0x30 <= code <= 0x39)
                elif not blank:
                    sigma = _sigma(data, i, end, properties, letter) if code == SIGMA else 0
                    marks, o, more = _expand(code, one, at, parts, order, sigma, run, marks, out, o)
                    chars += more
                    digits += numeric_parts(code, one, at, parts, properties)
                letter = (properties[code] & IS_ALPHA) != 0
            if not blank and i < end:
                continue
            if marks > 0:
                o, marks = _flush(run, marks, order, out, o), 0
            ends = code == 10 or i >= end
            if chars > 0 or ends:
                flag = 1 if ends else 0
                flag |= 2 if o >= 5 and load64(out, o - 5) & FIVE == LOREM else 0
                flag |= 4 if o >= 5 and load64(out, 0) & FIVE == IPSUM else 0
                lengths[n], hashes[n], numeric[n], flags[n] = chars, hash_bytes(out, 0, o), digits, flag
                n += 1
            o = chars = digits = 0
        first[doc + 1] = n


class NormalWords(NamedTuple):
    """Words of a batch in normal form; a word of length 0 only ends a line."""

    first: Ints
    lengths: np.ndarray
    hashes: np.ndarray
    flags: np.ndarray
    numeric: np.ndarray


def normalized(view: TextView) -> NormalWords:
    """The words of RedPajama-v2's normal form, once a batch."""

    def work() -> NormalWords:
        room = int(view.bounds[-1] - view.bounds[0]) + len(view) + 1
        first, lengths, hashes = np.zeros(len(view) + 1, np.int64), np.empty(room, np.int32), np.empty(room, np.uint64)
        flags, numeric = np.empty(room, np.uint8), np.empty(room, np.int32)
        buffer = np.empty(4 * int(np.diff(view.bounds).max(initial=0)) + 64, np.uint8)
        out = (first, lengths, hashes, flags, numeric)
        normal_words(view.data, view.bounds, PROPERTIES, *forms(), buffer, *out)
        n = first[-1]
        return NormalWords(first, lengths[:n], hashes[:n], flags[:n], numeric[:n])

    return view.once(normal_words, work)


def compact(words: NormalWords) -> tuple[Ints, np.ndarray, np.ndarray]:
    """(first, lengths, hashes) without the words that only end lines."""
    kept = words.lengths > 0
    before = np.concatenate((np.zeros(1, np.int64), np.cumsum(kept)))
    first = np.asarray(before[words.first], np.int64)
    return first, words.lengths[kept], words.hashes[kept]


@cache
def normal_hash(word: str) -> np.uint64:
    """The hash that a word has among `NormalWords`."""
    view = TextView(pa.array([word], pa.large_string()), pa.array([""]))
    return np.uint64(normalized(view).hashes[0])
