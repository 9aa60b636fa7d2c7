"""From components to clusters: who stays, who repeats whom, and how alike they are.

All members of the clusters at hand come as arrays of equal length, in any order; what comes out does not depend on
that order. Similarity is estimated from the signatures, as the share of equal positions. The partner of a document
that leaves is the member most like it among the first `LOOK_BACK` that rank before it: it explains a chain, where a
document resembles a neighbour more than the one that stays.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dedup.pairs import U64
from filters.compiled import kernel

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]
LOOK_BACK = 64


@dataclass(frozen=True)
class Members:
    """Documents of whole clusters. 128-bit values are (n x 2) arrays, high half first.

    `label`: the cluster (any number); `ids`: doc_id; `content`: hash of the normalised text; `url`: URL key, 0 where
    there is none; `order`: columns by which members rank, smaller first, NaN last; `signed`: signatures (n x k).
    """

    label: U64
    ids: U64
    content: U64
    url: U64
    order: Sequence[npt.NDArray[np.float64]]
    signed: npt.NDArray[np.uint32]


@dataclass(frozen=True)
class Clusters:
    """Per member, in the order of `Members`: row numbers of others, and what became of it."""

    kept: Ints  # row of the member that stays
    lowest: Ints  # row of the lowest doc_id of the cluster
    size: Ints
    similarity: Floats  # to the one that stays
    partner: Ints
    partner_similarity: Floats
    same_text: npt.NDArray[np.bool_]  # as a member that ranks before it
    same_url: npt.NDArray[np.bool_]


def clustered(members: Members) -> Clusters:
    """Rank the members of every cluster; the first stays. Ties in `order` go to the lowest doc_id."""
    high, low = members.ids[:, 0], members.ids[:, 1]
    ranked = np.lexsort((low, high, *reversed(list(members.order)), members.label))
    label = members.label[ranked]
    starts = np.flatnonzero(np.concatenate((np.ones(1, bool), label[1:] != label[:-1]))) if len(label) else _none()
    sizes = np.diff(np.append(starts, len(label)))
    first = np.repeat(starts, sizes)
    by_id = np.lexsort((low, high, members.label))
    partner, closest = _partners(members.signed, ranked, first, LOOK_BACK)
    back = np.empty(len(label), np.int64)
    back[ranked] = np.arange(len(label))
    place = back  # a member's place in the ranking
    kept = ranked[first][back]
    return Clusters(
        kept=kept,
        lowest=by_id[first][back],
        size=np.repeat(sizes, sizes)[back],
        similarity=_same_content(members, kept, similarity(members.signed, np.arange(len(label)), kept)),
        partner=partner[back],
        partner_similarity=_same_content(members, partner[back], closest[back]),
        same_text=_seen_before(members.label, members.content, place, np.ones(len(label), bool)),
        same_url=_seen_before(
            members.label, np.column_stack((members.url, members.url)), place, members.url != np.uint64(0)
        ),
    )


def _none() -> Ints:
    return np.empty(0, np.int64)


def _same_content(members: Members, other: Ints, estimated: Floats) -> Floats:
    equal = (members.content == members.content[other]).all(axis=1)
    return np.where(equal, np.float32(1), estimated)


def _seen_before(label: U64, value: U64, place: Ints, known: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Whether a member of the same cluster that ranks before has the same (known) value."""
    order = np.lexsort((place, value[:, 1], value[:, 0], label))
    again = np.zeros(len(label), bool)
    same = (label[order][1:] == label[order][:-1]) & (value[order][1:] == value[order][:-1]).all(axis=1)
    again[order[1:]] = same
    return again & known


def similarity(signed: npt.NDArray[np.uint32], left: Ints, right: Ints) -> Floats:
    """Estimated Jaccard of rows `left` and `right`: the share of equal positions; NaN without signatures."""
    if not signed.shape[1]:
        return np.full(len(left), np.nan, np.float32)
    result: Floats = _equal_share(signed, left.astype(np.int64), right.astype(np.int64))
    return result


@kernel
def _equal_share(signed, left, right):  # type: ignore[no-untyped-def]
    out = np.empty(len(left), np.float32)
    width = signed.shape[1]
    for i in range(len(left)):
        equal = np.int32(0)
        for k in range(width):
            equal += np.int32(signed[left[i], k] == signed[right[i], k])
        out[i] = np.float32(equal) / np.float32(width)
    return out


@kernel
def _partners(signed, ranked, first, look_back):  # type: ignore[no-untyped-def]
    """For each place of the ranking, the row most like it among the cluster's first ones before it."""
    partner = np.empty(len(ranked), np.int64)
    closest = np.ones(len(ranked), np.float32)
    width = signed.shape[1]
    for i in range(len(ranked)):
        partner[i] = ranked[first[i]]
        best = np.int32(-1)
        for j in range(first[i], min(i, first[i] + look_back)):
            equal = np.int32(0)
            for k in range(width):
                equal += np.int32(signed[ranked[i], k] == signed[ranked[j], k])
            if equal > best:
                best, partner[i] = equal, ranked[j]
        if best >= 0:
            closest[i] = np.float32(best) / np.float32(width) if width else np.float32(np.nan)
    return partner, closest
