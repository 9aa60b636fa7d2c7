"""Job: what removed documents were is taken off the disk: shards of versions before, and texts in documents/, kept/ and
the samples of papers/.

Rows stay, with an empty text and the hash of an empty text, so parts stay row for row beside each other and every count
holds; URL, place and fate stay too, since they are what a person who asks is told. Manifests stay: they name hashes.
Each file is replaced whole, and what is about to go is noted first, so a kill is mended by the same command again.

Traded away: files are deleted as the file system deletes. What a disk, a snapshot or a backup still holds is not ours
to say.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import orjson
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipelines import run as runs
from pipelines.parts import COUNTS, FINGERPRINT, part_path, read_footer, write_part
from pipelines.removal.match import NO_TEXT
from pipelines.removal.obey import removed_of
from pipelines.removal.remove import Opened, clear, open_for_removal
from pipelines.removal.samples import blank_samples, drop_report
from tokenization.commit import put
from tokenization.versions import SHARD, erased, erased_file, version_in

BLANK = {"text": "", "text_hash": NO_TEXT, "title": None, "author": None}  # columns of documents/ and kept/


@dataclass(frozen=True)
class Erased:
    """`shards` deleted, of so many bytes; documents whose text was blanked in documents/, in kept/ and
    in the samples of papers/ this time."""

    shards: list[str]
    bytes: int
    documents: int
    kept: int
    samples: int


def erase(manifest: Path) -> Erased:
    """Erase what the newest version's removals took out; ValueError in a sentence if nothing was removed."""
    with runs.locked(str(manifest.absolute().parent)):
        run = open_for_removal(manifest)
        clear(run)
        gone = {name for entry in run.entries() for name in entry.documents()["doc_id"].to_pylist()}
        gone |= {name for i in run.indices for name in removed_of(str(run.folder), i)[0]["doc_id"].to_pylist()}
        if not gone:
            raise ValueError(f"Nothing was removed from {run.folder}: `winnow remove` comes first.")
        shards, size = _shards(run)
        documents, kept = (_blanked(run, dataset, gone) for dataset in ("documents", "kept"))
        samples = blank_samples(run.folder, gone)
        drop_report(run.folder)
        _recount(run)
        _note(run, set(), True)
        return Erased(shards, size, documents, kept, samples)


def _shards(run: Opened) -> tuple[list[str], int]:
    """Delete the shards that only versions before the newest name."""
    stays = {shard.path for shard in run.now.manifest.shards}
    old = sorted({shard.path for version in run.versions for shard in version.manifest.shards} - stays)
    there = [name for name in old if version_in(SHARD, Path(name).name) and (run.folder / name).is_file()]
    size = sum((run.folder / name).stat().st_size for name in there)
    _note(run, set(old), False)
    for name in there:
        (run.folder / name).unlink()
    return there, size


def _note(run: Opened, shards: set[str], done: bool) -> None:
    """Note the shards that go, and whether all that was to go is gone."""
    file = erased_file(run.folder)
    file.parent.mkdir(exist_ok=True)  # a run may obey a register and have no request of its own
    put(file, json.dumps({"shards": sorted(erased(run.folder) | shards), "done": done}).encode())


def _blanked(run: Opened, dataset: str, gone: set[str]) -> int:
    """Blank the texts of one dataset, part by part; returns how many were not blank yet."""
    total = 0
    for index in run.indices:
        path = part_path(str(run.folder), dataset, index)
        rows = pq.read_table(path, columns=["doc_id", "text"])
        mine = pc.and_(
            pc.is_in(rows["doc_id"], value_set=pa.array(list(gone), pa.string())),
            pc.greater(pc.binary_length(rows["text"]), 0),
        )
        if count := pc.sum(mine).as_py() or 0:
            total += count
            footer = read_footer(path)
            counts: dict[str, int] = orjson.loads(footer[COUNTS])
            if "text_bytes" in counts:
                counts["text_bytes"] -= pc.sum(pc.binary_length(rows.filter(mine)["text"])).as_py()
            schema = pq.read_schema(path).remove_metadata()
            write_part(path, _without_texts(path, gone), schema, footer[FINGERPRINT].decode(), counts)
    return total


def _without_texts(path: str, gone: set[str]) -> Iterator[pa.RecordBatch]:
    names = pa.array(list(gone), pa.string())
    with pq.ParquetFile(path) as source:
        for batch in source.iter_batches(1024):
            mask = pc.is_in(batch["doc_id"], value_set=names)
            yield _blank(batch, mask, BLANK)


def _blank(batch: pa.RecordBatch, mask: pa.BooleanArray, blank: Mapping[str, str | None]) -> pa.RecordBatch:
    columns = [
        pc.if_else(mask, pa.scalar(blank[field.name], field.type), batch[field.name]) if field.name in blank
        else batch[field.name]
        for field in batch.schema
    ]  # fmt: skip
    return pa.RecordBatch.from_arrays(columns, schema=batch.schema.remove_metadata())


def _recount(run: Opened) -> None:
    """run.json's counts of kept/ follow its footers."""
    described = runs.load(str(run.folder))
    counts = described["stages"]["scrub"]["counts"]
    footers = (read_footer(part_path(str(run.folder), "kept", index)) for index in run.indices)
    counts["text_bytes"] = sum(orjson.loads(footer[COUNTS])["text_bytes"] for footer in footers)
    runs.save(str(run.folder), described)
