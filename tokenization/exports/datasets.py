"""A folder that Hugging Face's `load_dataset` reads: Parquet files, one a shard, and a dataset card.

Columns are `doc_id`, `input_ids` (list of uint16 or uint32), the shards' labels (`language`, `source`), and, where
answers are marked, `labels`: the ids that are learnt, and -100 for all others, as `transformers` takes them.

Traded away: a document is a row; cutting to a context is the trainer's, which knows its length.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tokenization.exports.source import Rows, Source
from tokenization.manifest import Manifest

IGNORED = -100  # torch.nn.CrossEntropyLoss's ignore_index, which transformers' models use for labels
SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"),
         (10_000_000, "1M<n<10M"), (100_000_000, "10M<n<100M"), (10**9, "100M<n<1B"))  # fmt: skip


def write(source: Source, out: Path) -> dict[str, Any]:
    """Write `data/train-*.parquet` and `README.md`; returns what to note."""
    manifest = source.manifest
    schema = schema_of(manifest)
    (out / "data").mkdir()
    number = len(manifest.shards)
    for i, shard in enumerate(source.shards()):
        path = out / "data" / f"train-{i:05d}-of-{number:05d}.parquet"
        with pq.ParquetWriter(path, schema, compression="zstd") as sink:
            for rows in shard:
                sink.write_batch(_columns(rows, schema))
    (out / "README.md").write_text(card(manifest, schema), encoding="utf-8")
    return {"dtype": manifest.dtype, "read": "datasets.load_dataset('DIR', split='train')"}


def schema_of(manifest: Manifest) -> pa.Schema:
    """Columns of the Parquet files."""
    ids = pa.list_(pa.uint16() if manifest.dtype == "uint16" else pa.uint32())
    fields = [("doc_id", pa.string()), ("input_ids", ids), *((name, pa.string()) for name in manifest.labels)]
    return pa.schema([*fields, *([("labels", pa.list_(pa.int64()))] if manifest.answers else [])])


def _columns(rows: Rows, schema: pa.Schema) -> pa.RecordBatch:
    ends = np.cumsum(rows.lengths)
    if len(ends) and int(ends[-1]) > np.iinfo(np.int32).max:
        raise ValueError("A document has more than 2**31 - 1 tokens, which a list of this format cannot hold.")
    offsets = pa.array(np.concatenate(([0], ends)), pa.int32())
    made: list[pa.Array] = []
    for field in schema:
        if field.name == "input_ids":
            made.append(pa.ListArray.from_arrays(offsets, pa.array(rows.ids)))
        elif field.name == "labels" and rows.mask is not None:
            learnt = np.where(rows.mask == 1, rows.ids.astype(np.int64), IGNORED)
            made.append(pa.ListArray.from_arrays(offsets, pa.array(learnt)))
        else:
            made.append(rows.batch[field.name].cast(pa.string()))
    return pa.RecordBatch.from_arrays(made, schema=schema)


def card(manifest: Manifest, schema: pa.Schema) -> str:
    """The dataset card: YAML that tells `load_dataset` which files to read, then what the corpus is."""
    totals, info = manifest.totals, manifest.tokenizer
    languages = [name for name in manifest.languages if name != "und"]
    size = next((name for most, name in SIZES if totals.documents < most), "n>1B")
    head = ["---", f"pretty_name: {_quoted(f'{manifest.recipe}, tokenised')}"]
    head += ["language:", *(f"- {_quoted(name)}" for name in languages)] if languages else []
    head += ["task_categories:", "- text-generation", "size_categories:", f"- {size}"]
    head += ["configs:", "- config_name: default", "  data_files:", "  - split: train"]
    head += ["    path: data/train-*.parquet", "---"]
    body = [
        f"# {_plain(manifest.recipe)}, tokenised", "",
        f"{totals.documents:,} documents, {totals.tokens:,} tokens, {totals.text_bytes:,} bytes of text, curated with "
        f"the recipe `{_plain(manifest.recipe)}` ({_plain(manifest.recipe_hash)}).", "",
        f"Tokenizer: {_plain(info.name)}, {info.vocab_size:,} ids, in `{info.file}` (sha256 `{info.sha256}`); id "
        f"{info.end_of_text} ends every document. Columns: {', '.join(f'`{name}`' for name in schema.names)}.", "",
        "Licence, personal data and known limits are stated by the data card of the run, not here. Removal requests "
        f"that this copy obeys: {', '.join(f'`{one}`' for one in manifest.obeys) or 'none'}.", "",
        *_counts("language", manifest.languages), *_counts("source", manifest.sources),
    ]  # fmt: skip
    return "\n".join([*head, "", *body]) + "\n"


def _counts(what: str, counts: Any) -> Sequence[str]:
    rows = [f"| {_plain(name)} | {one.documents:,} | {one.tokens:,} |" for name, one in sorted(counts.items())]
    return [f"| {what} | documents | tokens |", "|---|---:|---:|", *rows, ""] if rows else []


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=True)  # a JSON string is a YAML string


def _plain(text: str) -> str:
    """A name inside Markdown: names come from a crawl, so nothing of it may be markup."""
    return "".join(c if c.isalnum() or c in " ._-:/,+" else f"&#{ord(c)};" for c in text)
