"""Two months over the whole road: the second run's duplicates name the first, with cuts and an evaluation set besides."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from stats.run import open_run
from stats.verify import verify

RECIPE = """
name = "months"
title = "Months"
fidelity = "R3"
sources = ["a test"]

[dedup.exact]

[dedup.minhash]
ngram = 2
bands = 20
rows = 3
verify = 0.6

[dedup.lines]

[decontaminate]
what = "questions"

[[decontaminate.modes]]
kind = "ngrams"
id = "decontam.ngram.v1"
action = "drop"
evidence = "A"
"""
QUESTION = "Which of these nine rivers that flow into the northern sea is the longest one of all"
FOOTER = "All pages of this site end with one and the same long line of text at the bottom."


def page(seed: int) -> str:
    chance = random.Random(seed)
    return " ".join(f"word{chance.randrange(500)}" for _ in range(80))


@pytest.fixture(scope="module")
def months(tmp_path_factory: pytest.TempPathFactory, winnow) -> Path:  # type: ignore[no-untyped-def]
    folder = tmp_path_factory.mktemp("months")
    (folder / "months.toml").write_text(RECIPE)
    (folder / "questions.jsonl").write_text(json.dumps({"id": "rivers", "question": QUESTION}) + "\n")
    first = {f"https://a.example/{n}": page(n) for n in range(40)}
    second = {f"https://b.example/{n}": page(n if n < 10 else 100 + n) for n in range(40)}
    second["https://b.example/near"] = page(20) + " and a new end"
    second["https://b.example/asks"] = page(300) + f" {QUESTION}? " + page(301)
    for n in range(2):
        second[f"https://b.example/foot{n}"] = page(400 + n) + "\n" + FOOTER
    for name, pages in (("one", first), ("two", second)):
        lines = [json.dumps({"url": u, "text": t}) for u, t in pages.items()]
        (folder / f"{name}.jsonl").write_text("\n".join(lines) + "\n")
        done = winnow("run", folder / f"{name}.jsonl", "--recipe", folder / "months.toml", "--out", folder / name,
                      "--against", folder / "index", "--decontaminate", folder / "questions.jsonl",
                      "--part-bytes", 8000)  # fmt: skip
        assert done.returncode == 0, done.stderr
    return folder


def test_each_month_is_sound(months: Path) -> None:
    for name in ("one", "two"):
        with open_run(months / name) as run:
            assert verify(run) == []


def test_the_second_month_names_the_first(months: Path, winnow) -> None:  # type: ignore[no-untyped-def]
    with open_run(months / "two") as run:
        rows = run.rows("SELECT url, d.method, kept_id, kept_in FROM duplicates d JOIN documents USING (doc_id) "
                        "WHERE kept_in IS NOT NULL ORDER BY url")  # fmt: skip
        fates = dict(run.rows("SELECT url, fate FROM fates"))
    assert [(url, method) for url, method, *_ in rows] == sorted(
        [(f"https://b.example/{n}", "exact") for n in range(10)] + [("https://b.example/near", "minhash")]
    )
    with open_run(months / "one") as run:
        theirs = dict(run.rows("SELECT doc_id, url FROM documents"))
    assert [theirs[kept] for _, _, kept, _ in rows] == [f"https://a.example/{n}" for n in [*range(10), 20]]
    assert len({where for *_, where in rows}) == 1 and rows[0][3].startswith("00001-")
    assert fates["https://b.example/asks"] == "filtered:decontam.ngram.v1"
    told = winnow("explain", months / "two", "https://b.example/near")
    assert f"repeats: earlier corpus {rows[0][3]}" in told.stdout
    shown = winnow("index", months / "index")
    assert shown.stdout.count(str(months)[:20]) >= 1 and "00002-" in shown.stdout


def test_lines_are_cut_and_the_question_is_reported(months: Path, winnow) -> None:  # type: ignore[no-untyped-def]
    with open_run(months / "two") as run:
        texts = dict(run.rows("SELECT url, text FROM kept"))
    assert sum(FOOTER in text for text in texts.values()) == 1
    report = json.loads(winnow("contamination", months / "two", "--json").stdout)
    assert "rivers" in json.dumps(report) and "https://b.example/asks" in json.dumps(report)


def test_the_counts_add_up(months: Path) -> None:
    kept = sum(pq.read_metadata(p).num_rows for p in (months / "two" / "kept").glob("part-*"))
    with open_run(months / "two") as run:
        gone = run.rows("SELECT count(*) FROM fates WHERE starts_with(fate, 'duplicate:')")[0][0]
    assert gone == 11 and kept == 44 - 11 - 1
