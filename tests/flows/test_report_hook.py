"""The report at the end of a run: it is made, it has the run's cost, and one that fails harms nothing and is told."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from flows.cost import metered
from flows.report import fault_of, make_report
from tests.conftest import Winnow
from tests.stats.conftest import make_run


def test_a_report_that_cannot_be_made_is_told_and_takes_the_old_one_away(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run")
    assert make_report(str(run)) is None and fault_of(str(run)) is None
    assert (run / "report.html").stat().st_size > 10_000
    (run / "documents" / "part-00001.parquet").write_bytes(b"PAR1 no")
    told = make_report(str(run))
    assert told is not None and "part-00001.parquet" in told and "winnow report" in told
    assert fault_of(str(run)) == told and not (run / "report.html").exists()
    assert (run / "manifest.json").exists()


def test_cost_counts_work_and_memory_of_child_processes() -> None:
    import subprocess
    import sys

    work = "import time; held = bytearray(300_000_000); end = time.process_time() + 1.2\nwhile time.process_time() < end: pass"
    with metered() as cost:
        subprocess.run([sys.executable, "-c", work], check=True)
    assert 1.2 <= cost.cpu_seconds < 30
    assert cost.peak_bytes > 300_000_000


@pytest.mark.slow
def test_a_run_leaves_a_report_with_its_cost(tmp_path: Path, winnow: Winnow) -> None:
    assert winnow("sample", tmp_path / "crawl.warc.gz", "--pages", 30).returncode == 0
    done = winnow("run", tmp_path / "crawl.warc.gz", "--out", tmp_path / "run", "--workers", 1)
    assert done.returncode == 0, done.stderr
    report = tmp_path / "run" / "report.html"
    assert "report:" in done.stdout and "recorded no processor time" not in report.read_text()
    events = [json.loads(line) for line in (tmp_path / "run" / "log" / "events.jsonl").read_text().splitlines()]
    assert [one["stage"] for one in events][-2:] == ["tokenize", "report"] and len(events) < 20
    assert all(one["cpu_seconds"] > 0 and one["peak_bytes"] > 50_000_000 for one in events)
