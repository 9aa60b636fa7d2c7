"""Shards from documents that come in any order: the shuffle of `tokenization.shuffle`, in one process.

Documents are appended to a file for the shard that their key belongs to; at the end each is read, sorted and written.
So memory holds one shard. Rows may have more columns than ids (`answers`), which the shards then have too.

Traded away: several processes. `pipelines.shuffle` is the road for a crawl; this one is for a few gigabytes of text.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from types import TracebackType

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tokenization.manifest import Dtype, Shard, file_sha256
from tokenization.shards import batches, schema_for
from tokenization.shuffle import order_keys, shard_of
from tokenization.versions import shard_name

MOST_SHARDS = 512  # each is an open file
ANSWERS = pa.field("answers", pa.list_(pa.field("item", pa.uint32(), nullable=False)), nullable=False)


class Scatter:
    """Takes rows of `schema_for(dtype)` and `more` fields; `finish` gives the shards, in `folder`/tokens."""

    def __init__(self, folder: Path, dtype: Dtype, shards: int, seed: int, more: tuple[pa.Field, ...] = ()) -> None:
        if shards > MOST_SHARDS:
            raise ValueError(f"{shards:,} shards are more than {MOST_SHARDS}. Use a larger --shard-bytes.")
        self.folder, self.seed, self.shards = folder, seed, shards
        self.schema = pa.schema([*schema_for(dtype), *more])
        self.keyed = self.schema.append(pa.field("key", pa.uint64(), nullable=False))
        self.parts = folder / ".scattered"
        self.sinks: dict[int, pa.ipc.RecordBatchStreamWriter] = {}

    def __enter__(self) -> Scatter:
        self.parts.mkdir(parents=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for sink in self.sinks.values():
            sink.close()
        shutil.rmtree(self.parts)

    def add(self, rows: pa.Table) -> None:
        """Append documents."""
        keys = order_keys(rows["doc_id"].to_pylist(), self.seed)
        numbers = shard_of(keys, self.shards)
        keyed = rows.append_column("key", pa.array(keys)).cast(self.keyed)
        for number in np.unique(numbers).tolist():
            if number not in self.sinks:
                self.sinks[number] = pa.ipc.new_stream(str(self.parts / str(number)), self.keyed)
            self.sinks[number].write_table(keyed.filter(pa.array(numbers == number)))

    def finish(self) -> tuple[Shard, ...]:
        """Sort and write every shard, also one without documents."""
        (self.folder / "tokens").mkdir()
        for sink in self.sinks.values():
            sink.close()
        return tuple(self._shard(number) for number in range(self.shards))

    def _shard(self, number: int) -> Shard:
        table = self.keyed.empty_table()
        if number in self.sinks:
            with pa.ipc.open_stream(str(self.parts / str(number))) as source:
                table = source.read_all().sort_by([("key", "ascending"), ("doc_id", "ascending")])
        rows = table.drop_columns("key")
        path = self.folder / "tokens" / shard_name(number, "arrow")
        with pa.ipc.new_file(str(path), self.schema) as sink:
            for batch in batches(rows):
                sink.write_batch(batch.cast(self.schema))
        tokens = pc.sum(pc.list_value_length(rows["tokens"])).as_py() or 0
        return Shard(path=f"tokens/{path.name}", bytes=path.stat().st_size, sha256=file_sha256(path),
                     documents=rows.num_rows, tokens=tokens)  # fmt: skip
