"""A run imports Beam without pandas, and pandas is there all the same for whoever wants it."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

PROGRAM = """
import sys
{first}
print("pandas" in sys.modules, "apache_beam" in sys.modules)
import pandas
print(pandas.DataFrame({{"a": [1]}}).shape)
"""


def told(first: str) -> list[str]:
    """What the program prints after these imports."""
    program = PROGRAM.format(first=first)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


def test_a_run_needs_no_pandas() -> None:
    assert importlib.util.find_spec("pandas"), "without pandas this shows nothing"
    assert told("import flows.curate") == ["False True", "(1, 1)"]


def test_pandas_that_is_there_stays() -> None:
    assert told("import pandas; import pipelines.beam") == ["True True", "(1, 1)"]


def test_a_command_that_meets_beam_by_its_way_says_nothing_of_it(tmp_path: Path) -> None:
    """Beam warns of a Google client that nobody asked for."""
    command = [sys.executable, "-m", "flows.cli", "sample", str(tmp_path / "crawl.warc.gz"), "--pages", "5"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    assert done.stdout.startswith("crawl: ")
