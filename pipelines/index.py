"""The index of earlier corpora: what a later run needs to know whom it repeats. A folder on a local disk.

INDEX/index.json names generations, one a corpus, oldest first; INDEX/<generation>/ holds `units/` (one file a part of
that corpus: doc_id, text hash, rank, signature, and the node that stands for its cluster), `bands/` (its keys by
column and range, as the run itself cut them) and `clusters.parquet` (size and lowest doc_id of every cluster that
it made or enlarged). Nothing is ever rewritten: a generation is made under a hidden name and appears with one
rename of index.json, so a run that dies leaves the index as it was. One dedup at a time holds the index (flock);
another waits for it. The layout was chosen by measurement (docs/dedup.md): datasketch's storages keep a Python object
or a network round trip for each document and band.
"""

from __future__ import annotations

import fcntl
import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import BaseModel, ConfigDict, ValidationError

from dedup.keys import KEYS_VERSION
from dedup.pairs import U64
from pipelines.signature import NODE_PART
from pipelines.work import INDEXED, Earlier
from recipes.dedup import Dedup

NAME = "index.json"
GENERATION = re.compile(r"[0-9]{5}-[0-9a-f]{12}")
CLUSTER = pa.schema(
    [
        ("root", pa.uint64()),  # the node that stands for the cluster: the document that was kept
        ("size", pa.int64()),
        ("lowest", pa.binary(16)),  # lowest doc_id
        ("into", pa.uint64()),  # the root that a later generation joined it to; itself while it stands
    ]
)


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Generation(_Strict):
    """One corpus of the index: the run it came from, and the fingerprint of the dedup that made it."""

    name: str
    corpus: str
    made_by: str
    first_unit: int
    units: int
    groups: int
    ranges: int
    documents: int


class Index(_Strict):
    """index.json. `keys` is the part of a recipe's [dedup] that must be equal for keys to be comparable."""

    version: Literal[1] = 1
    keys: dict[str, object]
    generations: tuple[Generation, ...] = ()

    @property
    def documents(self) -> int:
        """How many documents it remembers."""
        return sum(g.documents for g in self.generations)


def keys_part(dedup: Dedup) -> dict[str, object]:
    """What of [dedup] decides keys, signatures and ranks, and the version of how keys are made."""
    given = dedup.model_dump(mode="json", include={"url", "exact", "minhash", "simhash"})
    return {
        name: {key: value for key, value in part.items() if key not in ("evidence", "note")}
        for name, part in given.items()
        if isinstance(part, dict)
    } | {"keep": list(dedup.keep), "version": KEYS_VERSION}


def load(folder: Path) -> Index | None:
    """The index in `folder`; None if the folder is not there yet; ValueError with the remedy if it is no index."""
    if not (folder / NAME).is_file():
        others = [p for p in folder.iterdir() if not p.name.startswith(".")] if folder.is_dir() else []
        if any(not GENERATION.fullmatch(p.name) for p in others):
            raise ValueError(f"{folder} is not empty and holds no {NAME}: it is no index. Name another folder.")
        return None
    try:
        return Index.model_validate_json((folder / NAME).read_bytes())
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "the whole file"
        raise ValueError(
            f"{folder / NAME} is damaged or of another version: {place}: {first['msg']}. Restore it, or name a new "
            "folder and add the corpora again."
        ) from error


def checked(folder: Path, dedup: Dedup) -> Index:
    """The index, or an empty one; ValueError if its keys were made otherwise than `dedup` asks."""
    wanted = keys_part(dedup)
    found = load(folder)
    if found is not None and found.keys != wanted:
        differ = sorted(k for k in {*found.keys, *wanted} if found.keys.get(k) != wanted.get(k))
        raise ValueError(
            f"{folder} was made with another [dedup] ({', '.join(differ)} differ), so its keys cannot be compared. "
            "Use the recipe it was made with, or name a new folder."
        )
    if dedup.minhash and dedup.minhash.verify is not None and dedup.minhash.verify_by == "jaccard":
        raise ValueError('An index holds signatures and no texts: with it, [dedup.minhash] verify_by = "signature".')
    return found or Index(keys=wanted)


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Hold the index for this process, waiting for whoever has it; what a dead run left half made is removed."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        index = load(folder)
        named = {generation.name for generation in index.generations} if index else set()
        for stray in folder.iterdir():  # half made, or moved here by a run that died before it was named
            if stray.name.startswith(".making-") or (GENERATION.fullmatch(stray.name) and stray.name not in named):
                shutil.rmtree(stray)
        yield


def earlier(folder: Path, index: Index, before: int | None = None) -> Earlier:
    """The index (or its first `before` generations) as a dedup sees it."""
    units: list[str] = []
    bands: list[tuple[int, int, tuple[str, ...]]] = []
    clusters: list[str] = []
    for generation in index.generations[:before]:
        home = folder / generation.name
        units += [str(home / "units" / f"{unit:06d}.parquet") for unit in range(generation.units)]
        files = sorted((home / "bands").glob("*.arrow"))
        if len(files) != generation.groups or not (home / "clusters.parquet").is_file():
            raise ValueError(f"{home} has lost files. Restore it from a copy, or start a new index.")
        bands.append((generation.first_unit, generation.ranges, tuple(map(str, files))))
        clusters.append(str(home / "clusters.parquet"))
    names = tuple(generation.name for generation in index.generations[:before])
    return Earlier(names, tuple(units), tuple(clusters), tuple(bands))


def publish(folder: Path, before: tuple[Generation, ...], index: Index, made: Path, generation: Generation) -> Index:
    """Move a finished generation into the index and make it visible, after those `before` it, with one rename."""
    home = folder / generation.name
    if home.exists():  # moved, but index.json was never renamed
        shutil.rmtree(home)
    made.rename(home)
    after = index.model_copy(update={"generations": (*before, generation)})
    temporary = folder / f".{NAME}.tmp"
    temporary.write_text(after.model_dump_json(indent=1) + "\n")
    temporary.replace(folder / NAME)
    return after


def roots_of(nodes: U64, index: Earlier) -> U64:
    """The node that stands for the cluster of each of the index's `nodes` (sorted) by now."""
    units = ((nodes & ~INDEXED) >> NODE_PART).astype(np.int64)
    out = nodes.copy()
    for unit in np.unique(units).tolist():
        mine = units == unit
        places = (nodes[mine] & np.uint64(0xFFFFFFFF)).astype(np.int64)
        out[mine] = pq.read_table(index.units[unit], columns=["root"])["root"].to_numpy()[places]
    for path in index.clusters:  # oldest first: a root that was joined to another is followed there
        moved = pq.read_table(path, columns=["root", "into"])
        root, into = moved["root"].to_numpy(), moved["into"].to_numpy()
        away = root != into
        out = follow(out, root[away], into[away])
    return out


def follow(nodes: U64, root: U64, into: U64) -> U64:
    """Replace every node that is among `root` by its `into`."""
    if not len(root):
        return nodes
    order = np.argsort(root)
    at = np.minimum(np.searchsorted(root[order], nodes), len(root) - 1)
    hit = root[order][at] == nodes
    return np.where(hit, into[order][at], nodes)


def clusters_of(roots: U64, paths: Sequence[str]) -> pa.Table:
    """The newest row of CLUSTER of each of `roots` (sorted, distinct); single documents have none."""
    found = [CLUSTER.empty_table().append_column("generation", pa.array([], pa.int32()))]
    wanted = pa.array(roots)
    for number, path in enumerate(paths):
        table = pq.read_table(path, filters=pa.compute.is_in(pa.compute.field("root"), wanted), schema=CLUSTER)
        found.append(table.append_column("generation", pa.array([number] * table.num_rows, pa.int32())))
    table = pa.concat_tables(found)
    order = np.lexsort((-table["generation"].to_numpy(), table["root"].to_numpy()))
    table = table.take(pa.array(order))
    root = table["root"].to_numpy()
    newest = np.ones(len(root), bool)
    newest[1:] = root[1:] != root[:-1]
    return table.filter(pa.array(newest)).drop_columns(["generation"])
