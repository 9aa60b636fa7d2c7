"""MinHash signatures, bit-equal to datasketch's for the same 32-bit shingle hashes.

The permutations are datasketch's own objects, so they cannot drift. Its default scheme `affine32` mixes a hash
with MurmurHash3's finaliser and applies a*h + b modulo 2^32; that is 32-bit arithmetic without a division,
which the compiler turns into SIMD. Traded away: 64-bit hashes, and the provable (not the measured) min-wise
independence of the old Mersenne scheme.
"""

from __future__ import annotations

from functools import cache

import numba
import numpy as np
import numpy.typing as npt
import pyarrow as pa
from datasketch import MinHash as Reference

from dedup.shingles import shingles

Signatures = npt.NDArray[np.uint32]


@cache
def permutations(num_perm: int, seed: int) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.uint32]]:
    """datasketch's (a, b) of the affine32 scheme."""
    a, b = Reference(num_perm=num_perm, seed=seed, scheme="affine32").permutations
    return np.ascontiguousarray(a, np.uint32), np.ascontiguousarray(b, np.uint32)


@numba.njit(cache=True, nogil=True)  # type: ignore[misc]
def fmix32(h):  # type: ignore[no-untyped-def]
    """MurmurHash3's 32-bit finaliser, as datasketch applies it before the permutations."""
    h = np.uint32(h ^ (h >> np.uint32(16)))
    h = np.uint32(h * np.uint32(0x85EBCA6B))
    h = np.uint32(h ^ (h >> np.uint32(13)))
    h = np.uint32(h * np.uint32(0xC2B2AE35))
    return np.uint32(h ^ (h >> np.uint32(16)))


@numba.njit(cache=True, nogil=True)  # type: ignore[misc]
def permute(hashes, first, a, b):  # type: ignore[no-untyped-def]
    """Minimum of every permutation over every text's hashes; all ones for a text without any."""
    docs, size = len(first) - 1, len(a)
    out = np.full((docs, size), np.uint32(0xFFFFFFFF), np.uint32)
    mixed = np.empty(len(hashes), np.uint32)
    for k in range(len(hashes)):
        mixed[k] = fmix32(hashes[k])
    for doc in range(docs):
        row = out[doc]
        for k in range(first[doc], first[doc + 1]):
            h = mixed[k]
            for p in range(size):
                row[p] = min(row[p], np.uint32(a[p] * h + b[p]))
    return out


def signatures_of(hashes: npt.NDArray[np.uint32], first: npt.NDArray[np.int64], num_perm: int, seed: int) -> Signatures:
    """Signatures (texts x num_perm) of ready shingle hashes."""
    result: Signatures = permute(hashes, first, *permutations(num_perm, seed))
    return result


def signatures(text: pa.LargeStringArray, ngram: int, unit: str, num_perm: int, seed: int = 1) -> Signatures:
    """Signatures (texts x num_perm) of texts."""
    return signatures_of(*shingles(text, ngram, unit), num_perm, seed)
