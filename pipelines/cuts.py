"""Job: what of a document stands elsewhere first, as spans to cut; documents of which too little is left, with a fate.

It runs between dedup and decide, for recipes that name a unit below the document (lines, bloom, substring). Only
documents that pass the rules and are no duplicates take part. Each part gives the hashes of its units, ranges of
hashes are met (`pipelines.span_exchange`), and each part writes its rows of CUTS: one Beam pipeline, with a count
between its steps, since workers take seconds to start. Traded away: units are found twice, so that they need not be
stored; and a copy that stays belongs to a document which may itself lose too much and be dropped.
"""

from __future__ import annotations

import hashlib
import itertools
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import apache_beam as beam
import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from apache_beam.io.filesystems import FileSystems
from apache_beam.options.pipeline_options import PipelineOptions

from dedup.spans.units import Hashes, Truths
from dedup.urls import normalised
from filters.annotate import final_text
from filters.rules import columns_read, first_failing
from pipelines.code import made_by
from pipelines.cut_rows import Finder, rows_of
from pipelines.mapping import read_counts_file, sum_counts, write_counts
from pipelines.parts import fingerprint, make_dirs, part_path, read_counts, read_mark, read_part, read_table, write_part
from pipelines.rank import ranks_mark, with_ranks
from pipelines.schemas import CUTS
from pipelines.span_exchange import GIVEN, given_rows, id_halves, meet, owners, ranges
from recipes.model import Recipe

BATCH_ROWS, BATCH_BYTES = 1024, 8_000_000
NO_ADDRESS = 0xFFFFFFFFFFFFFFFF  # a page without one comes last


def cut(run: str, indices: Sequence[int], recipe: Recipe, options: PipelineOptions) -> dict[str, int]:
    """Write cuts/ for all parts, if the recipe has a unit below the document; returns spans, their bytes, the
    documents that were cut, and those dropped.
    """
    if recipe.dedup.part is None or not indices:
        return {}
    mark = fingerprint("cuts", made_by(), [_inputs(run, i, recipe) for i in indices], _asked(recipe))
    done = [read_counts(part_path(run, "cuts", i), mark) for i in indices]
    if all(counts is not None for counts in done):
        return sum_counts(done)
    folder, report = f"{run}/spans", f"{run}/log/counts-cuts.json"
    make_dirs(f"{run}/log")
    told: dict[str, Any] = {"run": run, "folder": folder, "indices": list(indices), "recipe": recipe}
    with beam.Pipeline(options=options) as pipeline:
        _ = (
            pipeline
            | "References" >> beam.Create(list(indices))
            | "Spread" >> beam.Reshuffle()
            | "Give" >> beam.Map(give_part, run=run, folder=folder, recipe=recipe)
            | "All given" >> beam.CombineGlobally(sum)
            | "Ranges" >> beam.FlatMap(ranges_of)
            | "Spread ranges" >> beam.Reshuffle()
            | "Meet" >> beam.Map(meet_range, mark=mark, **told)
            | "All met" >> beam.CombineGlobally(sum)
            | "Parts" >> beam.FlatMap(parts_of, indices=list(indices))
            | "Spread parts" >> beam.Reshuffle()
            | "Cut" >> beam.Map(cut_part, mark=mark, **told)
            | "Sum" >> beam.CombineGlobally(sum_counts)
            | "Report" >> beam.Map(write_counts, path=report)
        )
    FileSystems.delete([folder])
    return read_counts_file(report)


def ranges_of(rows: int) -> list[tuple[int, int]]:
    """(number, how many there are) of each range that so many rows are met in."""
    count = ranges(rows)
    return [(index, count) for index in range(count)]


def parts_of(count: int, indices: Sequence[int]) -> list[tuple[int, int]]:
    """(part, how many ranges were met) of each part."""
    return [(index, count) for index in indices]


def _inputs(run: str, index: int, recipe: Recipe) -> list[str]:
    """Marks of all that a part is read from."""
    marks = [read_mark(part_path(run, name, index)) for name in ("documents", "signals", "duplicates")]
    return [*marks, ranks_mark(run, index, recipe)]


def _asked(recipe: Recipe) -> object:
    """What of the recipe decides the cuts."""
    return [[step.model_dump() for step in recipe.steps], recipe.dedup.model_dump(exclude={"sources", "keep"})]


def _given_path(folder: str, index: int) -> str:
    return f"{folder}/given/part-{index:05d}.parquet"


def _met_path(folder: str, index: int) -> str:
    return f"{folder}/met/range-{index:06d}.parquet"


def give_part(index: int, run: str, folder: str, recipe: Recipe) -> int:
    """Write one part's rows of GIVEN, unless they are there; returns how many."""
    mark = fingerprint("given", made_by(), _inputs(run, index, recipe), _asked(recipe))
    path = _given_path(folder, index)
    done = read_counts(path, mark)
    if done is not None:
        return done["rows"]
    finder = Finder(recipe)
    hashes, docs, orders, ids = [np.empty(0, np.uint64)], [np.empty(0, np.uint32)], [np.empty(0, np.uint64)], []
    count = 0
    for documents, lang in _taking_part(run, index, recipe):
        units = finder.units(final_text(documents["text"], lang, recipe))
        hashes.append(units.hashes[units.valid])
        numbers = np.arange(count, count + len(lang), dtype=np.uint32)
        docs.append(np.repeat(numbers, np.diff(units.first))[units.valid])
        orders.append(_order(documents, recipe))
        ids.append(documents["doc_id"])
        count += len(lang)
    high, low = id_halves(pa.chunked_array(ids, pa.string()).combine_chunks())
    batch = given_rows(np.concatenate(hashes), np.concatenate(docs), np.concatenate(orders), high, low)
    return write_part(path, [batch], GIVEN, mark, {"rows": batch.num_rows})


def _order(documents: pa.RecordBatch, recipe: Recipe) -> Hashes:
    """What comes before the doc_id when copies are compared: nothing, or the first half of the address's MD5 as in
    C4's code (Top.PerKey by _hash_text), of the address as C4 levels it.
    """
    lines = recipe.dedup.lines
    if lines is None or lines.first == "doc_id":
        return np.zeros(documents.num_rows, np.uint64)
    urls = normalised(documents["url"], "c4").to_pylist()
    halves = (NO_ADDRESS if url is None else int(hashlib.md5(url.encode()).hexdigest()[:16], 16) for url in urls)
    return np.fromiter(halves, np.uint64, len(urls))


def meet_range(
    ranged: tuple[int, int], run: str, folder: str, indices: Sequence[int], recipe: Recipe, mark: str
) -> int:  # fmt: skip
    """Answer one of so many ranges of hashes, unless it is answered; returns 1."""
    index, count = ranged
    mark = fingerprint("met", mark, count)
    path = _met_path(folder, index)
    if read_counts(path, mark) is None:
        meet(index, count, [_given_path(folder, i) for i in indices], Finder(recipe).every, path, mark)
    return 1


def cut_part(
    counted: tuple[int, int], run: str, folder: str, indices: Sequence[int], recipe: Recipe, mark: str
) -> Mapping[str, int]:  # fmt: skip
    """Write one part of cuts/, unless it is there."""
    index, count = counted
    path = part_path(run, "cuts", index)
    done = read_counts(path, mark)
    if done is not None:
        return done
    answered = [_met_path(folder, i) for i in range(count)]
    owned = owners(list(indices).index(index), _given_path(folder, index), answered)
    counts: Counter[str] = Counter(spans=0, bytes=0, documents=0, dropped=0)

    def batches() -> Iterator[pa.RecordBatch]:
        finder = Finder(recipe)
        for documents, lang in _taking_part(run, index, recipe):
            text = final_text(documents["text"], lang, recipe)
            yield rows_of(finder, documents["doc_id"], text, lang, owned, counts)

    write_part(path, batches(), CUTS, mark, counts)
    return dict(counts)


def _taking_part(run: str, index: int, recipe: Recipe) -> Iterator[tuple[pa.RecordBatch, pa.StringArray]]:
    """Documents of a part that pass the rules and are no duplicates, with their languages, batch by batch."""
    table = with_ranks(run, index, read_table(part_path(run, "signals", index), columns_read(recipe)), recipe)
    passing = _passing(table, read_table(part_path(run, "duplicates", index), ["doc_id", "method"]), recipe)
    lang, start = table["lang"].combine_chunks(), 0
    for documents in read_part(part_path(run, "documents", index), ["doc_id", "url", "text"], BATCH_ROWS):
        mask = pa.array(passing[start : start + documents.num_rows])
        mine = lang.slice(start, documents.num_rows)
        start += documents.num_rows
        kept, langs = documents.filter(mask), mine.filter(mask)
        for piece in _pieces(kept["text"]):
            yield kept.slice(piece.start, len(piece)), langs.slice(piece.start, len(piece))


def _pieces(text: pa.LargeStringArray) -> Iterator[range]:
    """Rows in runs of about BATCH_BYTES of text: units take many times the memory of their text."""
    whole = np.cumsum(pc.binary_length(text).to_numpy())
    edges = np.flatnonzero(np.diff(whole // BATCH_BYTES)) + 1
    for start, stop in itertools.pairwise([0, *edges.tolist(), len(text)]):
        if start < stop:
            yield range(start, stop)


def _passing(signals: pa.Table, duplicates: pa.Table, recipe: Recipe) -> Truths:
    """Which documents no rule drops and no better copy replaces, in the order of signals/."""
    numbered = signals.append_column("row_number", pa.array(range(signals.num_rows), pa.int64()))
    query = f"""SELECT row_number FROM numbered ANTI JOIN
                (SELECT doc_id FROM duplicates WHERE method <> 'kept') USING (doc_id)
                WHERE ({first_failing(recipe)}) IS NULL"""
    with duckdb.connect(config={"threads": 1}) as connection:
        connection.register("numbered", numbered)
        connection.register("duplicates", duplicates)
        rows = connection.sql(query).to_arrow_table()["row_number"].to_numpy()
    found = np.zeros(signals.num_rows, np.bool_)
    found[rows] = True
    return found
