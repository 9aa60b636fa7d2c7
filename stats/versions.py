"""The versions of a run's manifest: what each holds, why it was made, and the proof that each is still what it says.

Versions share the shards that they do not differ in, so each file is hashed and counted once, whatever names it. What a
version says by source and language is proved over documents/ and signals/, which have every document that ever was in a
shard; kept/ has only those of the last decision. Shards that were erased on purpose are told of and are no fault.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyarrow as pa

from stats.run import Run
from stats.shards import ShardRows, all_shards, id_faults, label_faults
from tokenization.manifest import Shard, TokenizerInfo, file_sha256
from tokenization.scatter import UNKNOWN_LANGUAGE
from tokenization.versions import SHARD, Version, erased, history, version_in

COUNT = {"format": ","}
VERSIONS = pa.schema(
    [
        pa.field("version", pa.int64()),
        pa.field("file", pa.string()),
        pa.field("documents", pa.int64(), metadata=COUNT),
        pa.field("tokens", pa.int64(), metadata=COUNT),
        pa.field("removed", pa.int64(), metadata=COUNT),
        pa.field("request", pa.string()),
        pa.field("reason", pa.string()),
        pa.field("shards of its own", pa.int64(), metadata=COUNT),
        pa.field("erased", pa.bool_()),
    ]
)
RESTORE = "Restore it from a copy, or run again into another folder."


def versions(folder: Path) -> pa.Table:
    """A row of VERSIONS for each version in a manifest's folder; FileNotFoundError if it has none."""
    found = history(folder)
    if not found:
        raise FileNotFoundError(f"{folder} holds no manifest. A finished run has one, called manifest.json.")
    before: set[str] = set()
    gone, rows = erased(folder), []
    for version in found:
        made, paths = version.manifest, {shard.path for shard in version.manifest.shards}
        why = made.removal
        rows.append({
            "version": made.version, "file": version.path.name, "documents": made.totals.documents,
            "tokens": made.totals.tokens, "removed": why.documents if why else None,
            "request": why.request if why else None, "reason": why.reason if why else None,
            "shards of its own": len(paths - before), "erased": bool(paths & gone),
        })  # fmt: skip
        before |= paths
    return pa.Table.from_pylist(rows, VERSIONS)


def tokenized(run: Run) -> Counter[str]:
    """What the stage `tokenize` should have counted: what a version before the newest says, or the shards' own."""
    stated = run.described["stages"]["tokenize"].get("counts", {})
    found = history(run.path)
    for version in found:
        totals = version.manifest.totals
        counts = {"documents": totals.documents, "tokens": totals.tokens, "shards": len(version.manifest.shards)}
        if version.manifest.version < len(found) and counts == stated:
            return Counter(counts)
    documents, tokens = run.rows("SELECT count(*), coalesce(sum(n_tokens), 0) FROM tokens")[0]
    if found:  # a shard that lost all its documents is still one
        shards = len(found[-1].manifest.shards)
    else:
        shards = run.rows("SELECT count(DISTINCT shard) FROM tokens")[0][0]
    return Counter(documents=documents, tokens=int(tokens), shards=shards)


def versions_faults(run: Run) -> Iterator[str]:
    """Every fault of every version, a sentence each."""
    found, gone = history(run.path), erased(run.path)
    named = {run.path / shard.path for version in found for shard in version.manifest.shards}
    for stray in sorted(set(all_shards(run.path)) - named):
        if version_in(SHARD, stray.name) <= len(found):  # a later one is of a removal that was cut off
            yield f"{stray} is named by no manifest. Delete it."
    shards = {shard.path: shard for version in found for shard in version.manifest.shards if shard.path not in gone}
    with ThreadPoolExecutor() as pool:  # hashing releases the GIL
        hashes = dict(zip(shards, pool.map(lambda name: _sha256(run.path / name), shards), strict=True))
    damaged = False
    for name, shard in shards.items():
        if hashes[name] != shard.sha256:
            damaged = True
            yield f"{run.path / name} {'is missing' if hashes[name] is None else 'does not have its sha256'}. {RESTORE}"
    for version in found:
        info = version.manifest.tokenizer
        if _sha256(run.path / info.file) != info.sha256:
            yield f"{run.path / info.file} is not the tokenizer of {version.path}. {RESTORE}"
    if damaged:
        return  # what cannot be trusted need not be counted
    run.connection.register("version_rows", ShardRows([run.path / name for name in shards]))
    try:
        by = {shard.path: version.manifest.tokenizer for version in found for shard in version.manifest.shards}
        yield from _counts(run, by, shards)
        for version in found:
            if not gone & {shard.path for shard in version.manifest.shards}:
                yield from _sums(run, version)
                yield from (f"{version.path}: {fault} {RESTORE}" for fault in label_faults(run.path, version.manifest))
    finally:
        run.connection.unregister("version_rows")


def _sha256(path: Path) -> str | None:
    return file_sha256(path) if path.is_file() else None


def _counts(run: Run, tokenizers: Mapping[str, TokenizerInfo], shards: Mapping[str, Shard]) -> Iterator[str]:
    """Each shard has the documents and tokens that are stated of it, of ids that its tokenizer has."""
    query = "SELECT shard, count(*), sum(n_tokens) FROM version_rows GROUP BY 1"
    real = {name: (n, int(t)) for name, n, t in run.rows(query)}
    for name, shard in shards.items():
        path = run.path / name
        stated = (shard.documents, shard.tokens)
        if real.get(path.name, (0, 0)) != stated:
            held = real.get(path.name, (0, 0))
            yield f"{path} holds {held} documents and tokens, its manifest says {stated}. {RESTORE}"
        unknown, unended = id_faults(path, tokenizers[name].vocab_size, tokenizers[name].end_of_text)
        if unknown or unended:
            yield f"{path} holds {unknown:,} ids beyond its tokenizer and {unended:,} documents without end. {RESTORE}"


def _sums(run: Run, version: Version) -> Iterator[str]:
    """A version's totals, by source and by language, are those of the documents in its shards."""
    made = version.manifest
    names = [Path(shard.path).name for shard in made.shards]
    query = """SELECT d.source, coalesce(s.lang, ?), count(*), sum(t.n_tokens)
               FROM version_rows t LEFT JOIN documents d ON t.doc_id = d.doc_id
               LEFT JOIN (SELECT doc_id, lang FROM signals) s ON t.doc_id = s.doc_id
               WHERE list_contains(?::VARCHAR[], t.shard) GROUP BY ALL"""
    sums: dict[str, Counter[str]] = {"sources": Counter(), "languages": Counter(), "totals": Counter()}
    tokens: dict[str, Counter[str]] = {"sources": Counter(), "languages": Counter(), "totals": Counter()}
    for source, lang, documents, size in run.rows(query, UNKNOWN_LANGUAGE, names):
        for kind, key in (("sources", str(source)), ("languages", str(lang)), ("totals", "")):
            sums[kind][key] += documents
            tokens[kind][key] += int(size)
    for kind in sums:
        stated = {"": made.totals} if kind == "totals" else getattr(made, kind)
        for key in sorted(stated.keys() | sums[kind].keys()):
            said = (stated[key].documents, stated[key].tokens) if key in stated else (0, 0)
            real = (sums[kind][key], tokens[kind][key])
            if said != real:
                where = f"documents and tokens in {kind} {key}"
                yield f"{version.path} states {said} {where}, its shards have {real}. {RESTORE}"
