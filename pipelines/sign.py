"""One part's signatures: what each document is known by, and how it ranks among its likes.

Only documents that pass the recipe's rules are signed; the rows are those of `pipelines.signature`.
"""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import numpy as np
import pyarrow as pa

from dedup.keys import keys_of
from filters.annotate import final_text
from filters.rules import columns_read, first_failing
from pipelines.code import made_by
from pipelines.parts import fingerprint, part_path, read_counts, read_mark, read_part, read_table, write_part
from pipelines.rank import ranks_mark, with_ranks
from pipelines.signature import order_key, signature_batch, signature_schema, source_rank
from recipes.model import Recipe


def sign_part(index: int, run: str, recipe: Recipe) -> str:
    """Make one part of signatures/, unless it is there already; returns its path."""
    documents, signals = part_path(run, "documents", index), part_path(run, "signals", index)
    steps = [step.model_dump() for step in recipe.steps]
    marks = [read_mark(documents), read_mark(signals), ranks_mark(run, index, recipe)]
    mark = fingerprint("sign", made_by(), marks, steps, recipe.dedup.model_dump())
    path = part_path(run, "signatures", index)
    if read_counts(path, mark) is None:
        write_part(path, _signed(index, run, recipe), signature_schema(recipe.dedup), mark, {}, random=True)
    return path


def _signed(index: int, run: str, recipe: Recipe) -> Iterator[pa.RecordBatch]:
    """Signatures of the documents that pass the rules."""
    start, dedup = 0, recipe.dedup
    measured = _measured(run, index, recipe)
    dated = [name for name in ("date",) if name in {k.removeprefix("-") for k in dedup.keep}]
    addressed = ["url"] if dedup.url else []
    for document in read_part(part_path(run, "documents", index), ["doc_id", "source", "text", *dated, *addressed]):
        signal = measured.slice(start, document.num_rows).combine_chunks().to_batches()[0]
        rows = passing(signal, recipe)
        kept, lang = document.take(rows), signal["lang"].take(rows)
        by = signal.take(rows)
        for name in dated:
            by = by.append_column(name, kept[name])
        order = [order_key(by, name) for name in dedup.keep]
        place = pa.array(rows.to_numpy() + start, pa.uint32())
        keys = keys_of(final_text(kept["text"], lang, recipe), lang, kept["url"] if dedup.url else None, dedup)
        yield signature_batch(kept["doc_id"], place, keys, [source_rank(kept["source"], dedup), *order], dedup)
        start += document.num_rows


def _measured(run: str, index: int, recipe: Recipe) -> pa.Table:
    ranking = [name.removeprefix("-") for name in recipe.dedup.keep if name.removeprefix("-") != "date"]
    wanted = dict.fromkeys([*columns_read(recipe), "lang", *ranking])
    return with_ranks(run, index, read_table(part_path(run, "signals", index), list(wanted)), recipe)


def passing(signals: pa.RecordBatch, recipe: Recipe) -> pa.Array:
    """Row numbers of documents that no rule drops."""
    numbered = signals.append_column("row_number", pa.array(np.arange(signals.num_rows)))
    with duckdb.connect(config={"threads": 1}) as connection:
        connection.register("s", pa.Table.from_batches([numbered]))
        query = f"SELECT row_number FROM s WHERE ({first_failing(recipe)}) IS NULL ORDER BY row_number"
        return connection.sql(query).to_arrow_table()["row_number"].combine_chunks()
