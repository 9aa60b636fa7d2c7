"""A seeded permutation of 0 to n - 1 that can be asked for any place, and the other way round, and holds no array.

A Feistel network over the bits that hold n (Luby and Rackoff 1988: four rounds of random functions suffice), walked on
until it falls below n (Black and Rogaway 2002, "Ciphers with Arbitrary Finite Domains", cycle walking). The round
function is MurmurHash3's finaliser over one side, key and round; this is a shuffle and no cipher. Less than two passes
a number are expected, since the domain is below 2n.

Traded away: a place costs some hundred nanoseconds, where a stored permutation costs memory in the size of the corpus.
"""

from __future__ import annotations

import numba
import numpy as np
import numpy.typing as npt

ROUNDS = 8
Numbers = npt.NDArray[np.int64]


@numba.njit(cache=True, nogil=True)
def mixed(x: np.uint64) -> np.uint64:
    """MurmurHash3's 64-bit finaliser: every bit of the input moves every bit of the output."""
    x = (x ^ (x >> np.uint64(33))) * np.uint64(0xFF51AFD7ED558CCD)
    x = (x ^ (x >> np.uint64(33))) * np.uint64(0xC4CEB9FE1A85EC53)
    return x ^ (x >> np.uint64(33))


@numba.njit(cache=True, nogil=True)
def key_of(seed: int, stream: int, epoch: int, block: int) -> np.uint64:
    """The key of one permutation among many: of a seed, a stream (group), an epoch and a block within it."""
    key = mixed(np.uint64(seed) + np.uint64(0x9E3779B97F4A7C15))
    for part in (stream, epoch, block):
        key = mixed(key ^ (np.uint64(part) + np.uint64(0x9E3779B97F4A7C15)))
    return key


@numba.njit(cache=True, nogil=True)
def bits_of(count: int) -> int:
    """Bits that hold 0 to `count` - 1, at least two: one for each side."""
    bits = 2
    while (1 << bits) < count:
        bits += 1
    return bits


@numba.njit(cache=True, nogil=True)
def _rounds(x, bits, key, backwards):  # type: ignore[no-untyped-def]
    """One pass through the network: the sides take turns in being changed by the other."""
    low = np.uint64(bits // 2)
    low_mask = (np.uint64(1) << low) - np.uint64(1)
    high_mask = (np.uint64(1) << (np.uint64(bits) - low)) - np.uint64(1)
    high, rest = x >> low, x & low_mask
    for turn in range(ROUNDS):
        number = np.uint64(ROUNDS - 1 - turn if backwards else turn)
        salt = key + number * np.uint64(0x9E3779B97F4A7C15)
        if number & np.uint64(1):
            high ^= mixed(rest ^ salt) & high_mask
        else:
            rest ^= mixed(high ^ salt) & low_mask
    return (high << low) | rest


@numba.njit(cache=True, nogil=True)
def forward(place: int, count: int, key: np.uint64) -> np.int64:
    """The number at `place` of the permutation of 0 to `count` - 1 under `key`."""
    bits, x = bits_of(count), _rounds(np.uint64(place), bits_of(count), key, False)
    while x >= np.uint64(count):
        x = _rounds(x, bits, key, False)
    return np.int64(x)


@numba.njit(cache=True, nogil=True)
def backward(number: int, count: int, key: np.uint64) -> np.int64:
    """The place of `number`: what `forward` undoes."""
    bits, x = bits_of(count), _rounds(np.uint64(number), bits_of(count), key, True)
    while x >= np.uint64(count):
        x = _rounds(x, bits, key, True)
    return np.int64(x)
