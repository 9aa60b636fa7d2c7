"""What-if: other thresholds over the same measurements, against decisions worked out by hand."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from filters.thresholds import set_thresholds
from recipes.load import load
from recipes.model import Recipe
from recipes.steps import Rule
from stats.run import open_run
from stats.what_if import WhatIf, what_if

REPO = Path(__file__).resolve().parents[2]
# Words by page: one 5, short 2 (filtered below 3), copy 5 (duplicate), zh 4, unnamed 5, near 5 (duplicate).


def asked(run: Path, *settings: str) -> WhatIf:
    with open_run(run) as opened:
        return what_if(opened, set_thresholds(opened.recipe, settings))


def fates(answer: WhatIf) -> dict[str, tuple[int, int, int]]:
    return {row["fate"]: (row["now"], row["then"], row["change"]) for row in answer.fates.to_pylist()}


def test_the_runs_own_recipe_changes_nothing(run: Path) -> None:
    answer = asked(run)
    assert all(change == 0 for *_, change in fates(answer).values())
    assert answer.comes_in == answer.goes_out == []


def test_a_stricter_bound(run: Path) -> None:
    answer = asked(run, "tiny.words=5")
    assert fates(answer) == {
        "kept": (3, 2, -1), "filtered:tiny.words.v1": (1, 2, 1),
        "duplicate:exact": (1, 1, 0), "duplicate:minhash": (1, 1, 0),
    }  # fmt: skip
    told = "https://b.example/zh/: would be filtered:tiny.words.v1, 4 against >= 5: “今天 天气 很 好”"
    assert answer.goes_out == [told]
    by = {row["language"]: row for row in answer.languages.to_pylist()}
    assert (by["zh"]["kept now"], by["zh"]["kept then, at most"], by["zh"]["tokens then, about"]) == (1, 0, 0)
    assert by["en"]["tokens now"] == by["en"]["tokens then, about"] == 24 + 25


def test_a_looser_bound_estimates_tokens_by_language(run: Path) -> None:
    answer = asked(run, "tiny.words=2")
    assert fates(answer)["kept"] == (3, 4, 1)
    assert answer.comes_in == ["https://a.example/short: was filtered:tiny.words.v1, 2 against >= 3: “too short”"]
    english = next(row for row in answer.languages.to_pylist() if row["language"] == "en")
    assert english["bytes then"] - english["bytes now"] == len("too short")
    assert english["tokens then, about"] == round(49 + 9 * 49 / 47)  # the kept ones have 49 tokens for 47 bytes
    assert answer.totals.to_pylist()[0] == {"kept": "documents", "now": 3, "then, at most": 4, "change": 1,
                                            "share of now": 1 / 3}  # fmt: skip


def test_a_recipe_with_no_rules_keeps_all_but_duplicates(run: Path) -> None:
    bare = Recipe(name="bare", title="Bare", fidelity="R3", sources=("none",))
    with open_run(run) as opened:
        assert fates(what_if(opened, bare))["kept"] == (3, 4, 1)


def test_what_was_not_measured_is_refused(run: Path) -> None:
    with open_run(run) as opened, pytest.raises(ValueError, match=r"no measurement .*__c4_lines.*--measure-for c4-en"):
        what_if(opened, load("c4-en"))
    unknown = Rule(id="a.b.v1", signal="no_such", min=1, evidence="A")
    other = Recipe(name="other", title="Other", fidelity="R3", sources=("none",), steps=(unknown,))
    with open_run(run) as opened, pytest.raises(ValueError, match="names no signal"):
        what_if(opened, other)


def test_the_command(run: Path, tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    shutil.copytree(run, plain)
    command = [sys.executable, "-m", "flows.cli", "what-if", str(plain)]
    told = subprocess.run([*command, "--set", "tiny.words=5"], cwd=REPO, capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stderr
    assert "would go out: https://b.example/zh/" in told.stdout
    nothing = subprocess.run(command, cwd=REPO, capture_output=True, text=True, check=False)
    assert nothing.returncode == 2
    assert "Nothing would change" in nothing.stderr
