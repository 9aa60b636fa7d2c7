"""Recipes as files: extending one, and every fault told with its file, its line and the mend."""

from __future__ import annotations

from pathlib import Path

import pytest

from flows.choices import checked
from recipes.load import load, parse
from recipes.steps import Rule

HEAD = """
name = "mine"
title = "Mine"
fidelity = "R3"
sources = ["none"]
"""


def mine(text: str) -> bytes:
    return (HEAD + text).encode()


def test_an_extending_recipe_is_whole() -> None:
    base = load("fineweb")
    whole = parse(
        mine("""
extends = "fineweb"
drop = ["fineweb.list_ratio.v1", "dedup.minhash"]
[dedup]
keep = ["-char_count"]
[[change]]
id = "gopher.min_words.v1"
min = 80.0
[[steps]]
kind = "rule"
id = "mine.long.v1"
before = "gopher.min_words.v1"
signal = "char_count"
max = 1000.0
evidence = "A"
"""),
        "mine.toml",
    )
    ids = [step.id for step in whole.steps]
    assert ids.index("mine.long.v1") == ids.index("gopher.min_words.v1") - 1
    assert set(ids) == {step.id for step in base.steps} - {"fineweb.list_ratio.v1"} | {"mine.long.v1"}
    assert next(s.threshold for s in whole.steps if isinstance(s, Rule) and s.id == "gopher.min_words.v1") == 80
    assert whole.dedup.minhash is None
    assert whole.dedup.keep == ("-char_count",)
    assert whole.scrub == base.scrub
    assert load("fineweb") == base  # what is inherited is not changed for others


def test_scores_are_inherited_replaced_and_dropped() -> None:
    added = """
extends = "refinedweb"
drop = ["url.exclude_hq.v1", "scores.rw_exclude_hq"]
[[scores]]
id = "rw_words"
kind = "url_words"
soft_min = 3
what = "Mine."
evidence = "A"
[[scores]]
id = "mine"
kind = "table"
what = "Mine."
evidence = "A"
"""
    scores = {score.id: score for score in parse(mine(added), "mine.toml").scores}
    assert list(scores) == ["rw_domains", "rw_words", "mine"]
    assert scores["rw_words"].what == "Mine."
    with pytest.raises(ValueError, match=r"drop names 'scores\.mine'"):
        parse(mine('extends = "fineweb"\ndrop = ["scores.mine"]'), "mine.toml")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('extends = "finewebs"', "no shipped recipe"),
        ('extends = "fineweb"\ndrop = ["gopher.minwords.v1"]', "drop names 'gopher.minwords.v1'"),
        ('extends = "fineweb"\n[[change]]\nid = "no.such.v1"', "change names step 'no.such.v1'"),
        ('drop = ["a"]', "need extends"),
    ],
)
def test_what_is_not_inherited_cannot_be_changed(text: str, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        parse(mine(text), "mine.toml")


RULE = """
[[steps]]
kind = "rule"
id = "a.first.v1"
signal = "word_count"
min = 50.0
evidence = "A"

[[steps]]
kind = "rule"
id = "a.second.v1"
signal = "char_count"
max = 10.0
evidence = "A"
"""


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('signal = "char_count"', 'signals = "char_count"', "line 17: unknown key 'steps.1.signals'. Did you mean 'signal'"),
        ("max = 10.0", 'max = "ten"', "line 18: steps.1.max"),
        ('signal = "char_count"', 'signal = "char_counts"', "line 16: .*names no signal: 'char_counts'. Did you mean char_count"),
        ("max = 10.0", "max = -1.0", "line 16: .*no document has char_count max -1"),
        ('signal = "char_count"', 'signal = "word_count"', "line 16: .*leave no word_count that passes both"),
        ('signal = "char_count"', 'signal = "score_quality"', r"line 16: .*Declare it in \[\[scores\]\]"),
        ('title = "Mine"', 'titel = "Mine"', "line 3: unknown key 'titel'. Did you mean 'title'"),
        ('fidelity = "R3"', 'fidelity = "R0"', "R0 exactly when"),
    ],
)  # fmt: skip
def test_a_fault_names_file_and_line(tmp_path: Path, old: str, new: str, told: str) -> None:
    file = tmp_path / "mine.toml"
    file.write_text((HEAD + RULE).replace(old, new, 1))
    with pytest.raises(ValueError, match=f"mine.toml(, )?.*{told}"):
        checked(str(file))


def test_bounds_by_language_are_set_from_the_command_line(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(HEAD + RULE.replace("max = 10.0", "max = { zh = 0.5, fr = 0.25 }"))
    changed = checked(str(file), ["a.second=zh:0.75"])
    assert changed.steps[1].threshold == {"zh": 0.75, "fr": 0.25}  # type: ignore[union-attr]
    assert checked(str(file), ["a.second=1"]).steps[1].threshold == {"zh": 1.0, "fr": 1.0}  # type: ignore[union-attr]
    with pytest.raises(ValueError, match="LANGUAGE:NUMBER"):
        checked(str(file), ["a.second=zh:many"])
