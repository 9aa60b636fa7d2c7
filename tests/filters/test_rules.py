"""Rules and samplers: every threshold of every shipped recipe at, under and over its bound, through DuckDB."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import duckdb
import pyarrow as pa
import pytest

from filters.annotate import signals_schema
from filters.check import check
from filters.rules import all_failing, column_of, fails, first_failing, with_verdicts
from filters.thresholds import set_thresholds
from recipes.load import available, load, parse
from recipes.model import Recipe
from recipes.steps import Rule, Sample


def verdicts(recipe: Recipe, step: Rule | Sample, values: Sequence[object], lang: str | None = None) -> list[bool]:
    """Whether the step drops each value, for a document in a language that it looks at."""
    edits = {s.id: e for s, e in recipe.placed()}[step.id]
    spoken = lang or next(iter(step.threshold if isinstance(step, Rule) and isinstance(step.threshold, dict)
                               else step.languages or ("en",)))  # fmt: skip
    name = column_of(step.signal or "", edits)
    columns = {"doc_id": [f"{i:032x}" for i in range(len(values))], "lang": [spoken] * len(values), name: list(values)}
    t = pa.table(columns)  # noqa: F841 the query names it
    return [row[0] for row in CONNECTION.execute(f"SELECT {fails(step, edits)} FROM t").fetchall()]


def around(bound: float) -> list[float]:
    step = max(abs(bound) * 1e-9, 1e-12)
    return [bound - step, bound, bound + step]


CONNECTION = duckdb.connect(config={"threads": 1})
shipped = cache(load)  # for thousands of tests of some forty recipes
DROPS = {"min": [True, False, False], "max": [False, False, True],
         "above": [True, True, False], "below": [False, True, True]}  # fmt: skip
PLACED = [(name, step) for name in available() for step, _ in shipped(name).placed()]
CASES = [(name, step) for name, step in PLACED if isinstance(step, Rule)]
SAMPLERS = [(name, step) for name, step in PLACED if isinstance(step, Sample)]


@pytest.mark.parametrize(("name", "rule"), CASES, ids=[f"{n}-{r.id}" for n, r in CASES])
def test_boundary(name: str, rule: Rule) -> None:
    recipe, bound = shipped(name), rule.threshold
    if isinstance(bound, float):
        assert verdicts(recipe, rule, around(bound)) == DROPS[rule.bound]
    elif isinstance(bound, bool):
        assert verdicts(recipe, rule, [bound, not bound]) == [False, True]
    elif isinstance(bound, dict):
        for lang, value in bound.items():
            assert verdicts(recipe, rule, around(value), lang) == DROPS[rule.bound]
        told = verdicts(recipe, rule, [-1e9, 0.0, 1e9], "xx")
        assert not any(told)  # a language without a bound passes
    else:
        assert isinstance(bound, tuple)
        assert verdicts(recipe, rule, [*bound, "xx"]) == [*[False] * len(bound), True]


@pytest.mark.parametrize(("name", "rule"), CASES, ids=[f"{n}-{r.id}" for n, r in CASES])
def test_another_language_and_what_was_not_measured_pass(name: str, rule: Rule) -> None:
    recipe = shipped(name)
    assert not any(verdicts(recipe, rule, pa.nulls(3, pa.float64()).to_pylist()))
    if rule.languages and isinstance(rule.threshold, float):
        assert verdicts(recipe, rule, around(rule.threshold), "xx") == [False] * 3


@pytest.mark.parametrize(("name", "step"), SAMPLERS, ids=[f"{n}-{s.id}" for n, s in SAMPLERS])
def test_sampler_boundary(name: str, step: Sample) -> None:
    """At, under and over a percentile; the lowest and the highest score of what chance decides."""
    recipe = shipped(name)
    if step.method == "percentiles":
        signal = step.signal or ""
        lone = Recipe(name="lone", title="Lone", fidelity="R3", sources=("none",), steps=(step,))
        table = {"doc_id": [f"{i:032x}" for i in range(202)], "lang": ["en"] * 101 + ["zh"] * 101,
                 signal: [float(i) for i in range(101)] * 2}  # fmt: skip
        with duckdb.connect() as connection:
            connection.register("signals", pa.table(table))
            query = f"SELECT {signal} FROM ({with_verdicts(lone)}) WHERE ({first_failing(lone)}) IS NULL"
            kept = sorted(row[0] for row in connection.execute(query).fetchall())
        low, high = int(step.low or 0), int(step.high or 0)
        assert kept == sorted([*range(low, high + 1)] * 2)  # both edges stay, in each language
    else:
        rows = 2000
        least, most = verdicts(recipe, step, [0.0] * rows), verdicts(recipe, step, [1.0] * rows)
        assert not any(most)
        expected = 0.0 if step.method == "proportional" else 2 ** -(step.alpha or 0)
        assert least.count(False) / rows == pytest.approx(expected, abs=0.03)
        assert not any(verdicts(recipe, step, pa.nulls(3, pa.float64()).to_pylist()))


@pytest.mark.parametrize("name", available())
def test_recipes_are_whole(name: str) -> None:
    recipe = load(name)
    check(recipe)
    assert recipe.name == name
    assert all(step.source for step in recipe.steps)
    row = {f.name: None for f in signals_schema(recipe)}
    with duckdb.connect() as connection:
        connection.register("t", pa.Table.from_pylist([row], signals_schema(recipe).remove_metadata()))
        query = f"SELECT {first_failing(recipe)}, {all_failing(recipe)} FROM ({with_verdicts(recipe, 't')})"
        assert connection.execute(query).fetchone() == (None, [])


def test_first_failing_is_first_and_all_are_listed() -> None:
    recipe = load("gopher-massiveweb")
    schema = signals_schema(recipe)
    row = {"lang": "en", "lang_score": 0.9, "word_count": 3, "stop_word_count": 0}
    with duckdb.connect() as connection:
        connection.register("t", pa.Table.from_pylist([row], schema))
        found = connection.execute(f"SELECT {first_failing(recipe)}, {all_failing(recipe)} FROM t").fetchone()
    assert found == ("gopher.min_words.v1", ["gopher.min_words.v1", "gopher.stop_words.v1"])


def test_set_changes_one_bound() -> None:
    recipe = set_thresholds(load("fineweb"), ["gopher.min_words=80"])
    bounds = {r.id: r.threshold for r, _ in recipe.placed()}
    assert bounds["gopher.min_words.v1"] == 80
    for wrong, told in (("gopher.min_word=1", "Did you mean"), ("gopher.min_words", "RULE=VALUE"),
                        ("gopher.min_words=many", "wants a number")):  # fmt: skip
        with pytest.raises(ValueError, match=told):
            set_thresholds(load("fineweb"), [wrong])


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("ngram = 5", "ngrams = 5", "line .*unknown key 'dedup.minhash.ngrams'. Did you mean 'ngram'"),
        ('signal = "word_count"', 'signal = "word_counts"', "Did you mean word_count"),
        ("min = 50.0", "min = 50.0\nmax = 60.0", "exactly one of"),
        ('fidelity = "R1"', 'fidelity = "R9"', "fidelity"),
        ("bands = 14", "bands = 0", "bands"),
    ],
)
def test_a_wrong_recipe_is_refused(old: str, new: str, told: str) -> None:
    from importlib.resources import files

    source = (files("recipes") / "fineweb.toml").read_text().replace(old, new, 1)
    with pytest.raises(ValueError, match=told):
        check(parse(source.encode(), "mine.toml"))


def test_an_unknown_recipe_gets_the_nearest_name() -> None:
    with pytest.raises(ValueError, match="Did you mean fineweb"):
        load("finewb")
