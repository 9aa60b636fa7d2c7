"""Shards without some of their documents, in both formats, also where nothing is left of one."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from tokenization.manifest import Manifest, Shard, TokenizerInfo, Totals, file_sha256
from tokenization.rewrite import lengths_in, places, read_shard, rewritten
from tokenization.shards import LABELS, schema_for, shard_counts, shard_mark, write_shard
from tokenization.shuffle import order_keys, shard_of

IDS = [f"{n:032x}" for n in range(40)]


def corpus(folder: Path, form: str, shards: int = 8, labels: bool = False) -> Manifest:
    """Forty documents of one to forty tokens, each in the shard that its id says."""
    numbers = shard_of(order_keys(IDS, 3), shards).tolist()
    made = []
    for number in range(shards):
        rows = [
            {"doc_id": one, "tokens": [*range(1, n + 1), 0], "language": "enzh"[n % 2 * 2 :][:2], "source": f"s{n}",
             "answers": [0, n + 1]}
            for n, one in enumerate(IDS) if numbers[n] == number
        ]  # fmt: skip
        schema = schema_for("uint16", [*LABELS, "answers"] if labels else [])
        path = folder / f"shard-{number:05d}.{form}"
        with pa.OSFile(str(path), "wb") as sink:
            write_shard(sink, pa.Table.from_pylist(rows, schema), form, "uint16", "made")
        documents, tokens = shard_counts(str(path))
        size, sha256 = path.stat().st_size, file_sha256(path)
        made.append(Shard(path=path.name, bytes=size, sha256=sha256, documents=documents, tokens=tokens))
    info = TokenizerInfo(name="t", file="t.json", sha256="0" * 64, vocab_size=64, end_of_text=0)
    return Manifest.model_validate(
        {"recipe": "r", "recipe_hash": "h", "tokenizer": info, "dtype": "uint16", "format": form, "seed": 3,
         "shards": made, "sources": {}, "languages": {},
         "totals": Totals(documents=40, tokens=sum(s.tokens for s in made), text_bytes=1)}
    )  # fmt: skip


@pytest.mark.parametrize("labels", [False, True])
@pytest.mark.parametrize("form", ["arrow", "parquet"])
def test_what_is_asked_goes_and_the_rest_stays_in_its_order(form: str, labels: bool, tmp_path: Path) -> None:
    manifest = corpus(tmp_path, form, labels=labels)
    where = places(IDS, manifest)
    whole, part = next(n for n in where if len(where[n]) > 1), max(where, key=lambda n: len(where[n]))
    gone = {whole: where[whole]} if whole == part else {whole: where[whole], part: where[part][1:]}
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    made = rewritten(tmp_path, manifest, gone, "request")
    assert {name: (tmp_path / name).read_bytes() for name in before} == before
    for number, (old, new) in enumerate(zip(manifest.shards, made, strict=True)):
        if number not in gone:
            assert new == old
            continue
        assert new.path == f"shard-{number:05d}.v2.{form}"
        left = read_shard(tmp_path / new.path)
        table = read_shard(tmp_path / old.path)
        assert left.to_pylist() == [row for row in table.to_pylist() if row["doc_id"] not in gone[number]]
        assert left.schema == table.schema
        if labels:  # nothing is left of what went, in the dictionary neither
            words = {word for chunk in left["source"].chunks for word in chunk.dictionary.to_pylist()}
            assert words == set(left["source"].to_pylist())
        assert (new.documents, new.tokens) == shard_counts(str(tmp_path / new.path))
        assert (new.bytes, new.sha256) == ((tmp_path / new.path).stat().st_size, file_sha256(tmp_path / new.path))
        assert shard_mark(str(tmp_path / new.path)) == "made request"
    assert (made[whole].documents, made[whole].tokens) == (0, 0)


def test_a_document_is_looked_for_in_one_shard(tmp_path: Path) -> None:
    manifest = corpus(tmp_path, "arrow")
    for n, one in enumerate(IDS):
        ((number, names),) = places([one], manifest).items()
        assert lengths_in(tmp_path / manifest.shards[number].path, [*names, "f" * 32]) == {one: n + 1}


def test_a_damaged_shard_gets_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "x.arrow").write_bytes(b"nonsense")
    with pytest.raises(ValueError, match=r"x.arrow cannot be read .*Restore it"):
        read_shard(tmp_path / "x.arrow")
