"""Repeated n-grams of tokens: Gopher's as datatrove counts them, and the counts that Dolma's and others' need.

An n-gram can only repeat where its first n-1 tokens do, so each size looks at what the size before left: one full
pass over pairs, then a few per cent. datatrove joins the tokens of a duplicate n-gram without blanks, so there it
is the joined bytes that must repeat: an n-gram is looked up only if as many of its bytes, in eights, may be found
from another token too.
"""

from __future__ import annotations

import numpy as np

from filters.bytewise import hash_bytes, load64, mix
from filters.compiled import kernel, step
from filters.hash_table import ROUNDS, bitmap_for, cells_for, find, keep_repeats, longest_text, mark_repeats, may_repeat
from filters.segment import TextView
from filters.signals.signal import GOPHER, REAL, ratio, signals

# Columns of `gram_stats`.
CHARS = 0
TOP_SIZE, TOP_COUNT = (1, 3, 5), (2, 4, 6)  # n = 2, 3, 4
REPEATED, ALL, COVERED = 7, 8, 9  # and three more for every n after 5
COLUMNS = 25
BASE = np.uint64(0x9E3779B97F4A7C15)
LONGEST = 64  # bytes that `_reach` compares


@step
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


@step
def _top(counts, alive, live, ends, low, n):  # type: ignore[no-untyped-def]
    """Characters (no blanks) and count of the commonest gram, the first of equals; that at `low` if none repeats."""
    best, where = 1, low
    for k in range(live):
        if counts[k] > best:
            best, where = counts[k], alive[k]
    return ends[where + n - low] - ends[where - low], best


@step
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
    if high - low >= n:  # of the sum over all grams the inner terms cancel out
        for k in range(n):
            row[column + 1] += ends[high - low - k] - ends[k]


@kernel
def gram_stats(first, lengths, hashes, largest):  # type: ignore[no-untyped-def]
    """The columns named above, for each text: characters in words, top grams of 2 to 4, repeats of 5 to `largest`."""
    docs = len(first) - 1
    out = np.zeros((docs, COLUMNS), np.int64)
    most = longest_text(first)
    keys, tallies = np.empty(cells_for(most), np.uint64), np.empty(cells_for(most), np.int32)
    grams, alive, counts = np.empty(most, np.uint64), np.empty(most, np.int64), np.empty(most, np.int32)
    places, ends = np.empty(most, np.int64), np.zeros(most + 1, np.int64)
    seen, hot = np.empty(bitmap_for(most), np.uint8), np.empty(bitmap_for(most), np.uint8)
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
            shift = mark_repeats(grams, kept, ROUNDS[0], seen, hot)
            live = 0
            for k in range(kept):
                grams[live], alive[live] = grams[k], alive[k]
                live += may_repeat(grams[k], ROUNDS[0], shift, hot)
            _count(grams, counts, places, live, keys, tallies)
            if n < 5 and high - low >= n:
                column = 2 * n - 3
                out[doc, column], out[doc, column + 1] = _top(counts, alive, live, ends, low, n)
            elif n >= 5:
                _repeats(counts, alive, live, ends, low, high, n, out[doc])
    return out


@kernel
def repeats_of(n, first, hashes):  # type: ignore[no-untyped-def]
    """Two columns a text: n-grams of tokens, and those of them that occur twice or more."""
    out = np.zeros((len(first) - 1, 2), np.int64)
    most = longest_text(first)
    keys, tallies = np.empty(cells_for(most), np.uint64), np.empty(cells_for(most), np.int32)
    grams, counts, places = np.empty(most, np.uint64), np.empty(most, np.int32), np.empty(most, np.int64)
    seen, hot = np.empty(bitmap_for(most), np.uint8), np.empty(bitmap_for(most), np.uint8)
    lead = np.uint64(1)
    for _ in range(n):
        lead *= BASE
    for doc in range(len(out)):
        low, high = first[doc], first[doc + 1]
        live, rolling = max(high - low - n + 1, 0), np.uint64(0)
        out[doc, 0] = live
        if live < 2:
            continue
        for t in range(low, high):
            rolling = rolling * BASE + hashes[t]
            if t - low >= n:
                rolling -= lead * hashes[t - n]
            grams[max(t - low - n + 1, 0)] = rolling
        live = keep_repeats(grams, live, seen, hot)
        for k in range(live):
            grams[k] = mix(grams[k]) | np.uint64(1)
        _count(grams, counts, places, live, keys, tallies)
        for k in range(live):
            out[doc, 1] += counts[k] > 1
    return out


@step
def _openings(starts, joined, low, high, hashes, live, reach):  # type: ignore[no-untyped-def]
    """Hash the first 16 joined bytes from every token that has so many; returns for how many."""
    n, end = 0, starts[high]
    for t in range(low, high):
        reach[t - low] = 8
        if starts[t] + 16 <= end:
            word = load64(joined, starts[t]) * np.uint64(0x9E3779B97F4A7C15)
            second = load64(joined, starts[t] + 8)
            hashes[n] = (word ^ (word >> np.uint64(32)) ^ second) * np.uint64(0xC4CEB9FE1A85EC53)
            live[n] = t
            n += 1
    return n


@step
def _reach(starts, joined, low, high, hashes, live, seen, hot, reach):  # type: ignore[no-untyped-def]
    """How many bytes from each token, in eights up to LONGEST, may also be found from another; 8 says nothing."""
    n, end = _openings(starts, joined, low, high, hashes, live, reach), starts[high]
    for size in range(16, LONGEST + 8, 8):
        shift = mark_repeats(hashes, n, ROUNDS[0], seen, hot)
        kept = 0
        for k in range(n):
            t = live[k]
            if not may_repeat(hashes[k], ROUNDS[0], shift, hot):
                continue
            reach[t - low] = size
            if starts[t] + size + 8 <= end:
                h = hashes[k] ^ (hashes[k] >> np.uint64(32)) ^ load64(joined, starts[t] + size)
                hashes[kept], live[kept] = h * np.uint64(0xC4CEB9FE1A85EC53), t
                kept += 1
        n = kept
        if n == 0:
            break


@step
def _thin(places, live, low, high, n, starts, reach):  # type: ignore[no-untyped-def]
    """Keep the places whose n-gram may repeat; what may not at n tokens may not at more."""
    kept = 0
    for k in range(live):
        t = places[k]
        if t + n <= high:
            places[kept] = t
            kept += min((starts[t + n] - starts[t]) & -8, LONGEST) <= reach[t - low]
    return kept


@step
def _jump(places, live, n, starts, joined, lengths, keys):  # type: ignore[no-untyped-def]
    """Characters of the repeated n-grams at these places, left to right, none within the one before."""
    if live < 2:
        return 0
    size = cells_for(live)
    keys[:size] = 0
    free = repeated = 0
    for k in range(live):
        t = places[k]
        if t < free:
            continue
        key = hash_bytes(joined, starts[t], starts[t + n]) | np.uint64(1)
        cell = find(keys, size, key)
        if keys[cell] == key:
            for j in range(t, t + n):
                repeated += lengths[j]
            free = t + n
        keys[cell] = key
    return repeated


@kernel
def duplicate_grams(first, starts, joined, lengths):  # type: ignore[no-untyped-def]
    """Six columns a text, n = 5 to 10: left to right, a repeated n-gram adds its characters and is jumped over."""
    docs = len(first) - 1
    out = np.zeros((docs, 6), np.int64)
    most = longest_text(first)
    keys, hashes, live = np.empty(cells_for(most), np.uint64), np.empty(most, np.uint64), np.empty(most, np.int64)
    seen, hot = np.empty(bitmap_for(most), np.uint8), np.empty(bitmap_for(most), np.uint8)
    reach = np.empty(most, np.uint8)
    for doc in range(docs):
        low, high = first[doc], first[doc + 1]
        _reach(starts, joined, low, high, hashes, live, seen, hot, reach)
        kept = high - low
        for k in range(kept):
            live[k] = low + k
        for n in range(5, 11):
            kept = _thin(live, kept, low, high, n, starts, reach)
            out[doc, n - 5] = _jump(live, kept, n, starts, joined, lengths, keys)
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
