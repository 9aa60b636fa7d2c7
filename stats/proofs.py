"""What must hold inside each part of a run: its files, the counts in their footers, its rows, and every hash.

Files of one part are read beside each other, a batch at a time where there is text. A fault names the file, so that
deleting it and running again mends the run.
"""

from __future__ import annotations

import hashlib
import itertools
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import xxhash

from pipelines.footer import UNREADABLE, open_parquet
from pipelines.schemas import CUT_SETS
from stats.run import Run
from stats.views import DATASETS

AGAIN = "Give the same `winnow run` again."
DELETE = "Delete it and run again."


def counted() -> dict[str, str]:
    """The dataset whose footers add up to what a stage counted."""
    return {
        "extract": "documents",
        "rights": "rights",
        "annotate": "signals",
        "dedup": "duplicates",
        "cuts": "cuts",
        "decide": "decisions",
        "scrub": "kept",
    }


@dataclass(frozen=True)
class File:
    """One file of a part: what its footer says, and its rows' ids."""

    path: Path
    mark: str
    counts: Mapping[str, int]
    ids: pa.ChunkedArray


def parts(run: Run) -> Iterator[str]:
    """Sentences for every fault of every planned part, and for files that no part has."""
    planned = {f"part-{part['index']:05d}.parquet": part for part in run.described["parts"]}
    for dataset in DATASETS:
        for path in run.parts(dataset):
            if path.name not in planned:
                yield f"{path} belongs to no part of the plan. {DELETE}"
    for name, part in planned.items():
        files: dict[str, File] = {}
        for dataset in DATASETS:
            path = run.path / dataset / name
            if not path.is_file():
                if run.asks_for(dataset):
                    yield f"{path} is missing. {AGAIN}"
                continue
            try:
                files[dataset] = _opened(path)
            except (*UNREADABLE, KeyError, ValueError) as error:
                yield f"{path} cannot be read ({str(error).splitlines()[0]}). {DELETE}"
        try:
            yield from _faults(run, part, files)
        except (*UNREADABLE, KeyError) as error:
            yield f"A file of part {part['index']} cannot be read ({str(error).splitlines()[0]}). {DELETE}"


def _opened(path: Path) -> File:
    with path.open("rb") as stream:
        source = open_parquet(stream)
        footer = source.metadata.metadata or {}
        ids = source.read(columns=["doc_id"])["doc_id"]
    counts = json.loads(footer.get(b"winnow.counts", b"{}"))
    return File(path, footer.get(b"winnow.fingerprint", b"").decode(), counts, ids)


def _faults(run: Run, part: Mapping[str, Any], files: Mapping[str, File]) -> Iterator[str]:
    yield from _marks(run, files)
    if "documents" in files and "rejects" in files:
        yield from _records(part, files["documents"], files["rejects"])
    for dataset in ("rights", "signals", "decisions"):
        if dataset in files and "documents" in files and not files[dataset].ids.equals(files["documents"].ids):
            yield f"{files[dataset].path} is not row for row beside {files['documents'].path}. {DELETE}"
    for dataset, file in files.items():
        if dataset == "contamination":  # its rows are spans and fates in one, and its footer counts documents
            continue
        if (told := _told(dataset, file.counts)) != len(file.ids):
            yield f"{file.path} holds {len(file.ids):,} rows, its footer says {told:,}. {DELETE}"
    if "documents" in files:
        yield from _hashes(files["documents"].path)
    if "policies" in files and "rejects" in files:
        yield from _policies(files["policies"], files["rejects"])
    if {"documents", "signals"} <= files.keys():
        for dataset in CUT_SETS:
            if dataset in files:
                yield from _spans(run, files, dataset)
    if "decisions" in files:
        yield from _fates(files)
    if "kept" in files:
        yield from _kept(files["kept"])


def _marks(run: Run, files: Mapping[str, File]) -> Iterator[str]:
    """Fingerprints: each file has one, those of extract are one, and they are what run.json says where it does."""
    for file in files.values():
        if not file.mark:
            yield f"{file.path} carries no fingerprint, so no stage of this run wrote it. {DELETE}"
    for beside in ("rejects", "policies"):
        if "documents" in files and beside in files and files["documents"].mark != files[beside].mark:
            yield f"{files[beside].path} was not made with {files['documents'].path}. Delete both and run again."
    for stage, dataset in counted().items():
        wanted = run.described["stages"].get(stage, {}).get("fingerprint")
        if wanted and dataset in files and files[dataset].mark != wanted:
            yield f"{files[dataset].path} was made by another {stage} than run.json's. {DELETE}"


def _records(part: Mapping[str, Any], documents: File, rejects: File) -> Iterator[str]:
    """Records read = documents + rejects + records that are no pages; and as many as the plan saw."""
    read = documents.counts.get("records", 0)
    skipped = sum(n for key, n in documents.counts.items() if key.startswith("skipped."))
    accounted = len(documents.ids) + len(rejects.ids) + skipped
    if read != accounted:
        yield f"{documents.path}: {read:,} records were read, {accounted:,} are accounted for. {DELETE}"
    if documents.counts.get("rejects", 0) != len(rejects.ids):
        yield (f"{rejects.path} holds {len(rejects.ids):,} rejects, {documents.path} counted "
               f"{documents.counts.get('rejects', 0):,}. Delete both and run again.")  # fmt: skip
    # A file that was sound for the plan and is not any more ends in one reject, for all that could not be read.
    lost = "file.unreadable" in pq.read_table(rejects.path, columns=["reason"])["reason"].to_pylist()
    if 0 <= part["records"] != read and not lost:
        yield (f"{documents.path}: {read:,} records were read, the plan saw {part['records']:,} in {part['path']} "
               f"from {part['start']} to {part['end']}. {DELETE}")  # fmt: skip


def _told(dataset: str, counts: Mapping[str, int]) -> int:
    """How many rows a file must have by its own footer."""
    if dataset in ("duplicates", "decisions"):
        return sum(counts.values())
    if dataset == "cuts":
        return counts.get("spans", 0) + counts.get("dropped", 0)
    named = {"rejects": "rejects", "policies": "policies", "contamination": "rows", "personal": "spans"}
    return counts.get(named.get(dataset, "documents"), 0)


def _hashes(path: Path) -> Iterator[str]:
    """Every id is that of the record's place, and every text has the hash it was written with."""
    columns = ["doc_id", "source", "offset", "text_hash", "text"]
    with pq.ParquetFile(path) as source:
        for batch in source.iter_batches(1024, columns=columns):
            ids, sources, offsets, hashes = (batch[name].to_pylist() for name in columns[:4])
            for row, text in enumerate(_bytes_of(batch["text"])):
                if xxhash.xxh3_128_hexdigest(text) != hashes[row]:
                    yield f"{path}: the text of {ids[row]} does not have its hash. Delete the file and run again."
                if xxhash.xxh3_128_hexdigest(f"{sources[row]}\0{offsets[row]}".encode()) != ids[row]:
                    place = f"{sources[row]} at {offsets[row]}"
                    yield f"{path}: {ids[row]} is not the id of {place}. Delete the file and run again."


def _policies(policies: File, rejects: File) -> Iterator[str]:
    """The rejected policy files are just those in policies/, and each whole UTF-8 body has its hash."""
    reasons = pq.read_table(rejects.path, columns=["reason"])["reason"]
    if not rejects.ids.filter(pc.equal(reasons, "rights.policy_file")).equals(policies.ids):
        yield f"{policies.path} does not hold just the policy files of {rejects.path}. Delete both and run again."
    with pq.ParquetFile(policies.path) as source:
        for batch in source.iter_batches(64, columns=["doc_id", "body", "sha256"]):
            for doc_id, body, stated in zip(*(column.to_pylist() for column in batch.columns), strict=True):
                # What decoding replaced or left out (a byte order mark) cannot be hashed again.
                plain = body and "\ufffd" not in body
                if plain and stated not in (_sha256(body), _sha256("\ufeff" + body)):
                    yield f"{policies.path}: the body of {doc_id} does not have its hash. {DELETE}"


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _bytes_of(text: pa.LargeStringArray) -> Iterator[memoryview]:
    """The UTF-8 bytes of each text, where they lie."""
    text = text.cast(pa.large_string())
    _, offsets, values = text.buffers()
    places = np.frombuffer(offsets, np.int64)[text.offset : text.offset + len(text) + 1].tolist()
    data = memoryview(values or b"")
    for start, stop in itertools.pairwise(places):
        yield data[start:stop]


def _spans(run: Run, files: Mapping[str, File], dataset: str) -> Iterator[str]:
    """Every span lies within its document's text as the edits leave it, and cuts no character in two."""
    from filters.annotate import final_text  # loads every kernel, for runs that have cuts alone

    path = files[dataset].path
    cuts = pq.read_table(path)
    places: dict[str, list[tuple[int, int]]] = {}
    for doc_id, *place in zip(*(cuts[name].to_pylist() for name in ("doc_id", "start", "end")), strict=True):
        places.setdefault(doc_id, []).append((place[0], place[1]))
    for batch, lang in _texts(files, pa.array(places, pa.string())):
        text = final_text(batch["text"], lang, run.recipe)
        for doc_id, data in zip(batch["doc_id"].to_pylist(), map(bytes, _bytes_of(text)), strict=True):
            for start, end in places[doc_id] if data else ():  # `winnow erase` leaves no text to look at
                if not 0 <= start <= end <= len(data):
                    yield f"{path}: a cut of {doc_id} does not lie within its text. {DELETE}"
                elif any(at < len(data) and data[at] & 0xC0 == 0x80 for at in (start, end)):
                    yield f"{path}: a cut of {doc_id} begins or ends within a character. {DELETE}"


def _texts(files: Mapping[str, File], wanted: pa.StringArray) -> Iterator[tuple[pa.RecordBatch, pa.StringArray]]:
    """Documents of these ids with their languages."""
    with pq.ParquetFile(files["documents"].path) as documents, pq.ParquetFile(files["signals"].path) as signals:
        batches = documents.iter_batches(1024, columns=["doc_id", "text"])
        for batch, signal in zip(batches, signals.iter_batches(1024, columns=["lang"]), strict=True):
            mask = pc.is_in(batch["doc_id"], value_set=wanted)
            if pc.any(mask, min_count=0).as_py():
                yield batch.filter(mask), signal["lang"].filter(mask)


def _fates(files: Mapping[str, File]) -> Iterator[str]:
    """The footer's tally of fates is that of the rows, and kept/ holds just the kept ones, in their order."""
    decisions = files["decisions"]
    fates = pq.read_table(decisions.path, columns=["fate"])["fate"]
    tally = Counter(fates.to_pylist())
    if tally != Counter(decisions.counts):
        yield f"{decisions.path} does not hold the fates that its footer counts. {DELETE}"
    if "kept" in files:
        wanted = decisions.ids.filter(pc.equal(fates, "kept"))
        if not wanted.equals(files["kept"].ids):
            yield f"{files['kept'].path} does not hold just the documents that {decisions.path} keeps. {DELETE}"


def _kept(kept: File) -> Iterator[str]:
    """The bytes of text and the personal data that the footer counts are those of the rows."""
    real: Counter[str] = Counter()
    with pq.ParquetFile(kept.path) as source:
        kinds = [name for name in source.schema_arrow.names if name.startswith("pii_")]
        for batch in source.iter_batches(1024, columns=["text", *kinds]):
            real["text_bytes"] += pc.sum(pc.binary_length(batch["text"])).as_py() or 0
            for kind in kinds:
                real[kind] += pc.sum(batch[kind]).as_py() or 0
    for key in ("text_bytes", *kinds):
        if real[key] != kept.counts.get(key, 0):
            yield f"{kept.path} has {real[key]:,} {key}, its footer says {kept.counts.get(key, 0):,}. {DELETE}"
