"""What-if, compare and overlap against the slow way: every document decided by itself and counted in Python.

The run has a few hundred documents with measurements drawn by chance, in parts of unlike size, decided by the
pipeline's own code.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from itertools import combinations
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xxhash

from filters.annotate import signals_schema
from filters.rules import all_failing, first_failing, with_verdicts
from filters.thresholds import set_thresholds
from pipelines.decide import fates
from pipelines.schemas import DECISIONS, DOCUMENTS, DUPLICATES
from recipes.model import Recipe
from recipes.steps import Rule, Sample, Step
from stats.compare import compare, matrix
from stats.overlap import overlap
from stats.run import open_run
from stats.stricter import stricter_rules
from stats.what_if import what_if
from tokenization.shards import schema_for, write_shard

SIZES = (7, 150, 1, 92)
Documents = list[dict[str, object]]


def recipe(name: str, *steps: Step) -> Recipe:
    return Recipe(name=name, title=name, fidelity="R3", sources=("none",), steps=steps)


OWN = recipe(
    "own",
    Rule(id="a.words.v1", signal="word_count", min=20, evidence="A"),
    Rule(id="a.lines.v1", signal="dup_line_ratio", max={"en": 0.6, "zh": 0.8}, evidence="A"),
    Sample(kind="sample", id="a.tenth.v1", method="random", p=0.9, evidence="A"),
    Rule(id="a.stops.v1", signal="stop_word_count", above=2, evidence="A"),
)
RANKED = recipe(
    "ranked",
    Rule(id="a.words.v1", signal="word_count", min=10, evidence="A"),
    Sample(
        kind="sample", id="a.top.v1", method="top", signal="stop_word_count", fraction=0.5, per="language", evidence="A"
    ),
    Sample(kind="sample", id="a.cap.v1", method="domain_cap", cap=20, evidence="A"),
)
AGAIN = recipe(
    "again", Sample(kind="sample", id="a.top.v1", method="top", signal="word_count", fraction=0.25, evidence="A")
)
ALL = recipe("all")
LANGUAGES = recipe("languages", Rule(id="b.lang.v1", signal="lang", any_of=("en",), evidence="A"))


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run of 250 documents in four parts, under OWN."""
    folder, chance, kept = tmp_path / "run", np.random.default_rng(1), []
    schema = signals_schema(OWN, RANKED)
    for part, rows in enumerate(SIZES):
        ids = [xxhash.xxh3_128_hexdigest(f"{part}:{i}".encode()) for i in range(rows)]
        texts = ["文 本 \x1b[31m" * int(n) for n in chance.integers(1, 90, rows)]
        drawn = {
            "doc_id": ids, "lang": chance.choice(["en", "zh", "fr", None], rows).tolist(),
            "word_count": chance.integers(0, 100, rows).tolist(),
            "dup_line_ratio": [None if v > 0.95 else v for v in chance.random(rows).tolist()],
            "stop_word_count": chance.integers(0, 30, rows).tolist(),
            "domain": chance.choice(["a.example", "b.example", None], rows).tolist(),
            "text_bytes": [len(text.encode()) for text in texts],
        }  # fmt: skip
        signals = pa.table({f.name: pa.array(drawn.get(f.name, [None] * rows), f.type) for f in schema}, schema=schema)
        documents = Documents([{"doc_id": d, "source": "s", "offset": i, "url": f"https://a.example/{d}", "text_hash": "h",
                                "text": t} for i, (d, t) in enumerate(zip(ids, texts, strict=True))])  # fmt: skip
        repeated = [{"doc_id": d, "cluster_id": d, "kept_id": ids[0], "cluster_size": 2, "similarity": 0.9,
                     "method": "minhash"} for d in ids[1::5]]  # fmt: skip
        duplicates = pa.Table.from_pylist(repeated, DUPLICATES)
        decided = fates(signals, duplicates, OWN)
        kept += [d for d, fate in zip(ids, decided["fate"].to_pylist(), strict=True) if fate == "kept"]
        tables = {"documents": pa.Table.from_pylist(documents, DOCUMENTS), "signals": signals,
                  "duplicates": duplicates, "decisions": decided.cast(DECISIONS)}  # fmt: skip
        for name, table in tables.items():
            (folder / name).mkdir(parents=True, exist_ok=True)
            pq.write_table(table, folder / name / f"part-{part:05d}.parquet")
    (folder / "tokens").mkdir()
    for number, some in enumerate((kept[: len(kept) // 2], kept[len(kept) // 2 :])):
        rows = [{"doc_id": d, "tokens": [1] * int(chance.integers(1, 50))} for d in reversed(some)]
        with pa.OSFile(str(folder / "tokens" / f"shard-{number:05d}.arrow"), "wb") as sink:
            write_shard(sink, pa.Table.from_pylist(rows, schema_for("uint16")), "arrow", "uint16", "m")
    described = {"recipe": json.loads(OWN.model_dump_json(exclude_none=True)), "parts": [], "stages": {}}
    (folder / "run.json").write_text(json.dumps(described))
    return folder


def one_by_one(run: Path, of: Recipe) -> Documents:
    """Each document with its fate now, the rule that `of` drops it by, all that drop it, its size and its tokens."""
    with duckdb.connect() as connection:
        signals, decisions = (pq.read_table(sorted((run / name).glob("*"))) for name in ("signals", "decisions"))
        connection.register("signals", signals)
        connection.register("decisions", decisions)
        found = connection.sql(f"""
            SELECT doc_id, lang, text_bytes, fate, ({first_failing(of)}) AS failing, {all_failing(of)} AS every
            FROM ({with_verdicts(of)}) JOIN decisions USING (doc_id)""").to_arrow_table()
    with open_run(run) as opened:
        tokens = dict(opened.rows("SELECT doc_id, n_tokens FROM tokens"))
    return [{**row, "tokens": tokens.get(row["doc_id"])} for row in found.to_pylist()]


def then(row: dict[str, object]) -> object:
    if row["failing"]:
        return f"filtered:{row['failing']}"
    return row["fate"] if str(row["fate"]).startswith("duplicate:") else "kept"


def rate(rows: Documents, lang: object) -> float:
    """Tokens a byte of the kept documents of a language, or of all."""
    known = [row for row in rows if row["tokens"] is not None]
    known = [row for row in known if row["lang"] == lang] or known
    return sum(row["tokens"] for row in known) / sum(row["text_bytes"] for row in known)  # type: ignore[misc]


def tokens_of(rows: Documents, some: Documents) -> int:
    sums = (rate(rows, r["lang"]) * r["text_bytes"] if r["tokens"] is None else r["tokens"] for r in some)  # type: ignore[operator]
    return round(sum(sums))


CHANGED: dict[str, Callable[[], Recipe]] = {
    "same": lambda: OWN,
    "stricter": lambda: set_thresholds(OWN, ["a.words=40"]),
    "stricter twice": lambda: set_thresholds(OWN, ["a.stops=9", "a.words=30"]),
    "stricter in a language": lambda: set_thresholds(OWN, ["a.lines=zh:0.3"]),
    "looser": lambda: set_thresholds(OWN, ["a.words=3"]),
    "one of each": lambda: set_thresholds(OWN, ["a.words=3", "a.stops=12"]),
    "ranked": lambda: RANKED,
    "other": lambda: LANGUAGES,
    "nothing": lambda: ALL,
}


@pytest.mark.parametrize("which", CHANGED)
def test_what_if_is_every_document_decided_again(run: Path, which: str) -> None:
    of = CHANGED[which]()
    rows = one_by_one(run, of)
    with open_run(run) as opened:
        answer = what_if(opened, of)
    now, later = Counter(row["fate"] for row in rows), Counter(map(then, rows))
    told = {row["fate"]: (row["now"], row["then"], row["bytes"]) for row in answer.fates.to_pylist()}
    size: Counter[object] = Counter()
    for row in rows:
        size[then(row)] += row["text_bytes"]  # type: ignore[assignment]
        size[row["fate"]] -= row["text_bytes"]  # type: ignore[operator]
    assert told == {fate: (now[fate], later[fate], size[fate]) for fate in now.keys() | later.keys()}
    kept = [row for row in rows if then(row) == "kept"]
    for line in answer.languages.to_pylist():
        some = [row for row in kept if (row["lang"] or "unknown") == line["language"]]
        assert line["kept then, at most"] == len(some)
        assert line["bytes then"] == sum(row["text_bytes"] for row in some)  # type: ignore[misc]
        assert abs(line["tokens then, about"] - tokens_of(rows, some)) <= 1
    totals = [row["then, at most"] for row in answer.totals.to_pylist()]
    assert totals[:2] == [len(kept), sum(row["text_bytes"] for row in kept)]  # type: ignore[misc]
    assert abs(totals[2] - tokens_of(rows, kept)) <= 1
    for side, pages in ((True, answer.comes_in), (False, answer.goes_out)):
        moved = {row["doc_id"] for row in rows if (then(row) == "kept") is side and (row["fate"] == "kept") is not side}
        assert {page.split(": ")[0].rpartition("/")[2] for page in pages} <= moved
        assert len(pages) == min(5, len(moved))
        assert not any("\x1b" in page for page in pages)


def test_which_changes_need_no_other_measurement() -> None:
    fast = {which for which, of in CHANGED.items() if stricter_rules(OWN, of()) is not None}
    assert fast == {"same", "stricter", "stricter twice", "stricter in a language"}
    allowed = (LANGUAGES, set_thresholds(LANGUAGES, ["b.lang=en,zh"]))
    assert stricter_rules(*allowed) is None
    assert stricter_rules(*reversed(allowed)) is not None


def test_the_bound_in_the_sentence_is_that_of_the_language(run: Path) -> None:
    with open_run(run) as opened:
        told = what_if(opened, set_thresholds(OWN, ["a.lines=zh:0.1,en:0.2"])).goes_out
    assert told
    assert all("against <= 0.1 (zh): “文 本" in page or "against <= 0.2 (en): “文 本" in page for page in told)


def test_compare_is_sets_of_documents(run: Path) -> None:
    recipes = {"own": OWN, "ranked": RANKED, "again": AGAIN, "all": ALL, "languages": LANGUAGES}
    decided = {name: one_by_one(run, of) for name, of in recipes.items()}
    passing = {name: {row["doc_id"] for row in rows if not row["failing"]} for name, rows in decided.items()}
    with open_run(run) as opened:
        answer = compare(opened, recipes)
    whole = sum(SIZES)
    for line in answer.recipes.to_pylist():
        kept = [row for row in decided[line["recipe"]] if then(row) == "kept"]
        assert (line["pass its rules"], line["kept, at most"]) == (len(passing[line["recipe"]]), len(kept))
        assert line["share"] == pytest.approx(len(passing[line["recipe"]]) / whole)
        assert line["bytes of text"] == sum(row["text_bytes"] for row in kept)  # type: ignore[misc]
        assert abs(line["tokens, about"] - tokens_of(decided["own"], kept)) <= 1
    for line in answer.languages.to_pylist():
        rows = [r for r in decided[line["recipe"]] if (r["lang"] or "unknown") == line["language"]]
        assert line["kept, at most"] == sum(then(row) == "kept" for row in rows)
        assert line["pass its rules"] == sum(not row["failing"] for row in rows)
    for line, (a, b) in zip(answer.pairs.to_pylist(), combinations(recipes, 2), strict=True):
        one, other = passing[a], passing[b]
        assert (line["a"], line["b"], line["both pass"]) == (a, b, len(one & other))
        assert (line["only a"], line["only b"]) == (len(one - other), len(other - one))
        assert line["neither"] == whole - len(one | other)
        assert line["alike"] == pytest.approx(1 - len(one ^ other) / whole)
        assert line["jaccard"] == pytest.approx(len(one & other) / len(one | other))
    square = matrix(answer, "jaccard").to_pylist()
    assert [row["recipe"] for row in square] == ["1 own", "2 ranked", "3 again", "4 all", "5 languages"]
    assert square[0]["2"] == square[1]["1"] == answer.pairs.to_pylist()[0]["jaccard"]
    assert square[2]["3"] == 1


def test_kappa_is_cohens(run: Path) -> None:
    with open_run(run) as opened:
        pairs = {
            (row["a"], row["b"]): row
            for row in compare(opened, {"o": OWN, "l": LANGUAGES, "all": ALL}).pairs.to_pylist()
        }
    pair = pairs["o", "l"]
    yes, no = pair["both pass"], pair["neither"]
    whole = yes + no + pair["only a"] + pair["only b"]
    chance = (
        (yes + pair["only a"]) * (yes + pair["only b"]) + (no + pair["only a"]) * (no + pair["only b"])
    ) / whole**2
    assert pair["kappa"] == pytest.approx(((yes + no) / whole - chance) / (1 - chance))
    assert pairs["o", "all"]["kappa"] == pytest.approx(0)  # who passes everything agrees by chance alone


@pytest.mark.parametrize("of", [OWN, RANKED, ALL], ids=lambda of: of.name)
def test_overlap_is_all_failing_counted(run: Path, of: Recipe) -> None:
    rows = one_by_one(run, of)
    with open_run(run) as opened:
        answer = overlap(opened, of)
    every = [set(row["every"]) for row in rows]  # type: ignore[call-overload]
    assert [(r["rule"], r["fail it"], r["fail it first"], r["fail no other"]) for r in answer.rules.to_pylist()] == [
        (step.id, sum(step.id in e for e in every), sum(row["failing"] == step.id for row in rows),
         sum(e == {step.id} for e in every))
        for step, _ in of.placed()
    ]  # fmt: skip
    pairs = Counter(pair for e in every for pair in combinations([s.id for s, _ in of.placed() if s.id in e], 2))
    assert {(r["a"], r["b"]): r["fail both"] for r in answer.pairs.to_pylist()} == dict(pairs)


def test_failing_has_a_row_for_every_rule_that_fails(run: Path) -> None:
    with open_run(run) as opened:
        found = opened.rows("SELECT doc_id, rule FROM failing ORDER BY ALL")
    assert found == sorted((row["doc_id"], rule) for row in one_by_one(run, OWN) for rule in row["every"])  # type: ignore[attr-defined]


def test_parts_that_are_not_row_for_row_are_refused(run: Path) -> None:
    path = run / "decisions" / "part-00001.parquet"
    rows = pq.read_table(path)
    pq.write_table(pa.concat_tables([rows.slice(1), rows.slice(0, 1)]), path)
    for of in (set_thresholds(OWN, ["a.words=40"]), RANKED):
        with open_run(run) as opened, pytest.raises(ValueError, match=r"decisions is not row for row .* run again\.$"):
            what_if(opened, of)


def test_a_half_finished_run_answers_for_what_is_decided(run: Path) -> None:
    (run / "decisions" / "part-00001.parquet").unlink()
    with open_run(run) as opened:
        assert what_if(opened, OWN).totals.to_pylist()[0]["now"] < 100
        assert sum(r["both pass"] + r["only a"] + r["only b"] + r["neither"]
                   for r in compare(opened, {"own": OWN, "all": ALL}).pairs.to_pylist()) == 100  # fmt: skip
    for path in (run / "decisions").iterdir():
        path.unlink()
    with open_run(run) as opened:
        assert what_if(opened, OWN).totals.to_pylist()[0]["now"] == 0
        assert compare(opened, {"own": OWN, "all": ALL}).pairs.to_pylist()[0]["jaccard"] is None
        assert overlap(opened, OWN).pairs.num_rows == 0
