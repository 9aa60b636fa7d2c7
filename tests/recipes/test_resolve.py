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
