"""The job: what is looked at, common windows over the whole run, and the same rows for any cut into parts."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines import decontaminate as jobs
from pipelines.decontaminate import decontaminate, sought
from pipelines.options import beam_options
from pipelines.parts import part_path, read_table, write_part
from pipelines.schemas import CUTS, DOCUMENTS, DUPLICATES
from recipes.decontaminate import Decontaminate, EvaluationSet, Ngrams, Substrings
from recipes.model import Recipe
from recipes.steps import Rule

ITEM = "Raphael bought four pens, two notebooks and a rim of bond paper; how much did Raphael spend on everything?"
COMMON = "all rights reserved no part of this site may be copied without the written consent of its owner"
FILLER = " ".join(f"word{i} and more" for i in range(200))


def doc_id(number: int) -> str:
    return hashlib.md5(str(number).encode()).hexdigest()


def texts(copies: int) -> list[tuple[str, str, str | None]]:
    """(text, language, duplicate of): contaminated pages, clean ones, common ones, one of another language, a copy."""
    rows: list[tuple[str, str, str | None]] = [(f"{FILLER} x{i} {ITEM} y{i} {FILLER}", "en", None) for i in range(3)]
    rows += [(f"{FILLER} clean {i}", "en", None) for i in range(5)]
    rows += [(f"{i} {FILLER} {COMMON} {i}", "en", None) for i in range(copies)]
    rows += [(f"{FILLER} {ITEM}", "zh", None), (f"{FILLER} {ITEM} again", "en", doc_id(0))]
    return rows


def make(run: str, parts: int, copies: int = 10) -> list[int]:
    """documents/, signals/ and duplicates/ of one corpus, cut into so many parts."""
    rows = list(enumerate(texts(copies)))
    size = -(-len(rows) // parts)
    for index in range(parts):
        mine = rows[index * size : (index + 1) * size]
        blank = {field.name: None for field in DOCUMENTS}
        documents = [{**blank, "doc_id": doc_id(n), "source": "s", "offset": n, "text_hash": "", "text": text}
                     for n, (text, _, _) in mine]  # fmt: skip
        signals = pa.table({"doc_id": [doc_id(n) for n, _ in mine], "lang": [lang for _, (_, lang, _) in mine]})
        repeats = [{"doc_id": doc_id(n), "cluster_id": of, "kept_id": of, "cluster_size": 2, "similarity": 1.0,
                    "method": "minhash"} for n, (_, _, of) in mine if of]  # fmt: skip
        for name, table, schema in (
            ("documents", pa.Table.from_pylist(documents, DOCUMENTS), DOCUMENTS),
            ("signals", signals, signals.schema),
            ("duplicates", pa.Table.from_pylist(repeats, DUPLICATES), DUPLICATES),
        ):
            write_part(part_path(run, name, index), table.to_batches(), schema, f"{name}{index}", {})
    return list(range(parts))


def recipe(tmp_path: Path, **options: object) -> Recipe:
    file = tmp_path / "items.jsonl"
    rows = [{"id": "pens", "question": ITEM}, {"id": "rights", "question": COMMON}, {"id": "short", "question": "Why?"}]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    section = Decontaminate(
        sets=(EvaluationSet(file=str(file)),),
        modes=(Ngrams(id="decontam.ngram.v1", evidence="A", **options),),  # type: ignore[arg-type]
    )
    rule = Rule(id="a.lang.v1", signal="lang", any_of=("en",), evidence="A")
    return Recipe(
        name="tiny", title="Tiny", fidelity="R3", sources=("none",), steps=(rule,), decontaminate=section
    )  # fmt: skip


def rows_of(run: str, indices: list[int]) -> list[dict[str, object]]:
    return [row for i in indices for row in read_table(part_path(run, "contamination", i)).to_pylist()]


@pytest.mark.parametrize("copies", [10, 11])
def test_windows_of_more_than_ten_documents_are_common(tmp_path: Path, copies: int) -> None:
    run = str(tmp_path / "run")
    indices = make(run, 2, copies)
    counts = decontaminate(run, indices, recipe(tmp_path), beam_options())
    rows = rows_of(run, indices)
    hit = {row["doc_id"] for row in rows}
    pens, rights = {doc_id(n) for n in range(3)}, {doc_id(8 + n) for n in range(copies)}
    assert hit == (pens | rights if copies == 10 else pens)
    assert {row["other"] for row in rows if row["doc_id"] in pens} == {"items:pens"}
    del counts["bytes_cut"]
    assert counts == {"looked_at": 8 + copies, "dropped": 0, "cut": len(hit), "rows": len(rows)}
    assert all(row["fate"] is None and row["method"] == "decontam.ngram.v1" for row in rows)
    texts_of = {doc_id(n): text.encode() for n, (text, _, _) in enumerate(texts(copies))}
    for row in rows:
        cut = texts_of[str(row["doc_id"])][row["start"] : row["end"]].decode()  # type: ignore[misc]
        assert (ITEM if row["doc_id"] in pens else COMMON).split()[5] in cut
        assert str(row["value"]).startswith("bytes ")


def test_rows_depend_neither_on_parts_nor_on_workers_nor_on_a_second_call(tmp_path: Path) -> None:
    whole, cut = str(tmp_path / "whole"), str(tmp_path / "cut")
    one = recipe(tmp_path)
    decontaminate(whole, make(whole, 1), one, beam_options())
    indices = make(cut, 4)
    first = decontaminate(cut, indices, one, beam_options(2))
    assert rows_of(cut, indices) == rows_of(whole, [0]) != []
    paths = [Path(part_path(cut, name, i)) for i in indices for name in ("found", "contamination")]
    times = [path.stat().st_mtime_ns for path in paths]
    assert decontaminate(cut, indices, one, beam_options()) == first
    assert [path.stat().st_mtime_ns for path in paths] == times
    kept = paths[1].read_bytes()
    paths[1].unlink()  # as if the work had been stopped
    assert decontaminate(cut, indices, one, beam_options()) == first
    assert paths[1].read_bytes() == kept
    assert pq.read_schema(paths[1]).remove_metadata().equals(CUTS)


def test_another_evaluation_set_is_another_result(tmp_path: Path) -> None:
    run = str(tmp_path / "run")
    indices = make(run, 1)
    one = recipe(tmp_path)
    decontaminate(run, indices, one, beam_options())
    before = rows_of(run, indices)
    (tmp_path / "items.jsonl").write_text(
        json.dumps({"id": "other", "question": "No page has these eight words here at all"})
    )
    decontaminate(run, indices, one, beam_options())
    assert before
    assert rows_of(run, indices) == []
    items = read_table(f"{run}/contamination/items.parquet").to_pylist()
    assert items == [{"set": "items", "mode": "decontam.ngram.v1", "items": 1, "looked_for": 1}]


def test_a_document_that_goes_has_one_fate_on_one_row(tmp_path: Path) -> None:
    run = str(tmp_path / "run")
    indices = make(run, 1)
    one = recipe(tmp_path, action="drop")
    assert one.decontaminate is not None
    both = (*one.decontaminate.modes, Substrings(id="decontam.substring.v1", evidence="A"))
    section = one.decontaminate.model_copy(update={"modes": both})
    counts = decontaminate(run, indices, one.model_copy(update={"decontaminate": section}), beam_options())
    fates = [row for row in rows_of(run, indices) if row["fate"]]
    assert len(fates) == len({row["doc_id"] for row in fates}) == 13
    assert {row["fate"] for row in fates} == {"filtered:decontam.ngram.v1"}
    assert {row["method"] for row in rows_of(run, indices)} == {"decontam.ngram.v1", "decontam.substring.v1"}
    assert counts["dropped"] == counts["dropped.decontam.ngram.v1"] == 13


def test_sets_are_read_once_a_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    section = recipe(tmp_path).decontaminate
    assert section is not None
    first = sought(section)
    monkeypatch.setattr(jobs, "load_items", None)
    assert sought(section) is first
