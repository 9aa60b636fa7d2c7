"""Large sets of strings as sorted 64-bit hashes: 8 bytes an entry and 2 for a small number beside it, so that the 4.6
million domains of RefinedWeb's list take 46 MB. Two different strings share a hash once in 10^19 pairs.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from filters.compiled import kernel, step
from filters.segment import Bytes, Ints, buffers, hash_bytes

Hashes = npt.NDArray[np.uint64]
DOT = 46


@kernel
def _hash_rows(data: Bytes, bounds: Ints) -> Hashes:
    out = np.empty(len(bounds) - 1, np.uint64)
    for row in range(len(out)):
        out[row] = hash_bytes(data, bounds[row], bounds[row + 1])
    return out


def hash_rows(strings: pa.StringArray | pa.LargeStringArray) -> Hashes:
    """64-bit hash of each of n strings (uint64[n]); a null is as an empty string."""
    result: Hashes = _hash_rows(*buffers(strings.cast(pa.large_string())))
    return result


@step
def _place(keys: Hashes, wanted: np.uint64) -> int:
    """Where `wanted` is in sorted keys, or -1."""
    low, high = 0, len(keys)
    while low < high:
        middle = (low + high) // 2
        if keys[middle] < wanted:
            low = middle + 1
        else:
            high = middle
    return low if low < len(keys) and keys[low] == wanted else -1


@kernel
def _parents(data: Bytes, bounds: Ints, keys: Hashes) -> Ints:
    out = np.full(len(bounds) - 1, -1, np.int64)
    for row in range(len(out)):
        start, end = bounds[row], bounds[row + 1]
        while start < end and out[row] < 0:
            out[row] = _place(keys, hash_bytes(data, start, end))
            while start < end and data[start] != DOT:
                start += 1
            start += 1
    return out


def find_parent(hosts: pa.StringArray, keys: Hashes) -> Ints:
    """Place in sorted `keys` of the longest of each host and the domains above it, -1 if none is there (int64[n])."""
    result: Ints = _parents(*buffers(hosts.cast(pa.large_string())), keys)
    return result


def find_rows(strings: pa.StringArray | pa.LargeStringArray, keys: Hashes) -> Ints:
    """Place in sorted `keys` of each string, -1 if it is not there (int64[n])."""
    wanted = hash_rows(strings)
    places = np.searchsorted(keys, wanted)
    found = np.zeros(len(wanted), np.bool_)
    inside = places < len(keys)
    found[inside] = keys[places[inside]] == wanted[inside]
    return np.where(found, places, -1).astype(np.int64)
