"""What an export reads: the documents of a manifest in their order, a record batch at a time.

Arrow shards are mapped and Parquet shards are read by row group, so memory does not grow with the corpus. A manifest is
held to what the trainer holds it to: hashes, dtype, vocabulary, and that no removal has superseded it.

Traded away: every shard is hashed before a byte is written, which reads the corpus once more than the export needs.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from tokenization.manifest import Manifest, file_sha256
from tokenization.versions import superseded

Numbers = npt.NDArray[np.integer]
PARQUET_ROWS = 1024


@dataclass(frozen=True)
class Rows:
    """Whole documents: ids flat in the manifest's dtype, n lengths, and the batch with all its columns.

    `mask` is 1 for each id that is to be learnt, where the shards mark answers; else None.
    """

    ids: Numbers
    lengths: npt.NDArray[np.int64]
    batch: pa.RecordBatch
    mask: npt.NDArray[np.uint8] | None


class Source:
    """A manifest opened for export; ValueError or FileNotFoundError in a sentence if it is not fit for it."""

    def __init__(self, path: Path, register: Path | None = None, allow_superseded: bool = False) -> None:
        self.path, self.folder = path, path.parent
        self.manifest = Manifest.read(path)
        why = superseded(path, register)
        if why is not None and not allow_superseded:
            raise ValueError(f"{why} To export it all the same, say --superseded.")
        if problems := self.manifest.problems(self.folder):
            raise ValueError(problems[0])
        self.sha256 = file_sha256(path)
        self.documents = self.tokens = 0

    @property
    def tokenizer_file(self) -> Path:
        """The tokenizer of the ids."""
        return self.folder / self.manifest.tokenizer.file

    def shards(self) -> Iterator[Iterator[Rows]]:
        """Shard by shard, the documents of each in batches; at the end ValueError if they are not what was promised."""
        self.documents = self.tokens = 0
        for shard in self.manifest.shards:
            yield (self._rows(batch, shard.path) for batch in _batches(self.folder / shard.path) if batch.num_rows)
        totals = self.manifest.totals
        if (self.documents, self.tokens) != (totals.documents, totals.tokens):
            raise ValueError(
                f"The shards hold {self.documents:,} documents and {self.tokens:,} tokens, the manifest says "
                f"{totals.documents:,} and {totals.tokens:,}. Make the run's shards again."
            )

    def rows(self) -> Iterator[Rows]:
        """All documents in batches, in the order of the shuffle."""
        for shard in self.shards():
            yield from shard

    def _rows(self, batch: pa.RecordBatch, name: str) -> Rows:
        tokens = batch["tokens"]
        if str(tokens.type.value_type) != self.manifest.dtype:
            raise ValueError(f"{name} holds {tokens.type.value_type}, the manifest says {self.manifest.dtype}. "
                             "Make the run's shards again.")  # fmt: skip
        ids = tokens.flatten().to_numpy(zero_copy_only=True)
        vocabulary = self.manifest.tokenizer.vocab_size
        if len(ids) and int(ids.max()) >= vocabulary:
            raise ValueError(f"{name} holds the id {int(ids.max())}, and the manifest's tokenizer has only "
                             f"{vocabulary:,}. Make the run's shards again with this tokenizer.")  # fmt: skip
        lengths = np.diff(tokens.offsets.to_numpy()).astype(np.int64)
        self.documents, self.tokens = self.documents + len(lengths), self.tokens + len(ids)
        return Rows(ids, lengths, batch, self._mask(batch, lengths, name))

    def _mask(self, batch: pa.RecordBatch, lengths: npt.NDArray[np.int64], name: str) -> npt.NDArray[np.uint8] | None:
        if not self.manifest.answers:
            return None
        if "answers" not in batch.schema.names:
            raise ValueError(f"{name} has no column answers, and the manifest says so. Make the shards again.")
        answers = batch["answers"]
        counts = np.diff(answers.offsets.to_numpy())
        return answer_mask(answers.flatten().to_numpy(zero_copy_only=True), counts, lengths, name)


def answer_mask(pairs: Numbers, counts: Numbers, lengths: npt.NDArray[np.int64], name: str) -> npt.NDArray[np.uint8]:
    """1 for each id inside a span, flat over all documents.

    `pairs` are first and one past the last, counted within the document; `counts` says how many numbers each document
    has. ValueError if a span leaves its document.

    >>> answer_mask(np.array([1, 3]), np.array([0, 2]), np.array([2, 4]), "x").tolist()
    [0, 0, 0, 1, 1, 0]
    """
    spans = pairs.astype(np.int64).reshape(-1, 2)
    owner = np.repeat(np.arange(len(lengths)), counts // 2)
    if len(spans) and (int(counts.max()) % 2 or (spans[:, 0] > spans[:, 1]).any() or
                       (spans[:, 1] > lengths[owner]).any()):  # fmt: skip
        raise ValueError(f"{name} has a span of answers outside its document. Make the shards again.")
    starts = (np.cumsum(lengths) - lengths)[owner]
    steps = np.zeros(int(lengths.sum()) + 1, np.int64)
    np.add.at(steps, starts + spans[:, 0], 1)
    np.add.at(steps, starts + spans[:, 1], -1)
    return (np.cumsum(steps[:-1]) > 0).astype(np.uint8)


def _batches(path: Path) -> Iterator[pa.RecordBatch]:
    if path.suffix == ".parquet":
        with pq.ParquetFile(path) as file:
            yield from file.iter_batches(PARQUET_ROWS)
        return
    with pa.memory_map(str(path)) as source:
        reader = pa.ipc.open_file(source)
        for number in range(reader.num_record_batches):
            yield reader.get_batch(number)
