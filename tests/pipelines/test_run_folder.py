"""run.json: a folder belongs to one run, and equal work writes an equal file."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from pipelines import run as runs
from recipes.model import Recipe
from recipes.steps import Rule

RECIPE = Recipe(name="tiny", title="Tiny", fidelity="R3", sources=("none",))
OTHER = RECIPE.model_copy(update={"steps": (Rule(id="a.b.v1", signal="word_count", min=1, evidence="A"),)})


def test_the_same_run_is_carried_on_and_another_is_refused(tmp_path: Path) -> None:
    run = str(tmp_path / "run")
    runs.begin(run, ["a.warc.gz"], RECIPE, None)
    first = Path(runs.path_of(run)).read_bytes()
    runs.begin(run, ["a.warc.gz"], RECIPE, None)
    assert Path(runs.path_of(run)).read_bytes() == first
    with pytest.raises(ValueError, match="holds another run: its inputs differ"):
        runs.begin(run, ["b.warc.gz"], RECIPE, None)
    with pytest.raises(ValueError, match="its recipe differs"):
        runs.begin(run, ["a.warc.gz"], OTHER, None)


def test_a_folder_with_other_files_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("precious")
    with pytest.raises(ValueError, match="not empty"):
        runs.begin(str(tmp_path), ["a.warc.gz"], RECIPE, None)
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.tex"]


def test_a_damaged_description_is_told(tmp_path: Path) -> None:
    run = str(tmp_path / "run")
    runs.begin(run, ["a.warc.gz"], RECIPE, None)
    Path(runs.path_of(run)).write_text('{"recipe": ')
    with pytest.raises(ValueError, match="is damaged"):
        runs.load(run)
    with pytest.raises(FileNotFoundError, match="holds no run"):
        runs.load(str(tmp_path / "nowhere"))


def test_two_processes_cannot_write_one_run(tmp_path: Path) -> None:
    code = f"from pipelines.run import locked\nwith locked({str(tmp_path)!r}): pass"
    with runs.locked(str(tmp_path)):
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
        assert "being written by another process" in done.stderr
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_parts_beyond_the_plan_go(tmp_path: Path) -> None:
    (tmp_path / "documents").mkdir()
    for index in range(4):
        (tmp_path / "documents" / f"part-{index:05d}.parquet").write_bytes(b"")
    runs.drop_strays(str(tmp_path), 3)
    assert len(list((tmp_path / "documents").iterdir())) == 3
    runs.drop_strays(str(tmp_path), 3)
    assert len(list((tmp_path / "documents").iterdir())) == 3
