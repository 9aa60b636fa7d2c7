"""Each law of `winnow verify` is shown to fire: a sound run is broken in one place, and the fault is told by name."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import tests.stats.conftest as hand
from stats.run import open_run
from stats.shards import ShardRows, id_faults, label_faults
from stats.verify import verify
from tests.training.corpora import documents, labelled
from tokenization.manifest import Manifest
from tokenization.shards import schema_for, write_shard

change, set_row, doc_id = hand.change, hand.set_row, hand.doc_id
Break = Callable[[Path], object]


def told(run: Path) -> list[str]:
    with open_run(run) as opened:
        return [str(problem) for problem in verify(opened)]


def part(dataset: str, number: int = 0) -> str:
    return f"{dataset}/part-{number:05d}.parquet"


def described(run: Path, **where: object) -> None:
    """Set values in run.json: `stages__extract__counts__records=3`."""
    file = run / "run.json"
    whole = json.loads(file.read_text())
    for path, value in where.items():
        *parents, last = path.split("__")
        place = whole
        for key in parents:
            place = place[int(key) if key.isdigit() else key]
        place[last] = value
    file.write_text(json.dumps(whole))


def manifest(run: Path, **where: object) -> None:
    file = run / "manifest.json"
    whole = json.loads(file.read_text())
    for path, value in where.items():
        *parents, last = path.split("__")
        place = whole
        for key in parents:
            place = place[int(key) if key.isdigit() else key]
        place[last] = value
    file.write_text(json.dumps(whole))


def tokens(run: Path, *rows: tuple[int, list[int]]) -> None:
    hand.write_tokens(run, [{"doc_id": doc_id(offset), "tokens": ids} for offset, ids in rows])


def good(offset: int) -> tuple[int, list[int]]:
    return offset, hand.tokens_of(next(page[3] for page in hand.PAGES if page[1] == offset))


def test_a_sound_run_has_no_problem(run: Path) -> None:
    assert told(run) == []


def test_a_run_that_is_not_finished_says_so(run: Path) -> None:
    described(run, stages__tokenize={}, stages__scrub={})
    assert told(run) == ["The run is not finished: scrub, tokenize still to do. Give the same `winnow run` again."]


BREAKS: dict[str, tuple[Break, str]] = {
    "a text changed": (
        lambda run: change(run / part("documents"), set_row(1, text="other words")),
        "does not have its hash",
    ),
    "an id changed": (
        lambda run: change(run / part("documents"), set_row(1, doc_id="f" * 32)),
        "is not the id of crawl.warc.gz at 200",
    ),
    "a part missing": (lambda run: (run / part("signals", 1)).unlink(), "signals/part-00001.parquet is missing"),
    "a part too many": (
        lambda run: (run / part("kept", 7)).write_bytes((run / part("kept")).read_bytes()),
        "part-00007.parquet belongs to no part",
    ),
    "a part cut short": (
        lambda run: (run / part("documents")).write_bytes((run / part("documents")).read_bytes()[:-20]),
        "documents/part-00000.parquet cannot be read",
    ),
    "a later part cut short": (
        lambda run: (run / part("kept", 1)).write_bytes(b"PAR1"),
        "kept/part-00001.parquet cannot be read",
    ),
    "no fingerprint": (
        lambda run: change(run / part("decisions"), list, mark=""),
        "decisions/part-00000.parquet carries no fingerprint",
    ),
    "rejects of another attempt": (
        lambda run: change(run / part("rejects"), list, mark="extract-other"),
        "was not made with",
    ),
    "another fingerprint than run.json's": (
        lambda run: described(run, stages__decide__fingerprint="decisions-0"),
        "decisions/part-00001.parquet was made by another decide",
    ),
    "a record lost": (
        lambda run: change(run / part("documents"), list, {"records": 8}),
        "8 records were read, 6 are accounted for",
    ),
    "fewer records than planned": (
        lambda run: described(run, parts__1__records=9),
        "4 records were read, the plan saw 9 in /crawls/crawl.warc.gz from 1000 to 2000",
    ),
    "a reject lost": (
        lambda run: change(run / part("rejects"), lambda rows: [], {"rejects": 0}),
        "holds 0 rejects",
    ),
    "a footer that counts other rows": (
        lambda run: change(run / part("signals"), list, {"documents": 9}),
        "signals/part-00000.parquet holds 4 rows, its footer says 9",
    ),
    "signals in another order": (
        lambda run: change(run / part("signals"), lambda rows: rows[::-1]),
        "signals/part-00000.parquet is not row for row beside",
    ),
    "a decision lost": (
        lambda run: change(run / part("decisions"), lambda rows: rows[:-1], {"kept": 1}),
        "decisions/part-00000.parquet is not row for row beside",
    ),
    "two fates": (
        lambda run: change(run / part("rejects"), set_row(0, doc_id=doc_id(100))),
        "1 records have more than one fate",
    ),
    "no fate": (lambda run: change(run / part("decisions"), set_row(0, fate=None)), "1 documents have no fate"),
    "a decision about nothing": (
        lambda run: change(run / part("decisions"), set_row(0, doc_id="f" * 32)),
        "1 decisions have no document",
    ),
    "a fate that its footer does not count": (
        lambda run: change(run / part("decisions"), set_row(0, fate="filtered:tiny.words.v1")),
        "does not hold the fates that its footer counts",
    ),
    "a fate that no rule gave": (
        lambda run: change(run / part("decisions"), set_row(1, fate="kept", rule=None)),
        "1 decisions are not what the recipe's rules say",
    ),
    "a recipe that was changed": (
        lambda run: described(run, recipe__steps__0__min=5.0),
        "decisions are not what the recipe's rules say",
    ),
    "a kept text changed": (
        lambda run: change(run / part("kept"), set_row(0, text="gone")),
        "text_bytes, its footer says",
    ),
    "personal data miscounted": (
        lambda run: change(run / part("kept"), set_row(0, pii_email=5)),
        "has 5 pii_email, its footer says 1",
    ),
    "a kept document not in kept/": (
        lambda run: change(run / part("kept"), lambda rows: rows[:-1], {"documents": 1}),
        "1 kept documents are missing from kept/",
    ),
    "a dropped document in kept/": (
        lambda run: change(run / part("kept"), set_row(0, doc_id=doc_id(200))),
        "1 documents lie in kept/ that were not kept",
    ),
    "kept/ in another order": (
        lambda run: change(run / part("kept"), lambda rows: rows[::-1]),
        "kept/part-00000.parquet does not hold just the documents",
    ),
    "a duplicate of nothing": (
        lambda run: change(run / part("duplicates", 1), set_row(0, kept_id="f" * 32)),
        "1 duplicates point to a document that is not there",
    ),
    "a duplicate of what was dropped": (
        lambda run: change(run / part("duplicates", 1), set_row(0, kept_id=doc_id(200))),
        "1 duplicates point to a document that was not kept",
    ),
    "a cluster of another size": (
        lambda run: change(run / part("duplicates", 1), set_row(0, cluster_size=2)),
        "1 clusters do not have just one kept document",
    ),
    "a cluster with two kept": (
        lambda run: change(run / part("duplicates", 1), set_row(0, method="kept", kept_id=doc_id(1100))),
        "1 clusters do not have just one kept document",
    ),
    "a duplicate that was kept all the same": (
        lambda run: change(run / part("duplicates", 1), set_row(0, method="exact")),
        "1 decisions do not agree with duplicates/",
    ),
    "run.json counts otherwise": (
        lambda run: described(run, stages__extract__counts__records=11),
        "extract states 11 records, its parts have 10",
    ),
    "run.json counts a fate that no part has": (
        lambda run: described(run, stages__decide__counts__lost=1),
        "decide states 1 lost, its parts have 0",
    ),
    "run.json planned otherwise": (
        lambda run: described(run, stages__plan__counts__parts=3),
        "plan states 3 parts, its parts have 2",
    ),
    "no manifest": (lambda run: (run / "manifest.json").unlink(), "There is no manifest"),
    "a manifest that is none": (lambda run: (run / "manifest.json").write_text("{"), "is no valid manifest"),
    "a shard missing": (lambda run: (run / "tokens/shard-00000.arrow").unlink(), "shard-00000.arrow is missing"),
    "a shard longer": (
        lambda run: (run / "tokens/shard-00000.arrow").open("ab").write(b"x"),
        "bytes, the manifest says",
    ),
    "a shard damaged": (
        lambda run: (run / "tokens/shard-00000.arrow").write_bytes(
            (run / "tokens/shard-00000.arrow").read_bytes().replace(b"o\0n\0e\0", b"o\0n\0f\0")
        ),
        "does not have the sha256",
    ),
    "a shard that nobody knows": (
        lambda run: (run / "tokens/shard-00009.arrow").write_bytes((run / "tokens/shard-00000.arrow").read_bytes()),
        "shard-00009.arrow is named by no manifest",
    ),
    "another tokenizer": (
        lambda run: (run / "tokenizer.json").write_text("{ }"),
        "tokenizer.json does not have the sha256",
    ),
    "a document in no shard": (lambda run: tokens(run, good(100), good(400)), "1 kept documents are in no shard"),
    "a document twice in the shards": (
        lambda run: tokens(run, good(100), good(400), good(1000), good(100)),
        "1 documents are in the shards twice",
    ),
    "a dropped document in the shards": (
        lambda run: tokens(run, good(100), good(400), good(1000), good(1100)),
        "1 documents in the shards were not kept",
    ),
    "an id that the tokenizer does not have": (
        lambda run: tokens(run, good(100), good(400), (1000, [hand.VOCAB, hand.END])),
        "holds 1 ids that its tokenizer does not have",
    ),
    "a document without its end": (
        lambda run: tokens(run, good(100), good(400), (1000, [1, 2])),
        "1 documents without end-of-text",
    ),
    "a shard counted wrong": (
        lambda run: manifest(run, shards__0__tokens=70),
        "holds 3 documents and 71 tokens, the manifest says 3 and 70",
    ),
    "totals that do not add up": (
        lambda run: manifest(run, totals__tokens=70),
        "states (3, 70) documents and tokens, its shards add up to (3, 71)",
    ),
    "a language counted wrong": (
        lambda run: manifest(run, languages__zh__documents=2),
        "states (2, 22) documents and tokens of lang zh, the shards have (1, 22)",
    ),
}


@pytest.mark.parametrize("how", BREAKS)
def test_what_is_broken_is_told(how: str, run: Path) -> None:
    breaking, sentence = BREAKS[how]
    breaking(run)
    found = told(run)
    assert any(sentence in problem for problem in found), found
    assert all("\n" not in problem for problem in found)
    assert all(problem.endswith(".") for problem in found)


def test_one_fault_does_not_hide_another(run: Path) -> None:
    (run / part("documents")).write_bytes(b"PAR1")
    (run / "tokens/shard-00000.arrow").write_bytes(b"nonsense")
    change(run / part("kept", 1), set_row(0, pii_email=5))
    found = told(run)
    for sentence in ("documents/part-00000.parquet cannot be read", "shard-00000.arrow has 8 bytes", "has 5 pii_email"):
        assert any(sentence in problem for problem in found), (sentence, found)
    assert len(found) == len(set(found))


def test_a_file_that_could_not_be_read_to_its_end_is_no_breach(run: Path) -> None:
    """The plan saw 12 records; the file was cut since, which one reject tells."""
    described(run, parts__0__records=12, stages__plan__counts__records=16)
    assert any("the plan saw 12" in problem for problem in told(run))
    change(run / part("rejects"), set_row(0, reason="file.unreadable"))
    assert told(run) == []


def test_a_run_without_edits_rules_or_duplicates_is_sound(run: Path) -> None:
    described(run, recipe__steps=[], stages__dedup__counts={})
    for number, dropped in ((0, ["filtered:tiny.words.v1", "duplicate:exact"]), (1, ["duplicate:minhash"])):
        change(run / part("duplicates", number), lambda rows: [], {"clusters": 0, "exact": 0, "minhash": 0})
        change(
            run / part("decisions", number),
            lambda rows, gone=dropped: [{**r, "fate": "kept", "rule": None} if r["fate"] in gone else r for r in rows],
        )
    found = told(run)
    assert not any("agree" in problem or "rules say" in problem or "cluster" in problem for problem in found)
    assert any("kept documents are missing" in problem for problem in found)


@pytest.mark.parametrize("form", ["arrow", "parquet"])
def test_shards_are_streamed_in_both_formats(tmp_path: Path, form: str) -> None:
    rows = [{"doc_id": f"{i:032x}", "tokens": [i, 7, 9]} for i in range(5)] + [{"doc_id": "e" * 32, "tokens": []}]
    path = tmp_path / f"shard-00000.{form}"
    with pa.OSFile(str(path), "wb") as sink:
        write_shard(sink, pa.Table.from_pylist(rows, schema_for("uint32")), form, "uint32", "m")
    stream = ShardRows([path])
    for _ in range(2):  # as often as it is asked
        read = pa.RecordBatchReader.from_stream(stream).read_all()
        assert read["n_tokens"].to_pylist() == [3, 3, 3, 3, 3, 0]
        assert set(read["shard"].to_pylist()) == {path.name}
    assert id_faults(path, vocab_size=10, end_of_text=9) == (0, 1)
    assert id_faults(path, vocab_size=9, end_of_text=8) == (5, 6)


def test_verifying_writes_nothing(run: Path) -> None:
    before = {p: p.stat().st_mtime_ns for p in run.rglob("*")}
    assert told(run) == []
    assert {p: p.stat().st_mtime_ns for p in run.rglob("*")} == before
    assert pq.read_metadata(run / part("documents")).num_rows == 4


def test_labels_that_are_not_those_of_the_manifest_are_found(tmp_path: Path) -> None:
    rows = documents(40)
    path = labelled(tmp_path, rows)
    manifest = Manifest.read(path)
    assert list(label_faults(tmp_path, manifest)) == []
    rows[3]["language"], rows[4]["source"] = "fr", "elsewhere"
    labelled(tmp_path / "changed", rows)
    told = list(label_faults(tmp_path / "changed", manifest))
    assert [fault.split(" does")[0] for fault in told] == ["The shards' column language", "The shards' column source"]
