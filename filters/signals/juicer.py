"""data-juicer's words (py-data-juicer 1.6.1, words_num_filter and word_repetition_filter, no tokenizer model).

Text is split at blanks, newlines and tabs; special characters go from both ends of a word. The count takes words as
they are, the repetition lower-cases them first. Its line and character filters are in lines.py and characters.py.
"""

from __future__ import annotations

import numpy as np

from filters.bytewise import decode_at, letters8, load64, mix
from filters.codepoints import LOWER, PROPERTIES, SPECIAL
from filters.compiled import kernel, step
from filters.segment import TextView
from filters.signals.grams import repeats_of
from filters.signals.signal import INT, JUICER, REAL, ratio, signals

OTHER = 9  # the size of a unit that is no run of ASCII


@step
def _grow(h, unit, size):  # type: ignore[no-untyped-def]
    """The hash of a word and one unit more: up to eight characters of ASCII, or one other character."""
    h = ((h ^ unit) + np.uint64(size) * np.uint64(0x9E3779B97F4A7C15)) * np.uint64(0xFF51AFD7ED558CCD)
    return h ^ (h >> np.uint64(32))


@step
def _letters(data, i, end):  # type: ignore[no-untyped-def]
    """Up to eight letters of ASCII from i in lower case, as one unit, and how many."""
    if i + 8 > end:
        letter = np.uint64(data[i]) | np.uint64(0x20)
        return letter, np.int64(np.uint64(0x61) <= letter <= np.uint64(0x7A))
    word = load64(data, i)
    run = letters8(word)
    if run == 0:
        return np.uint64(0), run
    return (word | np.uint64(0x2020202020202020)) & (~np.uint64(0) >> np.uint64(64 - 8 * run)), run


@step
def _blank(code):  # type: ignore[no-untyped-def]
    return code == 0x20 or code == 0x0A or code == 0x09


@step
def _word(data, i, end, lower, properties):  # type: ignore[no-untyped-def]
    """The word that begins at i: (where the next may, whether anything is left of it in lower case when it is
    stripped, the hash of that, whether anything is left when it is stripped as it is)."""
    h = unit = kept_h = kept_unit = np.uint64(0)
    size = kept_size = 0
    kept = plain = False
    while i < end:
        letters, run = _letters(data, i, end)
        if run > 0:
            free = 8 - size
            unit |= letters << np.uint64(8 * size)
            size += run
            if size >= 8:
                h = _grow(h, unit, 8)
                unit, size = letters >> np.uint64(8 * free) if free < 8 else np.uint64(0), size - 8
            i += run
            kept_h, kept_unit, kept_size, kept, plain = h, unit, size, True, True
            continue
        code, width = decode_at(data, i)
        i += width
        if _blank(code):
            break
        plain = plain or not properties[code] & SPECIAL
        low = np.int64(lower[code])
        special = (properties[low] & SPECIAL) != 0
        if special and not kept:
            continue  # before the word
        if low < 0x80:
            unit |= np.uint64(low) << np.uint64(8 * size)
            size += 1
        else:
            h, unit = _grow(_grow(h, unit, size), np.uint64(low), OTHER), np.uint64(0)
            size = 0
        if code == 0x130:  # its lower case has a second character, a dot above
            h, unit = _grow(_grow(h, unit, size), np.uint64(0x307), OTHER), np.uint64(0)
            size = 0
        if size == 8:
            h, unit = _grow(h, unit, 8), np.uint64(0)
            size = 0
        if not special or code == 0x130:
            kept_h, kept_unit, kept_size, kept = h, unit, size, True
    return i, kept, mix(_grow(kept_h, kept_unit, kept_size)), plain


@kernel
def refined_words(data, bounds, lower, properties, first, hashes):  # type: ignore[no-untyped-def]
    """Write the hashes of the lower-cased, stripped words; returns how many are left when stripped as they are."""
    counts = np.zeros(len(bounds) - 1, np.int64)
    n = 0
    for doc in range(len(bounds) - 1):
        i, end = bounds[doc], bounds[doc + 1]
        while i < end:
            letters, run = _letters(data, i, end)
            if 0 < run < 8 and i + run < end and _blank(data[i + run]):  # most words
                hashes[n] = mix(_grow(np.uint64(0), letters, run))
                counts[doc] += 1
                n += 1
                i += run + 1
                continue
            i, kept, h, plain = _word(data, i, end, lower, properties)
            counts[doc] += plain
            if kept:
                hashes[n] = h
                n += 1
        first[doc + 1] = n
    return counts


def measure(view: TextView) -> dict[str, np.ndarray]:
    """Words and repeated 10-grams of words."""
    room = (int(view.bounds[-1] - view.bounds[0]) + len(view)) // 2 + 1
    first = np.zeros(len(view) + 1, np.int64)
    hashes = np.empty(room, np.uint64)
    counts = refined_words(view.data, view.bounds, LOWER, PROPERTIES, first, hashes)
    s = repeats_of(10, first, hashes[: first[-1]])
    return {"dj_word_count": counts, "word_rep_10_ratio": ratio(s[:, 1], s[:, 0])}


SIGNALS = signals(measure, (
    ("dj_word_count", INT, "words, special characters stripped from their ends", JUICER),
    ("word_rep_10_ratio", REAL, "share of 10-grams of words that occur twice or more", JUICER),
))  # fmt: skip
