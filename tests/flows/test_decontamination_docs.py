"""docs/decontamination.md: every command in it is given, in its order; what it makes of a crawl is what it says."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.stats.test_docs import REPO, commands


@pytest.mark.slow
def test_the_commands_of_the_page_can_be_given(tmp_path: Path, environment: dict[str, str]) -> None:
    where = {**environment, "PYTHONPATH": os.pathsep.join([str(REPO), environment.get("PYTHONPATH", "")])}
    answers = []
    for command in commands(REPO / "docs" / "decontamination.md"):
        words, into = (command[:-2], command[-1]) if command[-2:-1] == [">"] else (command, None)
        done = subprocess.run(
            [sys.executable, "-m", "flows.cli", *words], cwd=tmp_path, capture_output=True, text=True, check=False, env=where
        )  # fmt: skip
        assert done.returncode == 0, f"winnow {command}: {done.stderr}"
        if into is not None:
            (tmp_path / into).write_text(done.stdout)
        if words[0] == "run":
            assert ("nothing is decontaminated" in done.stderr) == ("--decontaminate" not in words)
        answers.append(done.stdout)
    told = json.loads(next(answer for answer in answers if answer.startswith('{"totals"')))
    counts = {row["what"]: row["count"] for row in told["totals"]}
    assert counts["documents cut"] + counts["documents dropped"] >= 6
    assert all(row["items hit"] == row["looked for"] == 6 for row in told["sets"])
    assert len(told["items"]) == 6
    assert (tmp_path / "runs" / "first" / "contamination" / "part-00000.parquet").is_file()
