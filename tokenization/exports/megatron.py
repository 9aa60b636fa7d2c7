"""Megatron-LM's `.bin` and `.idx`, as `megatron.core.datasets.indexed_dataset` of megatron-core 0.16 reads them.

A document is one sequence. Ids are uint16 up to 65,536 ids of vocabulary, else int32: the format knows no uint32. The
index is laid out in advance from the manifest's totals and filled through a memory map, so no list of all documents is
held. Where answers are marked, a second pair `corpus_mask` has a 1 (uint8) for each id of `corpus` that is learnt.

Traded away: one pair of files for the corpus, not one a shard; Megatron blends several by weight, which would lose
the order of the shuffle.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np

from tokenization.exports.source import Source

HEADER = b"MMIDIDX\x00\x00"
CODES = {"uint8": 1, "int32": 4, "uint16": 8}  # class DType there
START = len(HEADER) + struct.calcsize("<QBQQ")


class Pair:
    """One `.bin` with its `.idx`, for a known number of documents."""

    def __init__(self, prefix: Path, dtype: str, documents: int) -> None:
        self.dtype, self.documents, self.done, self.at = np.dtype(dtype), documents, 0, 0
        self.bin = prefix.with_suffix(".bin").open("wb")
        self.index = prefix.with_suffix(".idx")
        with self.index.open("wb") as head:
            head.write(HEADER + struct.pack("<QBQQ", 1, CODES[dtype], documents, documents + 1))
            head.truncate(START + documents * (4 + 8) + (documents + 1) * 8)
        self.lengths = self._part("<i4", START, documents)
        self.pointers = self._part("<i8", START + documents * 4, documents)
        ends = self._part("<i8", START + documents * 12, documents + 1)
        step = 1 << 20
        for first in range(0, documents + 1, step):
            ends[first : first + step] = np.arange(first, min(first + step, documents + 1))

    def _part(self, kind: str, offset: int, count: int) -> np.ndarray[Any, Any]:
        return np.memmap(self.index, kind, "r+", offset, (count,)) if count else np.empty(0, kind)

    def add(self, values: np.ndarray[Any, Any], lengths: np.ndarray[Any, Any]) -> None:
        """Append documents; ValueError if there are more than was said, or one is too long for the index."""
        stop = self.done + len(lengths)
        if stop > self.documents:
            raise ValueError("The shards hold more documents than the manifest says. Make the run's shards again.")
        if len(lengths) and int(lengths.max()) > np.iinfo(np.int32).max:
            raise ValueError("A document has more than 2**31 - 1 tokens, which Megatron's index cannot hold.")
        ends = self.at + np.cumsum(lengths * self.dtype.itemsize)
        self.lengths[self.done : stop] = lengths
        self.pointers[self.done : stop] = ends - lengths * self.dtype.itemsize
        values.astype(self.dtype).tofile(self.bin)
        self.done, self.at = stop, int(ends[-1]) if len(ends) else self.at

    def close(self) -> None:
        """Flush both files; ValueError if documents are missing."""
        self.bin.close()
        del self.lengths, self.pointers  # the maps' pages are the file's; the export flushes it
        if self.done != self.documents:
            raise ValueError(f"The shards hold {self.done:,} documents, the manifest says {self.documents:,}. "
                             "Make the run's shards again.")  # fmt: skip


def write(source: Source, out: Path) -> dict[str, Any]:
    """Write `corpus.bin` and `corpus.idx`, and `corpus_mask` where answers are marked; returns what to note."""
    vocabulary, documents = source.manifest.tokenizer.vocab_size, source.manifest.totals.documents
    if vocabulary - 1 > np.iinfo(np.int32).max:
        raise ValueError(f"{vocabulary:,} ids do not fit into int32, the widest that Megatron reads.")
    dtype = "uint16" if source.manifest.dtype == "uint16" else "int32"
    pair = Pair(out / "corpus", dtype, documents)
    mask = Pair(out / "corpus_mask", "uint8", documents) if source.manifest.answers else None
    for rows in source.rows():
        pair.add(rows.ids, rows.lengths)
        if mask is not None and rows.mask is not None:
            mask.add(rows.mask, rows.lengths)
    pair.close()
    if mask is not None:
        mask.close()
    return {"dtype": dtype, "read": "IndexedDataset('DIR/corpus')"}
