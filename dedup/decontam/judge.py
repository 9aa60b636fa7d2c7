"""What a document's findings mean under a recipe's modes: rows of spans to cut, or a fate.

Modes are asked in order, and a later one sees what earlier ones have cut. The first that lets the document go gives
the fate, on one row and no more; what other modes found is told all the same, so that reports name every item. A
stretch of text names at most MOST items, and of a document that goes at most MOST_SPANS stretches are told: templated
items that share every word, or a page that is one item again and again, would make rows without end.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from dedup.decontam.cuts import Spans, group_of, merged, pieces, widened
from dedup.decontam.index import Hits
from dedup.decontam.needles import Needles, owners_of
from dedup.decontam.units import units, windows
from filters.compiled import kernel
from filters.segment import Bytes, Ints
from recipes.decontaminate import Overlap

MOST, MOST_SPANS = 16, 64
CANDIDATES = 1024  # items of one document whose stretches are looked at


class Row(NamedTuple):
    """A row of CUTS without its doc_id: bytes of the text, and why. `item` is -1 for a piece that is too short."""

    start: int
    end: int
    method: str
    item: int
    fate: str | None
    value: str | None
    threshold: str | None


@dataclass
class _Document:
    data: Bytes
    cut: Spans = field(default_factory=lambda: np.empty((0, 2), np.int64))
    rows: list[Row] = field(default_factory=list)
    gone: bool = False


def judge(text: str, needles: Sequence[Needles], hits: Sequence[Hits]) -> list[Row]:
    """Rows for one document; `hits` are each mode's in it, without windows that are too common to count."""
    document = _Document(np.frombuffer(text.encode(), np.uint8))
    for one, found in zip(needles, hits, strict=True):
        value, threshold = None, "none"
        if isinstance(one.mode, Overlap):
            found, value = _alike(text, one, found)
            threshold = f"< {one.mode.share:g}"
        if len(found.doc):
            _apply(document, one, found, value, threshold)
    return document.rows


def _apply(document: _Document, one: Needles, found: Hits, value: str | None, threshold: str) -> None:
    spans = np.column_stack([found.start, found.stop])
    mode, drop = one.mode, one.mode.action == "drop"
    cut = merged(spans) if drop else merged(widened(document.data, merged(spans), mode.window))
    value = value or f"{len(np.unique(found.gram))} found"
    if not drop:
        document.cut = merged(np.concatenate([document.cut, cut]))
        left, length = pieces(document.data, document.cut)
        if len(left) > mode.max_pieces:
            drop, value, threshold = True, f"{len(left)} pieces", f"<= {mode.max_pieces} pieces"
        elif not (length >= max(mode.min_piece, 1)).any():
            drop, value, threshold = True, "0 pieces", f">= 1 piece of {mode.min_piece} characters"
    bounds = np.searchsorted(group_of(spans, cut), np.arange(len(cut) + 1))  # hits come in the order of their ends
    for k, (a, b) in enumerate(cut[:MOST_SPANS].tolist() if drop else cut.tolist()):
        mine = slice(bounds[k], bounds[k + 1])
        told = f"bytes {spans[mine, 0].min()}-{spans[mine, 1].max()}"
        for item in owners_of(one, found.gram[mine])[:MOST].tolist():
            fate = f"filtered:{mode.id}" if drop and not document.gone else None
            document.rows.append(Row(a, b, mode.id, item, fate, value if fate else told, threshold if fate else None))
            document.gone |= fate is not None
    if not drop:
        short = left[length < mode.min_piece]
        document.rows += [Row(a, b, mode.id, -1, None, "short piece", None) for a, b in short.tolist()]
        document.cut = merged(np.concatenate([document.cut, short]))


def _alike(text: str, one: Needles, found: Hits) -> tuple[Hits, str | None]:
    """The hits of items that share enough with the document, and the greatest share."""
    mode = one.mode
    assert isinstance(mode, Overlap)
    grams = np.unique(found.gram)
    owned = [one.owners[one.first[g] : one.first[g + 1]] for g in grams.tolist()]
    item, shared = np.unique(np.concatenate([np.empty(0, np.int64), *owned]), return_counts=True)
    share = shared / one.sizes[item]
    likely = share >= mode.share  # neither a stretch nor a Jaccard has more than the whole document has of an item
    item, shared, share = item[likely], shared[likely], share[likely]
    if mode.measure == "jaccard" and len(item):
        cut = units(pa.array([text], pa.large_string())).hashes
        own = {n: len(np.unique(windows(cut, n))) for n in np.unique(one.lengths[item]).tolist()}
        share = shared / (np.array([own[n] for n in one.lengths[item].tolist()]) + one.sizes[item] - shared)
        item, share = item[share >= mode.share], share[share >= mode.share]
    order = np.argsort(-share, kind="stable")[:CANDIDATES]
    best, keep = 0.0, np.zeros(len(found.gram), np.bool_)
    pairs = _pairs(grams, owned, item[order])
    for j in item[order].tolist():
        mine = np.flatnonzero(np.isin(found.gram, pairs[j]))
        width = len(text) * 4 if mode.stretch is None else int(mode.stretch * one.size_of_text[j])
        need = 1 if mode.measure == "jaccard" else int(np.ceil(mode.share * one.sizes[j] - 1e-9))
        local = np.searchsorted(pairs[j], found.gram[mine])
        most, dense = _dense(found.start[mine], found.stop[mine], local, len(pairs[j]), width, need)
        keep[mine[dense]] = True
        best = max(best, most / one.sizes[j] if mode.measure == "containment" else float(share.max()))
    return Hits(*(column[keep] for column in found)), f"{best:.3g}" if keep.any() else None


def _pairs(grams: Ints, owned: Sequence[Ints], items: Ints) -> dict[int, Ints]:
    """The grams found of each of these items, lowest first."""
    item = np.concatenate([np.empty(0, np.int64), *owned])
    gram = np.repeat(grams, [len(owners) for owners in owned])
    good = np.isin(item, items)
    item, gram = item[good], gram[good]
    order = np.lexsort((gram, item))
    cuts = np.flatnonzero(np.diff(item[order])) + 1
    parts = zip(np.split(item[order], cuts), np.split(gram[order], cuts), strict=True)
    return {int(of[0]): mine for of, mine in parts if len(of)}


@kernel
def _dense(start, stop, gram, grams, width, need):  # type: ignore[no-untyped-def]
    """The most different grams in any `width` bytes, and which hits stand where there are at least `need`."""
    keep, counts = np.zeros(len(gram), np.bool_), np.zeros(grams, np.int64)
    low, different, most, marked = 0, 0, 0, 0
    for high in range(len(gram)):
        different += counts[gram[high]] == 0
        counts[gram[high]] += 1
        while stop[high] - start[low] > width and low < high:
            counts[gram[low]] -= 1
            different -= counts[gram[low]] == 0
            low += 1
        most = max(most, different)
        if different >= need:
            keep[max(low, marked) : high + 1] = True
            marked = high + 1
    return most, keep
