"""Dedup as a job: the same clusters as a naive search, whoever works, however it is cut, and month after month."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from dedup.shingles import true_jaccard
from dedup.simhash import simhashes
from pipelines import candidates
from pipelines import clustering as job
from pipelines import connect as connecting
from pipelines import work as works
from pipelines.dedup import deduplicate
from pipelines.options import beam_options
from pipelines.parts import part_path, read_table
from recipes.dedup import Dedup, Exact, MinHash, SimHash, Url
from recipes.model import Recipe
from tests.pipelines.conftest import Make, address, name_of

WORDS = [f"w{i}" for i in range(400)]
ONE = beam_options(1)
Fates = dict[str, dict[str, Any]]


def recipe(**dedup: Any) -> Recipe:
    return Recipe(name="tiny", title="Tiny", fidelity="R3", sources=("none",), dedup=Dedup(**dedup))


def near(verify: float | None = 0.7, **given: Any) -> MinHash:
    return MinHash.model_validate({"ngram": 2, "bands": 20, "rows": 3, "verify": verify, **given})


def corpus(families: int, seed: int) -> list[tuple[str, str]]:
    """Families of texts that drift away from each other word by word, with exact copies among them."""
    chance = random.Random(seed)
    texts = []
    for _ in range(families):
        words = [chance.choice(WORDS) for _ in range(60)]
        for step in range(chance.randint(1, 6)):
            texts.append((name_of(" ".join(words), step), " ".join(words)))
            for _ in range(chance.choice([0, 1, 3, 6])):
                words[chance.randrange(60)] = chance.choice(WORDS)
    chance.shuffle(texts)
    return texts


def outcome(run: str, parts: list[int]) -> Fates:
    tables = [read_table(part_path(run, "duplicates", i)) for i in parts]
    return {row["doc_id"]: row for table in tables for row in table.to_pylist()}


def clusters_by_hand(texts: list[tuple[str, str]], verify: float) -> set[frozenset[str]]:
    """Every pair compared by its true Jaccard; components by relabelling."""
    label = {i: i for i, _ in texts}
    for n, (a, first) in enumerate(texts):
        for b, second in texts[:n]:
            if true_jaccard(first, second, 2) >= verify and label[a] != label[b]:
                old, new = label[a], label[b]
                label = {k: new if v == old else v for k, v in label.items()}
    groups: dict[str, set[str]] = {}
    for i, head in label.items():
        groups.setdefault(head, set()).add(i)
    return {frozenset(g) for g in groups.values() if len(g) > 1}


def clusters_of(found: Fates) -> set[frozenset[str]]:
    groups: dict[str, set[str]] = {}
    for row in found.values():
        groups.setdefault(row["cluster_id"], set()).add(row["doc_id"])
    return {frozenset(g) for g in groups.values()}


def test_clusters_are_those_of_a_naive_search(make_run: Make) -> None:
    texts = corpus(60, 1)
    run, parts = make_run("a", texts, 3)
    wanted = recipe(exact=Exact(), minhash=near(0.7, verify_by="jaccard", bands=64, rows=1))
    deduplicate(run, parts, wanted, None, ONE)
    found = outcome(run, parts)
    assert clusters_of(found) == clusters_by_hand(texts, 0.7)
    text = dict(texts)
    for row in found.values():
        assert row["cluster_size"] == sum(other["cluster_id"] == row["cluster_id"] for other in found.values())
        cluster = next(c for c in clusters_of(found) if row["doc_id"] in c)
        assert row["cluster_id"] == row["kept_id"] == min(cluster)
        assert (row["method"] == "kept") == (row["doc_id"] == row["kept_id"])
        before = [o for o in found.values() if o["cluster_id"] == row["cluster_id"] and o["doc_id"] < row["doc_id"]]
        assert (row["method"] == "exact") == any(text[o["doc_id"]] == text[row["doc_id"]] for o in before)
        assert abs(row["similarity"] - true_jaccard(text[row["doc_id"]], text[row["kept_id"]], 2)) < 0.35
        assert row["partner_similarity"] >= row["similarity"]


def test_addresses_and_simhashes_against_a_naive_search(make_run: Make) -> None:
    texts = corpus(60, 8)
    run, parts = make_run("a", texts, 3)
    counts = deduplicate(run, parts, recipe(url=Url(), simhash=SimHash(window=1, blocks=8, distance=5)), None, ONE)
    hashes, _ = simhashes(pa.array([t for _, t in texts], pa.large_string()), "word", 1)
    label = {i: i for i, _ in texts}
    for n, (a, first) in enumerate(texts):
        for m, (b, second) in enumerate(texts[:n]):
            near_ones = (int(hashes[n]) ^ int(hashes[m])).bit_count() <= 5
            if near_ones or (address(first) is not None and address(first) == address(second)):
                old, new = label[a], label[b]
                label = {k: new if v == old else v for k, v in label.items()}
    wanted: dict[str, set[str]] = {}
    for i, head in label.items():
        wanted.setdefault(head, set()).add(i)
    found = outcome(run, parts)
    assert clusters_of(found) == {frozenset(g) for g in wanted.values() if len(g) > 1}
    assert counts["url"] > 0 and counts["simhash"] > 0 and counts["minhash"] == 0
    text = dict(texts)
    for row in found.values():
        before = [o for o in found.values() if o["cluster_id"] == row["cluster_id"] and o["doc_id"] < row["doc_id"]]
        same = any(address(text[o["doc_id"]]) == address(text[row["doc_id"]]) is not None for o in before)
        if row["method"] in ("url", "simhash"):
            assert (row["method"] == "url") == same


@pytest.mark.parametrize("verify", [None, 0.7])
def test_nothing_depends_on_parts_order_or_workers(make_run: Make, verify: float | None) -> None:
    texts = corpus(40, 2)
    wanted = recipe(exact=Exact(), minhash=near(verify), keep=("-word_count",))
    run, parts = make_run("whole", texts)
    deduplicate(run, parts, wanted, None, ONE)
    one = outcome(run, parts)
    for number, (count, workers) in enumerate([(7, 1), (3, 2)]):
        random.Random(number).shuffle(texts)
        run, parts = make_run(f"cut{number}", texts, count)
        deduplicate(run, parts, wanted, None, beam_options(workers, threads=True))
        assert outcome(run, parts) == one
    assert len(one) > 40


def test_evidence_in_pieces_changes_nothing(make_run: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = corpus(40, 9)
    wanted = recipe(minhash=near(0.7, verify_by="jaccard"))
    run, parts = make_run("plain", texts, 2)
    deduplicate(run, parts, wanted, None, ONE)
    one = outcome(run, parts)
    monkeypatch.setattr(candidates, "EVIDENCE", 150)
    run, parts = make_run("pieces", texts, 2)
    deduplicate(run, parts, wanted, None, ONE)
    assert outcome(run, parts) == one and len(one) > 20


def test_ranges_slices_and_stars_change_nothing(make_run: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = corpus(50, 3)
    wanted = recipe(exact=Exact(), minhash=near(0.6))
    run, parts = make_run("plain", texts, 4)
    deduplicate(run, parts, wanted, None, ONE)
    one = outcome(run, parts)
    monkeypatch.setattr(works, "RANGE_DOCUMENTS", 20)
    monkeypatch.setattr(job, "CLUSTER_DOCUMENTS", 30)
    monkeypatch.setattr(job, "EDGES_IN_MEMORY", 5)
    monkeypatch.setattr(connecting, "EDGES_A_SLICE", 20)
    run, parts = make_run("sliced", texts, 4)
    deduplicate(run, parts, wanted, None, ONE)
    assert outcome(run, parts) == one
    assert not Path(run, "exchange").exists()


@pytest.mark.parametrize("given", [
    {"exact": Exact()},
    {"minhash": near(None)},
    {"exact": Exact(), "minhash": near(0.6)},
    {"exact": Exact(), "minhash": near(0.6), "keep": ("-word_count",)},
    {"url": Url(), "simhash": SimHash(window=1, blocks=8, distance=5)},
])  # fmt: skip
def test_one_month_after_another_is_all_months_at_once(make_run: Make, tmp_path: Path, given: dict[str, Any]) -> None:
    texts = corpus(60, 4)
    months = [texts[0::3], texts[1::3], texts[2::3]]
    index = str(tmp_path / "index")
    together: Fates = {}
    for number, month in enumerate(months):
        run, parts = make_run(f"month{number}", month, 2, source=f"month{number}")
        deduplicate(run, parts, recipe(**given), index, ONE)
        found = outcome(run, parts)
        superseded = outcome_of(read_table(part_path(run, "superseded", 0)).to_pylist())
        together |= found
        for old in together.values():  # who was kept before may be known to repeat another one now
            if old["kept_id"] in superseded:
                old["kept_id"] = superseded[old["kept_id"]]["kept_id"]
        together |= superseded
    whole, parts = whole_corpus(make_run, months)
    deduplicate(whole, parts, recipe(**given, sources=("month0", "month1", "month2")), None, ONE)
    once = outcome(whole, parts)
    assert kept_by(together, texts) == kept_by(once, texts)


def outcome_of(rows: list[dict[str, Any]]) -> Fates:
    return {row["doc_id"]: row for row in rows}


def kept_by(found: Fates, texts: list[tuple[str, str]]) -> dict[str, str]:
    """For every document, the one that stays for it."""
    return {i: found[i]["kept_id"] if i in found else i for i, _ in texts}


def whole_corpus(make_run: Make, months: list[list[tuple[str, str]]]) -> tuple[str, list[int]]:
    """All months as one run with a part for each, so that `sources` can rank them."""
    import shutil

    runs = [make_run(f"part{n}", month, 1, source=f"month{n}")[0] for n, month in enumerate(months)]
    whole = runs[0]
    for number, run in enumerate(runs[1:], 1):
        for dataset in ("documents", "signals"):
            shutil.copy(part_path(run, dataset, 0), part_path(whole, dataset, number))
    return whole, list(range(len(months)))
