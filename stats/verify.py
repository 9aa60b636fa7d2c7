"""The law of conservation, proved again from the files: every record one fate, counts that add up, every hash.

Each check yields sentences; none means that all is well. Texts are streamed, so memory is bounded by a batch,
and the joins over ids are DuckDB's.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

import pyarrow as pa
import pyarrow.parquet as pq
import xxhash

from stats.run import Run
from tokenization.manifest import Manifest

# Each query counts what must not be; each sentence says what it would mean.
NEVER = (
    ("SELECT count(*) - count(DISTINCT doc_id) FROM fates", "records have more than one fate"),
    ("SELECT count(*) FROM fates WHERE fate IS NULL", "documents have no fate"),
    ("SELECT count(*) FROM decisions WHERE doc_id NOT IN (SELECT doc_id FROM documents)", "decisions have no document"),
    ("SELECT count(*) FROM documents WHERE doc_id NOT IN (SELECT doc_id FROM signals)", "documents have no signals"),
    ("SELECT count(*) FROM decisions WHERE fate = 'kept' AND doc_id NOT IN (SELECT doc_id FROM kept)",
     "kept documents are missing from kept/"),
    ("SELECT count(*) FROM kept WHERE doc_id NOT IN (SELECT doc_id FROM decisions WHERE fate = 'kept')",
     "documents lie in kept/ that were not kept"),
    ("SELECT count(*) FROM kept WHERE doc_id NOT IN (SELECT doc_id FROM tokens)", "kept documents are in no shard"),
    ("SELECT count(*) FROM tokens WHERE doc_id NOT IN (SELECT doc_id FROM kept)", "shards hold documents not kept"),
    ("SELECT count(*) - count(DISTINCT doc_id) FROM tokens", "documents are in the shards twice"),
    ("SELECT count(*) FROM duplicates d JOIN decisions c ON d.kept_id = c.doc_id WHERE c.fate <> 'kept'",
     "duplicates point to a document that was not kept"),
    ("SELECT count(*) FROM duplicates WHERE kept_id NOT IN (SELECT doc_id FROM documents)",
     "duplicates point to a document that is not there"),
)  # fmt: skip
STAGES = ("plan", "extract", "annotate", "dedup", "decide", "scrub", "tokenize")
BESIDE = ("signals", "decisions")


def verify(run: Run) -> Iterator[str]:
    """Every problem of the run, one sentence each."""
    missing = [s for s in STAGES if run.described.get("stages", {}).get(s, {}).get("state") != "done"]
    if missing:
        yield f"The run is not finished: {', '.join(missing)} still to do. Give the same `winnow run` again."
        return
    yield from _parts(run)
    for query, meaning in NEVER:
        count = run.rows(query)[0][0]
        if count:
            yield f"{count} {meaning}. Delete the folder's datasets and run again."
    yield from _texts(run)
    yield from _shards(run)


def _parts(run: Run) -> Iterator[str]:
    """Each planned part is there, adds up, and its datasets lie row for row beside each other."""
    for part in run.described["parts"]:
        name = f"part-{part['index']:05d}.parquet"
        files = {d: run.path / d / name for d in ("documents", "rejects", *BESIDE)}
        gone = [str(f) for f in files.values() if not f.is_file()]
        if gone:
            yield f"{gone[0]} is missing. Run again to remake it."
            continue
        try:
            counts = json.loads((pq.read_metadata(files["documents"]).metadata or {}).get(b"winnow.counts", b"{}"))
            ids = {d: pq.read_table(files[d], columns=["doc_id"])["doc_id"] for d in files}
        except (pa.ArrowInvalid, OSError) as error:
            yield f"A file of part {part['index']} cannot be read ({error}). Delete it and run again."
            continue
        skipped = sum(n for key, n in counts.items() if key.startswith("skipped."))
        accounted = len(ids["documents"]) + len(ids["rejects"]) + skipped
        if counts.get("records") != accounted:
            yield f"{files['documents']}: {counts.get('records')} records were read, {accounted} are accounted for."
        for dataset in BESIDE:
            if not ids[dataset].equals(ids["documents"]):
                yield f"{files[dataset]} is not row for row beside {files['documents']}. Delete it and run again."


def _texts(run: Run) -> Iterator[str]:
    """Every text still has the hash it was written with."""
    for path in run.parts("documents"):
        try:
            for batch in pq.ParquetFile(path).iter_batches(1024, columns=["doc_id", "text", "text_hash"]):
                for row in batch.to_pylist():
                    if xxhash.xxh3_128_hexdigest(row["text"].encode()) != row["text_hash"]:
                        yield f"{path}: the text of {row['doc_id']} does not have its hash. Delete the file, run again."
        except (pa.ArrowInvalid, OSError) as error:
            yield f"{path} cannot be read ({error}). Delete it and run again."


def _shards(run: Run) -> Iterator[str]:
    """The manifest's files are whole and its totals are theirs."""
    try:
        manifest = Manifest.read(run.path / "manifest.json")
    except (FileNotFoundError, ValueError) as error:
        yield str(error)
        return
    yield from manifest.problems(run.path)
    counted = {
        shard: (n, t) for shard, n, t in run.rows("SELECT shard, count(*), sum(n_tokens) FROM tokens GROUP BY 1")
    }
    for shard in manifest.shards:
        real = counted.get(shard.path.rpartition("/")[2], (0, 0))
        if real != (shard.documents, shard.tokens):
            yield f"{shard.path} holds {real[0]} documents and {real[1]} tokens, the manifest says otherwise."
