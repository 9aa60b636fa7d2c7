"""Rules: every threshold of every shipped recipe at, under and over its bound, through DuckDB."""

from __future__ import annotations

import duckdb
import pyarrow as pa
import pytest

from filters.annotate import signals_schema
from filters.rules import all_failing, fails, first_failing
from filters.thresholds import check, set_thresholds
from recipes.load import available, load, parse
from recipes.model import Recipe
from recipes.steps import Rule


def verdicts(recipe: Recipe, rule: Rule, edits: object, values: list[object]) -> list[bool]:
    """Whether the rule drops each value, for a document in a language that the rule looks at."""
    lang = (rule.languages or ("en",))[0]
    placed = {r.id: e for r, e in recipe.placed()}
    name = fails(rule, placed[rule.id]).split('"')[1]
    columns = {"lang": [lang] * len(values), name: values}
    with duckdb.connect() as connection:
        connection.register("t", pa.table(columns))
        return [row[0] for row in connection.execute(f"SELECT {fails(rule, placed[rule.id])} FROM t").fetchall()]


CASES = [(name, rule) for name in available() for rule, _ in load(name).placed()]


@pytest.mark.parametrize(("name", "rule"), CASES, ids=[f"{n}-{r.id}" for n, r in CASES])
def test_boundary(name: str, rule: Rule) -> None:
    recipe, bound = load(name), rule.threshold
    if isinstance(bound, float):
        step = max(abs(bound) * 1e-9, 1e-12)
        under, at, over = verdicts(recipe, rule, None, [bound - step, bound, bound + step])
        expected = {"min": (True, False, False), "max": (False, False, True), "above": (True, True, False)}[rule.bound]
        assert (under, at, over) == expected
    elif isinstance(bound, bool):
        assert verdicts(recipe, rule, None, [bound, not bound]) == [False, True]
    else:
        assert isinstance(bound, tuple)
        assert verdicts(recipe, rule, None, [*bound, "xx"]) == [*[False] * len(bound), True]


@pytest.mark.parametrize("name", available())
def test_recipes_are_whole(name: str) -> None:
    recipe = load(name)
    check(recipe)
    assert recipe.name == name
    assert all(step.source for step in recipe.steps)
    row = {f.name: None for f in signals_schema(recipe)}
    with duckdb.connect() as connection:
        connection.register("t", pa.Table.from_pylist([row], signals_schema(recipe).remove_metadata()))
        assert connection.execute(f"SELECT {first_failing(recipe)}, {all_failing(recipe)} FROM t").fetchone() == (
            None,
            [],
        )


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
