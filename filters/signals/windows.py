"""Repeated windows of characters: ChineseWebText's 13-grams and data-juicer's 10-grams.

ChineseWebText strips and lower-cases the text, removes blanks, tabs and newlines, and looks at all windows but the
last, as its preprocess.py does. data-juicer takes the text as it is and, of the windows that repeat, only the
commonest, as many as the square root of the number of different windows. A capital sigma is lower-cased to σ
wherever it stands.
"""

from __future__ import annotations

import numba
import numpy as np

from filters.bytewise import decode_at, mix
from filters.codepoints import LOWER, PROPERTIES
from filters.segment import TextView
from filters.signals.scan import bitmap_for, cells_for, find, longest_text, mark_repeats, may_repeat, strip
from filters.signals.signal import CWT, JUICER, REAL, signals

BASE = np.uint64(0x9E3779B97F4A7C15)


@numba.njit(cache=True, nogil=True)  # type: ignore[misc]
def _codes(data, start, end, lower, properties, plain, out):  # type: ignore[no-untyped-def]
    """The characters that windows are cut from; returns how many."""
    m = 0
    if plain:
        start, end = strip(data, start, end, properties)
    while start < end:
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


@numba.njit(cache=True, nogil=True)  # type: ignore[misc]
def _maybe_repeated(codes, n, windows, hashes, seen, hot):  # type: ignore[no-untyped-def]
    """Hash the windows and keep the hashes that may occur twice, in order; returns how many."""
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
    shift = mark_repeats(hashes, windows, seen, hot)
    live = 0
    for k in range(windows):
        h = hashes[k]
        hashes[live] = h
        live += may_repeat(h, shift, hot)
    return live


@numba.njit(cache=True, nogil=True)  # type: ignore[misc]
def _tally(hashes, live, keys, counts):  # type: ignore[no-untyped-def]
    """Count the hashes; the counts above one come first in `counts`. Returns how many, their sum, different hashes."""
    size = cells_for(live)
    keys[:size] = 0
    counts[:size] = 0
    for k in range(live):
        key = mix(hashes[k]) | np.uint64(1)
        cell = find(keys, size, key)
        keys[cell] = key
        counts[cell] += 1
    repeating = total = different = 0
    for cell in range(size):
        c = counts[cell]
        different += c > 0
        if c > 1:
            total += c
            counts[repeating] = c
            repeating += 1
    return repeating, total, different


@numba.njit(cache=True, nogil=True)  # type: ignore[misc]
def repeated_windows(data, bounds, n, plain, lower, properties):  # type: ignore[no-untyped-def]
    """Share of repeated windows of n characters: all of them (`plain`), or data-juicer's commonest."""
    docs = len(bounds) - 1
    out = np.zeros(docs)
    most = longest_text(bounds)
    codes, hashes = np.zeros(most + 1, np.int32), np.empty(most + 1, np.uint64)
    seen, hot = np.empty(bitmap_for(most), np.uint8), np.empty(bitmap_for(most), np.uint8)
    keys, counts = np.empty(cells_for(most + 1), np.uint64), np.empty(cells_for(most + 1), np.int32)
    for doc in range(docs):
        m = _codes(data, bounds[doc], bounds[doc + 1], lower, properties, plain, codes)
        windows = m - n if plain else m - n + 1
        if windows < 1:
            continue
        live = _maybe_repeated(codes, n, windows, hashes, seen, hot)
        if live == 0:
            continue
        repeating, total, different = _tally(hashes, live, keys, counts)
        root = np.int64(np.sqrt(windows - live + different))
        if not plain and repeating > root:
            common = np.sort(counts[:repeating])
            total = 0
            for k in range(repeating - root, repeating):
                total += common[k]
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
