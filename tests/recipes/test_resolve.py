"""Scores and their files: found, missed aloud, or refused before any work, with the recipe's file and line."""

from __future__ import annotations

from pathlib import Path

import pytest

from flows.choices import chosen_recipes

RECIPE = """
name = "mine"
title = "Mine"
fidelity = "R3"
sources = ["none"]

[[scores]]
kind = "words"
id = "bad"
when_missing = "{missing}"
what = "A list of bad words, one a line."
evidence = "A"

[[steps]]
kind = "rule"
id = "mine.bad.v1"
signal = "score_bad"
max = 0.0
evidence = "A"
"""


def recipe(tmp_path: Path, missing: str) -> str:
    file = tmp_path / "mine.toml"
    file.write_text(RECIPE.format(missing=missing))
    return str(file)


def test_a_file_that_was_given_is_used(tmp_path: Path) -> None:
    words = tmp_path / "words.txt"
    words.write_text("spam\n")
    chosen, _, notices = chosen_recipes(recipe(tmp_path, "refuse"), [], [], [f"bad={words}"])
    assert [score.file for score in chosen.scores] == [str(words)]
    assert [step.id for step in chosen.steps] == ["mine.bad.v1"]
    assert not notices


def test_without_one_the_recipe_refuses_or_goes_on_aloud(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"mine.toml, line 9: mine cannot run without score bad.*one a line"):
        chosen_recipes(recipe(tmp_path, "refuse"), [], [], [])
    with pytest.raises(FileNotFoundError, match=r"mine.toml, line 9: .*nowhere.txt, which is not there"):
        chosen_recipes(recipe(tmp_path, "skip"), [], [], ["bad=nowhere.txt"])
    chosen, _, notices = chosen_recipes(recipe(tmp_path, "skip"), [], [], [])
    assert not chosen.steps
    assert not chosen.scores
    assert len(notices) == 1
    assert "left out with it: mine.bad.v1" in notices[0]


def test_a_file_for_no_score_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no recipe chosen has a score of this id"):
        chosen_recipes(recipe(tmp_path, "skip"), [], [], ["good=x"])
    with pytest.raises(ValueError, match="ID=PATH"):
        chosen_recipes(recipe(tmp_path, "skip"), [], [], ["bad"])


def test_an_unpublished_recipe_says_so_first() -> None:
    for name in ("gpt4-unpublished", "ernie-bot-unpublished", "spark-v35-unpublished", "mai-1-unpublished"):
        chosen, _, notices = chosen_recipes(name, [], [], [])
        assert notices[0] == chosen.notice
        assert chosen.steps


SETS = """
name = "mine"
title = "Mine"
fidelity = "R3"
sources = ["none"]

[decontaminate]
when_missing = "{missing}"
what = "The tests of your own."

[[decontaminate.modes]]
kind = "ngrams"
id = "decontam.ngram.v1"
{line}
evidence = "A"
"""


def with_sets(tmp_path: Path, missing: str, line: str = "n = 13") -> str:
    file = tmp_path / "mine.toml"
    file.write_text(SETS.format(missing=missing, line=line))
    return str(file)


def test_without_an_evaluation_set_the_recipe_refuses_or_goes_on_aloud(tmp_path: Path) -> None:
    with pytest.raises(
        FileNotFoundError, match=r"mine.toml, line 13: mine cannot run without evaluation sets.*your own"
    ):
        chosen_recipes(with_sets(tmp_path, "refuse"), [], [], [])
    chosen, _, notices = chosen_recipes(with_sets(tmp_path, "skip"), [], [], [])
    assert chosen.decontaminate is None
    assert len(notices) == 1
    assert "nothing is decontaminated; left out with it: decontam.ngram.v1" in notices[0]
    with pytest.raises(FileNotFoundError, match=r"mine.toml, line 13: .*no evaluation set nowhere.jsonl"):
        chosen_recipes(with_sets(tmp_path, "skip"), [], [], [], ["nowhere.jsonl"])


def test_evaluation_sets_are_given_with_their_fields(tmp_path: Path) -> None:
    file = tmp_path / "a=b.jsonl"
    file.write_text('{"q": "one", "question": "two"}\n')
    chosen, _, notices = chosen_recipes(with_sets(tmp_path, "refuse"), [], [], [], [str(file), f"{file}=q,question"])
    assert chosen.decontaminate is not None
    assert [(one.file, one.fields) for one in chosen.decontaminate.sets] == [
        (str(file), ()),
        (str(file), ("q", "question")),
    ]
    assert not notices
    with pytest.raises(ValueError, match=r"a=b.jsonl, line 1: no field 'other'. It has q, question"):
        chosen_recipes(with_sets(tmp_path, "refuse"), [], [], [], [f"{file}=other"])


def test_a_recipe_without_the_section_gets_the_recommended_one_when_a_set_is_given(tmp_path: Path) -> None:
    file = tmp_path / "items.txt"
    file.write_text("one item\n")
    chosen, _, _ = chosen_recipes("fineweb", [], [], [], [str(file)])
    assert chosen.decontaminate is not None
    assert [mode.kind for mode in chosen.decontaminate.modes] == ["ngrams", "substrings", "overlap"]
    assert chosen_recipes("fineweb", [], [], [])[0].decontaminate is None


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("m = 13", "mine.toml, line 14: unknown key 'decontaminate.modes.0.m'"), ("n = 1", "mine.toml, line 14: decontaminate.modes.0.n"),
        ("shortest = 14", "mine.toml, line 11: .*shortest must not be above n"), ("n_cjkk = 3", "line 14: .*Did you mean 'n_cjk'"),
    ],
)  # fmt: skip
def test_a_fault_in_a_mode_names_file_and_line(tmp_path: Path, line: str, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        chosen_recipes(with_sets(tmp_path, "skip", line), [], [], [])
