"""Repeated windows of characters: ChineseWebText's 13-grams and data-juicer's 10-grams.

ChineseWebText strips and lower-cases the text, removes blanks, tabs and newlines, and looks at all windows but the
last, as its preprocess.py does. data-juicer takes the text as it is and, of the windows that repeat, only the
commonest, as many as the square root of the number of different windows. A capital sigma is lower-cased to σ
wherever it stands.
"""

from __future__ import annotations

import numpy as np

from filters.bytewise import decode_at, load64, mix
from filters.codepoints import LOWER, PROPERTIES
from filters.compiled import kernel, step
from filters.hash_table import bitmap_for, cells_for, find, keep_repeats, longest_text
from filters.scan import strip
from filters.segment import TextView
from filters.signals.signal import CWT, JUICER, REAL, signals

BASE = np.uint64(0x9E3779B97F4A7C15)
LARGE = 1 << 17  # windows, and cells of a table, from which on a text is counted in buckets
BUCKET_BITS = 8


@step
def _codes(data, start, end, lower, properties, plain, out):  # type: ignore[no-untyped-def]
    """The characters that windows are cut from; returns how many."""
    m = 0
    if plain:
        start, end = strip(data, start, end, properties)
    while start < end:
        if start + 8 <= end and load64(data, start) & np.uint64(0x8080808080808080) == np.uint64(0):
            for k in range(8):  # all of them ASCII
                b = data[start + k]
                out[m] = lower[b] if plain else b
                m += (not plain) | (b != 0x20) & (b != 0x0A) & (b != 0x09)
            start += 8
            continue
        code, width = decode_at(data, start)
        start += width
        if plain:
            if code == 0x20 or code == 0x0A or code == 0x09:
                continue
            if code == 0x130:  # its lower case is two characters
                out[m], out[m + 1] = 0x69, 0x307
                m += 2
                continue
            code = lower[code]
        out[m] = code
        m += 1
    return m


@step
def _hash(codes, n, windows, hashes):  # type: ignore[no-untyped-def]
    """A hash of every window of n characters."""
    lead, rolling = np.uint64(1), np.uint64(0)
    for k in range(n - 1):
        lead *= BASE
        rolling = rolling * BASE + np.uint64(codes[k])
    lead *= BASE
    left = np.uint64(0)
    for k in range(windows):
        rolling = rolling * BASE + (np.uint64(codes[k + n - 1]) - lead * left)
        hashes[k] = rolling
        left = np.uint64(codes[k])


@step
def _bucket(h):  # type: ignore[no-untyped-def]
    return np.int64((h * np.uint64(0xC2B2AE3D27D4EB4F)) >> np.uint64(64 - BUCKET_BITS))


@kernel
def _by_bucket(hashes, windows):  # type: ignore[no-untyped-def]
    """Bring the hashes of a bucket together, in place (American flag sort); returns where each bucket begins."""
    edges = np.zeros((1 << BUCKET_BITS) + 1, np.int64)
    for k in range(windows):
        edges[_bucket(hashes[k]) + 1] += 1
    edges = np.cumsum(edges)
    free = edges[:-1].copy()
    for bucket in range(len(free)):
        while free[bucket] < edges[bucket + 1]:
            h = hashes[free[bucket]]
            home = _bucket(h)
            while home != bucket:
                hashes[free[home]], h = h, hashes[free[home]]
                free[home] += 1
                home = _bucket(h)
            hashes[free[bucket]] = h
            free[bucket] += 1
    return edges


@step
def _count(hashes, live, size, keys, counts, places):  # type: ignore[no-untyped-def]
    """Count the hashes in the first `size` cells; `places` lists those used. How many differ, -1 if too many do."""
    keys[:size] = 0
    counts[:size] = 0
    different = 0
    for k in range(live):
        key = mix(hashes[k]) | np.uint64(1)
        cell = find(keys, size, key)
        places[different] = cell
        different += keys[cell] == np.uint64(0)
        keys[cell] = key
        counts[cell] += 1
        if 2 * different > size:
            return -1
    return different


@step
def _repeating(different, counts, places, common, at):  # type: ignore[no-untyped-def]
    """Add counts above one to `common` from `at`; where they end, and their sum."""
    total = 0
    for k in range(different):
        count = counts[places[k]]
        common[at] = count
        total += count * (count > 1)
        at += count > 1
    return at, total


@kernel
def _tally(hashes, live, keys, counts, places, common, at):  # type: ignore[no-untyped-def]
    """Count the hashes; counts above one are added to `common` from `at`. Returns where they end, their sum, and how
    many hashes differ. Of many hashes few may differ, so it is tried with a table of LARGE cells before a larger one.
    """
    size = min(cells_for(live), LARGE)
    different = _count(hashes, live, size, keys, counts, places)
    if different >= 0:
        at, total = _repeating(different, counts, places, common, at)
        return at, total, different
    while different < 0:
        size *= 2
        more_keys, more_counts = np.empty(size, np.uint64), np.empty(size, np.int32)
        different = _count(hashes, live, size, more_keys, more_counts, places)
    at, total = _repeating(different, more_counts, places, common, at)
    return at, total, different


@kernel
def _commonest(counts, n):  # type: ignore[no-untyped-def]
    """Sum of the n greatest counts."""
    tally = np.zeros(counts.max() + 1, np.int64)
    for count in counts:
        tally[count] += 1
    total = 0
    for count in range(len(tally) - 1, 1, -1):
        taken = min(tally[count], n)
        total += taken * count
        n -= taken
    return total


@kernel
def repeated_windows(data, bounds, n, plain, lower, properties):  # type: ignore[no-untyped-def]
    """Share of repeated windows of n characters: all of them (`plain`), or data-juicer's commonest.

    The windows of a long text are counted bucket by bucket, so that a table stays in the cache.
    """
    docs = len(bounds) - 1
    out = np.zeros(docs)
    most = longest_text(bounds)
    codes, hashes, common = np.zeros(most + 1, np.int32), np.empty(most + 1, np.uint64), np.empty(most + 1, np.int32)
    seen, hot = np.empty(bitmap_for(most), np.uint8), np.empty(bitmap_for(most), np.uint8)
    cells = min(cells_for(most + 1), LARGE)
    keys, counts, places = np.empty(cells, np.uint64), np.empty(cells, np.int32), np.empty(most + 1, np.int64)
    for doc in range(docs):
        m = _codes(data, bounds[doc], bounds[doc + 1], lower, properties, plain, codes)
        windows = m - n if plain else m - n + 1
        if windows < 1:
            continue
        _hash(codes, n, windows, hashes)
        edges = _by_bucket(hashes, windows) if windows > LARGE else np.array([0, windows])
        repeating = total = unlike = 0
        for k in range(len(edges) - 1):
            bucket = hashes[edges[k] : edges[k + 1]]
            live = keep_repeats(bucket, len(bucket), seen, hot)
            unlike += len(bucket) - live
            if live:
                repeating, more, different = _tally(bucket, live, keys, counts, places, common, repeating)
                total += more
                unlike += different
        root = np.int64(np.sqrt(unlike))
        if not plain and repeating > root:
            total = _commonest(common[:repeating], root)
        out[doc] = total / windows
    return out


def by_13(view: TextView) -> dict[str, np.ndarray]:
    """ChineseWebText's."""
    return {"char_13gram_dup_ratio": repeated_windows(view.data, view.bounds, 13, True, LOWER, PROPERTIES)}


def by_10(view: TextView) -> dict[str, np.ndarray]:
    """data-juicer's."""
    return {"char_rep_10_ratio": repeated_windows(view.data, view.bounds, 10, False, LOWER, PROPERTIES)}


SIGNALS = (
    *signals(by_13, (("char_13gram_dup_ratio", REAL, "share of 13-character windows that occur twice", CWT),)),
    *signals(by_10, (("char_rep_10_ratio", REAL, "share of the commonest repeated 10-character windows", JUICER),)),
)
