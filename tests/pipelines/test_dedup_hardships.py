"""What breaks other dedups: a mountain of identical pages, one enormous page, nothing at all, and death at any moment."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from flows.cli import app
from pipelines import index as indexes
from pipelines.dedup import deduplicate
from pipelines.options import beam_options
from pipelines.parts import part_path, read_table
from recipes.dedup import Exact
from tests.pipelines.conftest import Make, name_of
from tests.pipelines.test_dedup_job import ONE, corpus, near, outcome, recipe

NONE = dict.fromkeys(("clusters", "exact", "url", "minhash", "simhash"), 0)


def test_a_hundred_thousand_identical_pages(make_run: Make) -> None:
    text = "one page that everybody copies word for word and for ever"
    texts = [(name_of(text, n), text) for n in range(100_000)]
    run, parts = make_run("same", texts, 4)
    counts = deduplicate(run, parts, recipe(exact=Exact(), minhash=near(0.8)), None, beam_options(2, threads=True))
    assert counts == {**NONE, "clusters": 1, "exact": 99_999, "minhash": 0}
    lowest = min(i for i, _ in texts)
    found = pa.concat_tables([read_table(part_path(run, "duplicates", i)) for i in parts])
    assert set(found["kept_id"].to_pylist()) == {lowest} and set(found["cluster_size"].to_pylist()) == {100_000}


def test_nearly_identical_pages_are_linear_too(make_run: Make) -> None:
    """A template with a running number: every page differs, every band is full."""
    texts = [
        (name_of(str(n), n), " ".join(["same"] * 50 + [f"w{i}" for i in range(60)]) + f" {n}") for n in range(20_000)
    ]
    run, parts = make_run("template", texts, 2)
    counts = deduplicate(run, parts, recipe(minhash=near(0.8)), None, ONE)
    assert counts == {**NONE, "clusters": 1, "exact": 0, "minhash": 19_999}


def test_one_page_of_fifty_megabytes(make_run: Make) -> None:
    chance = random.Random(1)
    words = [f"word{chance.randrange(100_000)}" for _ in range(20_000)]
    huge = " ".join(words * 270)
    assert len(huge) > 50_000_000
    texts = [(name_of(huge), huge), (name_of(huge, 1), huge + " end"), (name_of("a"), "something else altogether here")]
    run, parts = make_run("huge", texts)
    counts = deduplicate(run, parts, recipe(minhash=near(0.8)), None, ONE)
    assert counts == {**NONE, "clusters": 1, "exact": 0, "minhash": 1}


def test_empty_short_and_monotonous_texts(make_run: Make) -> None:
    shapes = ["", "", " \n", "...", "one", "one", "a b", "na " * 3000, "na " * 5000, "二", "二", "\u0000", "é" * 5]
    texts = [(name_of(text, n), text) for n, text in enumerate(shapes)]
    run, parts = make_run("odd", texts, 3)
    deduplicate(run, parts, recipe(minhash=near(0.8, ngram=5)), None, ONE)
    alike = {}
    for row in outcome(run, parts).values():
        alike.setdefault(row["cluster_id"], set()).add(dict(texts)[row["doc_id"]])
    # No shingles, no likeness; a text shorter than a shingle is one shingle; repetition adds no shingle.
    assert sorted(map(sorted, alike.values())) == sorted([["one"], ["na " * 3000, "na " * 5000], ["二"]])


def test_a_run_that_looks_for_nothing_has_nothing_to_compare(make_run: Make, tmp_path: Path) -> None:
    run, parts = make_run("none", corpus(3, 1))
    assert deduplicate(run, parts, recipe(), None, ONE) == NONE
    with pytest.raises(ValueError, match="looks for no duplicates"):
        deduplicate(run, parts, recipe(), str(tmp_path / "index"), ONE)


def test_what_an_index_refuses(make_run: Make, tmp_path: Path) -> None:
    index = tmp_path / "index"
    run, parts = make_run("a", corpus(30, 1))
    first = deduplicate(run, parts, recipe(exact=Exact()), str(index), ONE)
    assert first["clusters"] > 0
    assert deduplicate(run, parts, recipe(exact=Exact()), str(index), ONE) == first  # once more adds nothing
    assert len(json.loads((index / "index.json").read_text())["generations"]) == 1
    other, parts = make_run("b", corpus(5, 2))
    with pytest.raises(ValueError, match=r"another \[dedup\] \(minhash differ"):
        deduplicate(other, parts, recipe(exact=Exact(), minhash=near()), str(index), ONE)
    with pytest.raises(ValueError, match="holds signatures and no texts"):
        deduplicate(other, parts, recipe(minhash=near(0.7, verify_by="jaccard")), str(tmp_path / "new"), ONE)
    (index / "index.json").write_text('{"version": 2}')
    with pytest.raises(ValueError, match="damaged or of another version"):
        deduplicate(other, parts, recipe(exact=Exact()), str(index), ONE)
    (tmp_path / "no").mkdir()
    (tmp_path / "no" / "file").touch()
    with pytest.raises(ValueError, match="it is no index"):
        indexes.load(tmp_path / "no")


def generations(index: str | Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((Path(index) / "index.json").read_text())["generations"]
    return found


def test_a_corpus_that_changed_takes_its_own_place(make_run: Make, tmp_path: Path) -> None:
    index = str(tmp_path / "index")
    run, parts = make_run("a", corpus(5, 1))
    deduplicate(run, parts, recipe(exact=Exact()), index, ONE)
    first = generations(index)
    texts = corpus(6, 2)
    run, parts = make_run("a", texts, 2)
    deduplicate(run, parts, recipe(exact=Exact()), index, ONE)
    second = generations(index)
    assert len(second) == 1 and second[0]["name"] != first[0]["name"] and second[0]["documents"] == len(texts)
    other, other_parts = make_run("b", corpus(5, 3))
    deduplicate(other, other_parts, recipe(exact=Exact()), index, ONE)
    assert sorted(p.name for p in Path(index).iterdir() if p.is_dir()) == [g["name"] for g in generations(index)]
    run, parts = make_run("a", corpus(5, 4))
    with pytest.raises(ValueError, match="later corpora were compared"):
        deduplicate(run, parts, recipe(exact=Exact()), index, ONE)


def test_an_index_whose_first_run_died_while_it_was_named(make_run: Make, tmp_path: Path) -> None:
    index = tmp_path / "index"
    run, parts = make_run("a", corpus(5, 1))
    deduplicate(run, parts, recipe(exact=Exact()), str(index), ONE)
    (index / "index.json").unlink()  # the generation was moved, the list never renamed
    deduplicate(run, parts, recipe(exact=Exact()), str(index), ONE)
    assert len(generations(index)) == 1
    next((index / generations(index)[0]["name"] / "bands").iterdir()).unlink()
    other, parts = make_run("b", corpus(5, 2))
    with pytest.raises(ValueError, match="has lost files"):
        deduplicate(other, parts, recipe(exact=Exact()), str(index), ONE)


def test_what_is_superseded_is_written_again_if_it_is_lost(make_run: Make, tmp_path: Path) -> None:
    """Two pages that a third one joins: both were kept before, and the run that shows it says so, also later."""
    index = str(tmp_path / "index")
    halves = [" ".join(f"{c}{i}" for i in range(40)) for c in "ab"]
    first, parts = make_run("a", [(name_of(t), t) for t in halves])
    wanted = recipe(minhash=near(0.3, bands=60, rows=1))
    deduplicate(first, parts, wanted, index, ONE)
    both = " ".join(halves)
    second, parts = make_run("b", [(name_of(both), both)])
    deduplicate(second, parts, wanted, index, ONE)
    path = Path(part_path(second, "superseded", 0))
    rows = pq.read_table(path).to_pylist()
    assert [row["generation"] for row in rows] == [generations(index)[0]["name"]]
    assert {rows[0]["doc_id"], rows[0]["kept_id"]} == {name_of(t) for t in halves}
    path.unlink()
    deduplicate(second, parts, wanted, index, ONE)
    assert pq.read_table(path).to_pylist() == rows and len(generations(index)) == 2


def texts_file(path: Path, texts: list[tuple[str, str]], **columns: Any) -> Path:
    table = pa.table({"id": [i for i, _ in texts], "text": [t for _, t in texts], **columns})
    pq.write_table(table, path, row_group_size=50)
    return path


RECIPE = """
name = "tiny"
title = "Tiny"
fidelity = "R3"
sources = ["none"]
[dedup]
sources = ["a.parquet", "b.parquet"]
[dedup.exact]
[dedup.minhash]
ngram = 2
bands = 20
rows = 3
verify = 0.6
"""


def told(out: Path) -> dict[str, int]:
    counts: dict[str, int] = json.loads((out / "dedup.json").read_text())["counts"]
    return counts


def kept_texts(out: Path) -> list[str]:
    return sorted(t for p in sorted((out / "kept").glob("part-*")) for t in pq.read_table(p)["text"].to_pylist())


def test_the_command_keeps_columns_and_remembers(tmp_path: Path) -> None:
    texts = corpus(40, 5)
    (tmp_path / "r.toml").write_text(RECIPE)
    a = texts_file(tmp_path / "a.parquet", texts[::2], extra=[{"n": n} for n in range(len(texts[::2]))])
    b = texts_file(tmp_path / "b.parquet", texts[1::2])
    run = CliRunner()
    common = ["--recipe", str(tmp_path / "r.toml"), "--workers", "2"]
    done = run.invoke(app, ["dedup", str(a), "--out", str(tmp_path / "A"), "--against", str(tmp_path / "ix"), *common])
    assert done.exit_code == 0, done.output
    assert "extra" in pq.read_schema(tmp_path / "A" / "kept" / "part-00000.parquet").names
    done = run.invoke(app, ["dedup", str(b), "--out", str(tmp_path / "B"), "--against", str(tmp_path / "ix"), *common])
    assert done.exit_code == 0, done.output
    done = run.invoke(app, ["dedup", str(a), str(b), "--out", str(tmp_path / "AB"), *common])
    assert done.exit_code == 0, done.output
    gone = pq.read_table(tmp_path / "B" / "superseded" / "part-00000.parquet")
    assert len(kept_texts(tmp_path / "A")) + len(kept_texts(tmp_path / "B")) - gone.num_rows == len(
        kept_texts(tmp_path / "AB")
    )
    assert told(tmp_path / "AB")["documents"] == len(texts)
    shown = run.invoke(app, ["index", str(tmp_path / "ix")])
    assert shown.exit_code == 0 and "00001-" in shown.output and "00002-" in shown.output
    lost = run.invoke(app, ["index", str(tmp_path / "nowhere")])
    assert "begins one" in str(lost.exception)


def test_a_second_call_leaves_nothing_of_the_first(tmp_path: Path) -> None:
    texts = corpus(30, 9)
    (tmp_path / "r.toml").write_text(RECIPE)
    one, two = (texts_file(tmp_path / f"{n}.parquet", texts[k::2], doc_id=[str(i) for i, _ in texts[k::2]])
                for k, n in enumerate("ab"))  # fmt: skip
    common = ["--out", str(tmp_path / "o"), "--recipe", str(tmp_path / "r.toml")]
    assert CliRunner().invoke(app, ["dedup", str(one), str(two), *common]).exit_code == 0
    assert CliRunner().invoke(app, ["dedup", str(one), *common]).exit_code == 0
    assert told(tmp_path / "o")["kept"] == len(kept_texts(tmp_path / "o")) <= len(texts[::2])
    table = pq.read_table(tmp_path / "o" / "kept" / "part-00000.parquet")
    assert table.column_names[:1] == ["doc_id"] and "input_doc_id" in table.column_names


def test_jsonl_is_read_and_records_without_text_are_passed_over(tmp_path: Path) -> None:
    texts = corpus(20, 6)
    lines = [json.dumps({"text": t, "url": f"http://x.example/{n}"}) for n, (_, t) in enumerate(texts)]
    (tmp_path / "a.jsonl").write_text("\n".join([*lines, '{"no": 1}']) + "\n")
    (tmp_path / "r.toml").write_text(RECIPE)
    done = CliRunner().invoke(
        app, ["dedup", str(tmp_path / "a.jsonl"), "--out", str(tmp_path / "o"), "--recipe", str(tmp_path / "r.toml")]
    )
    assert done.exit_code == 0, done.output
    counts = told(tmp_path / "o")
    assert counts["without_text"] == 1
    assert counts["documents"] == len(texts) == counts["kept"] + counts["exact"] + counts["minhash"]
    (tmp_path / "x.html").write_text("<p>no")
    done = CliRunner().invoke(app, ["dedup", str(tmp_path / "x.html"), "--out", str(tmp_path / "p")])
    assert "holds no texts" in str(done.exception)


@pytest.mark.parametrize("after", [0.1, 0.5])
def test_killed_while_it_adds_to_an_index(tmp_path: Path, after: float) -> None:
    """Whenever it dies, the index holds the first corpus alone or both, and the same command then ends the work."""
    texts = corpus(60, 7)
    (tmp_path / "r.toml").write_text(RECIPE)
    first = texts_file(tmp_path / "a.parquet", texts[::2])
    second = texts_file(tmp_path / "b.parquet", texts[1::2])
    index = tmp_path / "ix"
    common = ["--recipe", str(tmp_path / "r.toml"), "--workers", "1", "--against", str(index)]
    assert CliRunner().invoke(app, ["dedup", str(first), "--out", str(tmp_path / "A"), *common]).exit_code == 0
    command = [sys.executable, "-m", "flows.cli", "dedup", str(second), "--out", str(tmp_path / "B"), *common]
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    deadline = time.monotonic() + 60
    while not (tmp_path / "B" / "signatures").exists() and child.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)
    time.sleep(after)
    if child.poll() is None:
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()
    assert len(json.loads((index / "index.json").read_text())["generations"]) in (1, 2)
    done = CliRunner().invoke(app, ["dedup", str(second), "--out", str(tmp_path / "B"), *common])
    assert done.exit_code == 0, done.output
    assert len(json.loads((index / "index.json").read_text())["generations"]) == 2
    done = CliRunner().invoke(
        app, ["dedup", str(second), "--out", str(tmp_path / "C"), *common[:-1], str(tmp_path / "other")]
    )
    assert done.exit_code == 0, done.output
    assert told(tmp_path / "B")["kept"] < told(tmp_path / "C")["kept"]
    assert not list(index.glob(".making-*"))
