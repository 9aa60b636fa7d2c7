"""MinHash signatures, bit-equal to datasketch's for the same 32-bit shingle hashes, in one pass over the text.

The permutations are drawn as datasketch draws them (its own import takes half a second, most of it scipy's; a test
holds the two together). Its default scheme `affine32` mixes a hash
with MurmurHash3's finaliser and applies a*h + b modulo 2^32: 32-bit arithmetic without a division, done in vectors
(dedup/lanes.py). `legacy` is its scheme before 2.0, ((a*h + b) mod 2^61 - 1) mod 2^32. Shingles are made and used up
a chunk at a time, so a signature takes the same memory whatever the length of the text. Traded away: 64-bit hashes,
and the provable (not the measured) min-wise independence of the Mersenne scheme.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dedup.lanes import LANES, minima16, minima64
from dedup.shingles import FROM, STATE, begin, checked, power, scan, scratch_space
from dedup.units import MOST, TABLES
from filters.bytewise import buffers
from filters.compiled import kernel, step

if TYPE_CHECKING:
    from datasketch import MinHash

Signatures = npt.NDArray[np.uint32]
Scheme = Literal["affine32", "legacy"]
EMPTY = np.uint32(0xFFFFFFFF)
MERSENNE = np.uint64((1 << 61) - 1)


@cache
def permutations(num_perm: int, seed: int, scheme: Scheme = "affine32") -> tuple[npt.NDArray[np.uint32], ...]:
    """datasketch 2.0's (a, b), of uint32 for affine32 and uint64 for legacy, filled up to whole vectors with zeros."""
    if scheme not in ("affine32", "legacy"):
        raise ValueError(f"scheme is {scheme!r}: it is 'affine32' or 'legacy'.")
    draw = np.random.RandomState(seed)  # numpy promises this generator's stream for ever (NEP 19)
    if scheme == "legacy":
        pairs = [
            (draw.randint(1, MERSENNE, dtype=np.uint64), draw.randint(0, MERSENNE, dtype=np.uint64))
            for _ in range(num_perm)
        ]
        drawn = np.array(pairs, np.uint64).reshape(-1, 2).T
    else:
        a = draw.randint(0, 1 << 31, num_perm, dtype=np.uint32) * np.uint32(2) + np.uint32(1)
        drawn = np.stack((a, draw.randint(0, 1 << 32, num_perm, dtype=np.uint32)))
    kind, fill = (np.uint64 if scheme == "legacy" else np.uint32), -num_perm % LANES
    made = tuple(np.pad(np.asarray(part, kind), (0, fill)) for part in drawn)
    for part in made:
        part.flags.writeable = False
    return made


@step
def fmix32(h):  # type: ignore[no-untyped-def]
    """MurmurHash3's 32-bit finaliser, as datasketch applies it before the permutations."""
    h = np.uint32(h ^ (h >> np.uint32(16)))
    h = np.uint32(h * np.uint32(0x85EBCA6B))
    h = np.uint32(h ^ (h >> np.uint32(13)))
    h = np.uint32(h * np.uint32(0xC2B2AE35))
    return np.uint32(h ^ (h >> np.uint32(16)))


@step
def lower_affine(hashes, count, a, b, row):  # type: ignore[no-untyped-def]
    """Lower the minima in `row` by `count` hashes, which are mixed in place; sizes are whole vectors."""
    for k in range(count):
        hashes[k] = fmix32(hashes[k])
    p = 0
    while p + 4 * LANES <= len(row):
        minima64(hashes, count, a, b, row, p)
        p += 4 * LANES
    while p < len(row):
        minima16(hashes, count, a, b, row, p)
        p += LANES


@step
def lower_legacy(hashes, count, a, b, row):  # type: ignore[no-untyped-def]
    """As `lower_affine`, for the Mersenne scheme. As in datasketch, a*h + b is taken modulo 2^64 first."""
    for p in range(len(row)):
        factor, offset, least = a[p], b[p], np.uint64(row[p])
        for k in range(count):
            x = factor * np.uint64(hashes[k]) + offset
            x = (x & MERSENNE) + (x >> np.uint64(61))
            x = x - MERSENNE if x >= MERSENNE else x
            least = min(least, x & np.uint64(0xFFFFFFFF))
        row[p] = np.uint32(least)


@step
def lower(hashes, count, a, b, row):  # type: ignore[no-untyped-def]
    """Lower the minima in `row`; the type of `a` names the scheme."""
    if a.itemsize == 8:
        lower_legacy(hashes, count, a, b, row)
    else:
        lower_affine(hashes, count, a, b, row)


@kernel
def permute(hashes, first, a, b, out):  # type: ignore[no-untyped-def]
    """Minimum of every permutation over every text's hashes; all ones for a text without any."""
    row, chunk = np.empty(len(a), np.uint32), np.empty(MOST, np.uint32)
    for doc in range(len(first) - 1):
        row[:] = EMPTY
        for low in range(first[doc], first[doc + 1], MOST):
            count = min(MOST, first[doc + 1] - low)
            chunk[:count] = hashes[low : low + count]
            lower(chunk, count, a, b, row)
        out[doc] = row[: out.shape[1]]


@kernel
def sign(data, bounds, unit, ngram, tables, a, b, out):  # type: ignore[no-untyped-def]
    """Signatures of texts, without keeping their shingles."""
    row, chunk = np.empty(len(a), np.uint32), np.empty(MOST, np.uint32)
    scratch, oldest, state = scratch_space(), power(ngram), np.zeros(STATE, np.uint64)
    for doc in range(len(bounds) - 1):
        row[:] = EMPTY
        end = bounds[doc + 1]
        begin(state, bounds[doc])
        while np.int64(state[FROM]) < end:
            count = scan(data, end, unit, ngram, oldest, state, scratch, tables, chunk)
            lower(chunk, count, a, b, row)
        out[doc] = row[: out.shape[1]]


def signatures_of(
    hashes: npt.NDArray[np.uint32],
    first: npt.NDArray[np.int64],
    num_perm: int,
    seed: int = 1,
    scheme: Scheme = "affine32",
) -> Signatures:
    """Signatures (texts x num_perm) of ready shingle hashes: text i has hashes[first[i]:first[i+1]]."""
    out = np.empty((len(first) - 1, num_perm), np.uint32)
    permute(np.ascontiguousarray(hashes, np.uint32), first, *permutations(num_perm, seed, scheme), out)
    return out


def signatures(
    text: pa.LargeStringArray, ngram: int, unit: str, num_perm: int, seed: int = 1, scheme: Scheme = "affine32"
) -> Signatures:
    """Signatures (texts x num_perm) of texts; all ones for a text without a word.

    >>> signatures(pa.array(["a b", "A, b!", ""], pa.large_string()), 2, "word", 3)[:, :1].tolist()
    [[3620135793], [3620135793], [4294967295]]
    """
    kind, (data, bounds) = checked(ngram, unit), buffers(text)
    out = np.empty((len(text), num_perm), np.uint32)
    sign(data, bounds, kind, ngram, TABLES, *permutations(num_perm, seed, scheme), out)
    return out


def as_datasketch(row: npt.NDArray[np.uint32], seed: int = 1, scheme: Scheme = "affine32") -> MinHash:
    """One signature as datasketch's MinHash, for its `jaccard`, LSH indexes and the rest; copied.

    To go on with `update`, its hashfunc is `int`: it takes shingle hashes, not texts.
    """
    from datasketch import MinHash

    a, b = permutations(len(row), seed, scheme)
    return MinHash(
        seed=seed,
        hashfunc=int,
        hashvalues=row,
        permutations=(a[: len(row)], b[: len(row)]),
        scheme=scheme,
    )
