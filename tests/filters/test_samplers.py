"""Samplers: the published probabilities, the same answer whenever asked, and ranks over those that came so far."""

from __future__ import annotations

import hashlib
import math

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from pydantic import ValidationError

from filters.rules import first_failing, with_verdicts
from recipes.model import Recipe
from recipes.steps import Rule, Sample, Step

ROWS = 100_000
# Probability of being kept by score, (2 - s)^-alpha, as GPT-3's and the Pile's selection has it.
PARETO = {
    9.0: {0: 0.00195, 0.25: 0.0065, 0.5: 0.0260, 0.75: 0.1342, 0.9: 0.4241, 0.95: 0.6446, 1: 1.0},
    3.0: {0: 0.125, 0.5: 0.2963, 0.75: 0.512, 0.9: 0.7513, 1: 1.0},
}


def sample(method: str, **given: object) -> Sample:
    return Sample.model_validate({"kind": "sample", "id": "s.one.v1", "method": method, "evidence": "P", **given})


def recipe(*steps: Step) -> Recipe:
    return Recipe(name="tiny", title="Tiny", fidelity="R3", sources=("none",), steps=steps)


def failing(of: Recipe, table: pa.Table) -> list[str | None]:
    with duckdb.connect() as connection:
        connection.register("signals", table)
        query = f"SELECT doc_id, {first_failing(of)} AS failing FROM ({with_verdicts(of)})"
        found = dict(connection.execute(query).fetchall())
    return [found[doc_id] for doc_id in table["doc_id"].to_pylist()]


def documents(score: object, rows: int = ROWS, **columns: object) -> pa.Table:
    ids = [hashlib.md5(str(i).encode()).hexdigest() for i in range(rows)]
    given = {"doc_id": ids, "lang": ["en"] * rows, "word_count": score, "domain": ["a.example"] * rows, **columns}
    return pa.table(given)


@pytest.mark.parametrize(("alpha", "score"), [(a, s) for a, row in PARETO.items() for s in row])
def test_pareto_keeps_the_published_share(alpha: float, score: float) -> None:
    kept = failing(recipe(sample("pareto", signal="word_count", alpha=alpha)), documents(np.full(ROWS, float(score))))
    share, expected = kept.count(None) / ROWS, PARETO[alpha][score]
    assert expected == pytest.approx((2 - score) ** -alpha, abs=5e-4)
    assert share == pytest.approx(expected, abs=5 * math.sqrt(expected / ROWS) + 1e-4)


def test_the_draw_is_md5_of_the_document_the_seed_and_the_step() -> None:
    table = documents(np.ones(1000), 1000)
    half = recipe(sample("random", p=0.5, seed=3))
    draws = [int.from_bytes(hashlib.md5(f"{d}:3:s.one.v1".encode()).digest()[8:], "little") / 2**64
             for d in table["doc_id"].to_pylist()]  # fmt: skip
    assert failing(half, table) == [None if u < 0.5 else "s.one.v1" for u in draws]
    other = recipe(sample("random", p=0.5, seed=4))
    assert failing(other, table) != failing(half, table)


def test_proportional_and_resample_follow_the_signal() -> None:
    score = np.repeat([0.0, 0.2, 0.7, 1.0], ROWS // 4)
    kept = np.array([f is None for f in failing(recipe(sample("proportional", signal="word_count")), documents(score))])
    assert [kept[score == s].mean() for s in (0, 0.2, 0.7, 1)] == pytest.approx([0, 0.2, 0.7, 1], abs=0.01)
    by = sample("resample", signal="word_count", weights=((0.1, 0.25), (0.6, 1.0)))
    kept = np.array([f is None for f in failing(recipe(by), documents(score))])
    assert [kept[score == s].mean() for s in (0, 0.2, 0.7, 1)] == pytest.approx([0, 0.25, 1, 1], abs=0.01)


def test_top_takes_the_stated_share_of_those_that_came_so_far() -> None:
    score = np.arange(1000, dtype=float)
    steps = (Rule(id="a.few.v1", signal="word_count", below=500.0, evidence="A"),
             sample("top", signal="word_count", fraction=0.1))  # fmt: skip
    found = failing(recipe(*steps), documents(score, 1000))
    assert [i for i, f in enumerate(found) if f is None] == list(range(450, 500))
    assert found[999] == "a.few.v1"
    tied = failing(recipe(sample("top", signal="word_count", fraction=0.25)), documents(np.ones(1000), 1000))
    assert tied.count(None) == 250


def test_percentiles_and_language_by_language() -> None:
    lang = np.tile(["en", "zh"], 500)
    score = np.where(lang == "en", np.arange(1000), np.arange(1000) + 10_000.0)
    within = sample("percentiles", signal="word_count", low=0, high=30, per="language")
    found = failing(recipe(within), documents(score, 1000, lang=lang))
    kept = np.array([f is None for f in found])
    assert kept[lang == "en"].sum() == kept[lang == "zh"].sum() == 150
    assert not kept[600:].any()


def test_a_domain_gives_at_most_its_cap() -> None:
    domain = np.array(["big.example"] * 900 + ["small.example"] * 5 + [None] * 95, object)
    capped = recipe(sample("domain_cap", cap=10))
    found = np.array([f is None for f in failing(capped, documents(np.arange(1000.0), 1000, domain=domain))])
    assert [found[:900].sum(), found[900:905].sum(), found[905:].sum()] == [10, 5, 95]
    best = recipe(sample("domain_cap", cap=10, signal="word_count"))
    found = np.array([f is None for f in failing(best, documents(np.arange(1000.0), 1000, domain=domain))])
    assert list(np.flatnonzero(found[:900])) == list(range(890, 900))


def test_languages_and_nulls_pass() -> None:
    score = np.full(100, np.nan)
    table = documents(pa.array(score, from_pandas=True), 100)
    for step in (sample("pareto", signal="word_count", alpha=9), sample("top", signal="word_count", fraction=0.1),
                 sample("resample", signal="word_count", weights=((0.0, 0.0),))):  # fmt: skip
        assert failing(recipe(step), table) == [None] * 100
    foreign = sample("random", p=0.0, languages=("zh",))
    assert failing(recipe(foreign), documents(np.ones(100), 100)) == [None] * 100


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"method": "pareto", "signal": "x"}, "it needs alpha"),
        ({"method": "random", "p": 0.5, "alpha": 9}, "alpha has no use"),
        ({"method": "percentiles", "signal": "x", "low": 60, "high": 30}, "must be under"),
        ({"method": "resample", "signal": "x", "weights": [[0, 2]]}, "probability from 0 to 1"),
    ],
)
def test_a_sampler_with_the_wrong_options_is_refused(given: dict[str, object], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        sample(**given)
