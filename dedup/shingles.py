"""Text to shingle hashes over Arrow's buffers: lower-case words (one a character in Han, kana and Thai), n at a time.

Words here do not depend on a language guess, so a page and its copy are compared alike whatever each was taken
for. Case is folded for Latin, Greek, Cyrillic and the rest through Python's simple lower-case map.
"""

from __future__ import annotations

import numba
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from filters.segment import CLASSES, OTHER, SINGLE, SPACE, Ints, buffers, decode_at, mix

LOWER = np.fromiter(
    (ord(chr(c).lower()) if len(chr(c).lower()) == 1 else c for c in range(0x110000)), np.int32, 0x110000
)
Hashes = npt.NDArray[np.uint32]
WORD, CHAR = 0, 1


@numba.njit(cache=True, nogil=True)  # type: ignore[misc]
def units(data, start, end, unit, classes, lower, out):  # type: ignore[no-untyped-def]
    """Hash each word (or character) of one text into `out`; returns how many."""
    n, h, filled = 0, np.uint64(0), False
    i = start
    while i < end:
        code, width = decode_at(data, i)
        i += width
        kind = classes[code]
        alone = kind == SINGLE or (unit == CHAR and kind != SPACE)
        if filled and (alone or kind in (SPACE, OTHER)):
            out[n] = mix(h)
            n, h, filled = n + 1, np.uint64(0), False
        if alone:
            out[n] = mix(np.uint64(lower[code]) + np.uint64(1))
            n += 1
        elif kind != SPACE and kind != OTHER:
            h = mix(h * np.uint64(31) + np.uint64(lower[code]) + np.uint64(1))
            filled = True
    if filled:
        out[n] = mix(h)
        n += 1
    return n


@numba.njit(cache=True, nogil=True)  # type: ignore[misc]
def combine(hashes, count, ngram, out):  # type: ignore[no-untyped-def]
    """Hashes of n neighbouring units, 32 bits each; a text shorter than n is one shingle, an empty one none."""
    if count == 0:
        return 0
    width = min(ngram, count)
    total = count - width + 1
    for k in range(total):
        h = np.uint64(width)
        for j in range(k, k + width):
            h = mix(h * np.uint64(0x9E3779B97F4A7C15) + hashes[j])
        out[k] = np.uint32(h >> np.uint64(32))
    return total


@numba.njit(cache=True, nogil=True)  # type: ignore[misc]
def _all(data, bounds, unit, ngram, classes, lower):  # type: ignore[no-untyped-def]
    docs = len(bounds) - 1
    first = np.zeros(docs + 1, np.int64)
    out = np.empty(bounds[-1] - bounds[0] + docs, np.uint32)
    scratch = np.empty(np.max(bounds[1:] - bounds[:-1]) + 1 if docs else 1, np.uint64)
    n = 0
    for doc in range(docs):
        count = units(data, bounds[doc], bounds[doc + 1], unit, classes, lower, scratch)
        n += combine(scratch, count, ngram, out[n:])
        first[doc + 1] = n
    return out[:n], first


def shingles(text: pa.LargeStringArray, ngram: int, unit: str = "word") -> tuple[Hashes, Ints]:
    """(hashes, first[n+1]): the 32-bit shingle hashes of text i are hashes[first[i]:first[i+1]]."""
    data, bounds = buffers(text)
    result: tuple[Hashes, Ints] = _all(data, bounds, CHAR if unit == "char" else WORD, ngram, CLASSES, LOWER)
    return result


def true_jaccard(a: str, b: str, ngram: int, unit: str = "word") -> float:
    """Exact Jaccard of two texts' shingle sets; 0 if either has none.

    >>> true_jaccard("one two three", "one two four", 2)
    0.3333333333333333
    """
    hashes, first = shingles(pa.array([a, b], pa.large_string()), ngram, unit)
    left, right = set(hashes[: first[1]].tolist()), set(hashes[first[1] :].tolist())
    return len(left & right) / len(left | right) if left and right else 0.0
