"""data-juicer's words (py-data-juicer 1.6.1, words_num_filter and word_repetition_filter, no tokenizer model).

Text is split at blanks, newlines and tabs; special characters go from both ends of a word. The count takes words as
they are, the repetition lower-cases them first. Its line and character filters are in lines.py and characters.py.
"""

from __future__ import annotations

import numpy as np

from filters.bytewise import decode_at, mix
from filters.codepoints import LOWER, PROPERTIES, SPECIAL
from filters.compiled import kernel, step
from filters.segment import TextView
from filters.signals.grams import AGAIN_10, GRAMS_10, gram_stats
from filters.signals.signal import INT, JUICER, REAL, ratio, signals


@step
def _grow(h, code):  # type: ignore[no-untyped-def]
    return (h ^ np.uint64(code)) * np.uint64(0xFF51AFD7ED558CCD) + np.uint64(1)


@kernel
def refined_words(data, bounds, lower, properties, first, lengths, hashes):  # type: ignore[no-untyped-def]
    """Write the lower-cased, stripped words; returns how many words are left when stripped as they are."""
    counts = np.zeros(len(bounds) - 1, np.int64)
    n = 0
    for doc in range(len(bounds) - 1):
        i, end = bounds[doc], bounds[doc + 1]
        while i < end:
            h = kept_h = np.uint64(0)
            chars = kept = 0
            plain = False
            while i < end:
                letter = data[i] | 0x20
                if 0x61 <= letter <= 0x7A:
                    h = _grow(h, letter)
                    chars += 1
                    kept_h, kept, plain = h, chars, True
                    i += 1
                    continue
                code, width = decode_at(data, i)
                i += width
                if code == 0x20 or code == 0x0A or code == 0x09:
                    break
                plain = plain or not properties[code] & SPECIAL
                low = np.int64(lower[code])
                special = (properties[low] & SPECIAL) != 0
                if special and kept == 0:
                    continue  # before the word
                h = _grow(h, low)
                chars += 1
                if code == 0x130:  # its lower case has a second character, a dot above
                    h = _grow(h, 0x307)
                    chars += 1
                if not special or code == 0x130:
                    kept_h, kept = h, chars
            counts[doc] += plain
            if kept > 0:
                lengths[n], hashes[n] = kept, mix(kept_h)
                n += 1
        first[doc + 1] = n
    return counts


def measure(view: TextView) -> dict[str, np.ndarray]:
    """Words and repeated 10-grams of words."""
    room = (int(view.bounds[-1] - view.bounds[0]) + len(view)) // 2 + 1
    first = np.zeros(len(view) + 1, np.int64)
    lengths, hashes = np.empty(room, np.int32), np.empty(room, np.uint64)
    counts = refined_words(view.data, view.bounds, LOWER, PROPERTIES, first, lengths, hashes)
    s = gram_stats(first, lengths[: first[-1]], hashes[: first[-1]], 10)
    return {"dj_word_count": counts, "word_rep_10_ratio": ratio(s[:, AGAIN_10], s[:, GRAMS_10])}


SIGNALS = signals(measure, (
    ("dj_word_count", INT, "words, special characters stripped from their ends", JUICER),
    ("word_rep_10_ratio", REAL, "share of 10-grams of words that occur twice or more", JUICER),
))  # fmt: skip
