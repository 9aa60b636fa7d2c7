"""Text to shingle hashes over Arrow's buffers: lower-case words (one a character in Han, kana and Thai), n at a time.

Words here do not depend on a language guess, so a page and its copy are compared alike whatever each was taken
for. Case is folded for Latin, Greek, Cyrillic and the rest through Python's simple lower-case map. A shingle is a
polynomial in its units' hashes, carried on from the shingle before (Karp and Rabin 1987, doi:10.1147/rd.312.0249),
so it costs the same for every n. Traded away: the hash is not keyed; who wants two shingles to collide can make them.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dedup.units import CHAR, MOST, SCRATCH, SECOND, SEED, TABLES, WORD, fold, hash_units
from filters.bytewise import Ints, buffers
from filters.compiled import kernel, step

Hashes = npt.NDArray[np.uint32]
LONGEST = 64  # units in a shingle; a power of two, for the ring of the last units
BASE = np.uint64(0xD1342543DE82EF95)  # of the polynomial: odd, so that no unit's hash loses bits
FROM, KEPT, CUT, HASH, SEEN, ROLLED, STATE = range(7)  # what one chunk of a text hands on to the next


@step
def power(n):  # type: ignore[no-untyped-def]
    """BASE to the n, modulo 2^64: what the oldest of n + 1 units has been multiplied with."""
    result = np.uint64(1)
    for _ in range(n):
        result *= BASE
    return result


@step
def squeeze(rolled):  # type: ignore[no-untyped-def]
    """32 bits of a shingle's polynomial, every bit of it counting."""
    rolled = (rolled ^ (rolled >> np.uint64(32))) * SECOND
    return np.uint32(rolled >> np.uint64(32))


@step
def roll(units, count, ngram, oldest, ring, state, out):  # type: ignore[no-untyped-def]
    """Hashes of the shingles that end in these units, 32 bits each; `ring` holds the hashes of the last units."""
    n, seen, rolled = 0, np.int64(state[SEEN]), state[ROLLED]
    for k in range(count):
        h = units[k]
        rolled = rolled * BASE + h
        if seen >= ngram:
            rolled -= ring[(seen - ngram) & (LONGEST - 1)] * oldest
        ring[seen & (LONGEST - 1)] = h
        seen += 1
        if seen >= ngram:
            out[n] = squeeze(rolled)
            n += 1
    state[SEEN], state[ROLLED] = np.uint64(seen), rolled
    return n


@step
def begin(state, start):  # type: ignore[no-untyped-def]
    """The state at the first byte of a text."""
    state[:] = 0
    state[FROM], state[HASH] = np.uint64(start), SEED


@step
def scan(data, end, unit, ngram, oldest, state, scratch, tables, out):  # type: ignore[no-untyped-def]
    """Shingle hashes of one text's next chunk, MOST at the most; returns how many.

    `state` is carried on from call to call; the text is over when its FROM is `end`. A text with fewer than `ngram`
    units is one shingle, one without any none.
    """
    low, edges, units, ring = scratch
    i, o = fold(data, np.int64(state[FROM]), end, unit, tables[0], tables[1], low, np.int64(state[KEPT]))
    count, kept, cut, h = hash_units(low, o, i >= end, state[CUT] > 0, state[HASH], edges, units)
    state[FROM], state[KEPT], state[CUT], state[HASH] = np.uint64(i), np.uint64(kept), np.uint64(cut), h
    n = roll(units, count, ngram, oldest, ring, state, out)
    if i >= end and 0 < state[SEEN] < ngram:
        out[n] = squeeze(state[ROLLED])
        n += 1
    return n


@kernel
def scratch_space():  # type: ignore[no-untyped-def]
    """(folded text, its units' edges, their hashes, the last units' hashes) for `scan`."""
    return (
        np.zeros(SCRATCH, np.uint8),
        np.zeros(SCRATCH, np.int64),
        np.zeros(MOST, np.uint64),
        np.zeros(LONGEST, np.uint64),
    )


@kernel
def _all(data, bounds, unit, ngram, tables):  # type: ignore[no-untyped-def]
    docs = len(bounds) - 1
    first = np.zeros(docs + 1, np.int64)
    out = np.empty(bounds[-1] - bounds[0] + docs, np.uint32)
    scratch, oldest, state = scratch_space(), power(ngram), np.zeros(STATE, np.uint64)
    n = 0
    for doc in range(docs):
        end = bounds[doc + 1]
        begin(state, bounds[doc])
        while np.int64(state[FROM]) < end:
            n += scan(data, end, unit, ngram, oldest, state, scratch, tables, out[n:])
        first[doc + 1] = n
    return out[:n], first


def checked(ngram: int, unit: str) -> int:
    """The number of a unit; ValueError for one that is unknown or a shingle that is too long."""
    if not 1 <= ngram <= LONGEST:
        raise ValueError(f"ngram is {ngram}: a shingle has 1 to {LONGEST} units.")
    if unit not in ("word", "char"):
        raise ValueError(f"unit is {unit!r}: it is 'word' or 'char'.")
    return CHAR if unit == "char" else WORD


def shingles(text: pa.LargeStringArray, ngram: int, unit: str = "word") -> tuple[Hashes, Ints]:
    """(hashes, first[n+1]): the 32-bit shingle hashes of text i are hashes[first[i]:first[i+1]]."""
    kind, (data, bounds) = checked(ngram, unit), buffers(text)
    result: tuple[Hashes, Ints] = _all(data, bounds, kind, ngram, TABLES)
    return result


def true_jaccard(a: str, b: str, ngram: int, unit: str = "word") -> float:
    """Exact Jaccard of two texts' shingle sets; 0 if either has none.

    >>> true_jaccard("one two three", "one two four", 2)
    0.3333333333333333
    """
    hashes, first = shingles(pa.array([a, b], pa.large_string()), ngram, unit)
    left, right = set(hashes[: first[1]].tolist()), set(hashes[first[1] :].tolist())
    return len(left & right) / len(left | right) if left and right else 0.0
