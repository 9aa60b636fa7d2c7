"""What a removal costs in a run of many documents and shards, all of them synthetic and short.

    python benchmarks/removal_scale.py FOLDER [--documents 1000000] [--shards 10000]

FOLDER is filled once with what `winnow remove` reads (documents/, signals/, decisions/, duplicates/, signatures/ with
112 hashes each, kept/, and the shards) and then asked: one page; a domain of a thousandth of all pages; and whether the
first manifest may be trained on. Wall clock and processor time of one call each, and how many shards were read and
written.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import xxhash

from pipelines.parts import part_path, write_part
from pipelines.removal.remove import remove
from pipelines.removal.request import Request, domain_target, url_target
from pipelines.schemas import DECISIONS, DOCUMENTS, DUPLICATES
from pipelines.scrub import schema_of
from pipelines.signature import signature_schema
from recipes.dedup import Dedup, MinHash
from recipes.model import Recipe
from tokenization.manifest import Count, Manifest, Shard, TokenizerInfo, Totals, file_sha256
from tokenization.shards import schema_for, token_lists, write_shard
from tokenization.shuffle import order_keys, shard_of
from tokenization.versions import shard_name, superseded

PART, TOKENS = 10_000, 20
RECIPE = Recipe(name="scale", title="Scale", fidelity="R3", sources=("none",), dedup=Dedup(minhash=MinHash()))


def names(first: int, count: int) -> list[str]:
    """Ids of documents."""
    return [xxhash.xxh3_128_hexdigest(f"crawl\0{n}".encode()) for n in range(first, first + count)]


def table(schema: pa.Schema, count: int, **given: object) -> pa.Table:
    """`count` rows of a schema: what is given, and else nulls, zeros or empty texts."""
    columns = []
    for field in schema:
        value = given.get(field.name)
        if value is None:
            empty = None if field.nullable else 0 if pa.types.is_integer(field.type) else ""
            columns.append(pa.array([empty] * count, field.type))
        else:
            columns.append(value if isinstance(value, pa.Array) else pa.array(value, field.type))
    return pa.Table.from_arrays(columns, schema=schema)


def binary(kind: pa.DataType, count: int, rng: np.random.Generator) -> pa.Array:
    """Random values of a fixed width."""
    return pa.FixedSizeBinaryArray.from_buffers(kind, count, [None, pa.py_buffer(rng.bytes(count * kind.byte_width))])


def write_parts(run: str, index: int, ids: list[str], rng: np.random.Generator) -> None:
    """One part of each dataset."""
    first, count = index * PART, len(ids)
    urls = [f"https://site{n % 1000}.example.com/{n}" for n in range(first, first + count)]
    texts = [f"the text of page {n}, which is short" for n in range(first, first + count)]
    hashes = [xxhash.xxh3_128_hexdigest(text.encode()) for text in texts]
    common = {"doc_id": ids, "url": urls, "source": ["crawl"] * count, "text": texts, "lang": ["en"] * count}
    signatures = signature_schema(RECIPE.dedup)
    wide = [field for field in signatures if pa.types.is_fixed_size_binary(field.type)]
    raw = {field.name: binary(field.type, count, rng) for field in wide}
    for name, made in (
        ("documents", table(DOCUMENTS, count, **common, text_hash=hashes)),
        ("signals", pa.table({"doc_id": ids, "lang": ["en"] * count})),
        ("decisions", table(DECISIONS, count, doc_id=ids, fate=["kept"] * count)),
        ("duplicates", DUPLICATES.empty_table()),
        ("kept", table(schema_of(RECIPE), count, **common)),
        ("signatures", table(signatures, count, **raw, row=np.arange(count, dtype=np.uint32))),
    ):
        write_part(
            part_path(run, name, index),
            made.to_batches(),
            made.schema,
            f"{name} {index}",
            {},
            random=name == "signatures",
        )


def write_shards(run: Path, documents: int, shards: int) -> None:
    """Shards of 20 tokens a document, in the order of the shuffle, and their manifest."""
    ids = np.array(names(0, documents))
    keys = order_keys(ids.tolist(), 0)
    ids = ids[np.argsort(keys)]
    edges = np.searchsorted(shard_of(np.sort(keys), shards), np.arange(shards + 1))
    made = []
    (run / "tokens").mkdir()
    for number in range(shards):
        mine = ids[edges[number] : edges[number + 1]].tolist()
        flat = np.tile(np.append(np.arange(TOKENS - 1), 99), len(mine))
        lists = token_lists(flat, np.arange(len(mine) + 1) * TOKENS, "uint16")
        path = run / "tokens" / shard_name(number, "arrow")
        with pa.OSFile(str(path), "wb") as sink:
            write_shard(
                sink,
                pa.Table.from_arrays([pa.array(mine, pa.string()), lists], schema=schema_for("uint16")),
                "arrow",
                "uint16",
                "m",
            )
        made.append(Shard(path=f"tokens/{path.name}", bytes=path.stat().st_size, sha256=file_sha256(path),
                          documents=len(mine), tokens=len(flat)))  # fmt: skip
    (run / "tokenizer.json").write_text("{}")
    info = TokenizerInfo(
        name="t", file="tokenizer.json", sha256=file_sha256(run / "tokenizer.json"), vocab_size=100, end_of_text=99
    )
    count = Count(documents=documents, tokens=documents * TOKENS)
    texts = (pq.read_table(path, columns=["text"])["text"] for path in (run / "kept").iterdir())
    text_bytes = sum(pa.compute.sum(pa.compute.binary_length(text)).as_py() for text in texts)
    Manifest(
        recipe="scale", recipe_hash="h", tokenizer=info, dtype="uint16", format="arrow", seed=0, shards=tuple(made),
        totals=Totals(documents=documents, tokens=count.tokens, text_bytes=text_bytes), sources={"crawl": count},
        languages={"en": count},
    ).write(run / "manifest.json")  # fmt: skip


def fill(run: Path, documents: int, shards: int) -> None:
    """The whole run."""
    run.mkdir(parents=True)
    rng, parts = np.random.default_rng(0), -(-documents // PART)
    for index in range(parts):
        write_parts(str(run), index, names(index * PART, min(PART, documents - index * PART)), rng)
    write_shards(run, documents, shards)
    described = {"recipe": json.loads(RECIPE.model_dump_json(exclude_none=True)), "stages": {}}
    (run / "run.json").write_text(json.dumps({**described, "parts": [{"index": i} for i in range(parts)]}))


def main() -> None:
    """Fill, ask, and print a JSON object for each question."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--documents", type=int, default=1_000_000)
    parser.add_argument("--shards", type=int, default=10_000)
    given = parser.parse_args()
    if not given.folder.exists():
        fill(given.folder, given.documents, given.shards)
    manifest = given.folder / "manifest.json"
    for what, target in (("nothing yet, to load kernels", url_target("https://site0.example.com/0")),
                         ("one page", url_target("https://site7.example.com/5007")),
                         ("a domain", domain_target("site9.example.com"))):  # fmt: skip
        began, used = time.monotonic(), time.process_time()
        done = remove(manifest, Request.of([target], what), "2026-01-01")
        told = {"documents": len(done.tokens), "shards written": len(done.shards), "of": given.shards}
        told |= {"seconds": round(time.monotonic() - began, 2), "of a processor": round(time.process_time() - used, 2)}
        print(json.dumps({"asked": what, **told}), flush=True)
    began = time.monotonic()
    why = superseded(manifest)
    print(
        json.dumps({"asked": "may it be trained on", "told": bool(why), "seconds": round(time.monotonic() - began, 2)})
    )


if __name__ == "__main__":
    main()
