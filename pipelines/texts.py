"""Dedup of texts as they are: a folder of Parquet or JSONL in, duplicates/ and kept/ out, nothing measured or edited.

It is the dedup of a run without the run around it. What ranks a document is its source, `text_bytes` and `date`; there
are no signals. kept/ holds the input's rows that stay, with their doc_id, and of Parquet every column (its own doc_id,
if it had one, as input_doc_id).
"""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from apache_beam.options.pipeline_options import PipelineOptions

from dedup.keys import METHODS, keys_of
from pipelines import remember
from pipelines.clustering import dedup_once, plan_work
from pipelines.code import made_by
from pipelines.footer import open_parquet
from pipelines.parts import fingerprint, part_path, read_counts, read_table, write_part
from pipelines.run import drop_strays
from pipelines.signature import order_key, signature_batch, signature_schema, source_rank
from pipelines.sources.part import Part, Record, doc_id
from pipelines.sources.plan import plan
from pipelines.sources.read import read
from pipelines.sources.storage import open_raw, size_of
from pipelines.sources.tables import TEXT
from recipes.dedup import Dedup
from recipes.model import Recipe

KINDS = ("parquet", "jsonl")
RANKED_BY = ("text_bytes", "date")
ROWS = 1024
Rows = tuple[npt.NDArray[np.int64], pa.RecordBatch]


def dedup_texts(
    inputs: Sequence[str], out: str, recipe: Recipe, against: str | None, options: PipelineOptions
) -> dict[str, int]:
    """Deduplicate `inputs` into the folder `out`; returns documents, records without text, kept, and duplicates."""
    dedup = _checked(recipe)
    parts = plan(inputs)
    wrong = [part.path for part in parts if part.kind not in KINDS]
    if wrong:
        raise ValueError(f"{wrong[0]} holds no texts. Give Parquet or JSONL here, and crawls to `winnow run`.")
    drop_strays(out, len(parts))
    if against is None:
        shutil.rmtree(Path(out, "superseded"), ignore_errors=True)
    mark = fingerprint("texts", made_by(), [part.as_dict() for part in parts], dedup.model_dump())
    work = plan_work(
        out, range(len(parts)), [_estimate(part) for part in parts], dedup,
        partial(sign_texts, out=out, parts=parts, dedup=dedup), partial(texts_of, parts=parts), mark, options,
    )  # fmt: skip
    keep = ("Keep", range(len(parts)), partial(keep_texts, out=out, parts=parts, mark=mark))
    total = sum(_estimate(part) for part in parts)
    if against is None:
        counts = dedup_once(work, options, [keep])
    else:
        counts = remember.against(Path(against), work, total, partial(_also, options=options, keep=keep))
    kept = [read_counts(part_path(out, "kept", part.index), mark) or {} for part in parts]
    told = {name: sum(count.get(name, 0) for count in kept) for name in ("documents", "without_text", "kept")} | counts
    if told["documents"] != told["kept"] + sum(told[method] for method in METHODS):
        raise ValueError(f"The counts do not add up: {json.dumps(told)}. Delete {out} and run again.")
    described = {"inputs": list(inputs), "dedup": dedup.model_dump(mode="json"), "against": against, "counts": told}
    Path(out, "dedup.json").write_text(json.dumps(described, indent=1, ensure_ascii=False) + "\n")
    return told


def _also(work: Any, keep: Any, options: PipelineOptions, last: Sequence[Any] = ()) -> dict[str, int]:
    return dedup_once(work, options, [*last, keep])


def _checked(recipe: Recipe) -> Dedup:
    dedup = recipe.dedup
    if not dedup.whole:
        raise ValueError(f"{recipe.name} looks for no duplicates. Choose a recipe whose [dedup] does.")
    unknown = sorted({name.removeprefix("-") for name in dedup.keep} - set(RANKED_BY))
    if unknown:  # signals are not measured here; their place in the ranking is taken by the doc_id
        dedup = dedup.model_copy(update={"keep": tuple(k for k in dedup.keep if k.removeprefix("-") in RANKED_BY)})
    return dedup


def _estimate(part: Part) -> int:
    """Records of a part; where the plan did not count them, about one for 2 kB, packed four times as tight."""
    if part.records >= 0:
        return part.records
    size = part.end - part.start if part.end >= 0 else 4 * size_of(part.path)
    return max(1, size // 2048)


def sign_texts(index: int, out: str, parts: Sequence[Part], dedup: Dedup) -> str:
    """Make one part of signatures/ from its texts, unless it is there already; returns its path."""
    path = part_path(out, "signatures", index)
    mark = fingerprint("sign", made_by(), parts[index].as_dict(), dedup.model_dump())
    if read_counts(path, mark) is None:
        write_part(path, _signed(parts[index], dedup), signature_schema(dedup), mark, {}, random=True)
    return path


def _signed(part: Part, dedup: Dedup) -> Iterator[pa.RecordBatch]:
    start = 0
    for batch in batches(part):
        text = batch["text"]
        if dedup.minhash and dedup.minhash.scope == "language" and batch["lang"].null_count:
            raise ValueError(
                f'{part.path}: [dedup.minhash] scope = "language" needs a column lang in every record. Add it, or '
                'choose scope = "corpus".'
            )
        by = batch.append_column("text_bytes", pc.binary_length(text))
        order = [source_rank(batch["source"], dedup), *(order_key(by, name) for name in dedup.keep)]
        rows = pa.array(np.arange(start, start + batch.num_rows), pa.uint32())
        yield signature_batch(batch["doc_id"], rows, keys_of(text, batch["lang"], batch["url"], dedup), order, dedup)
        start += batch.num_rows


def batches(part: Part) -> Iterator[pa.RecordBatch]:
    """doc_id, source, text, lang, date of the records that have a text, in order."""
    yield from (_described(part, rows, table) for rows, table in _rows_with_text(part))


def _described(part: Part, rows: npt.NDArray[np.int64], table: pa.RecordBatch) -> pa.RecordBatch:
    ids = pa.array([doc_id(part.source, row) for row in rows.tolist()], pa.string())
    nothing = pa.nulls(table.num_rows, pa.string())
    there = set(table.schema.names)
    columns = {n: table[n].cast(pa.string()) if n in there else nothing for n in ("lang", "date", "url")}
    source = pa.array([part.source] * table.num_rows, pa.string())
    text = table[_text_column(table.schema)].cast(pa.large_string())
    return pa.RecordBatch.from_pydict({"doc_id": ids, "source": source, "text": text, **columns})


def _text_column(schema: pa.Schema) -> str:
    return next(name for name in TEXT if name in schema.names)


def _rows_with_text(part: Part, lost: Counter[str] | None = None) -> Iterator[Rows]:
    """(offsets, records) of those records that have a text; of Parquet all columns. `lost` counts the others."""
    lost = Counter() if lost is None else lost
    if part.kind == "jsonl":
        yield from _lines(part, lost)
        return
    with open_raw(part.path) as stream:
        source = open_parquet(stream)
        if not any(name in source.schema_arrow.names for name in TEXT):
            raise ValueError(f"{part.path} has none of the columns {', '.join(TEXT)}.")
        offset = sum(source.metadata.row_group(i).num_rows for i in range(part.start))
        for batch in source.iter_batches(ROWS, row_groups=range(part.start, part.end)):
            some = pc.is_valid(batch[_text_column(batch.schema)])
            rows = np.flatnonzero(some.to_numpy(zero_copy_only=False)) + offset
            lost["without_text"] += batch.num_rows - len(rows)
            yield rows, batch if len(rows) == batch.num_rows else batch.filter(some)
            offset += batch.num_rows


def _lines(part: Part, lost: Counter[str]) -> Iterator[Rows]:
    names = ("url", "title", "author", "date", "lang", "license")
    schema = pa.schema([*((name, pa.string()) for name in names), ("text", pa.large_string())])
    held: list[tuple[int, dict[str, Any]]] = []
    for item in read(part):
        if isinstance(item, Record) and item.text is not None:
            held.append((item.offset, {"url": item.url, "text": item.text, **item.fields}))
        else:
            lost["without_text"] += 1
        if len(held) == ROWS:
            yield np.array([o for o, _ in held]), pa.RecordBatch.from_pylist([r for _, r in held], schema=schema)
            held = []
    if held:
        yield np.array([o for o, _ in held]), pa.RecordBatch.from_pylist([r for _, r in held], schema=schema)


def texts_of(index: int, rows: npt.NDArray[np.uint32], parts: Sequence[Part]) -> pa.LargeStringArray:
    """Texts of rows (sorted) of one part."""
    found, start = [], 0
    for batch in batches(parts[index]):
        low, high = np.searchsorted(rows, (start, start + batch.num_rows))
        found.append(batch["text"].take(pa.array(rows[low:high].astype(np.int64) - start)))
        start += batch.num_rows
    return pa.concat_arrays(found) if found else pa.array([], pa.large_string())


def keep_texts(index: int, out: str, parts: Sequence[Part], mark: str) -> int:
    """Write one part of kept/: the rows that no other row stays for."""
    duplicates = read_table(part_path(out, "duplicates", index), ["doc_id", "method"])
    gone = duplicates.filter(pc.not_equal(duplicates["method"], "kept"))["doc_id"].combine_chunks()
    counts: Counter[str] = Counter(documents=0, kept=0, without_text=0)

    def rows() -> Iterator[pa.RecordBatch]:
        for offsets, batch in _rows_with_text(parts[index], counts):
            ids = pa.array([doc_id(parts[index].source, row) for row in offsets.tolist()], pa.string())
            stays = pc.invert(pc.is_in(ids, gone))
            counts["documents"] += batch.num_rows
            names = ["input_doc_id" if name == "doc_id" else name for name in batch.schema.names]
            with_id = pa.RecordBatch.from_arrays([ids, *batch.columns], ["doc_id", *names])
            yield with_id.filter(stays)
            counts["kept"] += pc.sum(stays).as_py() or 0

    made = rows()
    first = next(made, None)
    schema = first.schema if first is not None else pa.schema([("doc_id", pa.string()), ("text", pa.large_string())])
    write_part(part_path(out, "kept", index), _with(first, made), schema, mark, counts, level=1)
    return counts["kept"]


def _with(first: pa.RecordBatch | None, rest: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    if first is not None:
        yield first
        yield from rest
