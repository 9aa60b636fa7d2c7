"""Duplicate lines and paragraphs: Gopher's (arXiv:2112.11446, table A1), FineWeb's and Dolma's countings.

datatrove counts second and later occurrences; its Gopher lines are cut at runs of newlines of the unstripped text,
so an empty piece stands before a leading and after a trailing run. Dolma counts every occurrence of what occurs
twice, empty lines too, and divides characters by those in words.
"""

from __future__ import annotations

import numpy as np

from filters.bytewise import hash_bytes
from filters.codepoints import PROPERTIES
from filters.compiled import kernel, step
from filters.hash_table import cells_for, find, longest_text
from filters.scan import count_chars, find_byte, strip
from filters.segment import TextView
from filters.signals.signal import DOLMA, FINEWEB, GOPHER, REAL, ratio, signals


@kernel
def duplicate_lines(data, bounds, properties):  # type: ignore[no-untyped-def]
    """Seven columns a text: Gopher's pieces, repeated ones, their characters; FineWeb's repeated characters; Dolma's
    lines, repeated ones, their characters."""
    docs = len(bounds) - 1
    out = np.zeros((docs, 7), np.int64)
    size = cells_for(longest_text(bounds) // 2 + 1)
    keys, counts = np.empty(size, np.uint64), np.empty(size, np.int32)
    for doc in range(docs):
        at, end = bounds[doc], bounds[doc + 1]
        size = cells_for(_filled_lines(data, at, end))
        keys[:size] = 0
        counts[:size] = 0
        empty = 0
        while at <= end:
            stop = find_byte(data, at, end, 10)
            if stop == at:
                empty += 1
            else:
                key = hash_bytes(data, at, stop) | np.uint64(1)
                cell = find(keys, size, key)
                keys[cell] = key
                counts[cell] += 1
                out[doc, 0] += 1
                if counts[cell] > 1:
                    chars = count_chars(data, at, stop)
                    times = 2 if counts[cell] == 2 else 1  # the first occurrence counts now
                    low, high = strip(data, at, stop, properties)
                    out[doc, 1] += 1
                    out[doc, 2] += chars
                    out[doc, 3] += chars if high > low else 0
                    out[doc, 5] += times
                    out[doc, 6] += times * chars
            at = stop + 1
        _count_empty(data, bounds[doc], end, empty, out[doc])
    return out


@step
def _filled_lines(data, at, end):  # type: ignore[no-untyped-def]
    n = 0
    while at <= end:
        stop = find_byte(data, at, end, 10)
        n += stop > at
        at = stop + 1
    return n


@step
def _count_empty(data, start, end, empty, row):  # type: ignore[no-untyped-def]
    """What empty pieces add: at the ends for Gopher, everywhere for Dolma."""
    row[4] = row[0] + empty
    if empty > 1:
        row[5] += empty
    if end > start:
        edges = (data[start] == 10) + (data[end - 1] == 10)
        row[0] += edges
        row[1] += edges == 2


@kernel
def duplicate_paragraphs(data, bounds, properties):  # type: ignore[no-untyped-def]
    """Three columns a text: paragraphs of the stripped text, repeated ones, their characters."""
    docs = len(bounds) - 1
    out = np.zeros((docs, 3), np.int64)
    size = cells_for(longest_text(bounds) // 3 + 1)
    keys = np.empty(size, np.uint64)
    for doc in range(docs):
        at, end = strip(data, bounds[doc], bounds[doc + 1], properties)
        size = cells_for((end - at) // 3 + 1)
        if size > 64:
            size = min(size, cells_for(_filled_lines(data, at, end)))
        keys[:size] = 0
        while at < end:
            stop = find_byte(data, at, end, 10)
            while stop < end and data[stop + 1] != 10:  # a single newline stays inside
                stop = find_byte(data, stop + 1, end, 10)
            key = hash_bytes(data, at, stop) | np.uint64(1)
            cell = find(keys, size, key)
            out[doc, 0] += 1
            if keys[cell] == key:
                out[doc, 1] += 1
                out[doc, 2] += count_chars(data, at, stop)
            keys[cell] = key
            while stop < end and data[stop] == 10:
                stop += 1
            at = stop
    return out


def line_columns(view: TextView) -> np.ndarray:
    """The columns of `duplicate_lines`, once a batch."""
    return view.once(duplicate_lines, lambda: duplicate_lines(view.data, view.bounds, PROPERTIES))


def lines(view: TextView) -> dict[str, np.ndarray]:
    """Duplicate lines in three countings."""
    s = line_columns(view)
    chars = view.char_counts
    filled = chars > 0
    return {
        "dup_line_ratio": ratio(s[:, 1], s[:, 0]),
        "dup_line_char_ratio": ratio(s[:, 2], chars),
        "line_char_dup_ratio": ratio(s[:, 3], chars - (s[:, 4] - 1)),
        "dolma_dup_line_ratio": ratio(np.where(filled, s[:, 5], 0), s[:, 4]),
    }


def paragraphs(view: TextView) -> dict[str, np.ndarray]:
    """Duplicate paragraphs."""
    s = duplicate_paragraphs(view.data, view.bounds, PROPERTIES)
    return {
        "dup_paragraph_ratio": ratio(s[:, 1], s[:, 0]),
        "dup_paragraph_char_ratio": ratio(s[:, 2], view.char_counts),
    }


SIGNALS = (
    *signals(lines, (
        ("dup_line_ratio", REAL, "share of lines that repeat an earlier one", GOPHER),
        ("dup_line_char_ratio", REAL, "characters in repeated lines over all", GOPHER),
        ("line_char_dup_ratio", REAL, "characters in repeated filled lines over all but newlines", FINEWEB),
        ("dolma_dup_line_ratio", REAL, "share of lines that occur twice or more", DOLMA),
    )),
    *signals(paragraphs, (
        ("dup_paragraph_ratio", REAL, "share of paragraphs that repeat an earlier one", GOPHER),
        ("dup_paragraph_char_ratio", REAL, "characters in repeated paragraphs over all", GOPHER),
    )),
)  # fmt: skip
