"""Shards: token ids of whole documents, as Arrow IPC that a trainer maps into memory, or Parquet.

An Arrow shard is an uncompressed IPC file of a few record batches, each of whole documents and of about a
million tokens. The ids of a batch are one contiguous buffer in the file, so `batch["tokens"].flatten()` of a
memory-mapped shard is a view of the page cache: no copy, no decoding. Lists have 64-bit offsets. What a document is
(`language`, `source`) lies beside it as a dictionary's codes, so that a trainer can weigh documents and read no text.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tokenization.manifest import Dtype

BATCH_TOKENS = 1 << 20
LABELS: tuple[Literal["language", "source"], ...] = ("language", "source")
LABEL = pa.dictionary(pa.int32(), pa.string())
ANSWERS = pa.list_(pa.field("item", pa.uint32(), nullable=False))
FINGERPRINT = b"winnow.fingerprint"


def schema_for(dtype: Dtype, more: Sequence[str] = ()) -> pa.Schema:
    """Columns of a shard: doc_id, the document's ids, end-of-text last, and those of `more` (labels, `answers`).

    >>> schema_for("uint16", ["language"]).names
    ['doc_id', 'tokens', 'language']
    """
    kind = pa.uint16() if dtype == "uint16" else pa.uint32()
    fields = [
        pa.field("doc_id", pa.string(), nullable=False),
        pa.field("tokens", pa.large_list(pa.field("item", kind, nullable=False)), nullable=False),
    ]
    fields += [pa.field(name, LABEL, nullable=False) for name in LABELS if name in more]
    return pa.schema([*fields, *([pa.field("answers", ANSWERS, nullable=False)] if "answers" in more else [])])


def token_lists(ids: np.ndarray[Any, Any], offsets: np.ndarray[Any, Any], dtype: Dtype) -> pa.LargeListArray:
    """Flat ids and n + 1 offsets as n lists of `dtype`; ValueError if an id does not fit.

    >>> token_lists(np.array([5, 70_000], np.uint32), np.array([0, 2]), "uint32").to_pylist()
    [[5, 70000]]
    """
    if len(ids) and int(ids.max()) > np.iinfo(dtype).max:
        raise ValueError(f"The id {int(ids.max())} does not fit into {dtype}.")
    kind = schema_for(dtype).field("tokens").type
    return pa.LargeListArray.from_arrays(pa.array(offsets, pa.int64()), pa.array(ids.astype(dtype)), type=kind)


def batches(table: pa.Table) -> Iterator[pa.RecordBatch]:
    """Whole documents in their order, in batches that end with the document that reaches BATCH_TOKENS."""
    if not table.num_rows:
        return
    rows = table.combine_chunks()
    ends = rows["tokens"].chunk(0).offsets.to_numpy()[1:]
    ends = ends - rows["tokens"].chunk(0).offsets[0].as_py()
    marks = np.arange(BATCH_TOKENS, ends[-1] + 1, BATCH_TOKENS)
    cuts = np.unique(np.searchsorted(ends, marks)) + 1
    for start, stop in itertools.pairwise(np.unique([0, *cuts, rows.num_rows]).tolist()):
        # IPC writes the buffers of a slice cut to size, so the file holds each id once.
        yield rows.slice(start, stop - start).to_batches()[0]


def write_shard(sink: object, table: pa.Table, form: str, dtype: Dtype, mark: str) -> None:
    """Write a shard's rows, in the order they have, with fingerprint `mark` in the schema's metadata.

    Labels and answers are written where `table` has them. A dictionary holds just the labels of these rows, in the
    order in which they come, so equal rows are equal bytes and nothing is left of rows that went.
    """
    schema = schema_for(dtype, table.column_names).with_metadata({FINGERPRINT: mark.encode()})
    for name in set(LABELS) & set(table.column_names):
        words = table[name].cast(pa.string()).combine_chunks()
        table = table.set_column(table.column_names.index(name), name, words.dictionary_encode())
    rows = (batch.cast(schema) for batch in batches(table.select(schema.names)))
    if form == "parquet":
        with pq.ParquetWriter(sink, schema, compression="zstd") as out:
            for batch in rows:
                out.write_batch(batch)
        return
    with pa.ipc.new_file(sink, schema) as out:
        for batch in rows:
            out.write_batch(batch)


def shard_mark(path: str) -> str:
    """Fingerprint of a finished shard, "" if it is missing or damaged."""
    try:
        if path.endswith(".parquet"):
            metadata = pq.read_schema(path).metadata or {}
        else:
            with pa.memory_map(path) as source:
                metadata = pa.ipc.open_file(source).schema.metadata or {}
    except (OSError, pa.ArrowInvalid):  # absent or damaged: either way it must be made again
        return ""
    return str(metadata.get(FINGERPRINT, b"").decode())


def shard_counts(path: str) -> tuple[int, int]:
    """(documents, tokens) that lie in a shard, from its offsets and not from what anyone says about it."""
    if path.endswith(".parquet"):
        with pq.ParquetFile(path) as file:
            groups = [file.metadata.row_group(i) for i in range(file.metadata.num_row_groups)]
            # Every list has at least its end-of-text, so the values of the leaf column are the tokens.
            return file.metadata.num_rows, sum(group.column(1).num_values for group in groups)
    with pa.memory_map(path) as source:
        reader = pa.ipc.open_file(source)
        tokens = [reader.get_batch(i)["tokens"] for i in range(reader.num_record_batches)]
        return sum(map(len, tokens)), sum(t.offsets[-1].as_py() - t.offsets[0].as_py() for t in tokens if len(t))
