"""A batch of texts to its rows of CUTS, by the recipe's unit; and what later jobs read of cuts/ and contamination/.

A document that was cut is looked at again: with nothing left, or less than the recipe asks, it gets a row with a fate.
"""

from __future__ import annotations

from collections import Counter

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from dedup.spans.cuts import LINES, SENTENCES, TOKENS, Spans, cut_atoms, cut_by_share, repeated_within, spans, without
from dedup.spans.units import Hashes, Truths, Units, lines, sentence_spans, token_spans
from filters.segment import Ints, TextView
from filters.signals import measure
from pipelines.parts import part_path, read_mark, read_table
from pipelines.schemas import CUT_SETS, CUTS
from pipelines.span_exchange import id_halves, id_texts
from recipes.dedup import Bloom, Lines, Substring
from recipes.model import Recipe

METHODS = {"line": "lines", "paragraph": "paragraphs", "span3": "span3"}


class Finder:
    """A recipe's unit below the document: how it is found, and what of it goes."""

    def __init__(self, recipe: Recipe) -> None:
        if recipe.dedup.part is None:
            raise ValueError(f"Recipe {recipe.name} names no unit below the document.")
        self.name, self.unit = recipe.dedup.part

    @property
    def method(self) -> str:
        """The name in the column `method`."""
        return METHODS[self.unit.unit] if isinstance(self.unit, Lines) else self.name

    @property
    def every(self) -> bool:
        """Whether the part that has a unit first must know that others have it too."""
        return not isinstance(self.unit, Bloom) and (self.unit.keep == "none" or isinstance(self.unit, Substring))

    def units(self, text: pa.LargeStringArray) -> Units:
        """The units of a batch of texts."""
        unit = self.unit
        if isinstance(unit, Substring):
            return token_spans(text, unit.min_tokens)
        if isinstance(unit, Bloom):
            return (
                token_spans(text, unit.ngram, unit.min_ngram or unit.ngram)
                if unit.ngram
                else lines(text, "line", "none")
            )
        return sentence_spans(text, unit.normalise) if unit.unit == "span3" else lines(text, unit.unit, unit.normalise)

    def spans(
        self, text: pa.LargeStringArray, units: Units, own: Owned, found: Truths, owner: tuple[Hashes, Hashes]
    ) -> tuple[Spans, npt.NDArray[np.float64]]:
        """(what goes, share of each text's n-grams that stand before it, for BFF). `found` units are of several
        documents and `owner` is who has a unit first, by unit; `own` is the text's own id.
        """
        again, more = repeated_within(units, by_line=isinstance(self.unit, Bloom) and self.unit.ngram > 0)
        theirs = found & ((owner[0] != own[0]) | (owner[1] != own[1]))
        gone = units.valid & (theirs | again)
        nothing = np.zeros(len(text))
        unit = self.unit
        if isinstance(unit, Bloom) and unit.ngram:
            by, share = cut_by_share(units, gone, unit.threshold)
            whole = lines(text, "line", "none")
            taken = np.full(len(whole.starts), -1)
            taken[units.group[by >= 0]] = by[by >= 0]
            return spans(text, whole, taken, owner, LINES), share
        if not isinstance(unit, Bloom) and unit.keep == "none":
            gone = units.valid & (found | again)
            return spans(text, units, cut_atoms(units, gone), owner, self._kind), nothing
        spared = units.valid & ~gone & (found | more) if isinstance(unit, Substring) else None
        return spans(text, units, cut_atoms(units, gone, spared), owner, self._kind), nothing

    @property
    def _kind(self) -> int:
        if isinstance(self.unit, Substring):
            return TOKENS
        return SENTENCES if isinstance(self.unit, Lines) and self.unit.unit == "span3" else LINES

    def gone(
        self, left: pa.LargeStringArray, lang: pa.StringArray, share: npt.NDArray[np.float64]
    ) -> list[tuple[str, str] | None]:
        """For each text that was cut, value and threshold by which it goes, None if it stays."""
        unit = self.unit
        words, sentences = getattr(unit, "min_words", 0), getattr(unit, "min_sentences", 0)
        wanted = {"word_count": words, "sentence_count": sentences}
        measured = measure(TextView(left, lang), [name for name, least in wanted.items() if least])
        nothing = [0] * len(left)  # of what the recipe does not ask for
        counts = zip(
            *(measured[n].to_pylist() if least else nothing for n, least in wanted.items()), share, strict=True
        )
        empty = pc.equal(pc.utf8_trim_whitespace(left), "").to_pylist()
        told: list[tuple[str, str] | None] = []
        for blank, (w, s, seen) in zip(empty, counts, strict=True):
            if isinstance(unit, Substring) and unit.action == "drop":
                told.append(("repeated", f"no {unit.min_tokens} tokens of another"))
            elif isinstance(unit, Bloom) and unit.mode == "both" and seen > unit.threshold:
                told.append((f"{seen:.4f} seen", f"<= {unit.threshold:g} seen"))
            elif blank:
                told.append(("nothing left", "> nothing left"))
            elif s < sentences:
                told.append((f"{s} sentences left", f">= {sentences} sentences left"))
            else:
                told.append((f"{w} words left", f">= {words} words left") if w < words else None)
        return told


Owned = tuple[Hashes, Hashes]


def rows_of(
    finder: Finder, doc_ids: pa.StringArray, text: pa.LargeStringArray, lang: pa.StringArray,
    owned: tuple[Hashes, Hashes, Hashes], counts: Counter[str],
) -> pa.RecordBatch:  # fmt: skip
    """Rows of CUTS for a batch of documents that take part; `owned` as `span_exchange.owners` gives it."""
    units = finder.units(text)
    doc = np.repeat(np.arange(len(text)), np.diff(units.first))
    high, low = (half[doc] for half in id_halves(doc_ids))
    owner, found = (high.copy(), low.copy()), np.zeros(len(doc), np.bool_)
    known = owned[0]
    if len(known):
        at = np.minimum(np.searchsorted(known, units.hashes), len(known) - 1)
        found = units.valid & (known[at] == units.hashes)
        for mine, theirs in zip(owner, owned[1:], strict=True):
            mine[found] = theirs[at[found]]
    cuts, share = finder.spans(text, units, (high, low), found, owner)
    touched = np.union1d(cuts.text, np.flatnonzero(_over(finder, share)))
    fates = _fates(finder, text, lang, cuts, share, touched)
    counts["spans"] += len(cuts)
    counts["bytes"] += int((cuts.end - cuts.start).sum())
    counts["documents"] += len(np.unique(cuts.text))
    counts["dropped"] += len(fates)
    return _batch(finder, doc_ids, text, cuts, owner, fates)


def _over(finder: Finder, share: npt.NDArray[np.float64]) -> Truths:
    """Texts that go for the share of their n-grams, whether a line of theirs is cut or not."""
    unit = finder.unit
    both = isinstance(unit, Bloom) and unit.mode == "both"
    return share > unit.threshold if both and isinstance(unit, Bloom) else np.zeros(len(share), np.bool_)


def _fates(
    finder: Finder, text: pa.LargeStringArray, lang: pa.StringArray, cuts: Spans,
    share: npt.NDArray[np.float64], touched: Ints,
) -> dict[int, tuple[str, str]]:  # fmt: skip
    """Value and threshold of the texts that go, by text."""
    if not len(touched):
        return {}
    left = without(text, cuts.text, cuts.start, cuts.end).take(pa.array(touched))
    told = finder.gone(left, lang.take(pa.array(touched)), share[touched])
    return {int(t): why for t, why in zip(touched, told, strict=True) if why is not None}


def _batch(
    finder: Finder, doc_ids: pa.StringArray, text: pa.LargeStringArray, cuts: Spans, owner: Owned,
    fates: dict[int, tuple[str, str]],
) -> pa.RecordBatch:  # fmt: skip
    """Spans and fates as rows of CUTS, ordered by document; a fate's row is a document's last and spans it whole."""
    gone = sorted(fates)
    texts = np.concatenate((cuts.text, np.array(gone, np.int64)))
    size = pc.binary_length(text).to_numpy()[gone]
    start = np.concatenate((cuts.start, np.zeros(len(gone), np.int64)))
    end = np.concatenate((cuts.end, size)).astype(np.int64)
    other = id_texts(owner[0][cuts.unit], owner[1][cuts.unit])
    blank = pa.nulls(len(cuts), pa.string())
    why = [pa.array([fates[t][i] for t in gone], pa.string()) for i in (0, 1)]
    columns = [
        doc_ids.take(pa.array(texts)), pa.array(start), pa.array(end), pa.array([finder.method] * len(texts)),
        pa.concat_arrays([other, pa.nulls(len(gone), pa.string())]),
        pa.concat_arrays([blank, pa.array([f"duplicate:{finder.name}"] * len(gone), pa.string())]),
        *(pa.concat_arrays([blank, reason]) for reason in why),
    ]  # fmt: skip
    batch = pa.RecordBatch.from_arrays(columns, schema=CUTS)
    return batch.take(pa.array(np.argsort(texts, kind="stable")))


def cut_marks(run: str, index: int) -> list[str]:
    """Marks of a part's cuts/ and contamination/, "" for what is not there."""
    return [read_mark(part_path(run, name, index)) for name in CUT_SETS]


def read_cuts(run: str, index: int) -> pa.Table:
    """A part's rows of cuts/ and then of contamination/, as far as they are there."""
    paths = [part_path(run, name, index) for name in CUT_SETS]
    return pa.concat_tables([CUTS.empty_table(), *(read_table(p).cast(CUTS) for p in paths if read_mark(p))])


def cut_texts(doc_ids: pa.StringArray, text: pa.LargeStringArray, cuts: pa.Table) -> pa.LargeStringArray:
    """`text` without the spans that `cuts` names by doc_id; rows with a fate are no spans."""
    cuts = cuts.filter(pc.is_null(cuts["fate"]))
    places = pc.index_in(cuts["doc_id"], value_set=doc_ids).combine_chunks()
    mine = cuts.filter(pc.is_valid(places))
    if not mine.num_rows:
        return text
    texts = places.drop_null().to_numpy().astype(np.int64)
    start, end = (mine[name].to_numpy() for name in ("start", "end"))
    by = np.lexsort((end, start, texts))
    return without(text, texts[by], start[by], end[by])
