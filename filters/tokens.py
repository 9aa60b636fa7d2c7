"""The compiled cut of text into tokens.

A token is a run of letters, digits and marks (with an inner apostrophe, or an inner point or comma between
digits), or a run of one repeated other character: "..." is one token, as in the tokenisers that the published
rules were measured with. English is cut as spaCy cuts it (filters/english.py). Traded away: spaCy's tokenisers
for other languages, and 64-bit hashes stand for words: two different words collide about once in 10^19 pairs.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from filters.bytewise import Bytes, Ints, copy_and_hash, decode_at, hash_bytes, letters8, load64
from filters.codepoints import (
    CLASSES,
    DIGIT,
    GOPHER_PUNCT,
    IS_ALPHA,
    LETTER,
    MARK,
    OTHER,
    PROPERTIES,
    SINGLE,
    SPACE,
)
from filters.compiled import kernel, step
from filters.english import BLANK, CHUNK, SHORT_WORDS, TABLE, UNIT_WORDS, chunk_end, cut_chunk, is_abbreviation

ALPHA, SYMBOL = 1, 2
HAS_ALPHA, ALL_SYMBOL = 8, 16  # beside the class, in the three low bits of a kind
# How a text is cut: by its characters; already cut by blanks; at apostrophes too, as French is ("l'", "eau"); and by
# spaCy's rules for English.
PLAIN, JOINED, ELIDED, ENGLISH = 0, 1, 2, 3
PAD = 8
KINDS = CLASSES.copy()
KINDS[(PROPERTIES & IS_ALPHA) != 0] |= HAS_ALPHA
KINDS[(PROPERTIES & GOPHER_PUNCT) != 0] |= ALL_SYMBOL


@step
def _word_end(data, i, end, last, mode, kinds):  # type: ignore[no-untyped-def]
    """End of the word whose first character, of class `last`, ends at i."""
    while i < end:
        if i + 8 <= end:
            run = letters8(load64(data, i))
            if run > 0:
                last = LETTER
                i += run
                if i == end or run == 8:
                    continue
        b = data[i]
        if b < 128 and kinds[b] & 7 == DIGIT:
            last = kinds[b] & 7
            i += 1
            continue
        code, width = decode_at(data, i)
        kind = kinds[code] & 7
        if kind == SPACE or (kind == SINGLE and mode != JOINED):
            break
        stop = False
        if kind == OTHER:
            apostrophe = code == 0x27 or code == 0x2019
            inner = apostrophe or ((code == 0x2E or code == 0x2C) and last == DIGIT)
            if not inner or i + width >= end:
                break
            following, _ = decode_at(data, i + width)
            if kinds[following] & 7 != (DIGIT if last == DIGIT else LETTER):
                break
            stop = mode == ELIDED and apostrophe and last == LETTER
        last = kind
        i += width
        if stop:
            break
    return i


@step
def token_end(data, i, end, code, width, mode, kinds):  # type: ignore[no-untyped-def]
    """End of the token that begins at i with `code`."""
    kind = kinds[code] & 7
    i += width
    if kind == OTHER:
        while i < end:
            following, w = decode_at(data, i)
            if following != code:
                break
            i += w
        return i
    if kind == SINGLE and mode != JOINED:
        while i < end:  # a base character keeps its marks
            following, w = decode_at(data, i)
            if kinds[following] & 7 != MARK:
                break
            i += w
        return i
    return _word_end(data, i, end, kind, mode, kinds)


class Tokens(NamedTuple):
    """Tokens of a batch: those of text i are first[i]:first[i+1]; token t's bytes are joined[starts[t]:starts[t+1]]."""

    first: Ints
    flags: Bytes
    lengths: npt.NDArray[np.int32]
    hashes: npt.NDArray[np.uint64]
    starts: Ints
    joined: Bytes


@step
def letters_end(data, i, end, kinds):  # type: ignore[no-untyped-def]
    """End of a token that is ASCII letters only, found eight at a time; 0 if it is not certain to be one."""
    at, run = i, 8
    while run == 8:
        if at + 8 >= end:
            return 0
        run = letters8(load64(data, at))
        at += run
    b = data[at]
    if at == i or b >= 128 or b == 0x27:
        return 0
    kind = kinds[b] & 7
    return at if kind in (SPACE, OTHER) else 0


@step
def _kinds_of(data, i, stop, kinds):  # type: ignore[no-untyped-def]
    """Characters of a span, their kinds or-ed and and-ed."""
    chars, any_of, all_of = 0, kinds[0] & 0, kinds[0] | 0xFF
    while i < stop:
        code, width = decode_at(data, i)
        any_of |= kinds[code]
        all_of &= kinds[code]
        i += width
        chars += 1
    return chars, any_of, all_of


@step
def _word_and_mark(data, i, end, mode, english, short):  # type: ignore[no-untyped-def]
    """Where a word of up to seven letters of ASCII ends, and where the mark after it, equal if there is none.

    (0, 0) if that is not certain: if no blank follows, the word may be an abbreviation or the mark a part of it.
    """
    word = load64(data, i)
    run = letters8(word)
    stop = i + run
    if run == 0 or run == 8 or stop >= end:
        return 0, 0
    mark = (word >> np.uint64(8 * run)) & np.uint64(0xFF)
    if mark == 0x20 or mark == 0x0A:
        return stop, stop
    if mode != ENGLISH or stop + 1 >= end or not (data[stop + 1] == 0x20 or data[stop + 1] == 0x0A):
        return 0, 0
    if mark == 0x2E and data[stop - 1] >= 0x61 and not is_abbreviation(data, i, stop + 1, short):
        return stop, stop + 1
    return (stop, stop + 1) if mark == 0x2C or mark == 0x3A or mark == 0x3B or mark == 0x29 else (0, 0)


@step
def _cut_one(data, i, end, mode, english, units, short, kinds, ends):  # type: ignore[no-untyped-def]
    """Write where the tokens that begin at i end; how many, 0 where one blank begins, and the flags of a plain word."""
    if i + 8 <= len(data):
        stop, after = _word_and_mark(data, i, end, mode, english, short)
        if stop:
            ends[0], ends[1] = stop, after
            return 1 + (after > stop), np.uint8(ALPHA)
    code, width = decode_at(data, i)
    # spaCy's blanks are Python's: the separators U+001C to U+001F too
    if kinds[code] & 7 == SPACE or (mode == ENGLISH and english[code] & BLANK):
        ends[0] = i + width
        return 0, np.uint8(0)
    # English cuts what has no blank every CHUNK bytes, so there is no looking further ahead
    stop = letters_end(data, i, min(end, i + CHUNK + 16) if mode == ENGLISH else end, kinds)
    if mode == ENGLISH and (
        stop == 0 or stop > i + CHUNK or (stop < end and not english[decode_at(data, stop)[0]] & BLANK)
    ):
        whole = chunk_end(data, i, end, english)[0]
        return cut_chunk(data, i, whole, english, units, short, ends), np.uint8(0)
    ends[0] = stop
    if stop == 0:
        ends[0] = token_end(data, i, end, code, width, mode, kinds)
        return 1, np.uint8(0)
    return 1, np.uint8(ALPHA)


@kernel
def _fill(data, bounds, modes, english, units, short, kinds, first, flags, lengths, hashes, starts, joined):  # type: ignore[no-untyped-def]
    """Write the tokens into the arrays; False if there are more tokens than room."""
    n, o = 0, 0
    ends = np.empty(2 * (CHUNK + 4), np.int64)
    for doc in range(len(bounds) - 1):
        i, end, mode = bounds[doc], bounds[doc + 1], modes[doc]
        while i < end:
            number, flag = _cut_one(data, i, end, mode, english, units, short, kinds, ends)
            if number == 0:
                i = ends[0]
                continue
            if n + number > len(flags):
                return False
            for k in range(number):
                stop = ends[k]
                if flag and k == 0:
                    lengths[n], flags[n] = stop - i, flag
                else:
                    lengths[n], any_of, all_of = _kinds_of(data, i, stop, kinds)
                    flags[n] = ((any_of & HAS_ALPHA) | (all_of & ALL_SYMBOL)) >> 3
                hashes[n] = copy_and_hash(data, i, stop, joined, o)
                o += stop - i
                n += 1
                starts[n] = o
                i = stop
            if flag and i < end and data[i] == 0x20:
                i += 1
        first[doc + 1] = n
    return True


def cut(data: Bytes, bounds: Ints, modes: Bytes) -> Tokens:
    """The tokens of every text of a batch, each cut in its mode (PLAIN, JOINED or ELIDED)."""
    size = int(bounds[-1] - bounds[0])
    for room in (size // 3 + 16, size + 1):  # short tokens are rare: then every byte may be one
        first, starts = np.zeros(len(bounds), np.int64), np.empty(room + 1, np.int64)
        flags, lengths = np.empty(room, np.uint8), np.empty(room, np.int32)
        hashes, joined = np.empty(room, np.uint64), np.empty(size + PAD, np.uint8)
        starts[0] = 0
        if _fill(
            data, bounds, modes, TABLE, UNIT_WORDS, SHORT_WORDS, KINDS, first, flags, lengths, hashes, starts, joined
        ):
            break
    n = first[-1]
    return Tokens(first, flags[:n], lengths[:n], hashes[:n], starts[: n + 1], joined)


def word_hash(word: str) -> int:
    """The hash that a token has in `Tokens.hashes`, for looking words up."""
    raw = word.encode()
    data = np.frombuffer(raw + bytes(PAD), np.uint8).copy()
    return int(hash_bytes(data, 0, len(raw)))
