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

import numba
import numpy as np
import pyarrow as pa

from filters.codepoints import ASSIGNED, IS_ALPHA, IS_NUMERIC, IS_SPACE, LAST, PROPERTIES
from filters.segment import TextView
from filters.tokens import Ints, decode_at, mix

SIGMA, FINAL_SIGMA, MARKS = 0x3A3, 0x3C2, 32
GONE, SEVERAL = -1, -2


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


@numba.njit(cache=True, nogil=True)  # type: ignore[misc]
def _fold(run, count, order, h):  # type: ignore[no-untyped-def]
    """Put the first `count` marks of a run in canonical order and add them to a hash."""
    for k in range(1, count):
        c, j = run[k], k
        while j > 0 and order[run[j - 1]] > order[c]:
            run[j] = run[j - 1]
            j -= 1
        run[j] = c
    for k in range(count):
        h = (h ^ np.uint64(run[k])) * np.uint64(0xFF51AFD7ED558CCD) + np.uint64(1)
    return h


@numba.njit(cache=True, nogil=True)  # type: ignore[misc]
def _sigma(data, i, end, properties, after_letter):  # type: ignore[no-untyped-def]
    """The lower case of a capital sigma that ends at byte i."""
    if not after_letter:
        return 0x3C3
    return 0x3C3 if i < end and properties[decode_at(data, i)[0]] & IS_ALPHA else FINAL_SIGMA


@numba.njit(cache=True, nogil=True)  # type: ignore[misc]
def normal_words(data, bounds, properties, one, at, parts, order, first, lengths, hashes, flags, numeric):  # type: ignore[no-untyped-def]
    """Write each word's length and hash, flags (1: ends a line, 2: ends in 'lorem', 4: begins with 'ipsum') and
    numeric characters into the arrays. A line without words writes a word of length 0 that only ends the line."""
    n = 0
    run = np.zeros(MARKS, np.int32)
    lorem, ipsum, five = np.int64(0x6C6F72656D), np.int64(0x697073756D), np.int64(0xFFFFFFFFFF)
    for doc in range(len(bounds) - 1):
        i, end = bounds[doc], bounds[doc + 1]
        while i < end:
            h, chars, digits, marks, last5, flag = np.uint64(0), 0, 0, 0, np.int64(0), 0
            code, letter = np.int64(0), False
            while i < end:
                code, width = decode_at(data, i)
                i += width
                if code < 128:
                    form = np.int64(one[code])
                    if form == GONE:
                        letter = False
                        continue
                    if properties[code] & IS_SPACE:
                        break
                    if marks > 0:
                        h, marks = _fold(run, marks, order, h), 0
                    h = (h ^ np.uint64(form)) * np.uint64(0xFF51AFD7ED558CCD) + np.uint64(1)
                    chars += 1
                    digits += 0x30 <= code <= 0x39
                    last5 = ((last5 << 8) | form) & five
                    flag |= 4 if chars == 5 and last5 == ipsum else 0
                    letter = form >= 0x61
                    continue
                if properties[code] & IS_SPACE:
                    break
                form = np.int64(one[code])
                count, place = (1, 0) if form >= 0 else (4, np.int64(at[code]))
                for k in range(count):
                    c = form if form >= 0 else np.int64(parts[place + k])
                    if c == 0:
                        break
                    if code == SIGMA:
                        c = np.int64(_sigma(data, i, end, properties, letter))
                    chars += 1
                    digits += (properties[c] & IS_NUMERIC) != 0
                    last5 = (last5 << 8) & five
                    if order[c] > 0 and marks < MARKS:
                        run[marks] = c
                        marks += 1
                        continue
                    h, marks = _fold(run, marks, order, h), 0
                    h = (h ^ np.uint64(c)) * np.uint64(0xFF51AFD7ED558CCD) + np.uint64(1)
                letter = (properties[code] & IS_ALPHA) != 0
            ends = code == 10 or i >= end
            if chars > 0 or ends:
                h = _fold(run, marks, order, h)
                lengths[n], hashes[n], numeric[n] = chars, mix(h), digits
                flags[n] = flag | (1 if ends else 0) | (2 if last5 == lorem else 0)
                n += 1
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
        normal_words(view.data, view.bounds, PROPERTIES, *forms(), first, lengths, hashes, flags, numeric)
        n = first[-1]
        return NormalWords(first, lengths[:n], hashes[:n], flags[:n], numeric[:n])

    return view.once(normal_words, work)


def compact(words: NormalWords) -> tuple[Ints, np.ndarray, np.ndarray]:
    """(first, lengths, hashes) without the words that only end lines."""
    kept = words.lengths > 0
    before = np.concatenate((np.zeros(1, np.int64), np.cumsum(kept)))
    first: Ints = before[words.first]
    return first, words.lengths[kept], words.hashes[kept]


@cache
def normal_hash(word: str) -> np.uint64:
    """The hash that a word has among `NormalWords`."""
    view = TextView(pa.array([word], pa.large_string()), pa.array([""]))
    return np.uint64(normalized(view).hashes[0])
