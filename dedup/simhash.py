"""SimHash: 64 bits by the vote of a text's shingles (Charikar 2002), and keys by which near ones meet (Manku 2007).

As data-juicer's document_simhash_deduplicator: lower case, shingles counted as often as they stand, a bit set where
more shingles have it than not, neighbours found by blocks of bits. Ours differ in three ways: shingles are hashed by
splitmix64, not MD5, so hashes are not its hashes; words are Winnow's, where it cuts at blanks; and the last shingle
counts, which it forgets (a text of just `window` words has none there, and so equals every other such text).
"""

from __future__ import annotations

from itertools import combinations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dedup.shingles import shingles
from filters.bytewise import mix
from filters.compiled import kernel

Hashes = npt.NDArray[np.uint64]
BITS = 64


@kernel
def _votes(hashes, first):  # type: ignore[no-untyped-def]
    """The bits that more than half of each text's shingles have, each shingle spread over 64 bits by splitmix64."""
    docs = len(first) - 1
    out = np.zeros(docs, np.uint64)
    votes = np.empty(BITS, np.int64)
    for doc in range(docs):
        votes[:] = 0
        for k in range(first[doc], first[doc + 1]):
            h = mix(np.uint64(hashes[k]))
            for b in range(BITS):
                votes[b] += np.int64((h >> np.uint64(b)) & np.uint64(1))
        total = first[doc + 1] - first[doc]
        bits = np.uint64(0)
        for b in range(BITS):
            if 2 * votes[b] > total:
                bits |= np.uint64(1) << np.uint64(b)
        out[doc] = bits
    return out


def simhashes(
    text: pa.LargeStringArray, unit: str = "word", window: int = 6
) -> tuple[Hashes, npt.NDArray[np.bool_]]:  # fmt: skip
    """(64-bit SimHash of each text, whether it has one): a text without a word has none, and is like no other.

    Shingles are `window` words (`char`: characters but blanks) in a row; a shorter text is one shingle.
    """
    hashes, first = shingles(text, window, unit)
    return _votes(hashes, first), np.diff(first) > 0


def hamming(a: Hashes, b: Hashes) -> npt.NDArray[np.int64]:
    """In how many bits each pair differs."""
    return np.bitwise_count(np.asarray(a, np.uint64) ^ np.asarray(b, np.uint64)).astype(np.int64)


def block_masks(blocks: int, distance: int) -> Hashes:
    """The bits of every choice of blocks - distance blocks; the first 64 % blocks of them have a bit more.

    Two hashes that differ in at most `distance` bits differ in at most so many blocks: some choice has none of them.
    ValueError unless 0 <= distance < blocks <= 64.
    """
    if not 0 <= distance < blocks <= BITS:
        raise ValueError(f"SimHash needs 0 <= distance < blocks <= 64, not distance {distance} and {blocks} blocks.")
    edges = np.cumsum([0] + [BITS // blocks + (b < BITS % blocks) for b in range(blocks)]).tolist()
    whole = [(1 << edges[b + 1]) - (1 << edges[b]) for b in range(blocks)]
    return np.array(
        [sum(whole[b] for b in chosen) for chosen in combinations(range(blocks), blocks - distance)], np.uint64
    )


@kernel
def _block_keys(hashes, masks):  # type: ignore[no-untyped-def]
    out = np.empty((len(hashes), len(masks)), np.uint64)
    for i in range(len(hashes)):
        for k in range(len(masks)):
            out[i, k] = mix(mix(np.uint64(k) + np.uint64(1)) ^ (hashes[i] & masks[k]))
    return out


def block_keys(hashes: Hashes, blocks: int, distance: int) -> Hashes:
    """Keys (hashes x C(blocks, distance)): two hashes within `distance` bits share one; its place is part of a key."""
    keys: Hashes = _block_keys(np.asarray(hashes, np.uint64), block_masks(blocks, distance))
    return keys
