"""Dolma's variants of Gopher's rules (arXiv:2402.00159; allenai/dolma python/dolma/taggers/gopher.py).

Words are what `str.split` leaves, punctuation and all; lengths are medians; stop words count at every occurrence; a
duplicate n-gram counts at every occurrence, over the characters of all n-grams; a top n-gram without its blanks
over the characters in words. Symbols are '#' and '…' alone, as in the tagger's code ('...' is no symbol there).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from filters.bytewise import Ints, decode_at, hash_word, letters8, load64
from filters.codepoints import IS_ALPHA, IS_SPACE, PROPERTIES
from filters.compiled import kernel
from filters.segment import TextView
from filters.signals.duplicates import line_columns
from filters.signals.grams import ALL, CHARS, REPEATED, TOP_COUNT, TOP_SIZE, gram_stats
from filters.signals.signal import DOLMA, INT, OWN, REAL, ratio, signals
from filters.signals.words import stop_words
from filters.tokens import word_hash

ALPHA, SYMBOL, STOP = 1, 2, 4
STOPS = np.array([word_hash(word) for word in stop_words()["en"]], np.uint64)


class Words(NamedTuple):
    """Words of a batch: those of text i are first[i]:first[i+1]."""

    first: Ints
    flags: np.ndarray
    lengths: np.ndarray
    hashes: np.ndarray


@kernel
def _blank_words(data, bounds, properties, stops, first, flags, lengths, hashes):  # type: ignore[no-untyped-def]
    """Write the words between blanks into the arrays."""
    n = 0
    for doc in range(len(bounds) - 1):
        i, end = bounds[doc], bounds[doc + 1]
        while i < end:
            start, chars, flag = i, 0, 0
            while i < end:
                if i + 8 <= end:
                    run = letters8(load64(data, i))
                    if run > 0:
                        flag |= ALPHA
                        chars += run
                        i += run
                        continue
                code, width = decode_at(data, i)
                bits = properties[code]
                if bits & IS_SPACE:
                    break
                flag |= (ALPHA if bits & IS_ALPHA else 0) | (SYMBOL if code == 0x23 or code == 0x2026 else 0)
                chars += 1
                i += width
            if i > start:
                h = hash_word(data, start, i)
                if chars < 5:
                    for k in range(len(stops)):
                        flag |= STOP if stops[k] == h else 0
                flags[n], lengths[n], hashes[n] = flag, chars, h
                n += 1
            else:
                i += width
        first[doc + 1] = n


def blank_words(view: TextView) -> Words:
    """The words of `str.split`, once a batch."""

    def work() -> Words:
        room = (int(view.bounds[-1] - view.bounds[0]) + len(view)) // 2 + 1
        first = np.zeros(len(view) + 1, np.int64)
        flags, lengths, hashes = np.empty(room, np.uint8), np.empty(room, np.int32), np.empty(room, np.uint64)
        _blank_words(view.data, view.bounds, PROPERTIES, STOPS, first, flags, lengths, hashes)
        n = first[-1]
        return Words(first, flags[:n], lengths[:n], hashes[:n])

    return view.once(_blank_words, work)


@kernel
def word_columns(first, flags, lengths):  # type: ignore[no-untyped-def]
    """Six columns a text: words, with a letter, with a symbol, stop words, longest, twice the median length."""
    docs = len(first) - 1
    out = np.zeros((docs, 6), np.int64)
    tally = np.zeros(256, np.int64)
    for doc in range(docs):
        low, high = first[doc], first[doc + 1]
        out[doc, 0] = high - low
        tally[:] = 0
        for t in range(low, high):
            flag = flags[t]
            out[doc, 1] += flag & ALPHA
            out[doc, 2] += (flag & SYMBOL) != 0
            out[doc, 3] += (flag & STOP) != 0
            out[doc, 4] = max(out[doc, 4], lengths[t])
            tally[min(lengths[t], 255)] += 1
        if high > low:
            out[doc, 5] = _twice_median(lengths[low:high], tally)
    return out


@kernel
def _twice_median(lengths, tally):  # type: ignore[no-untyped-def]
    """Lower plus upper middle value, from the tally of lengths; from the sorted lengths if the middle is past it."""
    n, seen, lower, upper = len(lengths), 0, -1, -1
    for size in range(255):
        seen += tally[size]
        if lower < 0 and seen > (n - 1) // 2:
            lower = size
        if upper < 0 and seen > n // 2:
            upper = size
            return lower + upper
    ordered = np.sort(lengths)
    return np.int64(ordered[(n - 1) // 2]) + np.int64(ordered[n // 2])


def words(view: TextView) -> dict[str, np.ndarray]:
    """Counts of words."""
    w = blank_words(view)
    c = word_columns(w.first, w.flags, w.lengths)
    return {
        "dolma_word_count": c[:, 0],
        "median_word_length": c[:, 5] / 2,
        "stop_word_occurrences": c[:, 3],
        "dolma_symbol_word_ratio": ratio(c[:, 2], c[:, 0]),
        "dolma_alpha_word_ratio": ratio(c[:, 1], c[:, 0]),
        "max_word_length": c[:, 4],
    }


def grams(view: TextView) -> dict[str, np.ndarray]:
    """Top and duplicate n-grams, and duplicate lines over the characters in words."""
    w = blank_words(view)
    s = gram_stats(w.first, w.lengths, w.hashes, 10)
    chars = s[:, CHARS]
    repeated = line_columns(view)[:, 6]
    out = {"dolma_dup_line_char_ratio": ratio(repeated, np.where(repeated > 0, np.maximum(chars, 1), 0))}
    for n in (2, 3, 4):
        out[f"dolma_top_{n}gram_char_ratio"] = ratio(s[:, TOP_SIZE[n - 2]] * s[:, TOP_COUNT[n - 2]], chars)
    for n in range(5, 11):
        column = REPEATED + 3 * (n - 5)
        out[f"dolma_dup_{n}gram_char_ratio"] = ratio(s[:, column], s[:, column + ALL - REPEATED])
    return out


SIGNALS = (
    *signals(words, (
        ("dolma_word_count", INT, "words between blanks", DOLMA),
        ("median_word_length", REAL, "median characters of a word between blanks", DOLMA),
        ("stop_word_occurrences", INT, "occurrences of Gopher's English stop words between blanks", DOLMA),
        ("dolma_symbol_word_ratio", REAL, "share of words with '#' or '…'", DOLMA),
        ("dolma_alpha_word_ratio", REAL, "share of words with a letter", DOLMA),
        ("max_word_length", INT, "characters of the longest word between blanks", OWN),
    )),
    *signals(grams, (
        ("dolma_dup_line_char_ratio", REAL, "characters in lines that occur twice or more over those in words", DOLMA),
        *((f"dolma_top_{n}gram_char_ratio", REAL, f"characters in the commonest {n}-gram over those in words", DOLMA)
          for n in (2, 3, 4)),
        *((f"dolma_dup_{n}gram_char_ratio", REAL, f"characters in {n}-grams that occur twice or more over all", DOLMA)
          for n in range(5, 11)),
    )),
)  # fmt: skip
