"""Candidate pairs of one bucket: which documents with an equal key are tied to each other.

Without verification only connection matters, so every member is tied to the bucket's lowest document: a bucket of a
million identical pages costs a million edges, never their square. With verification it matters which pairs are looked
at: members with the same signature are tied to one of them at once, and the distinct signatures are paired each with
each, so that what is found does not depend on the order of documents, on parts, or on which month a document came
in. Traded away: past `ALL_PAIRS` distinct signatures in one bucket (a template with a running number) each is paired
only with the first and with its neighbour, by signature; there a pair may go unseen.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from filters.compiled import kernel, step

U64 = npt.NDArray[np.uint64]
Pairs = tuple[U64, U64, npt.NDArray[np.bool_]]

ALL_PAIRS = 256
UNCHECKED = -1


def star(hashes: U64, docs: U64) -> tuple[U64, U64]:
    """Each document tied to the lowest one that has its hash: at most one edge a row."""
    rows = _repeated(hashes)
    order = rows[np.lexsort((docs[rows], hashes[rows]))]
    hashes, docs = hashes[order], docs[order]
    starts = _starts(hashes)
    centre = np.repeat(starts, np.diff(np.append(starts, len(hashes))))
    members = np.flatnonzero((centre != np.arange(len(hashes))) & (docs[centre] != docs))
    return docs[centre[members]], docs[members]


def likely(hashes: U64, marks: U64, docs: U64, distance: int = UNCHECKED) -> Pairs:
    """(left, right, settled): pairs to verify, and pairs that need no verification.

    `marks` are the documents' 64-bit fingerprints: a hash of the signature (`distance` = UNCHECKED), or a SimHash,
    where a pair is settled here if it differs in at most `distance` bits and is dropped otherwise.
    """
    rows = _repeated(hashes)
    order = rows[np.lexsort((docs[rows], marks[rows], hashes[rows]))]
    hashes, marks, docs = hashes[order], marks[order], docs[order]
    bounds = np.append(_starts(hashes), len(hashes)).astype(np.int64)
    count = _pair_up(bounds, marks, docs, distance, np.empty(0, np.uint64), np.empty(0, np.uint64), np.empty(0, bool))
    left, right, settled = np.empty(count, np.uint64), np.empty(count, np.uint64), np.empty(count, bool)
    _pair_up(bounds, marks, docs, distance, left, right, settled)
    return left, right, settled


def unique_pairs(left: U64, right: U64) -> tuple[U64, U64, npt.NDArray[np.int64]]:
    """Each pair once, lower document first, sorted; and where each was found first."""
    low, high = np.minimum(left, right), np.maximum(left, right)
    order = np.lexsort((high, low))
    low, high = low[order], high[order]
    new = np.ones(len(low), bool)
    new[1:] = (low[1:] != low[:-1]) | (high[1:] != high[:-1])
    return low[new], high[new], order[new]


def _repeated(hashes: U64) -> npt.NDArray[np.int64]:
    """Row numbers of hashes that occur more than once; most rows of a bucket end here."""
    order = np.argsort(hashes)
    ordered = hashes[order]
    again = np.zeros(len(hashes) + 1, bool)
    again[1:-1] = ordered[1:] == ordered[:-1]
    return order[again[1:] | again[:-1]]


def _starts(ordered: U64) -> npt.NDArray[np.int64]:
    if not len(ordered):
        return np.empty(0, np.int64)
    return np.flatnonzero(np.concatenate((np.ones(1, bool), ordered[1:] != ordered[:-1])))


@step
def bits(x):  # type: ignore[no-untyped-def]
    """How many bits of a 64-bit word are set (Warren, Hacker's Delight, 5-1)."""
    x = x - ((x >> np.uint64(1)) & np.uint64(0x5555555555555555))
    x = (x & np.uint64(0x3333333333333333)) + ((x >> np.uint64(2)) & np.uint64(0x3333333333333333))
    x = (x + (x >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return np.int64((x * np.uint64(0x0101010101010101)) >> np.uint64(56))


@kernel
def _pair_up(bounds, marks, docs, distance, left, right, settled):  # type: ignore[no-untyped-def]
    """Fill the pairs of every bucket [bounds[g], bounds[g+1]); with empty outputs it only counts them."""
    n = 0
    write = len(left) > 0
    heads = np.empty(len(docs), np.int64)
    for g in range(len(bounds) - 1):
        found = 0
        for i in range(bounds[g], bounds[g + 1]):
            if i == bounds[g] or marks[i] != marks[i - 1]:
                heads[found] = i
                found += 1
            elif docs[heads[found - 1]] != docs[i]:
                if write:
                    left[n], right[n], settled[n] = docs[heads[found - 1]], docs[i], True
                n += 1
        for b in range(1, found):
            for a in range(b):
                if found > ALL_PAIRS and a != 0 and a != b - 1:
                    continue
                if distance >= 0 and bits(marks[heads[a]] ^ marks[heads[b]]) > distance:
                    continue
                if write:
                    left[n], right[n], settled[n] = docs[heads[a]], docs[heads[b]], distance >= 0
                n += 1
    return n
