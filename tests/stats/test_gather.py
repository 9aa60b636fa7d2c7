"""Gathered files answer as the parts do, are used only while they are true, and are made anew when they are not."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from filters.thresholds import set_thresholds
from stats import gather as gathering
from stats.gather import FOLDER, INDEX, gather, gathered
from stats.report.rows import hold
from stats.rows import decided_parts
from stats.run import open_run
from stats.what_if import what_if
from tests.stats.conftest import doc_id, obeyed


@pytest.fixture
def many(run: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run of more parts than a question opens as fast, two documents a file."""
    monkeypatch.setattr(gathering, "FEW", 1)
    monkeypatch.setattr(gathering, "DOCUMENTS", 2)
    return run


def answers(run: Path) -> tuple[object, ...]:
    with open_run(run) as opened:
        rule = next(s for s in opened.recipe.steps if getattr(s, "bound", None) in ("min", "max"))
        one = what_if(opened, set_thresholds(opened.recipe, [f"{rule.id}=1"]))
        return one.totals.to_pylist(), one.fates.to_pylist(), one.languages.to_pylist(), one.comes_in, one.goes_out


def test_the_same_answer_from_gathered_files(many: Path) -> None:
    before = answers(many)
    with open_run(many) as opened:
        files = gather(opened)
        assert files > 1 and len(gathered(opened, decided_parts(opened))) == files
        again = (many / FOLDER / INDEX).stat().st_mtime_ns
        assert gather(opened) == files and (many / FOLDER / INDEX).stat().st_mtime_ns == again
    assert answers(many) == before
    next((many / "decisions").iterdir()).unlink()  # the parts are no longer what was gathered
    with open_run(many) as opened:
        assert gathered(opened, decided_parts(opened)) == []


@pytest.mark.parametrize("change", ["touched", "damaged", "lost"])
def test_files_that_are_not_true_are_not_used(many: Path, change: str) -> None:
    with open_run(many) as opened:
        gather(opened)
    index = many / FOLDER / INDEX
    if change == "touched":
        os.utime(next((many / "signals").iterdir()), ns=(1, 1))
    elif change == "damaged":
        index.write_text("{")
    else:
        (many / FOLDER / json.loads(index.read_text())["files"][0]).unlink()
    with open_run(many) as opened:
        assert gathered(opened, decided_parts(opened)) == []
        assert gather(opened) == len(gathered(opened, decided_parts(opened))) > 0


def test_what_was_removed_since_is_in_no_answer(many: Path) -> None:
    """A document in no shard: the shards stay as they were, and so do the parts."""
    with open_run(many) as opened:
        gather(opened)
    obeyed(many, 200)
    with open_run(many) as opened:
        assert gathered(opened, decided_parts(opened)) == []
        held = hold(opened, opened.recipe)
        assert (held.documents, held.of, held.share) == (5, 5, 1.0)
        assert (doc_id(200),) not in opened.rows("SELECT doc_id FROM held")


def test_few_parts_are_asked_themselves(run: Path) -> None:
    with open_run(run) as opened:
        assert gather(opened) == 0 and not (run / FOLDER).exists()
