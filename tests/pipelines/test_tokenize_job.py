"""The tokenize job: every kept document in one shard, equal bytes however it came about, and nothing half-made."""

from __future__ import annotations

import base64
import hashlib
import json
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xxhash

from pipelines import tokenize as job
from pipelines.options import beam_options
from pipelines.parts import part_path, write_part
from pipelines.schemas import KEPT
from pipelines.tokenize import tokenize
from recipes.model import Recipe, Tokens
from tokenization.load import load
from tokenization.manifest import Manifest

SCHEMA = pa.schema([*KEPT, pa.field("pii_email", pa.int32(), nullable=False)])
INDICES = (0, 1, 2)
WORDS = [
    "the",
    "of",
    "and",
    "corpus",
    "shard",
    "token",
    "模型",
    "数据",
    "我们",
    "学习",
    "🙂",
    "2024",
    "<|endoftext|>",
    "</s>",
]


def recipe(**tokens: Any) -> Recipe:
    wanted = {"vocab_size": 400, "shard_bytes": 6000, "sample_bytes": 10_000, "seed": 7, **tokens}
    return Recipe(name="tiny", title="Tiny", fidelity="R3", sources=("none",), tokens=Tokens(**wanted))


def rows(index: int, count: int) -> list[dict[str, Any]]:
    made = []
    for n in range(count):
        r = random.Random(f"{index} {n}")
        text = " ".join(r.choices(WORDS, k=r.randint(0, 80))) + r.choice(["", "\n", "\0"])
        doc_id = xxhash.xxh3_128_hexdigest(f"crawl-{index}\0{n}".encode())
        lang = r.choice(["en", "zh", None])
        made.append(
            {"doc_id": doc_id, "url": None, "source": f"crawl-{index}", "lang": lang, "text": text, "pii_email": 0}
        )
    return made


def write_kept(run: Path, index: int, count: int, claimed: int | None = None) -> None:
    table = pa.Table.from_pylist(rows(index, count), SCHEMA)
    text_bytes = sum(len(t.encode()) for t in table["text"].to_pylist())
    counts = {"documents": count if claimed is None else claimed, "text_bytes": text_bytes}
    write_part(part_path(str(run), "kept", index), table.to_batches(), SCHEMA, f"kept {index} {count}", counts)


def make_run(folder: Path) -> Path:
    """kept/ of three parts, the middle one empty."""
    for index, count in zip(INDICES, (90, 0, 50), strict=True):
        write_kept(folder, index, count)
    return folder


def work(run: Path, wanted: Recipe | None = None, tokenizer: Path | None = None, workers: int = 1) -> dict[str, int]:
    given = None if tokenizer is None else str(tokenizer)
    return tokenize(str(run), INDICES, wanted or recipe(), given, None, beam_options(workers))


def digests(run: Path) -> dict[str, str]:
    files = [p for p in run.rglob("*") if p.is_file() and "log" not in p.parts]
    return {str(p.relative_to(run)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


def times(run: Path) -> dict[str, int]:
    return {p.name: p.stat().st_mtime_ns for p in (run / "tokens").iterdir()}


def documents(run: Path, manifest: Manifest) -> list[dict[str, Any]]:
    """doc_id and ids of all shards, in the order of the shards."""
    found: list[dict[str, Any]] = []
    for shard in manifest.shards:
        if manifest.format == "parquet":
            table = pq.read_table(run / shard.path)
        else:
            table = pa.ipc.open_file(pa.memory_map(str(run / shard.path))).read_all()
        assert table.schema.field("tokens").type.value_type == pa.type_for_alias(manifest.dtype)
        assert (len(table), sum(map(len, table["tokens"].to_pylist()))) == (shard.documents, shard.tokens)
        found += table.to_pylist()
    return found


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = make_run(tmp_path_factory.mktemp("finished"))
    work(run)
    return run


@pytest.fixture
def run(finished: Path, tmp_path: Path) -> Path:
    """A copy of a finished run."""
    return shutil.copytree(finished, tmp_path / "run")


def check(run: Path) -> Manifest:
    """Every kept document is in the shards once, in order, with its text; and the counts are theirs."""
    manifest = Manifest.read(run / "manifest.json")
    assert manifest.problems(run) == []
    tokenizer = load(run / manifest.tokenizer.file)
    assert (tokenizer.vocab_size, tokenizer.end_of_text) == (
        manifest.tokenizer.vocab_size,
        manifest.tokenizer.end_of_text,
    )
    kept = [row for index, count in zip(INDICES, (90, 0, 50), strict=True) for row in rows(index, count)]
    kept.sort(key=lambda row: xxhash.xxh3_64_intdigest(f"{manifest.seed}\0{row['doc_id']}".encode()))
    found = documents(run, manifest)
    assert [d["doc_id"] for d in found] == [row["doc_id"] for row in kept]
    for one, row in zip(found, kept, strict=True):
        assert one["tokens"].index(manifest.tokenizer.end_of_text) == len(one["tokens"]) - 1
        assert tokenizer.decode(one["tokens"][:-1]) == row["text"]
        assert (one["language"], one["source"]) == (row["lang"] or "und", row["source"])
    assert manifest.labels == ("language", "source")
    assert manifest.totals.documents == 140
    assert manifest.totals.text_bytes == sum(len(row["text"].encode()) for row in kept)
    for counts, name in ((manifest.sources, "source"), (manifest.languages, "lang")):
        of = [row[name] or "und" for row in kept]
        sizes = [len(d["tokens"]) for d in found]
        wanted = {key: (of.count(key), sum(s for o, s in zip(of, sizes, strict=True) if o == key)) for key in set(of)}
        assert {key: (c.documents, c.tokens) for key, c in counts.items()} == wanted
    names = {Path(shard.path).name for shard in manifest.shards}
    assert {p.name for p in (run / "tokens").iterdir()} == names
    assert not (run / "encoded").exists()
    return manifest


def test_every_kept_document_is_in_one_shard(finished: Path) -> None:
    manifest = check(finished)
    assert len(manifest.shards) == -(-manifest.totals.text_bytes // 6000) > 3
    assert manifest.dtype == "uint16"
    assert str(finished) not in (finished / "manifest.json").read_text()
    assert {p.name for p in finished.iterdir()} == {"kept", "log", "tokens", "tokenizer.json", "manifest.json"}


def test_a_second_call_does_nothing(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = work(run)
    monkeypatch.setattr(job, "map_parts", lambda *_a, **_k: pytest.fail("a job was started"))
    before = times(run)
    assert work(run) == first
    assert first["documents"] == 140
    assert times(run) == before


def test_two_workers_write_the_same_bytes(finished: Path, tmp_path: Path) -> None:
    other = make_run(tmp_path / "two")
    work(other, workers=2)
    assert digests(other) == digests(finished)


def _delete(shard: Path) -> None:
    shard.unlink()


def _flip(shard: Path) -> None:
    """One bit of an id: size, footer and fingerprint stay what they were."""
    content = bytearray(shard.read_bytes())
    content[len(content) // 2] ^= 1
    shard.write_bytes(content)


def _cut(shard: Path) -> None:
    shard.write_bytes(shard.read_bytes()[:-30])


@pytest.mark.parametrize("harm", [_delete, _flip, _cut])
def test_a_harmed_shard_is_remade_and_no_other(harm: Callable[[Path], None], run: Path, finished: Path) -> None:
    before = times(run)
    harm(run / "tokens" / "shard-00001.arrow")
    assert Manifest.read(run / "manifest.json").problems(run) != []
    work(run)
    assert digests(run) == digests(finished)
    after = times(run)
    assert [name for name in before if after[name] != before[name]] == ["shard-00001.arrow"]


@pytest.mark.parametrize("name", ["manifest.json", "tokenizer.json"])
def test_other_harmed_files_are_remade(name: str, run: Path, finished: Path) -> None:
    (run / name).write_text("{")
    work(run)
    assert digests(run) == digests(finished)


def test_stopped_between_shards_it_goes_on(finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = make_run(tmp_path / "run")
    real = job.map_parts

    def stopping(folder: str, name: str, references: Any, *others: Any, **arguments: Any) -> dict[str, int]:
        real(folder, name, references[:2] if name == "shard" else references, *others, **arguments)
        if name == "shard":
            raise KeyboardInterrupt
        return {}

    monkeypatch.setattr(job, "map_parts", stopping)
    with pytest.raises(KeyboardInterrupt):
        work(run)
    monkeypatch.undo()
    assert not (run / "manifest.json").exists()
    (run / "tokens" / ".tmp-shard-00003.arrow").write_bytes(b"half")
    before = times(run)
    work(run)
    assert digests(run) == digests(finished)
    assert {name: times(run)[name] for name in ("shard-00000.arrow", "shard-00001.arrow")} == {
        name: before[name] for name in ("shard-00000.arrow", "shard-00001.arrow")
    }


def test_other_settings_leave_nothing_of_the_old_ones(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the shards change there is no manifest; afterwards there is no shard that it does not name."""
    real = job.map_parts

    def watching(*arguments: Any, **named: Any) -> dict[str, int]:
        assert not (run / "manifest.json").exists()
        return real(*arguments, **named)

    monkeypatch.setattr(job, "map_parts", watching)
    old = times(run)
    trained = (run / "tokenizer.json").stat().st_mtime_ns
    assert work(run, recipe(shard_bytes=9000))["shards"] < len(old)
    check(run)
    assert (run / "tokenizer.json").stat().st_mtime_ns == trained  # the same text: no need to train again
    assert work(run, recipe(format="parquet"))["shards"] == len(old)
    assert check(run).format == "parquet"


def test_another_seed_is_another_order(run: Path, finished: Path) -> None:
    work(run, recipe(seed=8))
    check(run)
    orders = [[d["doc_id"] for d in documents(r, Manifest.read(r / "manifest.json"))] for r in (run, finished)]
    assert orders[0] != orders[1]
    assert sorted(orders[0]) == sorted(orders[1])


@pytest.mark.parametrize(("greatest", "dtype"), [(65_534, "uint16"), (65_535, "uint32"), (70_000, "uint32")])
def test_a_given_tokenizer_goes_with_the_run(greatest: int, dtype: str, run: Path, tmp_path: Path) -> None:
    """Ranks of o200k's kind, the last of them a common word: 65,536 ids fit into 16 bits, 65,537 do not."""
    ranks = {bytes([i]): i for i in range(256)} | {b" t": 300, b" th": 301, b" the": greatest}
    given = tmp_path / "my-o200k.tiktoken"
    given.write_bytes(b"".join(base64.b64encode(t) + b" %d\n" % r for t, r in ranks.items()))
    work(run, tokenizer=given)
    manifest = check(run)
    assert (manifest.dtype, manifest.tokenizer.vocab_size) == (dtype, greatest + 2)
    assert manifest.tokenizer.name == "my-o200k.tiktoken, o200k split"
    assert manifest.tokenizer.sha256 == hashlib.sha256(given.read_bytes()).hexdigest()
    assert max(max(d["tokens"][:-1], default=0) for d in documents(run, manifest)) == greatest
    assert not (run / "tokenizer.json").exists()  # of the run's earlier life
    given.unlink()
    with pytest.raises(FileNotFoundError, match="no tokenizer file"):
        work(run, tokenizer=given)


def test_a_small_sample_trains_all_the_same(tmp_path: Path) -> None:
    """One long document among a few: the sample's share of it chooses nothing at first."""
    run = tmp_path / "run"
    table = pa.Table.from_pylist([{**rows(0, 1)[0], "text": "many words 数据 " * 200_000}], SCHEMA)
    counts = {"documents": 1, "text_bytes": 20 * 200_000}
    write_part(part_path(str(run), "kept", 0), table.to_batches(), SCHEMA, "long", counts)
    made = tokenize(str(run), [0], recipe(shard_bytes=10**9), None, None, beam_options())
    assert made["documents"] == made["shards"] == 1
    assert 257 < Manifest.read(run / "manifest.json").tokenizer.vocab_size < 400


def test_nothing_kept_gets_a_sentence(tmp_path: Path) -> None:
    for index in INDICES:
        write_kept(tmp_path, index, 0)
    with pytest.raises(ValueError, match=r"No document of .* was kept"):
        work(tmp_path)
    (tmp_path / "kept" / "part-00001.parquet").unlink()
    with pytest.raises(FileNotFoundError, match=r"part-00001\.parquet is missing"):
        work(tmp_path)


def test_documents_that_do_not_add_up_stop_the_run(tmp_path: Path) -> None:
    run = make_run(tmp_path)
    write_kept(run, 1, 20, claimed=21)
    with pytest.raises(ValueError, match=r"161 documents were kept, 160 were encoded and 160 are in the shards"):
        work(run)
    assert not (run / "manifest.json").exists()


def test_order_does_not_depend_on_the_parts(finished: Path, tmp_path: Path) -> None:
    """The same documents in other parts: the shards hold the same documents in the same order."""
    run = tmp_path / "run"
    everything = [*rows(0, 90), *rows(2, 50)]
    for index, some in enumerate((everything[::3], everything[1::3], everything[2::3])):
        counts = {"documents": len(some), "text_bytes": sum(len(r["text"].encode()) for r in some)}
        table = pa.Table.from_pylist(some, SCHEMA)
        write_part(part_path(str(run), "kept", index), table.to_batches(), SCHEMA, f"other {index}", counts)
    shutil.copy(finished / "tokenizer.json", tmp_path / "tokenizer.json")
    work(run, tokenizer=tmp_path / "tokenizer.json")
    manifests = [Manifest.read(r / "manifest.json") for r in (run, finished)]
    assert documents(run, manifests[0]) == documents(finished, manifests[1])
    assert manifests[0].sources == manifests[1].sources
    assert json.loads((run / "manifest.json").read_bytes())["tokenizer"]["name"] == "tokenizer.json"
    assert np.array_equal([s.tokens for s in manifests[0].shards], [s.tokens for s in manifests[1].shards])
