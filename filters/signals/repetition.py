"""Gopher's repetition measures (arXiv:2112.11446, table A1), as datatrove's `GopherRepetitionFilter` counts them.

Duplicates are second and later occurrences. Ratios divide by the characters of the whole text. Every pass is
linear: hashes go into an open-addressing table that is reused from text to text by stamping its cells.
"""

from __future__ import annotations

import numba
import numpy as np

from filters.segment import Bytes, Ints, TextView, decode_at, hash_bytes, mix

Column = np.ndarray[tuple[int], np.dtype[np.float64]]


@numba.njit(cache=True, nogil=True)  # type: ignore[misc]
def find(keys, stamps, stamp, h):  # type: ignore[no-untyped-def]
    """Cell of hash h in the table: its own if seen under this stamp, else a free one."""
    mask = len(keys) - 1
    cell = np.int64(np.uint64(h) & np.uint64(mask))
    while stamps[cell] == stamp and keys[cell] != h:
        cell = (cell + 1) & mask
    return cell


@numba.njit(cache=True, nogil=True)  # type: ignore[misc]
def table_for(n):  # type: ignore[no-untyped-def]
    """Keys, counts and stamps of a table for up to n entries."""
    size = 16
    while size < 2 * n + 2:
        size *= 2
    return np.zeros(size, np.int64), np.zeros(size, np.int64), np.zeros(size, np.int64)


@numba.njit(cache=True, nogil=True)  # type: ignore[misc]
def char_counts(data: Bytes, bounds: Ints) -> Ints:
    """Characters of each text."""
    out = np.zeros(len(bounds) - 1, np.int64)
    for doc in range(len(out)):
        n = 0
        for i in range(bounds[doc], bounds[doc + 1]):
            n += (data[i] & 0xC0) != 0x80
        out[doc] = n
    return out


@numba.njit(cache=True, nogil=True)  # type: ignore[misc]
def duplicate_spans(data, bounds, blank):  # type: ignore[no-untyped-def]
    """Share of duplicate spans and of the characters in them; spans are cut at runs of >= `blank` newlines."""
    n = len(bounds) - 1
    shares, chars = np.zeros(n), np.zeros(n)
    keys, _, stamps = table_for(np.int64(np.max(bounds[1:] - bounds[:-1])) // 2 + 2 if n else 0)
    for doc in range(n):
        start, end = bounds[doc], bounds[doc + 1]
        while start < end and data[start] <= 32:
            start += 1
        while end > start and data[end - 1] <= 32:
            end -= 1
        spans = repeated = repeated_chars = total = 0
        i = at = start
        while i <= end:
            run = 0
            while i + run < end and data[i + run] == 10:
                run += 1
            if i == end or run >= blank:
                if i > at:
                    spans += 1
                    h = np.int64(hash_bytes(data, at, i))
                    cell = find(keys, stamps, doc + 1, h)
                    if stamps[cell] == doc + 1:
                        repeated += 1
                        for k in range(at, i):
                            repeated_chars += (data[k] & 0xC0) != 0x80
                    keys[cell], stamps[cell] = h, doc + 1
                at = i + run
                if i == end:
                    break
            i += max(run, 1)
        for k in range(bounds[doc], bounds[doc + 1]):
            total += (data[k] & 0xC0) != 0x80
        shares[doc] = repeated / spans if spans else 0.0
        chars[doc] = repeated_chars / total if total else 0.0
    return shares, chars


@numba.njit(cache=True, nogil=True)  # type: ignore[misc]
def gram(hashes, at, n):  # type: ignore[no-untyped-def]
    """Hash of n neighbouring tokens."""
    h = np.uint64(n)
    for k in range(at, at + n):
        h = mix(h * np.uint64(0x9E3779B97F4A7C15) + np.uint64(hashes[k]))
    return np.int64(h)


@numba.njit(cache=True, nogil=True)  # type: ignore[misc]
def top_gram(first, lengths, hashes, chars, n):  # type: ignore[no-untyped-def]
    """Characters in the most frequent n-gram (joined by spaces; the first seen of equals) over the text's."""
    docs = len(first) - 1
    out = np.zeros(docs)
    keys, counts, stamps = table_for(np.int64(np.max(first[1:] - first[:-1])) if docs else 0)
    for doc in range(docs):
        low, high = first[doc], first[doc + 1] - n + 1
        best = 0
        for at in range(low, high):
            h = gram(hashes, at, n)
            cell = find(keys, stamps, doc + 1, h)
            counts[cell] = counts[cell] + 1 if stamps[cell] == doc + 1 else 1
            keys[cell], stamps[cell] = h, doc + 1
            best = max(best, counts[cell])
        for at in range(low, high):
            if counts[find(keys, stamps, doc + 1, gram(hashes, at, n))] == best:
                size = n - 1
                for k in range(at, at + n):
                    size += lengths[k]
                out[doc] = size * best / chars[doc]
                break
    return out


@numba.njit(cache=True, nogil=True)  # type: ignore[misc]
def duplicate_grams(first, lengths, hashes, chars, n):  # type: ignore[no-untyped-def]
    """Left to right: a repeated n-gram adds its characters and is jumped over; over the text's characters."""
    docs = len(first) - 1
    out = np.zeros(docs)
    keys, _, stamps = table_for(np.int64(np.max(first[1:] - first[:-1])) if docs else 0)
    for doc in range(docs):
        at, stop, repeated = first[doc], first[doc + 1] - n, 0
        while at <= stop:
            h = gram(hashes, at, n)
            cell = find(keys, stamps, doc + 1, h)
            if stamps[cell] == doc + 1:
                for k in range(at, at + n):
                    repeated += lengths[k]
                at += n
            else:
                keys[cell], stamps[cell] = h, doc + 1
                at += 1
        out[doc] = repeated / chars[doc] if chars[doc] else 0.0
    return out


@numba.njit(cache=True, nogil=True)  # type: ignore[misc]
def repeated_char_grams(data, bounds, n):  # type: ignore[no-untyped-def]
    """Share of n-character windows (white space left out) that occur more than once."""
    docs = len(bounds) - 1
    out = np.zeros(docs)
    longest = np.int64(np.max(bounds[1:] - bounds[:-1])) if docs else 0
    keys, counts, stamps = table_for(longest)
    codes = np.zeros(longest + 1, np.int64)
    base = np.uint64(0x9E3779B97F4A7C15)
    lead = np.uint64(1)
    for _ in range(n):
        lead *= base
    for doc in range(docs):
        i, m = bounds[doc], 0
        while i < bounds[doc + 1]:
            code, width = decode_at(data, i)
            i += width
            if code > 32 and code != 0x3000 and code != 0xA0:
                codes[m] = code + 32 if 65 <= code <= 90 else code
                m += 1
        rolling = np.uint64(0)
        for k in range(m):
            rolling = rolling * base + np.uint64(codes[k])
            if k >= n:
                rolling -= lead * np.uint64(codes[k - n])
            if k >= n - 1:
                h = np.int64(mix(rolling))
                cell = find(keys, stamps, doc + 1, h)
                counts[cell] = counts[cell] + 1 if stamps[cell] == doc + 1 else 1
                keys[cell], stamps[cell] = h, doc + 1
        repeated = 0
        for cell in range(len(keys)) if 4 * m > len(keys) else range(0):
            if stamps[cell] == doc + 1 and counts[cell] > 1:
                repeated += counts[cell]
        if 4 * m <= len(keys):  # a short text in a large table: walk the text again, not the table
            rolling = np.uint64(0)
            for k in range(m):
                rolling = rolling * base + np.uint64(codes[k])
                if k >= n:
                    rolling -= lead * np.uint64(codes[k - n])
                if k >= n - 1 and counts[find(keys, stamps, doc + 1, np.int64(mix(rolling)))] > 1:
                    repeated += 1
        out[doc] = repeated / (m - n + 1) if m >= n else 0.0
    return out


def measure(view: TextView) -> dict[str, Column]:
    """All repetition signals of a batch."""
    first, _, lengths, hashes = view.tokens
    chars = char_counts(view.data, view.bounds)
    lines, line_chars = duplicate_spans(view.data, view.bounds, 1)
    paragraphs, paragraph_chars = duplicate_spans(view.data, view.bounds, 2)
    out = {
        "dup_line_ratio": lines,
        "dup_line_char_ratio": line_chars,
        "dup_paragraph_ratio": paragraphs,
        "dup_paragraph_char_ratio": paragraph_chars,
        "char_13gram_dup_ratio": repeated_char_grams(view.data, view.bounds, 13),
    }
    for n in (2, 3, 4):
        out[f"top_{n}gram_char_ratio"] = top_gram(first, lengths, hashes, chars, n)
    for n in range(5, 11):
        out[f"dup_{n}gram_char_ratio"] = duplicate_grams(first, lengths, hashes, chars, n)
    return out
