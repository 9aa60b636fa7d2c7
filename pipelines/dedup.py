"""Job: who repeats whom. Signatures by part, candidates by Beam's GroupByKey, clusters, one kept.

Only documents that pass the recipe's rules take part. The shuffle moves keyed Arrow batches of (hash, document):
16 bytes a document and band, never text. What comes out of it, pairs, is resolved in this process: components
of the pairs, with the signatures of paired documents only (see `dedup.clusters` for what fits).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import apache_beam as beam
import numpy as np
import numpy.typing as npt
import pyarrow as pa
from apache_beam.io.filesystems import FileSystems
from apache_beam.options.pipeline_options import PipelineOptions

from dedup.clusters import components, ranked, similarity, star_edges, unique_pairs
from pipelines.code import made_by
from pipelines.parts import (
    fingerprint,
    make_dirs,
    part_path,
    read_counts,
    read_mark,
    read_part,
    read_table,
    write_part,
)
from pipelines.rank import rank, ranks_mark
from pipelines.schemas import DUPLICATES
from pipelines.sign import keyed_hashes, signature_matrix
from recipes.model import Recipe

BUCKET_ROWS = 4_000_000  # documents a bucket may hold: 64 MB of hashes


def deduplicate(run: str, indices: Sequence[int], recipe: Recipe, options: PipelineOptions) -> dict[str, int]:
    """Write duplicates/ for all parts; returns clusters and duplicates by method."""
    rank(run, indices, recipe)
    marks = [(read_mark(part_path(run, "signals", i)), ranks_mark(run, i, recipe)) for i in indices]
    mark = fingerprint("dedup", made_by(), marks, [s.model_dump() for s in recipe.steps], recipe.dedup.model_dump())
    done = [read_counts(part_path(run, "duplicates", i), mark) for i in indices]
    if done and all(counts is not None for counts in done):
        return {key: sum((c or {}).get(key, 0) for c in done) for key in sorted(set().union(*(c or {} for c in done)))}
    pairs = _candidates(run, indices, recipe, options, mark) if recipe.dedup.exact or recipe.dedup.minhash else None
    return _resolve(run, indices, recipe, pairs, mark)


def _candidates(
    run: str, indices: Sequence[int], recipe: Recipe, options: PipelineOptions, mark: str
) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint64]]:
    """All candidate pairs of the run, by the one shuffle that Winnow has."""
    folder = f"{run}/pairs"
    if FileSystems.exists(folder):
        FileSystems.delete([folder])
    make_dirs(folder)
    rows = sum(_count_rows(part_path(run, "documents", i)) for i in indices)
    buckets = rows // BUCKET_ROWS + 1
    with beam.Pipeline(options=options) as pipeline:
        _ = (
            pipeline
            | "References" >> beam.Create(list(indices))
            | "Spread" >> beam.Reshuffle()
            | "Sign" >> beam.FlatMap(keyed_hashes, run=run, recipe=recipe, buckets=buckets)
            | "Meet" >> beam.GroupByKey()
            | "Pair" >> beam.Map(write_pairs, folder=folder)
        )
    found = [m.path for match in FileSystems.match([f"{folder}/*"]) for m in match.metadata_list]
    left, right = [np.empty(0, np.uint64)], [np.empty(0, np.uint64)]
    for path in sorted(found):
        for batch in read_part(path, batch_rows=1 << 16):
            left.append(batch["left"].to_numpy())
            right.append(batch["right"].to_numpy())
    FileSystems.delete([folder])
    return unique_pairs(np.concatenate(left), np.concatenate(right))


def _count_rows(path: str) -> int:
    return sum(batch.num_rows for batch in read_part(path, ["doc_id"], 65_536))


def write_pairs(keyed: tuple[str, Iterable[bytes]], folder: str) -> int:
    """Candidate pairs of one bucket, to a file of their own."""
    name, packed = keyed
    tables = [pa.ipc.open_stream(data).read_all() for data in packed]
    table = pa.concat_tables(tables)
    left, right = unique_pairs(*star_edges(table["hash"].to_numpy(), table["doc"].to_numpy()))
    batch = pa.RecordBatch.from_pydict({"left": left, "right": right})
    return write_part(f"{folder}/{name}.parquet", [batch], batch.schema, "", {}) if len(left) else 0


def _resolve(
    run: str, indices: Sequence[int], recipe: Recipe,
    pairs: tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint64]] | None, mark: str,
) -> dict[str, int]:  # fmt: skip
    """Verify pairs, find clusters, choose who stays, and write duplicates/ part by part."""
    rows = _cluster_rows(run, recipe, pairs) if pairs is not None and len(pairs[0]) else {}
    total = {"clusters": 0, "exact": 0, "minhash": 0}
    for index in indices:
        mine = [row for _, row in sorted(rows.get(index, []))]
        counts = {key: sum(r["method"] == key for r in mine) for key in ("exact", "minhash")}
        counts["clusters"] = sum(r["method"] == "kept" for r in mine)
        batch = pa.RecordBatch.from_pylist(mine, schema=DUPLICATES)
        write_part(part_path(run, "duplicates", index), [batch], DUPLICATES, mark, counts)
        total = {key: total[key] + counts[key] for key in total}
    return total


def _cluster_rows(
    run: str, recipe: Recipe, pairs: tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint64]]
) -> dict[int, list[tuple[int, dict[str, object]]]]:
    """Rows of DUPLICATES with their row number, by part."""
    docs = np.unique(np.concatenate(pairs))
    table = _members(run, docs)
    left, right = np.searchsorted(docs, pairs[0]), np.searchsorted(docs, pairs[1])
    width = recipe.dedup.minhash.num_perm if recipe.dedup.minhash else 0
    signed = signature_matrix(table["signature"], width) if width else np.empty((len(docs), 0), np.uint32)
    content = np.array(table["content"].to_pylist())
    same = content[left] == content[right]
    if recipe.dedup.minhash and recipe.dedup.minhash.verify is not None:
        good = same | (similarity(signed, left, right) >= recipe.dedup.minhash.verify)
        left, right, same = left[good], right[good], same[good]
    labels = components(left, right, len(docs))
    ids = table["doc_id"].to_pylist()
    keys = np.array(table["keys"].to_pylist(), np.float64)
    order = ranked(list(keys.T), ids)
    out: dict[int, list[tuple[int, dict[str, object]]]] = {}
    for members in _groups(labels, order):
        kept = members[0]
        near = similarity(signed, members, np.full(len(members), kept)) if width else np.ones(len(members))
        lowest, seen = min(ids[m] for m in members), set()
        for place, member in enumerate(members):
            repeats = content[member] in seen
            seen.add(content[member])
            doc = int(docs[member])
            equal = content[member] == content[kept]
            row = {
                "doc_id": ids[member],
                "cluster_id": lowest,
                "kept_id": ids[kept],
                "cluster_size": len(members),
                "similarity": 1.0 if equal else float(near[place]),
                "method": "kept" if place == 0 else "exact" if repeats else "minhash",
            }
            out.setdefault(doc >> 32, []).append((doc & 0xFFFFFFFF, row))
    return out


def _groups(labels: npt.NDArray[np.int64], order: npt.NDArray[np.int64]) -> Iterator[npt.NDArray[np.int64]]:
    """Members of each cluster of two or more, best first."""
    by_label = order[np.argsort(labels[order], kind="stable")]
    cuts = np.flatnonzero(np.diff(labels[by_label])) + 1
    for members in np.split(by_label, cuts):
        if len(members) > 1:
            yield members


def _members(run: str, docs: npt.NDArray[np.uint64]) -> pa.Table:
    """Signature rows of `docs` (sorted), read part by part."""
    parts, rows = (docs >> np.uint64(32)).astype(np.int64), docs & np.uint64(0xFFFFFFFF)
    tables = []
    for index in np.unique(parts).tolist():
        wanted = rows[parts == index]
        table = read_table(part_path(run, "signatures", index))
        tables.append(table.take(np.searchsorted(table["row"].to_numpy(), wanted)))
    return pa.concat_tables(tables)
