"""Job: `signals/` in, `ranks/` out: the verdicts of those samplers that must see the whole run, row for row.

The one decision that cannot be made part by part is made here, once, by DuckDB over the signals that the samplers
read; it spills to disk, so memory is bounded. Later jobs read the verdicts row for row beside `signals/`. A recipe
without such samplers has no `ranks/`. Traded away: it runs in the process that starts the jobs, on local disks.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence

import duckdb
import pyarrow as pa

from filters.rules import with_verdicts
from filters.samplers import verdict_column, whole_run
from filters.sql import literal
from pipelines.code import made_by
from pipelines.parts import fingerprint, part_path, read_counts, read_mark, read_table, write_part
from recipes.model import Recipe

MEMORY = "2GB"


def rank(run: str, indices: Sequence[int], recipe: Recipe) -> dict[str, int]:
    """Write ranks/ for all parts, if the recipe has such samplers; returns the documents that each of them drops."""
    if not whole_run(recipe) or not indices:
        return {}
    marks = [read_mark(part_path(run, "signals", i)) for i in indices]
    mark = fingerprint("rank", made_by(), marks, [step.model_dump() for step in recipe.steps])
    done = [read_counts(part_path(run, "ranks", i), mark) for i in indices]
    if any(counts is None for counts in done):
        done = [
            _write(run, index, table, mark)
            for index, table in zip(indices, _verdicts(run, indices, recipe), strict=True)
        ]
    return {name: sum((counts or {}).get(name, 0) for counts in done) for name in sorted(done[0] or {})}


def ranks_schema(recipe: Recipe) -> pa.Schema:
    """The columns of ranks/: the document, and TRUE where a sampler keeps it, NULL where it never came that far."""
    verdicts = [pa.field(verdict_column(step), pa.bool_()) for step in whole_run(recipe)]
    return pa.schema([pa.field("doc_id", pa.string(), nullable=False), *verdicts])


def _verdicts(run: str, indices: Sequence[int], recipe: Recipe) -> Iterator[pa.Table]:
    """One table a part, in the order of `indices`; each in the row order of signals/."""
    paths = [part_path(run, "signals", i) for i in indices]
    source = f"read_parquet({list(paths)!r}, filename = true, file_row_number = true)"
    query = with_verdicts(recipe, source)
    schema = ranks_schema(recipe)
    names = ", ".join(f'"{name}"' for name in schema.names)
    with tempfile.TemporaryDirectory(prefix="winnow-") as spill:
        with duckdb.connect(config={"memory_limit": MEMORY, "temp_directory": spill}) as connection:
            connection.execute(f"CREATE TABLE ranked AS SELECT {names}, filename, file_row_number FROM ({query})")
            for path in paths:
                one = f"SELECT {names} FROM ranked WHERE filename = {literal(path)} ORDER BY file_row_number"
                yield connection.sql(one).to_arrow_table().cast(schema)


def _write(run: str, index: int, table: pa.Table, mark: str) -> dict[str, int]:
    counts = {name: int((table[name].to_numpy() == False).sum()) for name in table.column_names[1:]}  # noqa: E712
    write_part(part_path(run, "ranks", index), table.to_batches(), table.schema, mark, counts)
    return counts


def ranks_mark(run: str, index: int, recipe: Recipe) -> str:
    """The fingerprint of a part of ranks/, "" for a recipe that has none."""
    return read_mark(part_path(run, "ranks", index)) if whole_run(recipe) else ""


def with_ranks(run: str, index: int, signals: pa.Table, recipe: Recipe) -> pa.Table:
    """A part of signals/ with its verdicts beside it."""
    if whole_run(recipe):
        verdicts = read_table(part_path(run, "ranks", index))
        for name in verdicts.column_names[1:]:
            signals = signals.append_column(name, verdicts[name])
    return signals
