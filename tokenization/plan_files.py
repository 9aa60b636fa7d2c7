"""The files of a plan: the segments of each group's sequences, written once and mapped by whoever needs them.

A folder `plan-<digest>` has three flat files of little-endian numbers a group: `starts` (int64), `lengths` (int32) and
`firsts` (int64). The digest is of the manifest and of all that the segments depend on, so another training of the same
layout finds them. They are made under a lock beside their final name, flushed and renamed: several ranks may ask at
once, and neither a kill nor a loss of power leaves what could be taken for whole; `sizes.json` has the size of each
file, and where one has another, all are made again. Memory is that of one shard's offsets and labels.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from tokenization.commit import flush
from tokenization.manifest import Manifest
from tokenization.mix import PERIOD, REST, Entry, parse, quotas
from tokenization.packing import Ints, Packed, best_fit, chunked
from tokenization.plan import Group, Layout, Plan
from tokenization.sequences import Order

SIZES = "sizes.json"
PathOf = Callable[[int], Path]
KINDS: dict[str, np.dtype[Any]] = {"starts": np.dtype("<i8"), "lengths": np.dtype("<i4"), "firsts": np.dtype("<i8")}


def open_plan(manifest: Manifest, layout: Layout, path_of: PathOf, folder: Path) -> Plan:
    """The plan of a training over `manifest`, its files in `folder`; `path_of` gives a shard's file by number.

    ValueError in a sentence if the corpus has too little for a sequence, or not the labels of the mixture.
    """
    if not layout.indexed:
        total = max(manifest.totals.tokens - 1, 0) // layout.context
        return Plan(layout, (_group(layout, "all", 0, 0, PERIOD, total, total, None),))
    entries = _entries(manifest, layout)
    target = folder / f"plan-{_digest(manifest, layout)}"
    if not _whole(target):
        folder.mkdir(parents=True, exist_ok=True)
        with _locked(folder):
            if not _whole(target):
                _write(manifest, layout, entries, path_of, target)
    return _read(layout, entries, target)


def _entries(manifest: Manifest, layout: Layout) -> tuple[Entry, ...]:
    entries = parse(layout.mix)
    for entry in entries:
        if entry.column not in manifest.labels:
            raise ValueError(f"--mix {entry.name}: the shards of this manifest do not say the {entry.column} of their "
                             "documents. Make them again with `winnow run`.")  # fmt: skip
    return entries


def _digest(manifest: Manifest, layout: Layout) -> str:
    what = [layout.context, layout.seed, layout.packing, [e.name for e in parse(layout.mix)]]
    return hashlib.sha256(manifest.as_bytes() + json.dumps(what).encode()).hexdigest()[:16]


def _read(layout: Layout, entries: tuple[Entry, ...], target: Path) -> Plan:
    left = 1 - sum(entry.share for entry in entries)
    named = [*((entry.name, entry.share) for entry in entries), (REST if entries else "all", left)]
    packed = [_mapped(target / str(index)) for index in range(len(named))]
    totals = [len(one.firsts) - 1 for one in packed]
    kept = [i for i, (_, share) in enumerate(named) if share > 1e-9]
    for i in kept:
        if totals[i] < 1:
            name = named[i][0]
            hint = "what is left to documents of no label: let the shares add up to 1" if name == REST else name
            raise ValueError(f"--mix {layout.mix or '(none)'}: there is not one sequence of {layout.context} tokens "
                             f"for {hint}. Use --context or another --mix.")  # fmt: skip
    shares = quotas([named[i][1] for i in kept])
    groups, base, every = [], 0, sum(totals[i] for i in kept)
    for stream, (i, quota) in enumerate(zip(kept, shares, strict=True)):
        groups.append(_group(layout, named[i][0], base, stream, quota, totals[i], every, packed[i]))
        base += totals[i]
    return Plan(layout, tuple(groups))


def _group(
    layout: Layout, name: str, base: int, stream: int, quota: int, total: int, every: int, packed: Packed | None
) -> Group:  # fmt: skip
    """A group whose last sequences are held out: its part of all that are to be, a tenth of it at most."""
    apart = min(-(-layout.held_out * total // max(every, 1)), total // 10)
    order = Order(layout.seed, total - apart, layout.window // layout.context, stream)
    return Group(name, base, quota, order, apart, packed)


def _whole(target: Path) -> bool:
    try:
        return bool(json.loads((target / SIZES).read_bytes()) == _sizes(target))
    except (OSError, ValueError):
        return False


def _sizes(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_size for path in folder.iterdir() if path.name != SIZES}


def _mapped(stem: Path) -> Packed:
    arrays = []
    for kind, dtype in KINDS.items():
        file = stem.with_name(f"{stem.name}.{kind}")
        arrays.append(np.memmap(file, dtype, "r") if file.stat().st_size else np.empty(0, dtype))
    return Packed(*arrays)


def _write(manifest: Manifest, layout: Layout, entries: tuple[Entry, ...], path_of: PathOf, target: Path) -> None:
    temporary = target.with_name(f".tmp-{target.name}")
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir()
    writers = [_Writer(temporary / str(index), layout) for index in range(len(entries) + 1)]
    at = 0
    for number, shard in enumerate(manifest.shards):
        lengths, groups = document_sizes(path_of(number), entries)
        if int(lengths.sum()) != shard.tokens:
            raise ValueError(f"{path_of(number)} holds {int(lengths.sum()):,} tokens, the manifest says "
                             f"{shard.tokens:,}. Make the run's shards again with `winnow run`.")  # fmt: skip
        starts = at + np.cumsum(lengths) - lengths
        for index, writer in enumerate(writers):
            writer.add(starts[groups == index], lengths[groups == index], number)
        at += shard.tokens
    for writer in writers:
        writer.close()
    (temporary / SIZES).write_text(json.dumps(_sizes(temporary)))
    for path in (*temporary.iterdir(), temporary):
        flush(path)
    shutil.rmtree(target, ignore_errors=True)  # what is there is not whole
    temporary.replace(target)
    flush(target.parent)


class _Writer:
    """Packs one group's documents, shard by shard, and appends the sequences to its files."""

    def __init__(self, stem: Path, layout: Layout) -> None:
        self.layout, self.rows = layout, 0
        self.left: tuple[Ints, Ints] = np.empty(0, np.int64), np.empty(0, np.int64)
        self.sinks: dict[str, Any] = {kind: stem.with_name(f"{stem.name}.{kind}").open("wb") for kind in KINDS}
        self.sinks["firsts"].write(np.zeros(1, KINDS["firsts"]).tobytes())

    def add(self, starts: Ints, lengths: Ints, number: int) -> None:
        """Documents of shard `number`."""
        if self.layout.packing == "best-fit":
            made = best_fit(starts, lengths, self.layout.context, self.layout.seed + number)
        else:
            before, sizes = self.left
            both = np.concatenate((before, starts)), np.concatenate((sizes, lengths))
            made, *left = chunked(both[0], both[1], self.layout.context)
            self.left = left[0], left[1]
        made.starts.astype(KINDS["starts"]).tofile(self.sinks["starts"])
        made.lengths.astype(KINDS["lengths"]).tofile(self.sinks["lengths"])
        (made.firsts[1:] + self.rows).astype(KINDS["firsts"]).tofile(self.sinks["firsts"])
        self.rows += len(made.starts)

    def close(self) -> None:
        """All is written."""
        for sink in self.sinks.values():
            sink.close()


def document_sizes(path: Path, entries: tuple[Entry, ...]) -> tuple[Ints, Ints]:
    """(ids of each document, number of the first entry that names it, or one past the last) of a shard, in order."""
    sizes, groups = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    for batch in label_batches(path, [entry.column for entry in entries]):
        sizes.append(pc.list_value_length(batch["tokens"]).to_numpy(zero_copy_only=False).astype(np.int64))
        found = np.full(batch.num_rows, len(entries), np.int64)
        for index in reversed(range(len(entries))):
            named = pc.equal(batch[entries[index].column].cast(pa.string()), entries[index].value)
            found[named.to_numpy(zero_copy_only=False)] = index
        groups.append(found)
    return np.concatenate(sizes), np.concatenate(groups)


def label_batches(path: Path, columns: list[str]) -> Iterator[pa.RecordBatch]:
    """Record batches of a shard with at least `tokens` and these columns; ids of an Arrow shard are not touched.

    ValueError in a sentence if the shard cannot be read or lacks a column.
    """
    try:
        if path.suffix == ".parquet":
            yield from pq.ParquetFile(path).iter_batches(1024, columns=["doc_id", "tokens", *dict.fromkeys(columns)])
            return
        with pa.memory_map(str(path)) as source:
            reader = pa.ipc.open_file(source)
            if missing := set(columns) - set(reader.schema.names):
                raise KeyError(f"it has no column {sorted(missing)[0]}")
            for number in range(reader.num_record_batches):
                batch = reader.get_batch(number)
                batch.validate(full=True)  # of offsets that lead out of the file; ids are not touched
                yield batch
    except (pa.ArrowException, OSError, KeyError) as error:
        raise ValueError(f"{path} cannot be read ({str(error).splitlines()[0]}). Restore it from a copy.") from error


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    with (folder / ".lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
