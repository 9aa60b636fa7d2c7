"""A killed run leaves no process behind."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil

from flows.server import SERVER
from pipelines.sample import write_sample

REPO = Path(__file__).resolve().parents[2]


def named(part: str, seconds: float, wanted: bool, home: str) -> list[psutil.Process]:
    """Processes of this test's runs with `part` in their command line, once there are some or none."""
    end = time.monotonic() + seconds
    while True:
        found = [p for p in psutil.process_iter() if _has(p, part, home)]
        if bool(found) == wanted or time.monotonic() > end:
            return found
        time.sleep(0.3)


def _has(process: psutil.Process, part: str, home: str) -> bool:
    try:
        return any(part in a for a in process.cmdline()) and process.environ().get("PREFECT_HOME") == home
    except psutil.Error:
        return False


def test_a_killed_run_takes_its_server_with_it(environment: dict[str, str], tmp_path: Path) -> None:
    crawl = write_sample(tmp_path / "c.warc.gz", 300, 1).warc
    mine = {**environment, "PREFECT_HOME": str(tmp_path / "prefect")}
    command = [sys.executable, "-m", "flows.cli", "run", str(crawl), "--out", str(tmp_path / "run"), "--workers", "2"]
    run = subprocess.Popen(command, cwd=REPO, env=mine, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    assert named(SERVER, 40, wanted=True, home=mine["PREFECT_HOME"])
    time.sleep(1.5)
    run.send_signal(signal.SIGKILL)
    run.wait()
    for part in (SERVER, "filters.extract.worker", "sdk_worker_main", "flows.server"):
        left = named(part, 30, wanted=False, home=mine["PREFECT_HOME"])
        for process in left:
            process.kill()
        assert not left, part
