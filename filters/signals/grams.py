"""Repeated n-grams of tokens: Gopher's as datatrove counts them, and the counts that Dolma's and others' need.

An n-gram can only repeat where its first n-1 tokens do, so each size looks at what the size before left: one full
pass over pairs, then a few per cent. datatrove joins the tokens of a duplicate n-gram without blanks, so there it
is the joined bytes that must repeat: an n-gram is looked up only if its first 16 bytes begin some other token too.
"""

from __future__ import annotations

import numba
import numpy as np

from filters.segment import TextView
from filters.signals.scan import cells_for, find, longest_text
from filters.signals.signal import GOPHER, REAL, ratio, signals
from filters.tokens import hash_bytes, load64, mix

# Columns of `gram_stats`.
CHARS = 0
TOP_SIZE, TOP_COUNT = (1, 3, 5), (2, 4, 6)  # n = 2, 3, 4
REPEATED, ALL, COVERED = 7, 8, 9  # and three more for every n after 5
AGAIN_10, GRAMS_10, COLUMNS = 25, 26, 27


@numba.njit(cache=True, nogil=True)  # type: ignore[misc]
def _count(grams, counts, places, live, keys, tallies):  # type: ignore[no-untyped-def]
    """How often each of the first `live` grams occurs, written into `counts`; then those of more than one are kept."""
    size = cells_for(live)
    keys[:size] = 0
    tallies[:size] = 0
    for k in range(live):
        cell = find(keys, size, grams[k])
        keys[cell] = grams[k]
        tallies[cell] += 1
        places[k] = cell
    for k in range(live):
        counts[k] = tallies[places[k]]
    return live


@numba.njit(cache=True, nogil=True)  # type: ignore[misc]
def _top(counts, alive, live, ends, low, n):  # type: ignore[no-untyped-def]
    """Characters (no blanks) and count of the commonest gram, the first of equals; that at `low` if none repeats."""
    best, where = 1, low
    for k in range(live):
        if counts[k] > best:
            best, where = counts[k], alive[k]
    return ends[where + n - low] - ends[where - low], best


@numba.njit(cache=True, nogil=True)  # type: ignore[misc]
def _repeats(counts, alive, live, ends, low, high, n, row):  # type: ignore[no-untyped-def]
    """Characters of repeated grams, of all grams, and under repeated grams, into columns of `row`."""
    column = REPEATED + 3 * (n - 5)
    covered = low
    for k in range(live):
        if counts[k] > 1:
            t = alive[k]
            row[column] += ends[t + n - low] - ends[t - low]
            row[column + 2] += ends[t + n - low] - ends[max(t, covered) - low]
            covered = t + n
            if n == 10:
                row[AGAIN_10] += 1
    for t in range(low, high - n + 1):
        row[column + 1] += ends[t + n - low] - ends[t - low]
    if n == 10:
        row[GRAMS_10] = max(high - n + 1 - low, 0)


@numba.njit(cache=True, nogil=True)  # type: ignore[misc]
def gram_stats(first, lengths, hashes, largest):  # type: ignore[no-untyped-def]
    """The columns named above, for each text: characters in words, top grams of 2 to 4, repeats of 5 to `largest`."""
    docs = len(first) - 1
    out = np.zeros((docs, COLUMNS), np.int64)
    most = longest_text(first)
    keys, tallies = np.zeros(cells_for(most), np.uint64), np.zeros(cells_for(most), np.int32)
    grams, alive, counts = np.empty(most, np.uint64), np.empty(most, np.int64), np.empty(most, np.int32)
    places, ends = np.empty(most, np.int64), np.zeros(most + 1, np.int64)
    for doc in range(docs):
        low, high = first[doc], first[doc + 1]
        for t in range(low, high):
            ends[t - low + 1] = ends[t - low] + lengths[t]
            grams[t - low], alive[t - low], counts[t - low] = hashes[t], t, 2
        out[doc, CHARS] = ends[high - low]
        live = high - low
        for n in range(2, largest + 1):
            kept = 0
            for k in range(live):  # grams of n-1 tokens that repeat, one token longer
                t = alive[k]
                if counts[k] > 1 and t + n <= high:
                    grown = grams[k] * np.uint64(0x9E3779B97F4A7C15) + hashes[t + n - 1]
                    grams[kept], alive[kept] = mix(grown) | np.uint64(1), t
                    kept += 1
            live = _count(grams, counts, places, kept, keys, tallies)
            if n < 5 and high - low >= n:
                column = 2 * n - 3
                out[doc, column], out[doc, column + 1] = _top(counts, alive, live, ends, low, n)
            elif n >= 5:
                _repeats(counts, alive, live, ends, low, high, n, out[doc])
    return out


@numba.njit(cache=True, nogil=True)  # type: ignore[misc]
def _mark_openings(starts, joined, low, high, keys, open_again, places):  # type: ignore[no-untyped-def]
    """Mark the tokens whose first 16 joined bytes begin more than one token of the text."""
    size = cells_for(high - low)
    keys[:size] = 0
    end = starts[high]
    for t in range(low, high):
        open_again[t - low] = 0
        if starts[t] + 16 > end:
            break
        word = load64(joined, starts[t]) * np.uint64(0x9E3779B97F4A7C15)
        key = mix(word ^ load64(joined, starts[t] + 8)) | np.uint64(1)
        cell = find(keys, size, key)
        if keys[cell] == key:
            open_again[t - low] = 1
            open_again[places[cell] - low] = 1
        keys[cell] = key
        places[cell] = t


@numba.njit(cache=True, nogil=True)  # type: ignore[misc]
def _jump(places, live, n, last, starts, joined, lengths, keys):  # type: ignore[no-untyped-def]
    """Characters of the repeated n-grams that begin at some of the places, none within the one before."""
    size = cells_for(live)
    keys[:size] = 0
    free = repeated = 0
    for k in range(live):
        t = places[k]
        if t < free or t > last:
            continue
        key = hash_bytes(joined, starts[t], starts[t + n]) | np.uint64(1)
        cell = find(keys, size, key)
        if keys[cell] == key:
            for j in range(t, t + n):
                repeated += lengths[j]
            free = t + n
        keys[cell] = key
    return repeated


@numba.njit(cache=True, nogil=True)  # type: ignore[misc]
def duplicate_grams(first, starts, joined, lengths):  # type: ignore[no-untyped-def]
    """Six columns a text, n = 5 to 10: left to right, a repeated n-gram adds its characters and is jumped over."""
    docs = len(first) - 1
    out = np.zeros((docs, 6), np.int64)
    most = longest_text(first)
    keys, places = np.zeros(cells_for(most), np.uint64), np.zeros(cells_for(most), np.int64)
    open_again = np.zeros(most + 1, np.uint8)
    for doc in range(docs):
        low, high = first[doc], first[doc + 1]
        _mark_openings(starts, joined, low, high, keys, open_again, places)
        live = 0
        for t in range(low, high - 4):  # elsewhere no n-gram of any size repeats
            if open_again[t - low] or starts[t + 5] - starts[t] < 16:
                places[live] = t
                live += 1
        for n in range(5, 11):
            out[doc, n - 5] = _jump(places, live, n, high - n, starts, joined, lengths, keys)
    return out


def top(view: TextView) -> dict[str, np.ndarray]:
    """The commonest 2-, 3- and 4-grams, joined by blanks, over the text's characters."""
    t = view.tokens
    s = gram_stats(t.first, t.lengths, t.hashes, 4)
    sizes = {n: (s[:, TOP_SIZE[n - 2]] + (n - 1) * (s[:, TOP_COUNT[n - 2]] > 0)) for n in (2, 3, 4)}
    return {f"top_{n}gram_char_ratio": ratio(sizes[n] * s[:, TOP_COUNT[n - 2]], view.char_counts) for n in (2, 3, 4)}


def duplicates(view: TextView) -> dict[str, np.ndarray]:
    """Duplicate 5- to 10-grams over the text's characters."""
    t = view.tokens
    s = duplicate_grams(t.first, t.starts, t.joined, t.lengths)
    return {f"dup_{n}gram_char_ratio": ratio(s[:, n - 5], view.char_counts) for n in range(5, 11)}


SIGNALS = (
    *signals(top, tuple(
        (f"top_{n}gram_char_ratio", REAL, f"characters in the commonest {n}-gram over all", GOPHER) for n in (2, 3, 4)
    )),
    *signals(duplicates, tuple(
        (f"dup_{n}gram_char_ratio", REAL, f"characters in repeated {n}-grams over all", GOPHER) for n in range(5, 11)
    )),
)  # fmt: skip
