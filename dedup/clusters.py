"""From buckets to clusters: star edges, verification, connected components, and who stays.

Inside a bucket every member is tied to the first and to its neighbour, never every pair: a bucket of a million
identical pages costs two million edges. Components are found in memory by scipy; an edge takes 16 bytes, so
ten million duplicate pairs take 160 MB.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from dedup.signatures import Signatures

Docs = npt.NDArray[np.uint64]
Pairs = tuple[Docs, Docs]


def star_edges(hashes: npt.NDArray[np.uint64], docs: Docs) -> Pairs:
    """Pairs of documents with equal hashes: each with its bucket's lowest, and with its neighbour."""
    order = np.lexsort((docs, hashes))
    hashes, docs = hashes[order], docs[order]
    starts = np.flatnonzero(np.concatenate(([True], hashes[1:] != hashes[:-1]))) if len(hashes) else np.array([], int)
    centre = np.repeat(starts, np.diff(np.append(starts, len(hashes))))
    members = np.flatnonzero(centre != np.arange(len(hashes)))
    chained = members[members - 1 != centre[members]]
    left = np.concatenate((docs[centre[members]], docs[chained - 1]))
    return left, np.concatenate((docs[members], docs[chained]))


def unique_pairs(left: Docs, right: Docs) -> Pairs:
    """Each pair once, lower document first, sorted."""
    low, high = np.minimum(left, right), np.maximum(left, right)
    pairs = np.unique(np.stack((low, high), axis=1), axis=0) if len(low) else np.empty((0, 2), np.uint64)
    return pairs[:, 0], pairs[:, 1]


def similarity(
    signatures: Signatures, left: npt.NDArray[np.int64], right: npt.NDArray[np.int64]
) -> npt.NDArray[np.float32]:
    """Estimated Jaccard of rows `left` and `right`: the share of equal positions; in blocks to bound memory."""
    out = np.empty(len(left), np.float32)
    for at in range(0, len(left), 65_536):
        stop = at + 65_536
        out[at:stop] = (signatures[left[at:stop]] == signatures[right[at:stop]]).mean(axis=1)
    return out


def components(left: npt.NDArray[np.int64], right: npt.NDArray[np.int64], size: int) -> npt.NDArray[np.int64]:
    """Cluster number of each of `size` nodes."""
    graph = coo_array((np.ones(len(left), np.int8), (left, right)), shape=(size, size))
    labels = connected_components(graph, directed=False)[1]
    return np.asarray(labels, np.int64)


def ranked(keys: Sequence[npt.NDArray[np.float64]], doc_ids: Sequence[str]) -> npt.NDArray[np.int64]:
    """Order of documents, best first: by each key ascending (NaN last), ties by doc_id."""
    return np.lexsort((np.array(doc_ids), *reversed(list(keys)))) if len(doc_ids) else np.array([], np.int64)
