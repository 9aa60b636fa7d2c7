"""Shards without some of their documents, as new files beside the old ones. No other shard is opened.

A document's shard is a hash of its id, so what can hold it is known without looking: removing one document from ten
thousand shards reads one shard and writes one. A shard that loses all its documents stays as an empty file, since a
shard's number is its place among the others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from tokenization.commit import settle, temporary_of
from tokenization.manifest import Manifest, Shard, file_sha256
from tokenization.shards import shard_mark, write_shard
from tokenization.shuffle import order_keys, shard_of
from tokenization.versions import erased, latest, shard_name


def places(doc_ids: Sequence[str], manifest: Manifest) -> dict[int, list[str]]:
    """The documents by the number of the one shard that each can be in, shards in order."""
    numbers = shard_of(order_keys(doc_ids, manifest.seed), len(manifest.shards)).tolist()
    found: dict[int, list[str]] = {}
    for number, doc_id in sorted(zip(numbers, doc_ids, strict=True)):
        found.setdefault(number, []).append(doc_id)
    return found


def lengths_in(path: Path, doc_ids: Sequence[str]) -> dict[str, int]:
    """How many tokens each of those of the documents has that lie in this shard."""
    table = read_shard(path)
    mine = table.filter(pc.is_in(table["doc_id"], pa.array(doc_ids, pa.string())))
    sizes = pc.list_value_length(mine["tokens"]).to_pylist()
    return dict(zip(mine["doc_id"].to_pylist(), sizes, strict=True))


def rewritten(folder: Path, manifest: Manifest, gone: Mapping[int, Sequence[str]], request: str) -> list[Shard]:
    """The next version's shards: those of `gone` (documents by number) in new files, all others as they were."""
    shards = list(manifest.shards)
    for number, doc_ids in gone.items():
        shards[number] = _without(folder, manifest, number, doc_ids, request)
    return shards


def _without(folder: Path, manifest: Manifest, number: int, doc_ids: Sequence[str], request: str) -> Shard:
    old = manifest.shards[number]
    source = folder / old.path
    table = read_shard(source)
    left = table.filter(pc.invert(pc.is_in(table["doc_id"], pa.array(doc_ids, pa.string()))))
    path = source.with_name(shard_name(number, manifest.format, manifest.version + 1))
    temporary = temporary_of(path)
    with pa.OSFile(str(temporary), "wb") as sink:
        write_shard(sink, left, manifest.format, manifest.dtype, f"{shard_mark(str(source))} {request}")
    size, sha256 = temporary.stat().st_size, file_sha256(temporary)
    settle(temporary, path)
    tokens = pc.sum(pc.list_value_length(left["tokens"])).as_py() or 0
    name = (Path(old.path).parent / path.name).as_posix()
    return Shard(path=name, bytes=size, sha256=sha256, documents=left.num_rows, tokens=tokens)


def read_shard(path: Path) -> pa.Table:
    """A shard's rows, mapped where they can be; ValueError in a sentence if it cannot be read."""
    folder = path.parent.parent
    if not path.exists() and f"{path.parent.name}/{path.name}" in erased(folder):
        raise ValueError(f"{path} was erased on purpose, with the removed documents in it. Name {latest(folder)}, the "
                         "newest version.")  # fmt: skip
    try:
        if path.suffix == ".parquet":
            return pq.read_table(path, partitioning=None)
        with pa.memory_map(str(path)) as source:
            return pa.ipc.open_file(source).read_all()
    except (pa.ArrowException, OSError, KeyError) as error:
        raise ValueError(f"{path} cannot be read ({str(error).splitlines()[0]}). Restore it from a copy.") from error
