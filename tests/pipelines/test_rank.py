"""Samplers of the whole run, across parts: one ranking, the same fates for any cut of the run into parts."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from pipelines.decide import decide_part
from pipelines.parts import part_path, read_table, write_part
from pipelines.rank import rank
from pipelines.schemas import DUPLICATES
from recipes.model import Recipe
from recipes.steps import Rule, Sample

RECIPE = Recipe(
    name="tiny", title="Tiny", fidelity="R3", sources=("none",),
    steps=(
        Rule(id="a.lang.v1", signal="lang", any_of=("en",), evidence="A"),
        Sample(kind="sample", id="a.top.v1", method="top", signal="word_count", fraction=0.25, evidence="A"),
        Sample(kind="sample", id="a.cap.v1", method="domain_cap", cap=5, evidence="A"),
    ),
)  # fmt: skip


def make(run: str, parts: int, rows: int = 240) -> list[int]:
    """signals/ and empty duplicates/ of one corpus, cut into so many parts."""
    table = pa.table({
        "doc_id": [hashlib.md5(str(i).encode()).hexdigest() for i in range(rows)],
        "lang": ["en" if i % 4 else "zh" for i in range(rows)],
        "word_count": pa.array(np.arange(rows), pa.int64()),
        "domain": [f"d{i % 3}.example" for i in range(rows)],
    })  # fmt: skip
    for index, piece in enumerate(np.array_split(np.arange(rows), parts)):
        part = table.take(pa.array(piece))
        write_part(part_path(run, "signals", index), part.to_batches(), table.schema, f"s{index}", {})
        write_part(part_path(run, "duplicates", index), [], DUPLICATES, f"d{index}", {})
    return list(range(parts))


def fates(run: str, indices: list[int]) -> dict[str, str]:
    rank(run, indices, RECIPE)
    for index in indices:
        decide_part(index, run, RECIPE)
    tables = [read_table(part_path(run, "decisions", index)) for index in indices]
    return {d: f for t in tables for d, f in zip(t["doc_id"].to_pylist(), t["fate"].to_pylist(), strict=True)}


@pytest.mark.parametrize("parts", [2, 7])
def test_fates_do_not_depend_on_the_parts(tmp_path: Path, parts: int) -> None:
    whole, cut = str(tmp_path / "whole"), str(tmp_path / "cut")
    one = fates(whole, make(whole, 1))
    assert fates(cut, make(cut, parts)) == one
    counted = {fate: list(one.values()).count(fate) for fate in set(one.values())}
    # 180 English documents come as far as the top quarter, 45 stay, in three domains, of each of which 5 stay.
    assert counted == {"filtered:a.lang.v1": 60, "filtered:a.top.v1": 135, "filtered:a.cap.v1": 30, "kept": 15}


def test_a_finished_ranking_is_not_made_again_and_a_changed_one_is(tmp_path: Path) -> None:
    run = str(tmp_path)
    indices = make(run, 3)
    first = rank(run, indices, RECIPE)
    times = [Path(part_path(run, "ranks", i)).stat().st_mtime_ns for i in indices]
    assert rank(run, indices, RECIPE) == first
    assert [Path(part_path(run, "ranks", i)).stat().st_mtime_ns for i in indices] == times
    make(run, 3, rows=300)
    for index in indices:
        path = part_path(run, "signals", index)
        write_part(path, read_table(path).to_batches(), read_table(path).schema, f"other{index}", {})
    assert rank(run, indices, RECIPE) != first
