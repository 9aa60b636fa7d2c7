"""What-if: other thresholds over the same measurements, against decisions worked out by hand."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
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


def scored(when_missing: str) -> Recipe:
    """A recipe that reads a score; its file is not there."""
    score = {"kind": "table", "id": "quality", "what": "Give a table.", "evidence": "A", "when_missing": when_missing}
    steps = [{"id": "a.good.v1", "signal": "score_quality", "min": 0.5, "evidence": "A"}]
    return Recipe.model_validate({"name": "scored", "title": "Scored", "fidelity": "R3", "sources": ["none"],
                                  "scores": [score], "steps": [{"kind": "rule", **step} for step in steps]})  # fmt: skip


def test_a_score_that_was_not_measured_is_refused_or_left_out(run: Path) -> None:
    with open_run(run) as opened:
        with pytest.raises(ValueError, match=r"not measured for scored\. Give .* --measure-for scored and its files"):
            what_if(opened, scored("refuse"))
        answer = what_if(opened, scored("skip"))
    assert "left out with it: a.good.v1" in answer.notices[0]
    assert fates(answer)["kept"] == (3, 4, 1)


def test_a_score_that_was_measured_needs_no_file(run: Path) -> None:
    for path in sorted((run / "signals").iterdir()):
        rows = pq.read_table(path)
        good = pa.array([0.9 if lang == "zh" else 0.1 for lang in rows["lang"].to_pylist()])
        pq.write_table(rows.append_column("score_quality", good), path)
    with open_run(run) as opened:
        answer = what_if(opened, scored("refuse"))
    assert (answer.notices, fates(answer)["kept"]) == ([], (3, 1, -2))


def test_compare_by_command(run: Path, tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    shutil.copytree(run, plain)
    other = tmp_path / "other.toml"
    other.write_text("""name = "other"\ntitle = "Other"\nfidelity = "R3"\nsources = ["none"]\n[[steps]]\nkind = "rule"
id = "tiny.words.v1"\nsignal = "word_count"\nmin = 5\nevidence = "A"\n""")

    def told(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "flows.cli", "compare", str(plain), *words]
        return subprocess.run(command, cwd=REPO, capture_output=True, text=True, check=False)

    shown = told("--recipes", f"tiny,{other}", "--format", "csv")
    assert shown.returncode == 0, shown.stderr
    first, own, *_ = shown.stdout.splitlines()
    assert first == 'recipe,pass its rules,share,"kept, at most",bytes of text,"tokens, about"'
    assert own.startswith("tiny,5,0.8333333333333334,3,")
    rules = told("--rules", str(other), "--format", "json")
    assert rules.stdout == '{"rule":"tiny.words.v1","fail it":2,"fail it first":2,"fail no other":2}\n'
    assert (
        "--show wrong: there are rules, pairs" in told("--rules", "tiny", "--format", "csv", "--show", "wrong").stderr
    )
    missing = told("--recipes", "c4-en")
    assert (missing.returncode, "--measure-for c4-en" in missing.stderr) == (2, True)


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
