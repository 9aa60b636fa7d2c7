"""Finding spans of personal data in a column of texts, without making a string of any of them.

Compiled code names places (`filters.pii.anchors`), a few dozen in a megabyte of prose; rules ask about each
(`filters.pii.search`). Where spans overlap, the kind that was asked for first wins, of one kind the longer span, and
where the loser reaches beyond the winner both are one.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa

from filters.bytewise import buffers
from filters.pii.fold import folded
from filters.pii.kinds import KINDS
from filters.pii.search import NAMES, Found, Search

SPANS = pa.schema(
    [
        pa.field("row", pa.int32(), nullable=False),
        pa.field("start", pa.int64(), nullable=False),
        pa.field("end", pa.int64(), nullable=False),
        pa.field("kind", pa.string(), nullable=False),
        pa.field("country", pa.string()),
    ]
)


def find(text: pa.LargeStringArray, kinds: Sequence[str]) -> pa.RecordBatch:
    """Spans of personal data of these kinds: rows of SPANS, by row and start, none overlapping another.

    The order of `kinds` decides overlaps; that of KINDS puts what has a checksum before what only looks like a number.

    `start` and `end` are bytes of that row's UTF-8 text, on borders of characters; a null has no spans. Time is linear
    in the text. ValueError for a kind that does not exist.
    """
    unknown = [kind for kind in kinds if kind not in KINDS]
    if unknown:
        raise ValueError(f"There is no kind of personal data {unknown[0]!r}. There are: {', '.join(KINDS)}.")
    data, bounds = buffers(text)
    found: list[Found] = []
    short = None
    if kinds and len(text) and bounds[-1] > bounds[0]:
        short = folded(data, bounds)
        plain, edges = short[:2] if short else (data, bounds)
        scan = Search(memoryview(plain), edges, frozenset(kinds))  # type: ignore[arg-type]
        places = {NAMES.index(kind): place for place, kind in enumerate(kinds)}
        found = _apart([*scan.placed(plain), *scan.after_cues()], places)
    numbers = np.array([(s.row, s.start, s.end, s.rank) for s in found], np.int64).reshape(-1, 4)
    start, end = ((short[2].back(numbers[:, k]) if short else numbers[:, k]) for k in (1, 2))
    kind, offsets = pa.array(NAMES).take(pa.array(numbers[:, 3])), bounds[numbers[:, 0]]
    columns = [numbers[:, 0].astype(np.int32), start - offsets, end - offsets]
    arrays = [*map(pa.array, columns), kind, pa.array([span.country for span in found], pa.string())]
    return pa.RecordBatch.from_arrays(arrays, schema=SPANS)


def _apart(found: list[Found], places: Mapping[int, int]) -> list[Found]:
    """Spans that do not overlap: by kind, then length, each takes its place."""
    kept: list[Found] = []
    cluster: list[Found] = []
    row = reach = -1
    for span in sorted(set(found), key=lambda s: (s.row, s.start)):
        if cluster and (span.row != row or span.start >= reach):
            kept += _winners(cluster, places)
            cluster, reach = [], -1
        cluster.append(span)
        row, reach = span.row, max(reach, span.end)
    return kept + _winners(cluster, places)


def _winners(cluster: list[Found], places: Mapping[int, int]) -> list[Found]:
    """Of spans that hang together by overlaps, those that stay, by start.

    Where one that loses reaches beyond those that stay, all become one span of the first kind: what is left of it would
    be found when the text is scrubbed again.
    """
    if len(cluster) < 2:
        return cluster
    kept: list[Found] = []
    ranked = sorted(cluster, key=lambda s: (places[s.rank], s.start - s.end, s.start))
    for span in ranked:
        at = bisect_left(kept, span.end, key=lambda s: s.start)
        if not at or kept[at - 1].end <= span.start:
            kept.insert(at, span)
        elif not (kept[at - 1].start <= span.start and span.end <= kept[at - 1].end):
            first = ranked[0]
            return [first._replace(start=min(s.start for s in cluster), end=max(s.end for s in cluster))]
    return kept
