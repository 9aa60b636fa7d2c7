"""A killed run leaves no process behind, and a user's own Prefect server sees what a run does."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import psutil

from flows.server import MARKS, NAME, SERVER
from pipelines.sample import write_sample

REPO = Path(__file__).resolve().parents[2]


def named(part: str, seconds: float, wanted: bool, home: str) -> list[psutil.Process]:
    """Processes of this test's runs with `part` in their name or command line, once there are some or none."""
    end = time.monotonic() + seconds
    while True:
        found = [p for p in psutil.process_iter() if _has(p, part, home)]
        if bool(found) == wanted or time.monotonic() > end:
            return found
        time.sleep(0.3)


def _has(process: psutil.Process, part: str, home: str) -> bool:
    try:
        return (
            any(part in a for a in [process.name(), *process.cmdline()])
            and process.environ().get("PREFECT_HOME") == home
        )
    except psutil.Error:
        return False


def test_a_killed_run_takes_its_server_with_it(environment: dict[str, str], tmp_path: Path) -> None:
    crawl = write_sample(tmp_path / "c.warc.gz", 300, 1).warc
    mine = {**environment, "PREFECT_HOME": str(tmp_path / "prefect")}
    command = [sys.executable, "-m", "flows.cli", "run", str(crawl), "--out", str(tmp_path / "run"), "--workers", "2"]
    run = subprocess.Popen(command, cwd=REPO, env=mine, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    assert named(NAME, 40, wanted=True, home=mine["PREFECT_HOME"])
    time.sleep(1.5)
    run.send_signal(signal.SIGKILL)
    run.wait()
    for part in (NAME, "filters.extract.worker", "sdk_worker_main", "flows.cli"):
        left = named(part, 30, wanted=False, home=mine["PREFECT_HOME"])
        for process in left:
            process.kill()
        assert not left, part


def test_a_process_with_threads_gets_a_server_too(environment: dict[str, str], tmp_path: Path) -> None:
    """There the server is no fork; it answers, and it ends when the block does."""
    home = str(tmp_path / "prefect")
    script = (
        "import os, threading, httpx\n"
        "from flows.server import own_server\n"
        "threading.Thread(target=threading.Event().wait, daemon=True).start()\n"
        "with own_server():\n"
        "    print(httpx.get(os.environ['PREFECT_API_URL'] + '/health', timeout=60).json())\n"
        "print('PREFECT_API_URL' in os.environ)\n"
    )
    mine = {**environment, "PREFECT_HOME": home}
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=REPO, env=mine, capture_output=True, text=True, check=False, timeout=200
    )
    assert done.stdout.split() == ["True", "False"], done.stderr
    assert not named("flows.server", 30, wanted=False, home=home)


def test_a_server_that_is_killed_is_replaced_on_the_same_address(environment: dict[str, str], tmp_path: Path) -> None:
    """What is asked meanwhile waits for the next."""
    script = (
        "import os, httpx, psutil\n"
        "from flows.server import own_server\n"
        "with own_server():\n"
        "    address = os.environ['PREFECT_API_URL'] + '/health'\n"
        "    print(httpx.get(address, timeout=200).json())\n"
        "    for server in psutil.Process().children():\n"
        "        server.kill()\n"
        "    print(httpx.get(address, timeout=200).json(), len(psutil.Process().children()))\n"
    )
    mine = {**environment, "PREFECT_HOME": str(tmp_path / "prefect")}
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=REPO, env=mine, capture_output=True, text=True, check=False, timeout=450
    )
    assert done.stdout.split() == ["True", "True", "1"], done.stderr
    assert not named("flows.server", 60, wanted=False, home=mine["PREFECT_HOME"])


def test_a_server_of_the_users_is_reported_to(environment: dict[str, str], tmp_path: Path) -> None:
    """With PREFECT_API_URL the flow, its stages and its artifacts are seen there."""
    crawl = write_sample(tmp_path / "c.warc.gz", 60, 1).warc
    mine = {**environment, "PREFECT_HOME": str(tmp_path / "prefect"), **MARKS}
    with socket.create_server(("127.0.0.1", 0)) as listening:
        url = f"http://127.0.0.1:{listening.getsockname()[1]}/api"
        uvicorn = [sys.executable, "-m", "uvicorn", "--factory", SERVER, "--fd", str(listening.fileno())]
        server = subprocess.Popen(uvicorn, env=mine, pass_fds=[listening.fileno()], stderr=subprocess.DEVNULL)
    try:
        command = [sys.executable, "-m", "flows.cli", "run", str(crawl), "--out", str(tmp_path / "run")]
        reporting = {**environment, "PREFECT_API_URL": url}
        done = subprocess.run(
            command, cwd=REPO, env=reporting, capture_output=True, text=True, check=False, timeout=200
        )
        assert done.returncode == 0, done.stderr
        flows = httpx.post(f"{url}/flow_runs/filter", json={}, timeout=60).json()
        assert [(f["name"], f["state_type"]) for f in flows] == [(str(tmp_path / "run"), "COMPLETED")]
        tasks = httpx.post(f"{url}/task_runs/filter", json={}, timeout=60).json()
        assert {t["name"] for t in tasks} == {
            "plan",
            "extract",
            "rights",
            "annotate",
            "dedup",
            "decide",
            "scrub",
            "tokenize",
            "report",
        }
        artifacts = httpx.post(f"{url}/artifacts/filter", json={}, timeout=60).json()
        assert "winnow-fates" in {a["key"] for a in artifacts}
    finally:
        server.terminate()
        server.wait(timeout=30)
