"""Shards: token ids of whole documents, in a seeded order, as Arrow IPC that a trainer maps into memory.

The order key of a document is a hash of seed and doc_id, so the shuffle needs no list of documents and does not
depend on who computes it. A shard holds record batches of about a million tokens; their value buffers are
contiguous, so the ids are read without a copy.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
import xxhash

BATCH_TOKENS = 1 << 20


def dtype_for(vocab_size: int) -> Literal["uint16", "uint32"]:
    """`uint16` while every id fits, else `uint32`.

    >>> dtype_for(65_536), dtype_for(65_537)
    ('uint16', 'uint32')
    """
    return "uint16" if vocab_size <= 1 << 16 else "uint32"


def schema_for(dtype: str) -> pa.Schema:
    """doc_id and tokens; tokens end with end-of-text."""
    kind = pa.uint16() if dtype == "uint16" else pa.uint32()
    return pa.schema(
        [
            pa.field("doc_id", pa.string(), nullable=False),
            pa.field("tokens", pa.large_list(pa.field("item", kind, nullable=False)), nullable=False),
        ]
    )


def order_keys(doc_ids: list[str], seed: int) -> npt.NDArray[np.uint64]:
    """64-bit keys whose order is the shuffled order."""
    return np.fromiter((xxhash.xxh3_64_intdigest(f"{seed}\0{d}".encode()) for d in doc_ids), np.uint64, len(doc_ids))


def shard_of(keys: npt.NDArray[np.uint64], shards: int) -> npt.NDArray[np.int64]:
    """Shard of each key: the key's place in the range, so that shards in order are the shuffled order."""
    return ((keys >> np.uint64(32)) * np.uint64(shards) >> np.uint64(32)).astype(np.int64)


def batches(table: pa.Table) -> Iterator[pa.RecordBatch]:
    """Whole documents in batches of about BATCH_TOKENS tokens."""
    lengths = np.diff(table["tokens"].combine_chunks().offsets.to_numpy()) if table.num_rows else np.empty(0, int)
    cuts = np.unique(np.searchsorted(np.cumsum(lengths), np.arange(BATCH_TOKENS, lengths.sum() + 1, BATCH_TOKENS)))
    edges = [0, *(int(c) + 1 for c in cuts if c + 1 < table.num_rows), table.num_rows]
    for start, stop in itertools.pairwise(edges):
        if stop > start:
            part = table.slice(start, stop - start).take(np.arange(stop - start))  # own, contiguous buffers
            yield part.combine_chunks().to_batches()[0]


def write_shard(sink: object, table: pa.Table, form: str, dtype: str, mark: str) -> None:
    """Write a shard's rows, in their order, with its fingerprint in the metadata."""
    schema = schema_for(dtype).with_metadata({b"winnow.fingerprint": mark.encode()})
    if form == "parquet":
        with pq.ParquetWriter(sink, schema, compression="zstd") as out:
            for batch in batches(table):
                out.write_batch(batch.cast(schema))
        return
    with pa.ipc.new_file(sink, schema) as out:
        for batch in batches(table):
            out.write_batch(batch.cast(schema))


def shard_mark(path: str) -> str:
    """Fingerprint of a finished shard, "" if it is missing or damaged."""
    try:
        if path.endswith(".parquet"):
            metadata = pq.read_schema(path).metadata or {}
        else:
            with pa.memory_map(path) as source:
                metadata = pa.ipc.open_file(source).schema.metadata or {}
    except (OSError, pa.ArrowInvalid):
        return ""
    return str(metadata.get(b"winnow.fingerprint", b"").decode())
