"""The shuffle of documents into shards, by files and not by Beam: nothing goes through a GroupByKey.

Each kept part is encoded once into `encoded/`, a row group for each shard; then each shard gathers its row
groups from every encoded part and sorts them. Memory is one part or one shard. A finished shard leaves a note
in `encoded/` with its size, hash and counts, so that neither a restart nor the manifest has to read it again.

Traded away: the tokens are written twice, and every shard opens every encoded part.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.code import made_by
from pipelines.parts import fingerprint, make_dirs, part_path, read_counts, read_mark, read_part, write_part
from recipes.model import Tokens
from tokenization.engines import Chosen, tried_on
from tokenization.load import load
from tokenization.manifest import Shard, dtype_for, file_sha256
from tokenization.ordering import as_bytes, as_lists, in_order, shard_by_shard
from tokenization.scatter import add_counts, encode_rows, encoded_schema
from tokenization.shards import shard_counts, write_shard
from tokenization.versions import shard_name

ROWS = 2_048  # documents encoded at a time


@cache
def _loaded(file: str, _sha256: str) -> Chosen:
    return load(file)


def encode_part(index: int, run: str, file: str, tokens: Tokens, shards: int) -> dict[str, int]:
    """Encode one kept part: a row group for each shard that has any of its documents.

    The part's first texts are encoded by the reference too; if the ids differ, the reference encodes the whole part.
    Which engine did it is counted as `engine<TAB>name<TAB>why not the fastest`.
    """
    sha256 = file_sha256(file)
    kept, path = part_path(run, "kept", index), part_path(run, "encoded", index)
    mark = fingerprint("encode", made_by(), read_mark(kept), Path(file).name, sha256, shards, tokens.seed)
    done = read_counts(path, mark)
    if done is not None:
        return done
    tokenizer = _loaded(file, sha256)
    schema = encoded_schema(tokenizer.vocab_size)
    counts: dict[str, int] = {"documents": 0, "tokens": 0, "text_bytes": 0}
    tables = [schema.empty_table()]
    for batch in read_part(kept, ["doc_id", "source", "lang", "text"], batch_rows=ROWS):
        if len(tables) == 1:
            tokenizer = tried_on(tokenizer, batch["text"])
        table = encode_rows(batch, tokenizer, tokens.seed, shards)
        add_counts(counts, batch, table["tokens"])
        tables.append(table)
    counts[f"engine\t{tokenizer.engine}\t{tokenizer.told}"] = 1
    # Plain pages of bytes: this file is read once and thrown away, and ids hardly shrink.
    rows = (_with_tokens(batch, as_bytes) for batch in shard_by_shard(pa.concat_tables(tables)))
    write_part(path, rows, _with_tokens(schema.empty_table(), as_bytes).schema, mark, counts, random=True)
    return counts


def write_one_shard(
    number: int, run: str, indices: tuple[int, ...], vocab_size: int, tokens: Tokens, shards: int, mark: str,
    version: int = 1,
) -> dict[str, int]:  # fmt: skip
    """Gather shard `number` of `shards` from all encoded parts, in order, into its file."""
    if noted(run, number, mark) is not None:
        return {"shards": 1}
    schema = encoded_schema(vocab_size)
    parts = [_rows_of(part_path(run, "encoded", i), number, schema) for i in indices]
    table = in_order(pa.concat_tables(parts))
    path = Path(run, "tokens", shard_name(number, tokens.format, version))
    make_dirs(str(path.parent))
    temporary = path.with_name(f".tmp-{path.name}")
    with pa.OSFile(str(temporary), "wb") as sink:
        note = fingerprint(mark, number, shards)
        write_shard(sink, table.drop(["shard", "key"]), tokens.format, dtype_for(vocab_size), note)
    size, sha256 = temporary.stat().st_size, file_sha256(temporary)
    temporary.replace(path)
    documents, ids = shard_counts(str(path))
    shard = Shard(path=f"tokens/{path.name}", bytes=size, sha256=sha256, documents=documents, tokens=ids)
    take_note(run, number, mark, shard)
    return {"shards": 1}


def _rows_of(path: str, number: int, schema: pa.Schema) -> pa.Table:
    """The documents of shard `number` in an encoded part, whose row groups have one shard each."""
    with pq.ParquetFile(path) as file:
        at = file.schema_arrow.names.index("shard")
        groups = range(file.metadata.num_row_groups)
        own = [i for i in groups if file.metadata.row_group(i).column(at).statistics.min == number]
        table = file.read_row_groups(own, use_threads=False)
    kind = schema.field("tokens").type
    return _with_tokens(table, lambda column: as_lists(column, kind)).cast(schema)


def _with_tokens(rows: Any, change: Callable[[Any], pa.Array]) -> Any:
    """Rows with another form of their ids, which lie in the one chunk of `tokens`."""
    column = rows["tokens"]
    if isinstance(column, pa.ChunkedArray):
        column = pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], column.type)
    field = pa.field("tokens", (made := change(column)).type, nullable=False)
    return rows.set_column(rows.schema.get_field_index("tokens"), field, made)


def _shard_note(run: str, number: int) -> Path:
    return Path(run, "encoded", f"shard-{number:05d}.json")


def take_note(run: str, number: int, mark: str, shard: Shard) -> None:
    """Record that shard `number` is finished for `mark`."""
    note = _shard_note(run, number)
    make_dirs(str(note.parent))
    temporary = note.with_suffix(".tmp")
    temporary.write_bytes(orjson.dumps({"mark": mark, "shard": shard.model_dump()}))
    temporary.replace(note)


def noted(run: str, number: int, mark: str) -> Shard | None:
    """A shard that was finished for `mark` and still has its size."""
    note = _shard_note(run, number)
    if not note.is_file():
        return None
    told = orjson.loads(note.read_bytes())
    shard = Shard.model_validate(told["shard"])
    file = Path(run, shard.path)
    return shard if told["mark"] == mark and file.is_file() and file.stat().st_size == shard.bytes else None
