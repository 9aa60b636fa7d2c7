"""The job of cuts: what is left against plain Python, for any parts, order and workers; resume; hostile documents."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dedup.urls import normalised
from pipelines import span_exchange
from pipelines.cuts import cut
from pipelines.options import beam_options
from pipelines.parts import part_path, read_mark
from tests.dedup.span_oracles import bff, c4, ccnet_left, stretches
from tests.pipelines.cut_runs import Doc, cuts_of, recipe_of, texts_left, write_run

SAID = ["The cat sat on the mat.", "the CAT sat on the mat. ", "Page 12 of 40", "Page 34 of 56", "再见，世界。", "再见世界",
        "", "One two three four five six.", "A line, of its own: 5.", "…", "yes", "no"]  # fmt: skip


def corpus(seed: int, size: int = 12) -> list[Doc]:
    """Documents of lines that repeat each other, and some that do not."""
    draw = random.Random(seed)
    docs = []
    for i in range(size):
        lines = [
            draw.choice(SAID) if draw.random() < 0.7 else f"only {i} {draw.random():.3f} here."
            for _ in range(draw.randrange(6))
        ]
        docs.append(Doc(f"d{i}", "\n".join(lines), f"http://www.site{i % 5}.example/{draw.randrange(4)}"))
    return docs


def in_parts(docs: list[Doc], *sizes: int) -> list[list[Doc]]:
    at, parts = 0, []
    for size in sizes:
        parts.append(docs[at : at + size])
        at += size
    return [*parts, docs[at:]]


def by_id(docs: list[Doc]) -> list[str]:
    return [d.name for d in sorted(docs, key=lambda d: d.doc_id)]


def by_url(docs: list[Doc]) -> list[str]:
    def md5(doc: Doc) -> str:
        return hashlib.md5(normalised(pa.array([doc.url]), "c4")[0].as_py().encode()).hexdigest()[:16]

    return [d.name for d in sorted(docs, key=lambda d: (md5(d), d.doc_id))]


def texts(docs: list[Doc]) -> dict[str, str]:
    return {d.name: d.text for d in docs}


def emptied(left: dict[str, str], docs: list[Doc]) -> dict[str, str | None]:
    """A document that was cut and has nothing left goes."""
    before = texts(docs)
    return {name: None if text != before[name] and not text.strip() else text for name, text in left.items()}


def exact_lines(docs: list[Doc]) -> dict[str, str]:
    owned: set[str] = set()
    left: dict[str, str] = {}
    for name in by_id(docs):
        kept = []
        for line in texts(docs)[name].split("\n"):
            if not line.strip() or line not in owned:
                kept.append(line)
            owned.add(line)
        left[name] = "\n".join(kept)
    return left


Oracle = Callable[[list[Doc]], dict[str, Any]]
CASES: dict[str, tuple[dict[str, Any], Oracle]] = {
    "c4, its own order": ({"lines": {"first": "url"}}, lambda d: c4(texts(d), by_url(d))),
    "c4, doc_id": ({"lines": {}}, lambda d: c4(texts(d), by_id(d))),
    "ccnet": ({"lines": {"normalise": "ccnet", "keep": "none"}}, lambda d: ccnet_left(texts(d))),
    "dolma": ({"bloom": {}}, exact_lines),
    "bff": ({"bloom": {"ngram": 3, "threshold": 0.5}}, lambda d: bff(texts(d), by_id(d), 3, 0.5)[0]),
    "stretches": ({"substring": {"min_tokens": 4}}, lambda d: stretches(texts(d), by_id(d), 4)),
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_what_is_left_is_what_plain_python_leaves(tmp_path: Path, case: str, seed: int) -> None:
    docs = corpus(seed)
    dedup, oracle = CASES[case]
    parts = in_parts(docs, 3, 0, 5)
    rows = cuts_of(tmp_path, parts, recipe_of(**dedup))
    assert texts_left(parts, rows) == emptied(oracle(docs), docs)
    assert any(row["fate"] is None for row in rows)


def test_bffs_old_both_drops_documents(tmp_path: Path) -> None:
    docs = [*corpus(4), *(Doc(f"again{i}", d.text) for i, d in enumerate(corpus(4)[:4]))]
    parts = in_parts(docs, 7)
    rows = cuts_of(tmp_path, parts, recipe_of(bloom={"ngram": 3, "threshold": 0.5, "mode": "both"}))
    left, gone = bff(texts(docs), by_id(docs), 3, 0.5)
    assert gone
    assert texts_left(parts, rows) == {**emptied(left, docs), **dict.fromkeys(gone)}


@pytest.mark.parametrize("case", ["c4, its own order", "ccnet", "bff", "stretches"])
def test_neither_parts_nor_order_nor_workers_nor_ranges_matter(
    tmp_path: Path, case: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    docs = corpus(5, 30)
    dedup = CASES[case][0]
    one = cuts_of(tmp_path / "one", [docs], recipe_of(**dedup))
    assert cuts_of(tmp_path / "cut", in_parts(docs[::-1], 7, 1, 9), recipe_of(**dedup)) == one
    monkeypatch.setattr(span_exchange, "ROWS", 5)
    assert cuts_of(tmp_path / "ranges", in_parts(docs, 11, 12), recipe_of(**dedup)) == one
    monkeypatch.undo()
    shuffled = random.Random(1).sample(docs, len(docs))
    assert cuts_of(tmp_path / "two", in_parts(shuffled, 15), recipe_of(**dedup), workers=2) == one


def test_who_has_it_first_is_told_and_too_little_is_dropped(tmp_path: Path) -> None:
    shared = "Every page has this line."
    docs = [Doc(str(i), f"{shared}\nOne of {i}. Two of {i}." + " Three." * (i % 2)) for i in range(6)]
    rows = cuts_of(tmp_path, in_parts(docs, 2, 2), recipe_of(lines={"min_sentences": 3}))
    first = min(docs, key=lambda d: d.doc_id)
    spans = [r for r in rows if r["fate"] is None]
    assert {r["other"] for r in spans} == {first.doc_id}
    assert {r["doc_id"] for r in spans} == {d.doc_id for d in docs} - {first.doc_id}
    gone = {r["doc_id"]: r for r in rows if r["fate"] is not None}
    assert set(gone) == {d.doc_id for d in docs if int(d.name) % 2 == 0} - {first.doc_id}
    for row in gone.values():
        assert (row["fate"], row["value"], row["threshold"]) == (
            "duplicate:lines",
            "2 sentences left",
            ">= 3 sentences left",
        )
    kinds = pq.read_metadata(part_path(str(tmp_path), "cuts", 0))
    assert kinds.num_rows == sum(r["doc_id"] in {d.doc_id for d in docs[:2]} for r in rows)


def test_three_sentence_spans_need_fifty_words(tmp_path: Path) -> None:
    shared = "First of all. Second of all. Third of all."
    long = " ".join(f"word{i}" for i in range(48)) + ". And more. Then some."
    docs = [
        Doc("a", f"{shared} {long}"),
        Doc("b", f"Before it. {shared} Short after."),
        Doc("c", f"{shared}\n{long[4:]}"),
    ]
    rows = cuts_of(
        tmp_path, [docs[:1], docs[1:]], recipe_of(lines={"unit": "span3", "min_words": 50, "min_sentences": 3})
    )
    first = min(docs, key=lambda d: d.doc_id).name
    left = texts_left([docs], rows)
    # what begins the text goes with the blank after it; windows that reach beyond the shared sentences are new
    cut_texts = {"a": long, "b": None, "c": long[4:]}
    assert left == {d.name: d.text if d.name == first else cut_texts[d.name] for d in docs}


def test_duplicates_take_no_part(tmp_path: Path) -> None:
    docs = [Doc(f"{i}", "A line.\nAnother line.", copy=i != 7) for i in range(8)]
    assert cuts_of(tmp_path, [docs[:4], docs[4:]], recipe_of(lines={})) == []


def test_a_dropped_stretch_takes_its_document(tmp_path: Path) -> None:
    shared = " ".join(f"w{i}" for i in range(60))
    docs = [Doc(f"{i}", f"{shared} {i}") for i in range(3)] + [Doc("other", "nothing in common")]
    rows = cuts_of(tmp_path, [docs], recipe_of(substring={"action": "drop"}))
    assert sum(r["fate"] == "duplicate:substring" for r in rows) == 2


def test_it_goes_on_where_it_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    docs, recipe = corpus(6, 20), recipe_of(lines={})
    parts = in_parts(docs, 6, 7)
    whole = cuts_of(tmp_path / "whole", parts, recipe)
    run = tmp_path / "killed"
    write_run(run, parts)
    with monkeypatch.context() as patched:

        def killed(*_: Any, **__: Any) -> int:
            raise KeyboardInterrupt

        patched.setattr("pipelines.cuts.meet", killed)
        with pytest.raises(RuntimeError, match="KeyboardInterrupt"):
            cut(str(run), range(3), recipe, beam_options(1))
    given = {p: p.stat().st_mtime_ns for p in run.glob("spans/given/*")}
    assert len(given) == 3
    for path in given:
        path.chmod(0o444)
    assert cuts_of(run, parts, recipe) == whole
    assert not (run / "spans").exists()
    marks = [read_mark(part_path(str(run), "cuts", i)) for i in range(3)]
    before = {p: p.stat().st_mtime_ns for p in run.glob("cuts/*")}
    counts = cut(str(run), range(3), recipe, beam_options(1))
    assert {p: p.stat().st_mtime_ns for p in run.glob("cuts/*")} == before
    assert counts["spans"] == sum(r["fate"] is None for r in whole)
    write_run(run, [*parts[:2], [*parts[2], Doc("new", docs[0].text)]])  # another part changes all
    cut(str(run), range(3), recipe, beam_options(1))
    assert all(read_mark(part_path(str(run), "cuts", i)) != mark for i, mark in enumerate(marks))


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_hostile_documents(tmp_path: Path, case: str) -> None:
    docs = [
        Doc("empty", ""), Doc("blank", " \n\n\t\u3000\n"), Doc("newline", "\n"),
        Doc("same", "the same line of words\n" * 100_000), Doc("again", "the same line of words\n" * 1_000 + "end"),
        Doc("long", "x y " * 2_500_000), Doc("long again", "x y " * 2_500_000), Doc("odd", "\x00\u2028İΣ\ufffd\n\x00"),
    ]  # fmt: skip
    parts = [[], docs[:4], docs[4:], []]
    rows = cuts_of(tmp_path, parts, recipe_of(**CASES[case][0]))
    left = texts_left(parts, rows)
    assert left["empty"] == ""
    assert left["blank"] == docs[1].text
    assert len(rows) < 20  # neighbours are one span
    if case in ("c4, doc_id", "dolma"):
        winner, loser = sorted(("same", "again"), key=by_id(docs).index)
        assert (left[winner] or "").count("the same line") == 1
        assert left[loser] == ("end" if loser == "again" else None)
        assert sorted([left["long"] is None, left["long again"] is None]) == [False, True]
