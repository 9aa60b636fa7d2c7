"""Repeated lines over the whole road: the same bytes for any workers, verify, explain, and faults that verify sees."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from stats.run import open_run
from stats.verify import verify

RECIPE = """
name = "lined"
title = "Lines alone"
fidelity = "R3"
sources = ["a test"]

[dedup.lines]
min_sentences = 2
"""
SHARED = "This line stands on every page of the site."


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("lined")
    (made / "lined.toml").write_text(RECIPE)
    with (made / "pages.jsonl").open("w") as pages:
        for i in range(60):
            text = (
                f"{SHARED}\nPage {i} says this. And page {i} says that 是的。"
                if i % 3
                else f"{SHARED}\nOnly one on {i}."
            )
            pages.write(json.dumps({"text": text, "url": f"https://site.example/{i}"}) + "\n")
    return made


@pytest.fixture(scope="module")
def run(folder: Path, winnow) -> Path:  # type: ignore[no-untyped-def]
    out = folder / "run"
    done = winnow(
        "run",
        folder / "pages.jsonl",
        "--recipe",
        folder / "lined.toml",
        "--out",
        out,
        "--workers",
        2,
        "--part-bytes",
        2000,
    )
    assert done.returncode == 0, done.stderr
    assert "lines" in done.stdout
    return out


def digests(run: Path) -> dict[str, str]:
    files = [
        p for p in run.rglob("*") if p.is_file() and "log" not in p.parts and p.name not in (".lock", "report.html")
    ]
    return {str(p.relative_to(run)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


@pytest.mark.slow
def test_one_worker_gives_the_same_bytes(folder: Path, run: Path, winnow) -> None:  # type: ignore[no-untyped-def]
    arguments = (
        "run",
        folder / "pages.jsonl",
        "--recipe",
        folder / "lined.toml",
        "--out",
        folder / "one",
        "--part-bytes",
        2000,
    )
    assert winnow(*arguments, "--workers", 1).returncode == 0
    assert digests(folder / "one") == digests(run)
    assert any(name.startswith("cuts/") for name in digests(run))


def test_every_shared_line_but_one_is_gone(run: Path) -> None:
    texts = pa.concat_tables([pq.read_table(p, columns=["text"]) for p in sorted(run.glob("kept/*"))])[
        "text"
    ].to_pylist()
    assert sum(SHARED in text for text in texts) == 1
    assert all(text.startswith((SHARED, "Page ")) for text in texts)
    assert json.loads((run / "run.json").read_text())["stages"]["cuts"]["counts"]["documents"] == 59


def test_explain_and_funnel_tell_what_went(run: Path, winnow) -> None:  # type: ignore[no-untyped-def]
    with open_run(run) as opened:
        (url,) = opened.rows(
            "SELECT d.url FROM decisions c JOIN documents d USING (doc_id) WHERE fate = 'duplicate:lines' LIMIT 1"
        )[0]
    told = winnow("explain", run, url).stdout
    assert "fate: duplicate:lines" in told
    assert "left: 1 sentences left, keeps >= 2 sentences left" in told
    assert f"cut: lines, {len(SHARED) + 1} bytes at 0, first in https://site.example/" in told
    assert SHARED in told


def spoil(rows: list[dict[str, Any]], sizes: dict[str, int], how: str) -> None:
    """One fault in the rows of a part of cuts/, whose spans come first."""
    if how == "length":
        rows[0]["end"] = 10_000
    elif how == "character":
        for row in rows:  # most texts end in a Chinese mark
            row["end"] = sizes[row["doc_id"]] - 1
    elif how == "owner":
        rows[0]["other"] = "0" * 32
    elif how == "fate":
        for row in rows:
            row["fate"] = None
    else:
        rows.pop()


FAULTS = {
    "length": "does not lie within its text",
    "character": "begins or ends within a character",
    "owner": "cuts name a document that is not there",
    "fate": "decisions do not agree with duplicates/ and cuts/",
    "count": "rows, its footer says",
}


@pytest.mark.parametrize("how", FAULTS)
def test_verify_sees_what_is_wrong(run: Path, tmp_path: Path, how: str) -> None:
    spoilt = tmp_path / "spoilt"
    shutil.copytree(run, spoilt)
    with open_run(run) as opened:
        assert verify(opened) == []
        sizes = dict(opened.rows("SELECT doc_id, strlen(text) FROM documents"))
    for path in spoilt.glob("cuts/*"):
        table = pq.read_table(path)
        rows = sorted(table.to_pylist(), key=lambda row: row["fate"] is not None)
        spoil(rows, sizes, how)
        pq.write_table(pa.Table.from_pylist(rows, schema=table.schema), path)
    with open_run(spoilt) as opened:
        assert any(FAULTS[how] in str(problem) for problem in verify(opened))


def test_verify_misses_cuts_that_were_asked_for(run: Path, tmp_path: Path) -> None:
    spoilt = tmp_path / "spoilt"
    shutil.copytree(run, spoilt)
    shutil.rmtree(spoilt / "cuts")
    with open_run(spoilt) as opened:
        assert any("is missing" in str(problem) for problem in verify(opened))
