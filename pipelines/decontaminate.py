"""Job: evaluation items found in the documents that stay, and what that means for them, into `contamination/`.

Two passes over parts. The first reads every text and writes what it found to `found/`: windows of items with their
places. Then the windows that more documents have than a mode allows are counted, over the items' windows only, so the
count is bounded by the evaluation sets. The second reads only texts with findings and writes rows of CUTS. Documents
that a rule drops, or that repeat another, are not looked at: copies of one page must not make its windows common.
Traded away: each worker process reads and indexes the evaluation sets for itself, a second for 10,000 items.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from apache_beam.options.pipeline_options import PipelineOptions

from dedup.decontam.cuts import merged
from dedup.decontam.index import Hits
from dedup.decontam.items import Items, load_items
from dedup.decontam.judge import Row, judge
from dedup.decontam.needles import Needles, needles
from filters.annotate import final_text
from filters.rules import columns_read
from filters.segment import Ints
from pipelines.code import made_by
from pipelines.mapping import map_parts
from pipelines.parts import fingerprint, part_path, read_counts, read_mark, read_part, read_table, write_part
from pipelines.rank import ranks_mark, with_ranks
from pipelines.schemas import CUTS
from pipelines.sign import passing
from recipes.decontaminate import Decontaminate, Ngrams
from recipes.model import Recipe

FOUND = pa.schema(
    [
        pa.field("row", pa.int64(), nullable=False),  # of documents/
        pa.field("mode", pa.int16(), nullable=False),  # its place in the recipe
        pa.field("gram", pa.int64(), nullable=False),
        pa.field("start", pa.int64(), nullable=False),  # bytes into the text after the recipe's edits
        pa.field("end", pa.int64(), nullable=False),
    ]
)
COMMON = pa.schema([pa.field("mode", pa.int16(), nullable=False), pa.field("gram", pa.int64(), nullable=False)])
# contamination/items.parquet: how many items each set has, and how many of them each mode could look for.
ITEMS = pa.schema(
    [
        pa.field("set", pa.string(), nullable=False),
        pa.field("mode", pa.string(), nullable=False),
        pa.field("items", pa.int64(), nullable=False),
        pa.field("looked_for", pa.int64(), nullable=False),
    ]
)


class Sought(NamedTuple):
    """The items of a recipe and what each of its modes looks for."""

    items: Items
    modes: list[Needles]


_sought: dict[str, Sought] = {}


def sought(decontaminate: Decontaminate) -> Sought:
    """Items and indexes, read once a process for as long as the files are the same."""
    files = [Path(one.file) for one in decontaminate.sets]
    stamps = [(p.stat().st_size, p.stat().st_mtime_ns) if p.is_file() else None for p in files]
    key = fingerprint(decontaminate.model_dump(), stamps)
    if key not in _sought:
        items = load_items(decontaminate.sets)
        _sought.clear()
        _sought[key] = Sought(items, [needles(mode, items) for mode in decontaminate.modes])
    return _sought[key]


def decontaminate(run: str, indices: Sequence[int], recipe: Recipe, options: PipelineOptions) -> dict[str, int]:
    """Write contamination/ for the whole run; returns documents looked at, dropped and cut, and bytes cut out."""
    assert recipe.decontaminate is not None
    what = sought(recipe.decontaminate)  # a set that cannot be read is told here, not by a worker
    looked = map_parts(run, "find", indices, find_part, options, recipe=recipe)
    _count_common(run, indices, what.modes)
    _write_items(run, what)
    counts = map_parts(run, "decontaminate", indices, contamination_part, options, recipe=recipe)
    return {**counts, **looked}


def find_part(index: int, run: str, recipe: Recipe) -> dict[str, int]:
    """Make one part of found/, unless it is there already."""
    assert recipe.decontaminate is not None
    what = sought(recipe.decontaminate)
    marks = [read_mark(part_path(run, name, index)) for name in ("documents", "signals", "duplicates")]
    steps = [step.model_dump() for step in recipe.steps]
    modes = [mode.model_dump() for mode in recipe.decontaminate.modes]
    mark = fingerprint("find", made_by(), marks, ranks_mark(run, index, recipe), steps, modes, what.items.digest)
    path = part_path(run, "found", index)
    done = read_counts(path, mark)
    if done is not None:
        return done
    counts = {"looked_at": 0}

    def batches() -> Iterator[pa.RecordBatch]:
        for rows, text, _ in _texts(run, index, recipe, _staying(run, index, recipe)):
            counts["looked_at"] += len(rows)
            for number, one in enumerate(what.modes):
                hits = one.find(text)
                mode = np.full(len(hits.doc), number, np.int16)
                columns = [rows[hits.doc], mode, hits.gram, hits.start, hits.stop]
                yield pa.RecordBatch.from_arrays(list(map(pa.array, columns)), schema=FOUND)

    write_part(path, batches(), FOUND, mark, counts)
    return counts


def _staying(run: str, index: int, recipe: Recipe) -> npt.NDArray[np.bool_]:
    """Of each row of documents/, whether it passes the rules and repeats no other."""
    signals = with_ranks(run, index, read_table(part_path(run, "signals", index), columns_read(recipe)), recipe)
    duplicates = read_table(part_path(run, "duplicates", index), ["doc_id", "method"])
    repeats = duplicates.filter(pc.not_equal(duplicates["method"], "kept"))["doc_id"]
    stays = np.zeros(signals.num_rows, np.bool_)
    for batch in signals.combine_chunks().to_batches():
        stays[passing(batch, recipe).to_numpy()] = True
    return stays & ~np.asarray(pc.is_in(signals["doc_id"], value_set=repeats.combine_chunks()), np.bool_)


def _texts(
    run: str, index: int, recipe: Recipe, wanted: npt.NDArray[np.bool_]
) -> Iterator[tuple[Ints, pa.LargeStringArray, pa.StringArray]]:
    """(rows of documents/, final texts, doc_ids) of the wanted rows, batch by batch."""
    langs = read_table(part_path(run, "signals", index), ["lang"])["lang"].combine_chunks()
    start = 0
    for batch in read_part(part_path(run, "documents", index), ["doc_id", "text"]):
        rows = np.flatnonzero(wanted[start : start + batch.num_rows])
        if len(rows):
            chosen = batch.take(pa.array(rows))
            lang = langs.take(pa.array(rows + start))
            yield rows + start, final_text(chosen["text"], lang, recipe), chosen["doc_id"]
        start += batch.num_rows


def _count_common(run: str, indices: Sequence[int], modes: Sequence[Needles]) -> None:
    """Write found/common.parquet: windows that more documents of the run have than their mode allows."""
    mark = fingerprint("common", [read_mark(part_path(run, "found", i)) for i in indices])
    path = f"{run}/found/common.parquet"
    if read_counts(path, mark) is not None:
        return
    bounds = {n: one.mode.common for n, one in enumerate(modes) if isinstance(one.mode, Ngrams) and one.mode.common}
    documents = {n: np.zeros(modes[n].grams, np.int64) for n in bounds}
    for index in indices:
        table = read_table(part_path(run, "found", index), ["row", "mode", "gram"])
        for n, counts in documents.items():
            mine = table.filter(pc.equal(table["mode"], n)).group_by(["row", "gram"]).aggregate([])
            counts += np.bincount(mine["gram"].to_numpy(), minlength=len(counts))
    rows = [(n, g) for n, counts in documents.items() for g in np.flatnonzero(counts > bounds[n]).tolist()]
    table = pa.table([pa.array([row[k] for row in rows], COMMON.field(k).type) for k in (0, 1)], schema=COMMON)
    write_part(path, table.to_batches(), COMMON, mark, {"windows": len(rows)})


def _write_items(run: str, what: Sought) -> None:
    """Write contamination/items.parquet, by which a report tells what could not be looked for."""
    sets = np.array(what.items.sets)
    rows = [
        {"set": name, "mode": one.mode.id, "items": int((sets == name).sum()),
         "looked_for": int((one.sizes[sets == name] > 0).sum())}
        for name in dict.fromkeys(what.items.sets) for one in what.modes
    ]  # fmt: skip
    table = pa.Table.from_pylist(rows, schema=ITEMS)
    write_part(f"{run}/contamination/items.parquet", table.to_batches(), ITEMS, fingerprint(rows), {})


def contamination_part(index: int, run: str, recipe: Recipe) -> dict[str, int]:
    """Make one part of contamination/, unless it is there already."""
    assert recipe.decontaminate is not None
    common = read_table(f"{run}/found/common.parquet")
    found_path = part_path(run, "found", index)
    mark = fingerprint("decontaminate", made_by(), read_mark(found_path), sorted(map(str, common.to_pylist())))
    path = part_path(run, "contamination", index)
    done = read_counts(path, mark)
    if done is not None:
        return done
    counts: Counter[str] = Counter(rows=0, dropped=0, cut=0, bytes_cut=0)
    what = sought(recipe.decontaminate)
    hits = _without_common(read_table(found_path), common, what.modes)

    def batches() -> Iterator[pa.RecordBatch]:
        wanted = np.zeros(_rows(run, index), np.bool_)
        wanted[np.concatenate([of["row"] for of in hits])] = True
        for rows, text, ids in _texts(run, index, recipe, wanted):
            judged = [
                (doc, judge(one.as_py(), what.modes, [_hits(of, row) for of in hits]))
                for row, one, doc in zip(rows.tolist(), text, ids.to_pylist(), strict=True)
            ]
            for _, of in judged:
                counts.update(_tally(of), rows=len(of))
            yield _batch(judged, what.items)

    write_part(path, batches(), CUTS, mark, counts)
    return dict(counts)


def _rows(run: str, index: int) -> int:
    return int(read_table(part_path(run, "signals", index), ["doc_id"]).num_rows)


def _without_common(found: pa.Table, common: pa.Table, modes: Sequence[Needles]) -> list[dict[str, Ints]]:
    """Findings of each mode, sorted by row, as columns; windows that are too common are left out."""
    out = []
    for number in range(len(modes)):
        mine = found.filter(pc.equal(found["mode"], number))
        too_common = common.filter(pc.equal(common["mode"], number))["gram"].to_numpy()
        columns = {name: mine[name].to_numpy() for name in ("row", "gram", "start", "end")}
        good = ~np.isin(columns["gram"], too_common)
        out.append({name: values[good] for name, values in columns.items()})
    return out


def _hits(of: dict[str, Ints], row: int) -> Hits:
    """What one mode found in one document."""
    low, high = np.searchsorted(of["row"], [row, row + 1])
    return Hits(of["row"][low:high], of["gram"][low:high], of["start"][low:high], of["end"][low:high])


def _tally(rows: Sequence[Row]) -> dict[str, int]:
    """What one document's rows count for."""
    if not rows:
        return {}
    fate = next((row.method for row in rows if row.fate), None)
    if fate:
        return {"dropped": 1, f"dropped.{fate}": 1}
    spans = merged(np.array([(row.start, row.end) for row in rows], np.int64))
    return {"cut": 1, "bytes_cut": int((spans[:, 1] - spans[:, 0]).sum())}


def _batch(judged: Sequence[tuple[str, Sequence[Row]]], items: Items) -> pa.RecordBatch:
    rows = [(doc, row) for doc, of in judged for row in of]
    columns = [
        [doc for doc, _ in rows],
        [row.start for _, row in rows],
        [row.end for _, row in rows],
        [row.method for _, row in rows],
        [items.names[row.item] if row.item >= 0 else None for _, row in rows],
        [row.fate for _, row in rows],
        [row.value for _, row in rows],
        [row.threshold for _, row in rows],
    ]
    return pa.RecordBatch.from_arrays(
        [pa.array(column, kind.type) for column, kind in zip(columns, CUTS, strict=True)], schema=CUTS
    )
