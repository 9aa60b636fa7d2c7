"""Shards seen from outside: which documents lie in which, and whether their ids can be right.

Shards are streamed, a record batch at a time, whenever they are asked about: nothing is held. For Arrow shards only
the ids of documents and the offsets of their tokens are touched, through the memory map.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from tokenization.manifest import Manifest
from tokenization.plan_files import label_batches
from tokenization.versions import SHARD, file_of, latest, requests, version_in

SCHEMA = pa.schema([("doc_id", pa.string()), ("shard", pa.string()), ("n_tokens", pa.int64())])


def shard_files(folder: Path) -> list[Path]:
    """The finished shards of a run, in order: those of the newest manifest, where there is more than the first."""
    newest = latest(folder)
    if newest is None or newest.name == file_of(1):
        return [path for path in all_shards(folder) if version_in(SHARD, path.name) == 1]
    return [folder / shard.path for shard in Manifest.read(newest).shards]


def all_shards(folder: Path) -> list[Path]:
    """The shards of every version, in order."""
    return sorted(path for path in (folder / "tokens").glob("shard-*") if version_in(SHARD, path.name))


def requests_in_effect(folder: Path) -> list[Path]:
    """Files of the run's own removal requests that its newest manifest obeys."""
    newest, own = latest(folder), folder / "removals"
    if newest is None or not own.is_dir():
        return []
    obeyed = set(Manifest.read(newest).obeys)
    return [own / f"request-{request}.parquet" for request in requests(own) if request in obeyed]


def shard_batches(path: Path) -> Iterator[pa.RecordBatch]:
    """Record batches with doc_id and tokens; ValueError in a sentence if the shard cannot be read."""
    try:
        if path.suffix == ".parquet":
            yield from pq.ParquetFile(path).iter_batches(1024, columns=["doc_id", "tokens"])
        else:
            with pa.memory_map(str(path)) as source:
                reader = pa.ipc.open_file(source)
                for number in range(reader.num_record_batches):
                    batch = reader.get_batch(number)
                    batch.validate(full=True)  # of offsets that lead out of the file; ids are not touched
                    yield batch
    except (pa.ArrowException, OSError, KeyError) as error:
        fault = str(error).splitlines()[0]
        raise ValueError(f"{path} cannot be read ({fault}). Delete it and run again.") from error


class ShardRows:
    """(doc_id, shard, n_tokens) of all documents in `files`, as an Arrow stream that can be read again and again."""

    def __init__(self, files: Sequence[Path]) -> None:
        self.files = files

    def __arrow_c_schema__(self) -> object:
        return SCHEMA.__arrow_c_schema__()

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        return pa.RecordBatchReader.from_batches(SCHEMA, self._rows()).__arrow_c_stream__(requested_schema)

    def _rows(self) -> Iterator[pa.RecordBatch]:
        for path in self.files:
            for batch in shard_batches(path):
                sizes = pc.list_value_length(batch["tokens"]).cast(pa.int64())
                shard = pa.repeat(path.name, batch.num_rows)
                yield pa.RecordBatch.from_arrays([batch["doc_id"], shard, sizes], schema=SCHEMA)


def label_faults(folder: Path, manifest: Manifest) -> Iterator[str]:
    """Where the labels in the shards are not those that the manifest counts, a sentence for each column."""
    stated = {"language": manifest.languages, "source": manifest.sources}
    for column in manifest.labels:
        held: Counter[str] = Counter()
        for shard in manifest.shards:
            for batch in label_batches(folder / shard.path, [column]):
                for one in pc.value_counts(batch[column].cast(pa.string())).to_pylist():
                    held[one["values"]] += one["counts"]
        if held != Counter({name: count.documents for name, count in stated[column].items()}):
            yield f"The shards' column {column} does not have the documents by {column} that the manifest states."


def id_faults(path: Path, vocab_size: int, end_of_text: int) -> tuple[int, int]:
    """How many ids of a shard the tokenizer does not have, and how many documents do not end with end-of-text."""
    unknown, unended = 0, 0
    for batch in shard_batches(path):
        tokens = batch["tokens"]
        ids = tokens.flatten().to_numpy(zero_copy_only=False)
        sizes = pc.list_value_length(tokens).to_numpy(zero_copy_only=False)
        unknown += int(np.count_nonzero(ids >= vocab_size))
        ends = np.cumsum(sizes)[sizes > 0] - 1
        unended += int(np.count_nonzero(ids[ends] != end_of_text)) + int(np.count_nonzero(sizes == 0))
    return unknown, unended
