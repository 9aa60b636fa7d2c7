"""One process that reads hostile crawls, for all of their tests."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

REPO = Path(__file__).resolve().parents[2]
Road = Callable[[list[str], float], dict[str, Any]]


class Server:
    """The process, and again another once it had to be killed."""

    def __init__(self) -> None:
        self.process: subprocess.Popen[str] | None = None

    def ask(self, inputs: list[str], seconds: float) -> dict[str, Any]:
        """What becomes of these inputs; AssertionError if the process dies or takes longer."""
        if self.process is None or self.process.poll() is not None:
            command = [sys.executable, "-m", "tests.hostile.road"]
            environment = {**os.environ, "PYTHONPATH": str(REPO)}
            self.process = subprocess.Popen(
                command, cwd=REPO, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
            )
            seconds += 60  # it imports its libraries first
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(inputs) + "\n")
        self.process.stdin.flush()
        guard = threading.Timer(seconds, self.process.kill)
        guard.start()
        line = self.process.stdout.readline()
        guard.cancel()
        assert line, f"the reader died or took more than {seconds} s (exit status {self.process.wait()})"
        answer: dict[str, Any] = json.loads(line)
        return answer


@pytest.fixture(scope="session")
def road() -> Iterator[Road]:
    """Read inputs in a process of its own."""
    server = Server()
    yield server.ask
    if server.process is not None and server.process.stdin is not None:
        server.process.stdin.close()
        server.process.wait(30)
