"""Which documents go where: rows of kept/ as token lists with their place, and the counts by source and language.

Pure functions over Arrow tables; the job that reads and writes the files is `pipelines.shuffle`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tokenization.encode import encode_documents
from tokenization.manifest import Count, dtype_for
from tokenization.shards import LABELS, schema_for, token_lists
from tokenization.shuffle import order_keys, shard_of
from tokenization.tokenizer import Tokenizer

PLACE = [pa.field("shard", pa.int64(), nullable=False), pa.field("key", pa.uint64(), nullable=False)]
UNKNOWN_LANGUAGE = "und"  # ISO 639-2: undetermined


def encoded_schema(vocab_size: int) -> pa.Schema:
    """Columns of the temporary `encoded/`: a shard's, labels as plain words, and where the document goes."""
    labels = [pa.field(name, pa.string(), nullable=False) for name in LABELS]
    return pa.schema([*schema_for(dtype_for(vocab_size)), *labels, *PLACE])


def encode_rows(batch: pa.RecordBatch, tokenizer: Tokenizer, seed: int, shards: int) -> pa.Table:
    """Rows of `encoded_schema` for rows of kept/: doc_id, source, lang and text in, ids, labels and place out."""
    lists = token_lists(*encode_documents(tokenizer, batch["text"]), dtype_for(tokenizer.vocab_size))
    keys = order_keys(batch["doc_id"].to_pylist(), seed)
    labels = [pc.fill_null(batch["lang"], UNKNOWN_LANGUAGE), batch["source"]]
    columns = [batch["doc_id"], lists, *labels, pa.array(shard_of(keys, shards)), pa.array(keys)]
    return pa.table(columns, schema=encoded_schema(tokenizer.vocab_size))


def by_shard(table: pa.Table) -> Iterator[pa.RecordBatch]:
    """The rows of each shard as one batch, shards in ascending order, empty ones left out."""
    table = table.sort_by([("shard", "ascending"), ("key", "ascending"), ("doc_id", "ascending")]).combine_chunks()
    edges = np.flatnonzero(np.diff(table["shard"].to_numpy())) + 1
    for start, stop in zip([0, *edges], [*edges, table.num_rows], strict=True):
        yield from table.slice(start, stop - start).to_batches()


def add_counts(counts: dict[str, int], batch: pa.RecordBatch, tokens: pa.ChunkedArray) -> None:
    """Add a batch to `counts`: documents, tokens, text_bytes, and `sources.documents<TAB>name` and the like."""
    sizes = pc.list_value_length(tokens)
    languages = pc.fill_null(batch["lang"], UNKNOWN_LANGUAGE)
    rows = pa.table({"sources": batch["source"], "languages": languages, "tokens": sizes})
    counts["documents"] += batch.num_rows
    counts["tokens"] += pc.sum(sizes).as_py() or 0
    counts["text_bytes"] += pc.sum(pc.binary_length(batch["text"])).as_py() or 0
    for kind in ("sources", "languages"):
        for row in rows.group_by(kind).aggregate([("tokens", "count"), ("tokens", "sum")]).to_pylist():
            for what, value in (("documents", row["tokens_count"]), ("tokens", row["tokens_sum"])):
                key = f"{kind}.{what}\t{row[kind]}"
                counts[key] = counts.get(key, 0) + value


def named_counts(encoded: Mapping[str, int], kind: str) -> dict[str, Count]:
    """Documents and tokens by name, for `kind` "sources" or "languages", out of what `add_counts` added up."""
    prefix = f"{kind}.documents\t"
    names = sorted(key.removeprefix(prefix) for key in encoded if key.startswith(prefix))
    return {
        name: Count(documents=encoded[f"{kind}.documents\t{name}"], tokens=encoded[f"{kind}.tokens\t{name}"])
        for name in names
    }
