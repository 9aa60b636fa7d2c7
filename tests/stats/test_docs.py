"""docs/what-if.md: every command in it is run, in its order, on a small crawl."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parents[2]
BLOCK = re.compile(r"^```console\n(.*?)^```", re.MULTILINE | re.DOTALL)


def commands(page: Path) -> list[list[str]]:
    """The command lines after `$ winnow` in the console blocks of a page."""
    lines = (line for block in BLOCK.findall(page.read_text()) for line in block.splitlines())
    return [shlex.split(line)[2:] for line in lines if line.startswith("$ winnow ")]


@pytest.mark.slow
def test_the_commands_of_the_page_can_be_given(tmp_path: Path, environment: dict[str, str]) -> None:
    found = commands(REPO / "docs" / "what-if.md")
    assert {command[0] for command in found} == {"sample", "run", "what-if", "compare", "sql"}
    for command in found:
        small = ["60" if before == "--pages" else word for before, word in zip(["", *command], command, strict=False)]
        done = subprocess.run(
            [sys.executable, "-m", "flows.cli", *small], cwd=tmp_path, capture_output=True, text=True, check=False,
            env={**environment, "PYTHONPATH": os.pathsep.join([str(REPO), environment.get("PYTHONPATH", "")])},
        )  # fmt: skip
        assert done.returncode == 0, f"winnow {shlex.join(command)}: {done.stderr}"
        assert done.stdout.strip(), command
