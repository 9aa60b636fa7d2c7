"""docs/exports.md, docs/chat.md and docs/ablation.md: their commands are run, or, where one takes minutes, parsed."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from flows.cli import app

REPO = Path(__file__).resolve().parents[2]


def commands(name: str) -> list[list[str]]:
    """The command lines after `$ winnow` of a page."""
    lines = (REPO / "docs" / name).read_text().splitlines()
    return [shlex.split(line)[2:] for line in lines if line.startswith("$ winnow ")]


@pytest.mark.slow
def test_the_commands_of_exports_and_chat(removal_run: Path, tmp_path: Path, environment: dict[str, str]) -> None:
    shutil.copytree(removal_run, tmp_path / "runs" / "first")
    shutil.copyfile(removal_run / "tokenizer.json", tmp_path / "tokenizer.json")
    (tmp_path / "talks.jsonl").write_text(json.dumps({"instruction": "a", "output": "b"}))
    found = [*commands("exports.md"), *commands("chat.md")]
    assert [command[0] for command in found] == ["export"] * 5 + ["chat"]
    for command in found:
        done = subprocess.run(
            [sys.executable, "-m", "flows.cli", *command], cwd=tmp_path, capture_output=True, text=True, check=False,
            env={**environment, "PYTHONPATH": os.pathsep.join([str(REPO), environment.get("PYTHONPATH", "")])},
        )  # fmt: skip
        assert done.returncode == 0, f"winnow {shlex.join(command)}: {done.stderr}"
        assert done.stdout.strip(), command


def test_the_commands_of_ablation_are_ones() -> None:
    group = typer.main.get_command(app)
    found = commands("ablation.md")
    assert [command[0] for command in found] == ["sample", "run", "ablate"]
    for command in found:
        group.commands[command[0]].make_context(command[0], command[1:])  # type: ignore[attr-defined]
    real = "--width 1024 --layers 12 --heads 16 --context 1024 --batch 64 --tokens 2000000000 --lr 6e-4"
    assert real in (REPO / "docs" / "ablation.md").read_text()
    group.commands["ablate"].make_context("ablate", ["r", "--recipes", "a", "--out", "o", *real.split()])  # type: ignore[attr-defined]
