"""MosaicML's MDS shards, as `streaming.StreamingDataset` of mosaicml-streaming 0.13 reads them.

A sample is a document, or `length` ids of the stream, which is what a trainer that stacks samples wants. `tokens` is
`ndarray:int32`, as llm-foundry writes it: PyTorch indexes an embedding by int32, not by uint16. Where answers are
marked, `loss_mask` is `ndarray:uint8`. The format is written from its reader and encodings; the library itself wants
older libraries than this project, so it is an environment of its own that reads it back (benchmarks/export_readers.py).

Traded away: no compression inside shards, and no upload: a folder is copied by what copies folders.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from tokenization.exports.source import Source

SIZE_LIMIT = 1 << 26  # bytes of a shard, the library's own default; offsets are 32 bits


class Writer:
    """Shards of samples, and at the end `index.json`."""

    def __init__(self, out: Path, encodings: dict[str, str]) -> None:
        self.out, self.names = out, sorted(encodings)
        self.config: dict[str, Any] = {
            "version": 2, "format": "mds", "compression": None, "hashes": [], "size_limit": SIZE_LIMIT,
            "column_names": self.names, "column_encodings": [encodings[name] for name in self.names],
            "column_sizes": [None] * len(self.names),
        }  # fmt: skip
        self.head = json.dumps(self.config, sort_keys=True).encode()
        self.shards: list[dict[str, Any]] = []
        self._reset()

    def _reset(self) -> None:
        self.samples: list[bytes] = []
        self.size = 8 + len(self.head)

    def add(self, columns: dict[str, bytes]) -> None:
        """Append a sample of encoded columns; ValueError if it is too large for any shard."""
        data = [columns[name] for name in self.names]
        sample = np.array(list(map(len, data)), "<u4").tobytes() + b"".join(data)
        if len(sample) + 12 + len(self.head) >= 1 << 32:
            raise ValueError("A document has more than 4 GB of ids, which an MDS shard cannot hold. Use --length.")
        if self.samples and self.size + len(sample) + 4 > SIZE_LIMIT:
            self._close_shard()
        self.samples.append(sample)
        self.size += len(sample) + 4

    def _close_shard(self) -> None:
        name = f"shard.{len(self.shards):05d}.mds"
        sizes = np.array([0, *map(len, self.samples)], np.int64)
        offsets = np.cumsum(sizes) + 4 + 4 * len(sizes) + len(self.head)
        with (self.out / name).open("wb") as sink:
            sink.write(np.array([len(self.samples)], "<u4").tobytes() + offsets.astype("<u4").tobytes() + self.head)
            sink.writelines(self.samples)
        raw = {"basename": name, "bytes": int(offsets[-1]), "hashes": {}}
        self.shards.append({**self.config, "samples": len(self.samples), "raw_data": raw, "zip_data": None})
        self._reset()

    def close(self) -> int:
        """Write what is left and the index; returns the samples."""
        if self.samples:
            self._close_shard()
        (self.out / "index.json").write_text(json.dumps({"version": 2, "shards": self.shards}, sort_keys=True))
        return sum(shard["samples"] for shard in self.shards)


def encode_array(values: np.ndarray[Any, Any]) -> bytes:
    """A one-dimensional array of a known dtype: number of axes and width of the shape in one byte, shape, values.

    >>> encode_array(np.array([7, 8], np.uint8)).hex()
    '04020708'
    """
    width = next(power for power in range(4) if len(values) < 1 << (8 << power))
    return bytes([(1 << 2) | width]) + len(values).to_bytes(1 << width, "little") + values.tobytes()


def write(source: Source, out: Path, length: int | None = None) -> dict[str, Any]:
    """Write shards and index; a sample is a document, or `length` ids and the last one shorter is left out."""
    if source.manifest.tokenizer.vocab_size - 1 > np.iinfo(np.int32).max:
        raise ValueError("The vocabulary's ids do not fit into int32.")
    mask = {"loss_mask": "ndarray:uint8"} if source.manifest.answers else {}
    names = {} if length else {"doc_id": "str"}
    writer = Writer(out, {"tokens": "ndarray:int32", **mask, **names})
    written = 0
    for tokens, learnt, doc_id in _stretches(source, length) if length else _documents(source):
        columns = {"tokens": encode_array(tokens.astype("<i4")), "doc_id": doc_id.encode()}
        if learnt is not None:
            columns["loss_mask"] = encode_array(learnt)
        writer.add(columns)
        written += len(tokens)
    left = source.manifest.totals.tokens - written
    return {"samples": writer.close(), "length": length, "left_out_tokens": left, "dtype": "int32",
            "read": "StreamingDataset(local='DIR', batch_size=...)"}  # fmt: skip


Sample = tuple[np.ndarray[Any, Any], np.ndarray[Any, Any] | None, str]


def _documents(source: Source) -> Iterator[Sample]:
    for rows in source.rows():
        ends = np.cumsum(rows.lengths)
        doc_ids = rows.batch["doc_id"].to_pylist()
        for start, end, doc_id in zip((ends - rows.lengths).tolist(), ends.tolist(), doc_ids, strict=True):
            yield rows.ids[start:end], None if rows.mask is None else rows.mask[start:end], doc_id


def _stretches(source: Source, length: int) -> Iterator[Sample]:
    ids = np.empty(0, np.dtype(source.manifest.dtype))
    mask = np.empty(0, np.uint8)
    for rows in source.rows():
        ids = np.concatenate([ids, rows.ids])
        mask = mask if rows.mask is None else np.concatenate([mask, rows.mask])
        whole = len(ids) // length * length
        for start in range(0, whole, length):
            yield ids[start : start + length], None if rows.mask is None else mask[start : start + length], ""
        ids, mask = ids[whole:], mask[whole:] if rows.mask is not None else mask
