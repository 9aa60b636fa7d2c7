"""Signals of lines and sentences: bullets, ellipses, terminal punctuation, short lines.

Sources: Gopher (arXiv:2112.11446, A1.1) and FineWeb (arXiv:2406.17557, 3.6), as datatrove's filters count them.
Lines are cut at "\\n"; a line's ends are stripped of spaces before it is judged; FineWeb leaves out empty lines.
"""

from __future__ import annotations

import numba
import numpy as np

from filters.segment import CLASSES, DIGIT, LETTER, SINGLE, Bytes, TextView, decode_at
from filters.signals.repetition import find, table_for

# datatrove's TERMINAL_PUNCTUATION, the marks that end a sentence in the larger scripts.
TERMINAL = ".!?\"'”’»)]}…。！？；：」』）】〉》〕｡؟۔।॥។။።፧՞׃჻᠃"
SENTENCE_END = ".!?…。！？؟۔।"


def marks(characters: str) -> Bytes:
    """A table over code points with 1 at each of `characters`."""
    table = np.zeros(0x110000, np.uint8)
    table[[ord(c) for c in characters]] = 1
    return table


TERMINAL_TABLE, SENTENCE_TABLE, BULLET_TABLE = marks(TERMINAL), marks(SENTENCE_END), marks("•-")


@numba.njit(cache=True, nogil=True)  # type: ignore[misc]
def _last_code(data, start, end):  # type: ignore[no-untyped-def]
    """Code point before byte `end`, and where it begins."""
    i = end - 1
    while i > start and (data[i] & 0xC0) == 0x80:
        i -= 1
    return decode_at(data, i)[0], i


@numba.njit(cache=True, nogil=True)  # type: ignore[misc]
def line_stats(data, bounds, terminal, bullet):  # type: ignore[no-untyped-def]
    """Eight columns a text: lines, filled lines, bullets, ellipses, punctuated, short, characters, newlines."""
    docs = len(bounds) - 1
    out = np.zeros((docs, 8))
    for doc in range(docs):
        start, end = bounds[doc], bounds[doc + 1]
        at = start
        while at < end:
            stop = at
            while stop < end and data[stop] != 10:
                stop += 1
            low, high = at, stop
            while low < high and data[low] <= 32:
                low += 1
            while high > low and data[high - 1] <= 32:
                high -= 1
            out[doc, 0] += 1
            if high > low:
                chars = 0
                for k in range(low, high):
                    chars += (data[k] & 0xC0) != 0x80
                last, _before = _last_code(data, low, high)
                dots = high - low >= 3 and data[high - 1] == 46 and data[high - 2] == 46 and data[high - 3] == 46
                out[doc, 1] += 1
                out[doc, 2] += bullet[decode_at(data, low)[0]]
                out[doc, 3] += dots or last == 0x2026
                out[doc, 4] += terminal[last]
                out[doc, 5] += chars <= 30
                out[doc, 6] += chars
            out[doc, 7] += stop < end
            at = stop + 1
    return out


@numba.njit(cache=True, nogil=True)  # type: ignore[misc]
def duplicate_line_chars(data, bounds):  # type: ignore[no-untyped-def]
    """FineWeb's: characters in second and later equal lines, over all characters but newlines."""
    docs = len(bounds) - 1
    out = np.zeros(docs)
    keys, _, stamps = table_for(np.int64(np.max(bounds[1:] - bounds[:-1])) // 2 + 2 if docs else 0)
    for doc in range(docs):
        total = repeated = chars = 0
        at, h = bounds[doc], np.uint64(0xCBF29CE484222325)
        for i in range(bounds[doc], bounds[doc + 1] + 1):
            if i == bounds[doc + 1] or data[i] == 10:
                if i > at:
                    key = np.int64(h)
                    cell = find(keys, stamps, doc + 1, key)
                    if stamps[cell] == doc + 1:
                        repeated += chars
                    keys[cell], stamps[cell] = key, doc + 1
                total += chars
                chars, at, h = 0, i + 1, np.uint64(0xCBF29CE484222325)
            else:
                chars += (data[i] & 0xC0) != 0x80
                h = (h ^ np.uint64(data[i])) * np.uint64(0x100000001B3)
        out[doc] = repeated / total if total else 0.0
    return out


@numba.njit(cache=True, nogil=True)  # type: ignore[misc]
def sentence_counts(data, bounds, ends, classes):  # type: ignore[no-untyped-def]
    """Runs of sentence-ending marks after some letter, and a last sentence without one."""
    docs = len(bounds) - 1
    out = np.zeros(docs, np.int64)
    for doc in range(docs):
        i, open_sentence, pending = bounds[doc], False, False
        while i < bounds[doc + 1]:
            code, width = decode_at(data, i)
            i += width
            if ends[code]:
                wide = code > 0x2FFF  # a full-width mark needs no space after it
                pending = open_sentence
                if pending and wide:
                    out[doc] += 1
                    open_sentence = pending = False
            elif code <= 32:
                if pending or (code == 10 and open_sentence):
                    out[doc] += 1
                    open_sentence = pending = False
            else:
                kind = classes[code]
                if kind in (LETTER, SINGLE, DIGIT):
                    open_sentence, pending = open_sentence or kind != DIGIT, False
        out[doc] += open_sentence
    return out


def measure(view: TextView) -> dict[str, np.ndarray]:
    """All line and sentence signals of a batch."""
    s = line_stats(view.data, view.bounds, TERMINAL_TABLE, BULLET_TABLE)
    lines, filled = np.maximum(s[:, 0], 1), np.maximum(s[:, 1], 1)
    first = view.tokens[0]
    return {
        "line_count": s[:, 1].astype(np.int64),
        "mean_line_length": s[:, 6] / filled,
        "bullet_line_ratio": s[:, 2] / lines,
        "ellipsis_line_ratio": s[:, 3] / lines,
        "line_punct_ratio": s[:, 4] / filled,
        "short_line_ratio": s[:, 5] / filled,
        "line_char_dup_ratio": duplicate_line_chars(view.data, view.bounds),
        "newline_word_ratio": s[:, 7] / np.maximum(np.diff(first), 1),
        "sentence_count": sentence_counts(view.data, view.bounds, SENTENCE_TABLE, CLASSES),
    }
