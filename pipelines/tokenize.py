"""Job: `kept/` in, `tokens/` and `manifest.json` out. An external shuffle through files, not through Beam.

Each kept part is encoded once into `encoded/`, its documents grouped by the shard they belong to; then each
shard gathers its rows from every encoded part and sorts them. So no text and no token goes through a
GroupByKey, and memory is one part or one shard. The manifest comes last: where there is one, all is there.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from apache_beam.options.pipeline_options import PipelineOptions

from pipelines.code import made_by
from pipelines.mapping import map_parts
from pipelines.parts import (
    fingerprint,
    make_dirs,
    part_path,
    read_counts,
    read_mark,
    read_part,
    replace,
    write_part,
)
from recipes.model import Recipe
from tokenization.manifest import Count, Manifest, Shard, TokenizerInfo, Totals, file_sha256
from tokenization.shards import dtype_for, order_keys, schema_for, shard_mark, shard_of, write_shard
from tokenization.tokenizer import Tokenizer, encode_batch, load
from tokenization.train import train_bpe


def tokenize(
    run: str, indices: Sequence[int], recipe: Recipe, tokenizer_path: str | None, options: PipelineOptions
) -> dict[str, int]:
    """Make shards and manifest; returns documents, tokens, shards."""
    marks = [read_mark(part_path(run, "kept", i)) for i in indices]
    given = file_sha256(tokenizer_path) if tokenizer_path else None
    mark = fingerprint("tokenize", made_by(), marks, recipe.tokens.model_dump(), given)
    finished = _finished(run, mark)
    if finished is not None:
        return _counts(finished)
    kept = [_kept_size(run, i) for i in indices]
    documents, text_bytes = sum(d for d, _ in kept), sum(b for _, b in kept)
    if documents == 0:
        raise ValueError(
            f"No document of {run} was kept, so there is nothing to tokenize. `winnow funnel {run}` says why."
        )
    file = _tokenizer_file(run, indices, recipe, tokenizer_path, mark, text_bytes)
    shards = max(1, -(-text_bytes // recipe.tokens.shard_bytes))
    map_parts(run, "encode", indices, encode_part, options, file=file, recipe=recipe, shards=shards)
    arguments = {"indices": tuple(indices), "file": file, "recipe": recipe, "mark": mark}
    map_parts(run, "shard", list(range(shards)), write_one_shard, options, **arguments)
    manifest = _manifest(run, indices, recipe, file, shards, text_bytes)
    if manifest.totals.documents != documents:
        raise ValueError(f"{run}: {documents} documents were kept, {manifest.totals.documents} are in the shards.")
    _publish(run, manifest, mark)
    return _counts(manifest)


def _counts(manifest: Manifest) -> dict[str, int]:
    return {
        "documents": manifest.totals.documents,
        "tokens": manifest.totals.tokens,
        "shards": len(manifest.shards),
    }


def _finished(run: str, mark: str) -> Manifest | None:
    """The manifest, if it was made from the same things and every shard still holds."""
    note = Path(run, "log", "tokenize.mark")
    if not note.is_file() or note.read_text() != mark or not Path(run, "manifest.json").is_file():
        return None
    manifest = Manifest.read(Path(run, "manifest.json"))
    return None if manifest.problems(run) else manifest


def _kept_size(run: str, index: int) -> tuple[int, int]:
    batches = read_part(part_path(run, "kept", index), ["text"])
    sizes = [(b.num_rows, pc.sum(pc.binary_length(b["text"])).as_py() or 0) for b in batches]
    return sum(n for n, _ in sizes), sum(size for _, size in sizes)


def _tokenizer_file(
    run: str, indices: Sequence[int], recipe: Recipe, given: str | None, mark: str, text_bytes: int
) -> str:
    """The run's own tokenizer file: a copy of the one given, or a BPE trained on the kept text."""
    if given:
        target = Path(run, f"tokenizer{Path(given).suffix}")
        load(given)  # a damaged file is told before any work is done
        shutil.copyfile(given, f"{target}.tmp")
    else:
        target = Path(run, "tokenizer.json")
        note = Path(run, "log", "tokenizer.mark")
        if target.is_file() and note.is_file() and note.read_text() == f"{mark} {file_sha256(target)}":
            return str(target)
        trained = train_bpe(_sample(run, indices, recipe, text_bytes), recipe.tokens.vocab_size)
        Path(f"{target}.tmp").write_text(trained)
        make_dirs(str(note.parent))
        note.write_text(f"{mark} {file_sha256(f'{target}.tmp')}")
    replace(f"{target}.tmp", str(target))
    return str(target)


def _sample(run: str, indices: Sequence[int], recipe: Recipe, text_bytes: int) -> Iterator[str]:
    """Kept texts chosen by their order key, about `sample_bytes` of them."""
    share = min(1.0, recipe.tokens.sample_bytes / max(text_bytes, 1))
    limit = np.uint64(min(int(share * 2**64), 2**64 - 1))
    for index in indices:
        for batch in read_part(part_path(run, "kept", index), ["doc_id", "text"]):
            chosen = order_keys(batch["doc_id"].to_pylist(), recipe.tokens.seed) <= limit
            yield from batch["text"].filter(pa.array(chosen)).to_pylist()


@cache
def _loaded(file: str, _sha256: str) -> Tokenizer:
    return load(file)


def encode_part(index: int, run: str, file: str, recipe: Recipe, shards: int) -> dict[str, int]:
    """Encode one kept part: a row group for each shard, in the shard's order."""
    sha256 = file_sha256(file)
    kept, path = part_path(run, "kept", index), part_path(run, "encoded", index)
    mark = fingerprint("encode", made_by(), read_mark(kept), sha256, shards, recipe.tokens.seed)
    if read_counts(path, mark) is not None:
        return {"parts": 1}
    tokenizer = _loaded(file, sha256)
    tables = [_encoded(b, tokenizer, recipe.tokens.seed, shards) for b in read_part(kept, batch_rows=256)]
    schema = encoded_schema(dtype_for(tokenizer.vocab_size))
    table = pa.concat_tables(tables or [schema.empty_table()]).sort_by([("shard", "ascending"), ("key", "ascending")])
    write_part(path, table.combine_chunks().to_batches(), schema, mark, {"documents": table.num_rows})
    return {"parts": 1}


def encoded_schema(dtype: str) -> pa.Schema:
    """Columns of the temporary `encoded/`."""
    extra = [("source", pa.string()), ("lang", pa.string()), ("shard", pa.int64()), ("key", pa.uint64())]
    return pa.schema([*schema_for(dtype), *(pa.field(name, kind) for name, kind in extra)])


def _encoded(batch: pa.RecordBatch, tokenizer: Tokenizer, seed: int, shards: int) -> pa.Table:
    ids, offsets = encode_batch(tokenizer, batch["text"])
    dtype = dtype_for(tokenizer.vocab_size)
    keys = order_keys(batch["doc_id"].to_pylist(), seed)
    tokens = pa.LargeListArray.from_arrays(pa.array(offsets), pa.array(ids.astype(dtype)))
    schema = encoded_schema(dtype)
    columns = [
        batch["doc_id"],
        tokens,
        batch["source"],
        batch["lang"],
        pa.array(shard_of(keys, shards)),
        pa.array(keys),
    ]
    return pa.table([c.cast(f.type) for c, f in zip(columns, schema, strict=True)], schema=schema)


def write_one_shard(
    number: int, run: str, indices: tuple[int, ...], file: str, recipe: Recipe, mark: str
) -> dict[str, int]:
    """Gather one shard's documents from all encoded parts, in order, into its file."""
    path, form = shard_path(run, number, recipe.tokens.format), recipe.tokens.format
    wanted = f"{mark}-{number}"
    if shard_mark(path) == wanted:
        return {"shards": 1}
    dtype = dtype_for(_loaded(file, file_sha256(file)).vocab_size)
    filters = [("shard", "=", number)]
    tables = [pq.read_table(part_path(run, "encoded", i), filters=filters, partitioning=None) for i in indices]
    table = pa.concat_tables(tables).sort_by([("key", "ascending"), ("doc_id", "ascending")])
    make_dirs(f"{run}/tokens")
    with pa.OSFile(f"{path}.tmp", "wb") as sink:
        write_shard(sink, table.select(["doc_id", "tokens"]), form, dtype, wanted)
    replace(f"{path}.tmp", path)
    return {"shards": 1}


def shard_path(run: str, number: int, form: str) -> str:
    """Where a shard lies in the run."""
    return f"{run}/tokens/shard-{number:05d}.{form}"


def _manifest(run: str, indices: Sequence[int], recipe: Recipe, file: str, shards: int, text_bytes: int) -> Manifest:
    tokenizer = _loaded(file, file_sha256(file))
    sources: dict[str, list[int]] = {}
    languages: dict[str, list[int]] = {}
    per_shard: dict[int, list[int]] = {n: [0, 0] for n in range(shards)}
    for index in indices:
        for batch in read_part(part_path(run, "encoded", index), ["source", "lang", "shard", "tokens"]):
            sizes = pc.list_value_length(batch["tokens"]).to_pylist()
            for name, total in (("source", sources), ("lang", languages), ("shard", per_shard)):
                for key, size in zip(batch[name].to_pylist(), sizes, strict=True):
                    entry = total.setdefault(key, [0, 0])  # type: ignore[attr-defined]
                    entry[0] += 1
                    entry[1] += size
    files = [_shard_entry(run, shard_path(run, n, recipe.tokens.format), *per_shard[n]) for n in range(shards)]
    info = TokenizerInfo(
        name="bpe" if Path(file).name == "tokenizer.json" else tokenizer.name, file=Path(file).name,
        sha256=tokenizer.sha256, vocab_size=tokenizer.vocab_size, end_of_text=tokenizer.end_of_text,
    )  # fmt: skip
    return Manifest(
        recipe=recipe.name, recipe_hash=fingerprint(recipe.model_dump()), tokenizer=info,
        dtype=dtype_for(tokenizer.vocab_size), format=recipe.tokens.format, seed=recipe.tokens.seed,
        shards=tuple(files),
        totals=_totals(files, text_bytes),
        sources={k: Count(documents=v[0], tokens=v[1]) for k, v in sorted(sources.items())},
        languages={k: Count(documents=v[0], tokens=v[1]) for k, v in sorted(languages.items())},
    )  # fmt: skip


def _totals(files: list[Shard], text_bytes: int) -> Totals:
    documents, tokens = sum(s.documents for s in files), sum(s.tokens for s in files)
    return Totals(documents=documents, tokens=tokens, text_bytes=text_bytes)


def _shard_entry(run: str, path: str, documents: int, tokens: int) -> Shard:
    relative = str(Path(path).relative_to(run))
    size = Path(path).stat().st_size
    return Shard(path=relative, bytes=size, sha256=file_sha256(path), documents=documents, tokens=tokens)


def _publish(run: str, manifest: Manifest, mark: str) -> None:
    """Manifest last and whole; then what no manifest names goes."""
    target = Path(run, "manifest.json")
    Path(f"{target}.tmp").write_bytes(manifest.as_bytes())
    replace(f"{target}.tmp", str(target))
    Path(run, "log", "tokenize.mark").write_text(mark)
    named = {Path(run, shard.path) for shard in manifest.shards}
    for path in Path(run, "tokens").iterdir():
        if path not in named:
            path.unlink()
    shutil.rmtree(Path(run, "encoded"), ignore_errors=True)
