"""Items and a mode to what is looked for: an index of windows or of lines, and which items are too short for it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import xxhash

from dedup.decontam.index import Hits, Index, build, scan
from dedup.decontam.items import Items
from dedup.decontam.lines import lines
from dedup.decontam.units import Hashes, Units, units
from filters.segment import Ints
from recipes.decontaminate import AnyMode, Ngrams, Overlap, Paragraphs, Substrings

CJK = 0.5  # an item with at least this share of characters that are units by themselves has windows of n_cjk


@dataclass(frozen=True)
class Needles:
    """What one mode looks for. `owners[first[g]:first[g+1]]` are the items that have gram g; `sizes` is the number of
    different grams of each item, 0 for one that is too short, `lengths` the units of each item's windows, and
    `size_of_text` its bytes."""

    mode: AnyMode
    index: Index | Hashes  # sorted hashes of lines for Paragraphs
    first: Ints
    owners: Ints
    sizes: Ints
    lengths: Ints
    size_of_text: Ints

    @property
    def grams(self) -> int:
        """How many different windows or lines there are."""
        return len(self.first) - 1

    def find(self, text: pa.LargeStringArray) -> Hits:
        """Every gram in the texts, in their order."""
        if isinstance(self.index, Index):
            return scan(text, self.index)
        found = lines(text, self.mode.normalise == "letters" if isinstance(self.mode, Paragraphs) else False)
        at = np.searchsorted(self.index, found.hashes)
        at[at == len(self.index)] = 0
        good = np.flatnonzero(self.index[at] == found.hashes) if len(self.index) else np.empty(0, np.int64)
        return Hits(found.doc[good], at[good], found.start[good], found.stop[good])


def needles(mode: AnyMode, items: Items) -> Needles:
    """The index of one mode."""
    if isinstance(mode, Paragraphs):
        return _of_lines(mode, items)
    cut = units(items.text, by_letter=isinstance(mode, Substrings))
    at, length, item = _substrings(mode, items, cut) if isinstance(mode, Substrings) else _windows(mode, cut)
    index = build(cut.hashes, at, length, item, isinstance(mode, Substrings))
    lengths = np.zeros(len(items.text), np.int64)
    lengths[item] = length
    return Needles(mode, index, index.first, index.owners, _sizes(index.owners, items), lengths, _bytes(items))


def _bytes(items: Items) -> Ints:
    return np.asarray(pc.binary_length(items.text), np.int64)


def _sizes(owners: Ints, items: Items) -> Ints:
    return np.bincount(owners, minlength=len(items.text)).astype(np.int64)


def _counts(cut: Units) -> tuple[Ints, npt.NDArray[np.bool_]]:
    """Units of each item, and whether it is written without blanks."""
    counts = np.diff(cut.first)
    alone = np.add.reduceat(np.append(cut.alone, False).astype(np.int64), cut.first[:-1]) if len(counts) else counts
    return counts, (counts > 0) & (np.where(counts > 0, alone, 0) >= CJK * counts)


def _windows(mode: Ngrams | Overlap, cut: Units) -> tuple[Ints, Ints, Ints]:
    """Every window of every item: first unit, length, item."""
    counts, cjk = _counts(cut)
    size = np.minimum(counts, np.where(cjk, mode.n_cjk, mode.n))
    number = np.where(counts >= np.where(cjk, mode.shortest_cjk, mode.shortest), counts - size + 1, 0)
    item = np.repeat(np.arange(len(counts)), number)
    within = np.arange(len(item)) - np.repeat(np.cumsum(number) - number, number)
    return cut.first[:-1][item] + within, size[item], item


def _substrings(mode: Substrings, items: Items, cut: Units) -> tuple[Ints, Ints, Ints]:
    """`count` windows of `length` letters at places drawn by the item's name; the whole item if it is shorter."""
    counts, cjk = _counts(cut)
    at, length, item = [], [], []
    for j, (count, name) in enumerate(zip(counts.tolist(), items.names, strict=True)):
        if count < (mode.shortest_cjk if cjk[j] else mode.shortest):
            continue
        size = min(mode.length, count)
        places = {_drawn(name, mode.seed, k, count - size + 1) for k in range(mode.count)}
        at += [int(cut.first[j]) + place for place in sorted(places)]
        length += [size] * len(places)
        item += [j] * len(places)
    return np.array(at, np.int64), np.array(length, np.int64), np.array(item, np.int64)


def _drawn(name: str, seed: int, k: int, below: int) -> int:
    return xxhash.xxh3_64_intdigest(f"{seed}\0{k}\0{name}".encode()) % below


def _of_lines(mode: Paragraphs, items: Items) -> Needles:
    found = lines(items.text, mode.normalise == "letters")
    texts = items.text.take(pa.array(found.doc)) if len(found.doc) else items.text[:0]
    raw = [t.encode()[a:b].decode() for t, a, b in zip(texts.to_pylist(), found.start, found.stop, strict=True)]
    words = np.diff(units(pa.array(raw, pa.large_string())).first)
    good = words >= mode.min_words
    keys, gram = np.unique(found.hashes[good], return_inverse=True)
    pairs = np.unique(np.column_stack([gram.astype(np.int64), found.doc[good]]), axis=0).reshape(-1, 2)
    first = np.searchsorted(pairs[:, 0], np.arange(len(keys) + 1)).astype(np.int64)
    owners = np.ascontiguousarray(pairs[:, 1])
    sizes = _sizes(owners, items)
    return Needles(mode, keys, first, owners, sizes, np.minimum(sizes, 1), _bytes(items))


def too_short(all_needles: list[Needles], items: Items) -> Ints:
    """Items that no mode looks for."""
    sizes = sum(one.sizes for one in all_needles)
    return np.flatnonzero(np.asarray(sizes) == 0) if len(items.text) else np.empty(0, np.int64)


def owners_of(one: Needles, grams: Ints) -> Ints:
    """Items that have any of these grams, lowest first."""
    parts = [one.owners[one.first[g] : one.first[g + 1]] for g in np.unique(grams).tolist()]
    return np.unique(np.concatenate(parts)) if parts else np.empty(0, np.int64)
