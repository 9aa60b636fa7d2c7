"""Connected components of pairs: in memory where the edges fit, by alternating stars where they do not.

In memory scipy labels them. Beyond that, large-star and small-star (Kiveris, Lattanzi, Mirrokni, Rastogi and
Vassilvitskii, "Connected Components in MapReduce and Beyond", SoCC 2014) take turns: each looks at one node's
neighbours at a time, so edges can be split over files by node, and after about log^2 n rounds every node is tied
to the lowest one of its component. Both are pure functions over two arrays; who moves the edges is not their matter.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from dedup.pairs import U64, unique_pairs


def components(left: U64, right: U64) -> tuple[U64, U64]:
    """(nodes, lowest): every node of an edge, sorted, and the lowest node of its component."""
    nodes, place = np.unique(np.concatenate((left, right)), return_inverse=True)
    ends = place.reshape(2, -1)
    graph = coo_array((np.ones(len(left), np.int8), (ends[0], ends[1])), shape=(len(nodes), len(nodes)))
    labels = connected_components(graph, directed=False)[1]
    lowest = np.full(labels.max() + 1 if len(labels) else 0, len(nodes), np.int64)
    np.minimum.at(lowest, labels, np.arange(len(nodes)))
    return nodes, nodes[lowest[labels]]


def large_star(source: U64, other: U64) -> tuple[U64, U64]:
    """Ties each node's higher neighbours to its lowest; wants every edge in both directions, all of one source."""
    source, other, lowest = _with_lowest(source, other, np.minimum)
    higher = other > source
    return _edges(other[higher], lowest[higher])


def small_star(source: U64, other: U64) -> tuple[U64, U64]:
    """Ties each node and its lower neighbours to the lowest; wants edges from the higher end to the lower."""
    source, other, lowest = _with_lowest(source, other, None)
    return _edges(np.concatenate((other, source)), np.concatenate((lowest, lowest)))


def both_ways(left: U64, right: U64) -> tuple[U64, U64]:
    """Every edge in both directions."""
    return np.concatenate((left, right)), np.concatenate((right, left))


def _with_lowest(source: U64, other: U64, own: np.ufunc | None) -> tuple[U64, U64, U64]:
    """Edges by source, and for each the lowest neighbour of its source (or the source itself, if `own`)."""
    order = np.lexsort((other, source))
    source, other = source[order], other[order]
    if not len(source):
        return source, other, other
    starts = np.flatnonzero(np.concatenate((np.ones(1, bool), source[1:] != source[:-1])))
    lowest = other[starts] if own is None else own(other[starts], source[starts])
    return source, other, np.repeat(lowest, np.diff(np.append(starts, len(source))))


def _edges(a: U64, b: U64) -> tuple[U64, U64]:
    """(lower, higher), each once, without loops."""
    some = a != b
    low, high, _ = unique_pairs(a[some], b[some])
    return low, high


def is_settled(before: tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint64]], after: tuple[U64, U64]) -> bool:
    """Whether a round changed nothing."""
    return all(np.array_equal(a, b) for a, b in zip(before, after, strict=True))
