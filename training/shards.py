"""The shards of a manifest as one long stream of ids, by memory map, each opened when it is first asked for.

An open shard is its map and where in it the ids of each record batch begin: a few kilobytes, whatever its size. Which
document an id belongs to, and what that document is, comes from offsets and labels of the same map, and only for what
asks for it. The number of open maps is bounded; the page cache is the system's.

Threads may share it: one lock is held while a shard is looked up, and while it comes if it is not there.

Traded away: a Parquet shard, which cannot be mapped, is unpacked once into a flat file in the cache.
"""

from __future__ import annotations

import os
import threading
import time
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from tokenization.manifest import Manifest, Shard
from tokenization.plan_files import label_batches
from training.cache import Store

OPEN = 16_384  # maps at a time; Linux allows a process 65,530 (vm.max_map_count)
TOUCHED = 60.0  # seconds after which a fetched shard that is read is marked as used again
Raw = npt.NDArray[np.integer]


class Opened(NamedTuple):
    """`ids`: the whole file as numbers. Batch b holds the shard's ids from `firsts[b]` on, at `offsets[b]` of `ids`."""

    ids: Raw
    firsts: npt.NDArray[np.int64]
    offsets: npt.NDArray[np.int64]


class Document(NamedTuple):
    """A document and where it lies: ids [first, last) of the stream, row `row` of shard `shard`."""

    first: int
    last: int
    shard: int
    row: int


class Shards:
    """Ids by their place in the stream of all shards. ValueError in a sentence where a file is not as it should be."""

    def __init__(self, manifest: Manifest, store: Store) -> None:
        self.manifest, self.store = manifest, store
        self.ends = np.cumsum([shard.tokens for shard in manifest.shards], dtype=np.int64)
        self.tokens = int(self.ends[-1]) if len(self.ends) else 0
        if self.tokens != manifest.totals.tokens:
            raise ValueError(
                f"The shards in {store.root} hold {self.tokens:,} tokens, the manifest says "
                f"{manifest.totals.tokens:,}. Make the run's shards again with `winnow run`."
            )
        self._open: OrderedDict[int, Opened] = OrderedDict()
        self._touched: dict[int, float] = {}
        self._lock = threading.Lock()
        self.rows = lru_cache(maxsize=8)(self._rows)

    def path(self, number: int) -> Path:
        """The local file of a shard."""
        return self.store.path(self.manifest.shards[number])

    def shard_of(self, place: int) -> int:
        """The shard with the id at `place` of the stream."""
        return int(np.searchsorted(self.ends, place, side="right"))

    def read(self, first: int, out: npt.NDArray[np.int64]) -> None:
        """Fill `out` with the ids from `first` of the stream on."""
        filled, shard = 0, self.shard_of(first)
        at = first - (int(self.ends[shard - 1]) if shard else 0)
        while filled < len(out):
            size = self.manifest.shards[shard].tokens
            opened = self.opened(shard) if at < size else None
            while opened is not None and at < size and filled < len(out):
                batch = int(np.searchsorted(opened.firsts, at, side="right")) - 1
                last = int(opened.firsts[batch + 1]) if batch + 1 < len(opened.firsts) else size
                taken = min(last - at, len(out) - filled)
                begins = int(opened.offsets[batch]) + at - int(opened.firsts[batch])
                out[filled : filled + taken] = opened.ids[begins : begins + taken]
                at, filled = at + taken, filled + taken
            shard, at = shard + 1, 0

    def opened(self, number: int) -> Opened:
        """A shard's map, the ones used longest ago let go."""
        with self._lock:
            found = self._open.get(number)
            if found is None:
                found = self._map(number)
                while len(self._open) > OPEN:
                    self._open.popitem(last=False)
                if self.store.remote:
                    self._let_go()
                self._open[number] = found
            elif self.store.remote and time.monotonic() - self._touched[number] >= TOUCHED:
                with suppress(FileNotFoundError):  # it went, and its map serves on
                    os.utime(self.file(number))
                self._touched[number] = time.monotonic()
            self._open.move_to_end(number)
            return found

    def file(self, number: int) -> Path:
        """What is mapped of a shard in object storage, once it is there."""
        shard = self.manifest.shards[number]
        return self.store.flat(shard, self.manifest.dtype) if _is_parquet(shard) else self.store.target(shard)

    def _map(self, number: int) -> Opened:
        shard, dtype = self.manifest.shards[number], self.manifest.dtype
        self._touched[number] = time.monotonic()
        if not _is_parquet(shard):
            with self.store.held(shard) as path:
                return _opened(path, shard, dtype)

        def write(path: Path, source: BinaryIO, sink: BinaryIO) -> None:
            _unpack(path, source, sink, dtype)

        with self.store.unpacked(shard, dtype, write) as path:
            ids = np.frombuffer(_mapped(path), np.dtype(dtype))
        return Opened(ids, np.zeros(1, np.int64), np.zeros(1, np.int64))

    def _let_go(self) -> None:
        """Close maps of files that have left the cache, so that their disk is free."""
        for number in [n for n in self._open if not self.file(n).is_file()]:
            del self._open[number]

    def documents(self, first: int, last: int) -> Iterator[Document]:
        """The documents with ids in [first, last) of the stream, in order."""
        for shard in range(self.shard_of(first), self.shard_of(last - 1) + 1):
            before = int(self.ends[shard - 1]) if shard else 0
            ends = before + self.rows(shard)[0]
            row = int(np.searchsorted(ends, first, side="right"))
            while row < len(ends) and (begins := int(ends[row - 1]) if row else before) < last:
                yield Document(begins, int(ends[row]), shard, row)
                row += 1

    def _rows(self, number: int) -> tuple[npt.NDArray[np.int64], pa.Table]:
        """(where each document of a shard ends, its columns but the ids)."""
        names = [*self.manifest.labels, *(["answers"] if self.manifest.answers else [])]
        sizes, parts = [], []
        with self.store.held(self.manifest.shards[number]) as path:
            for batch in label_batches(path, names):
                sizes.append(pa.compute.list_value_length(batch["tokens"]).to_numpy(zero_copy_only=False))
                parts.append(batch.select(["doc_id", *names]))
        ends = np.cumsum(np.concatenate(sizes), dtype=np.int64) if sizes else np.empty(0, np.int64)
        return ends, pa.Table.from_batches(parts) if parts else pa.table({"doc_id": pa.array([], pa.string())})


def _is_parquet(shard: Shard) -> bool:
    return shard.path.endswith(".parquet")


def _opened(path: Path, shard: Shard, dtype: str) -> Opened:
    kind = np.dtype(dtype)
    if not path.is_file():
        raise ValueError(f"{path} is missing. Run again to remake it.")
    try:
        whole = _mapped(path)
        reader = pa.ipc.open_file(whole)
        _check_type(path, reader.schema, dtype)
        lists = [reader.get_batch(i)["tokens"] for i in range(reader.num_record_batches)]
        sizes = [len(one.values) for one in lists]
        offsets = [_place(one.values, whole) for one in lists]
    except (pa.ArrowException, OSError) as error:
        raise ValueError(f"{path} cannot be read ({str(error).splitlines()[0]}). Restore it from a copy.") from error
    if sum(sizes) != shard.tokens:
        raise ValueError(f"{path} holds {sum(sizes):,} tokens, the manifest says {shard.tokens:,}. Make the run's "
                         "shards again with `winnow run`.")  # fmt: skip
    ids = np.frombuffer(whole, kind, count=whole.size // kind.itemsize)
    firsts = np.cumsum([0, *sizes[:-1]], dtype=np.int64)
    return Opened(ids, firsts, np.array(offsets, np.int64) // kind.itemsize)


def _place(values: pa.Array, whole: pa.Buffer) -> int:
    """Where the numbers of `values` begin in the map; ArrowInvalid unless all of them lie in it, one after another."""
    buffer, width = values.buffers()[1], values.type.byte_width
    first = 0 if buffer is None else buffer.address - whole.address + values.offset * width
    if first < 0 or first % width or first + len(values) * width > whole.size:
        raise pa.ArrowInvalid("its ids are compressed, or lie outside of it")
    return first


def _mapped(path: Path) -> pa.Buffer:
    """A whole file. Not by Python's own mmap, which keeps a file descriptor open for each map."""
    with pa.memory_map(str(path)) as source:
        return source.read_buffer()


def _unpack(path: Path, source: BinaryIO, sink: BinaryIO, dtype: str) -> None:
    """Write the ids of a Parquet shard as one flat run of numbers."""
    file = pq.ParquetFile(source)
    _check_type(path, file.schema_arrow, dtype)
    for batch in file.iter_batches(1024, columns=["tokens"]):
        sink.write(batch["tokens"].flatten().to_numpy().data)


def _check_type(path: Path, schema: pa.Schema, dtype: str) -> None:
    kind = schema.field("tokens").type if "tokens" in schema.names else None
    found = str(kind.value_type) if kind is not None and hasattr(kind, "value_type") else "no ids"
    if found != dtype:
        raise ValueError(f"{path} holds {found}, the manifest says {dtype}. Make the run's shards again.")
