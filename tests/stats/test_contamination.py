"""The report on evaluation sets, over a run made by hand: by set, by item, with places; and the view in SQL."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipelines.decontaminate import ITEMS
from pipelines.schemas import CUTS
from stats.contamination import contamination
from stats.run import open_run
from stats.sql import query
from stats.verify import verify
from tests.stats.conftest import doc_id, row_of, write

MODES = [
    {"kind": "ngrams", "id": "decontam.ngram.v1", "evidence": "A"},
    {"kind": "substrings", "id": "decontam.substring.v1", "evidence": "A"},
]


@pytest.fixture
def found(run: Path) -> Path:
    """The run as if it had looked for two sets: one page cut for two items, one dropped for one of them."""
    described = json.loads((run / "run.json").read_text())
    described["recipe"]["decontaminate"] = {"sets": [{"file": "/x/a.jsonl"}], "modes": MODES}
    counts = {"looked_at": 3, "dropped": 1, "cut": 1, "bytes_cut": 9, "rows": 4, "dropped.decontam.substring.v1": 1}
    described["stages"]["decontaminate"] = {"state": "done", "counts": counts}
    (run / "run.json").write_text(json.dumps(described))
    rows = [
        row_of(CUTS, doc_id=doc_id(100), start=0, end=9, method="decontam.ngram.v1", other="a:1", value="bytes 0-7"),
        row_of(CUTS, doc_id=doc_id(100), start=0, end=9, method="decontam.ngram.v1", other="a:2", value="bytes 0-7"),
        row_of(CUTS, doc_id=doc_id(100), start=14, end=23, method="decontam.ngram.v1", value="short piece"),
    ]
    gone = row_of(CUTS, doc_id=doc_id(1000), start=4, end=9, method="decontam.substring.v1", other="a:1",
                  fate="filtered:decontam.substring.v1", value="1 found", threshold="none")  # fmt: skip
    write(run / "contamination" / "part-00000.parquet", rows, CUTS, "c0", {"rows": 3})
    write(run / "contamination" / "part-00001.parquet", [gone], CUTS, "c1", {"rows": 1})
    sets = [row_of(ITEMS, set=name, mode=mode["id"], items=5, looked_for=looked)
            for name in ("a", "ab") for mode, looked in zip(MODES, (3, 4), strict=True)]  # fmt: skip
    write(run / "contamination" / "items.parquet", sets, ITEMS, "i", {})
    return run


def test_sets_items_and_places(found: Path) -> None:
    with open_run(found) as opened:
        told = contamination(opened)
    assert [tuple(row.values()) for row in told.sets.to_pylist()] == [
        ("a", "decontam.ngram.v1", 5, 3, 2, 1), ("a", "decontam.substring.v1", 5, 4, 1, 1),
        ("ab", "decontam.ngram.v1", 5, 3, 0, 0), ("ab", "decontam.substring.v1", 5, 4, 0, 0),
    ]  # fmt: skip
    assert [tuple(row.values()) for row in told.items.to_pylist()] == [
        ("a:1", 2, "decontam.ngram.v1, decontam.substring.v1"), ("a:2", 1, "decontam.ngram.v1"),
    ]  # fmt: skip
    places = {(row["url"], row["item"], row["start"], row["end"], row["fate"]) for row in told.documents.to_pylist()}
    assert places == {
        ("https://a.example/one", "a:1", 0, 9, None), ("https://a.example/one", "a:2", 0, 9, None),
        (None, "a:1", 4, 9, "filtered:decontam.substring.v1"),
    }  # fmt: skip
    assert {row["what"]: row["count"] for row in told.totals.to_pylist()} == {
        "documents looked at": 3, "documents dropped": 1, "documents cut": 1, "bytes of text cut out": 9,
        "dropped by decontam.substring.v1": 1,
    }  # fmt: skip


def test_the_view_and_the_proof_know_it(found: Path) -> None:
    with open_run(found) as opened:
        assert query(opened, "SELECT count(*) AS n FROM contamination")["n"].to_pylist() == [4]
        assert not [problem for problem in verify(opened) if "contamination" in str(problem)]
    (found / "contamination" / "part-00001.parquet").unlink()
    with open_run(found) as opened:
        assert [str(p) for p in verify(opened) if "contamination" in str(p)]


def test_a_run_that_looked_for_none_says_so(run: Path, found: Path) -> None:
    described = json.loads((found / "run.json").read_text())
    stage = described["stages"].pop("decontaminate")
    (run / "run.json").write_text(json.dumps(described))
    with open_run(run) as opened, pytest.raises(ValueError, match="has not looked for evaluation sets yet"):
        contamination(opened)
    del described["recipe"]["decontaminate"]
    (run / "run.json").write_text(json.dumps({**described, "stages": {**described["stages"], "decontaminate": stage}}))
    with open_run(run) as opened, pytest.raises(ValueError, match="looked for no evaluation set"):
        contamination(opened)


def test_the_view_of_a_run_that_looked_for_none_is_empty(run: Path) -> None:
    with open_run(run) as opened:
        assert query(opened, "SELECT * FROM contamination").num_rows == 0
