"""From cuts/ and contamination/ to fates and to the texts of kept/."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.decide import decide_part
from pipelines.parts import part_path, write_part
from pipelines.schemas import CUTS
from pipelines.scrub import scrub_part
from tests.pipelines.cut_runs import Doc, cuts_of, recipe_of

RECIPE = recipe_of(lines={"min_words": 3})
LOW = "A shared line of words."


def write_contamination(run: Path, index: int, rows: list[dict[str, Any]]) -> None:
    batch = pa.RecordBatch.from_pylist(rows, schema=CUTS)
    write_part(part_path(str(run), "contamination", index), [batch], CUTS, f"made by hand {rows}", {})


def decided(run: Path, parts: int) -> tuple[dict[str, dict[str, Any]], dict[str, str]]:
    """Decisions by doc_id, and kept texts by doc_id."""
    decisions: list[dict[str, Any]] = []
    kept: list[dict[str, Any]] = []
    for index in range(parts):
        decide_part(index, str(run), RECIPE)
        scrub_part(index, str(run), RECIPE)
        decisions += pq.read_table(part_path(str(run), "decisions", index)).to_pylist()
        kept += pq.read_table(part_path(str(run), "kept", index)).to_pylist()
    return {d["doc_id"]: d for d in decisions}, {k["doc_id"]: k["text"] for k in kept}


def corpus() -> list[Doc]:
    """Six documents by doc_id: the first has the shared line first."""
    texts = [f"{LOW}\n自己的一行 {n}.\nwith more words {n}" for n in range(3)] + [
        f"{LOW}\nshort.",
        LOW.upper(),
        "Alone.",
    ]
    names = sorted((Doc(str(i), "") for i in range(6)), key=lambda d: d.doc_id)
    return [Doc(name.name, text) for name, text in zip(names, texts, strict=True)]


def test_fates_and_texts_follow_the_cuts(tmp_path: Path) -> None:
    docs = corpus()
    cuts_of(tmp_path, [docs[::2], docs[1::2]], RECIPE)
    decisions, kept = decided(tmp_path, 2)
    fates = [decisions[d.doc_id]["fate"] for d in docs]
    assert fates == ["kept"] * 3 + ["duplicate:lines"] * 2 + ["kept"]
    told = [(decisions[d.doc_id]["value"], decisions[d.doc_id]["threshold"]) for d in docs[3:5]]
    assert told == [("1 words left", ">= 3 words left"), ("nothing left", "> nothing left")]
    texts = [docs[0].text, *(d.text.removeprefix(f"{LOW}\n") for d in docs[1:3]), docs[5].text]
    assert [kept[d.doc_id] for d in (*docs[:3], docs[5])] == texts
    assert len(kept) == 4


def test_contamination_comes_after_cuts_and_its_spans_join_theirs(tmp_path: Path) -> None:
    docs = corpus()
    cuts_of(tmp_path, [docs], RECIPE)
    before = decided(tmp_path, 1)[0]
    span = {"method": "decontam.ngram.v1", "other": "item"}
    size = len(LOW)
    rows: list[dict[str, Any]] = [
        {"doc_id": docs[1].doc_id, "start": size - 3, "end": size + 1 + len("自己".encode()), **span},  # over a cut
        {"doc_id": docs[2].doc_id, "start": 0, "end": 5, **span},
        {"doc_id": docs[2].doc_id, "start": 0, "end": 0, "fate": "contaminated:first", "value": "2", "threshold": "< 2", **span},
        {"doc_id": docs[2].doc_id, "start": 0, "end": 0, "fate": "contaminated:second", **span},
        {"doc_id": docs[3].doc_id, "start": 0, "end": 0, "fate": "contaminated:first", **span},
    ]  # fmt: skip
    write_contamination(tmp_path, 0, rows)
    decisions, kept = decided(tmp_path, 1)
    assert decisions[docs[2].doc_id] == {
        "doc_id": docs[2].doc_id, "fate": "contaminated:first", "rule": None, "value": "2", "threshold": "< 2",
    }  # fmt: skip
    assert decisions[docs[3].doc_id] == before[docs[3].doc_id]  # cuts/ has spoken
    assert kept[docs[1].doc_id] == "的一行 1.\nwith more words 1"
    assert docs[2].doc_id not in kept
