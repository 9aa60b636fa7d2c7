"""A served home for tests: the command `winnow serve` in a process of its own, and Prefect's API beside it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psutil

REPO = Path(__file__).resolve().parents[2]
PATIENCE = 420.0  # on a machine with other work; alone each step takes some ten seconds


@dataclass
class Served:
    """`winnow serve` at work in a folder; `api` is Prefect's address."""

    home: Path
    process: subprocess.Popen[str]
    api: str
    told: list[str] = field(default_factory=list)

    def runs(self, flow: str) -> list[dict[str, Any]]:
        """Flow runs of a flow, those that are only scheduled apart, the oldest first."""
        asked = {"flows": {"name": {"any_": [flow]}}, "sort": "EXPECTED_START_TIME_ASC", "limit": 200}
        answer = httpx.post(f"{self.api}/flow_runs/filter", json=asked, timeout=60, trust_env=False)
        found: list[dict[str, Any]] = answer.raise_for_status().json()
        return [run for run in found if run["state_type"] != "SCHEDULED"]

    def once(self, what: str, ready: Callable[[], Any]) -> Any:
        """What `ready` gives once it gives anything; fails with the worker's last words after PATIENCE."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            assert self.process.poll() is None, self.words()
            if found := ready():
                return found
            time.sleep(0.5)
        raise AssertionError(f"no {what}: {self.words()}")

    def words(self) -> str:
        """The last lines of all logs."""
        logs = sorted((self.home / "log").glob("*.log"))
        return "\n".join(f"{log.name}: {log.read_text()[-1500:]}" for log in logs)

    def artifacts(self, key: str) -> list[dict[str, Any]]:
        """Artifacts of a key."""
        answer = httpx.post(
            f"{self.api}/artifacts/filter", json={"artifacts": {"key": {"any_": [key]}}}, trust_env=False
        )
        found: list[dict[str, Any]] = answer.raise_for_status().json()
        return found

    def post(self, path: str, given: dict[str, Any]) -> httpx.Response:
        """Ask the server for something."""
        return httpx.post(f"{self.api}/{path}", json=given, timeout=60, trust_env=False)

    def deployment(self, name: str) -> dict[str, Any]:
        """A deployment, FLOW/NAME, as the server has it."""
        found: dict[str, Any] = httpx.get(f"{self.api}/deployments/name/{name}", timeout=60, trust_env=False).json()
        return found

    def start(self, name: str) -> dict[str, Any]:
        """Run a deployment now, as the button of the user interface does."""
        made: dict[str, Any] = self.post(f"deployments/{self.deployment(name)['id']}/create_flow_run", {}).json()
        return made

    def descendants(self) -> list[psutil.Process]:
        """Every process that serving has started and that lives."""
        return psutil.Process(self.process.pid).children(recursive=True)

    def end(self, number: signal.Signals = signal.SIGINT) -> int:
        """Press Ctrl-C, and wait."""
        self.process.send_signal(number)
        return self.process.wait(timeout=120)


def serve(home: Path, environment: dict[str, str], *options: object, cwd: Path = REPO) -> Served:
    """Start `winnow serve --home HOME` on a free port, and wait until it says that it is ready."""
    command = [sys.executable, "-m", "flows.cli", "serve", "--home", str(home), "--port", "0", *map(str, options)]
    paths = os.pathsep.join(filter(None, [str(REPO), environment.get("PYTHONPATH", "")]))
    process = subprocess.Popen(command, cwd=cwd, env={**environment, "PYTHONPATH": paths}, text=True,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT)  # fmt: skip
    lines: list[str] = []
    assert process.stdout is not None
    for line in process.stdout:
        lines.append(line)
        if line.startswith("Ctrl-C"):
            break
    api = next((line.split()[1] for line in lines if line.startswith("look:")), "")
    served = Served(home, process, f"{api}/api", lines)
    assert api, "".join(lines) + served.words()
    return served


def told_by(file: Path) -> list[dict[str, Any]]:
    """What a program that was notified has written down, a JSON object a line."""
    return [json.loads(line) for line in file.read_text().splitlines()] if file.is_file() else []
