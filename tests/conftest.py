"""What tests share: the folder of real data, and the installed command."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from flows.server import BLOCKS, MARKS

REPO = Path(__file__).resolve().parents[1]
os.environ.setdefault("OMP_NUM_THREADS", "1")  # threads that wait by turning round hold up the tests beside them
Winnow = Callable[..., subprocess.CompletedProcess[str]]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with the most slow tests first, or one worker would be at them while the other has nothing left to do."""
    slow = Counter(item.path for item in items if item.get_closest_marker("slow"))
    items.sort(key=lambda item: -slow[item.path])


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real pages and labelled sets, beside the checkout."""
    folder = REPO.parent / "shared" / "data"
    assert folder.is_dir(), f"the tests need {folder}: real pages and labelled sets"
    return folder


@pytest.fixture(scope="session")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """An environment in which Prefect keeps its files away from the user's, and Python keeps what it compiled."""
    others = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**others, "PREFECT_HOME": str(tmp_path_factory.mktemp("prefect")), "COLUMNS": "200"}


@pytest.fixture(scope="session")
def removal_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run in fifty shards, to take documents out of: copy it, and leave it as it is."""
    from tests.pipelines.removal_runs import make_run, pages, write_crawl

    folder = tmp_path_factory.mktemp("removal")
    return make_run(folder / "run", write_crawl(folder / "crawl.warc.gz", pages()))


class Commands:
    """Calls of the command line, each a fork of one prepared process (tests/forked_command.py)."""

    def __init__(self, environment: dict[str, str], folder: Path) -> None:
        self.out, self.err = folder / "out", folder / "err"
        command = [sys.executable, str(REPO / "tests" / "forked_command.py")]
        paths = os.pathsep.join([str(REPO), environment.get("PYTHONPATH", "")])
        self.process = subprocess.Popen(
            command, cwd=REPO, env={**environment, "PYTHONPATH": paths, "OPENBLAS_NUM_THREADS": "1"}, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip

    def __call__(
        self, *arguments: object, timeout: float = 500, cwd: Path = REPO, more: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """What `winnow ARGUMENTS` says, given in the folder `cwd` and with `more` in its environment (nothing that is
        read when modules are imported); TimeoutExpired, and it is killed, if it hangs.
        """
        given = [*map(str, arguments)]
        call = {
            "arguments": given,
            "folder": str(cwd),
            "out": str(self.out),
            "err": str(self.err),
            "more": {**(more or {})},
        }
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(call) + "\n")
        self.process.stdin.flush()
        child = int(self._answer())
        alarm = threading.Timer(timeout, os.killpg, (child, signal.SIGKILL))
        alarm.start()
        status = int(self._answer())
        alarm.cancel()
        if status == -signal.SIGKILL:  # by the alarm: nothing else kills a command of a test
            raise subprocess.TimeoutExpired(given, timeout)
        return subprocess.CompletedProcess(given, status, self.out.read_text(), self.err.read_text())

    def _answer(self) -> str:
        assert self.process.stdout is not None
        answer = self.process.stdout.readline()
        assert answer, "the process that commands are forked from has ended"
        return answer

    def close(self) -> None:
        """End the prepared process."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait(30)


@pytest.fixture(scope="session")
def prefect_api(environment: dict[str, str]) -> Iterator[str]:
    """The address of a Prefect server that lasts for the session, as a user's own would.

    A server for each of a hundred small runs would cost more than the runs; tests/flows/test_server.py has those.
    """
    watched, lifeline = os.pipe()
    with socket.create_server(("127.0.0.1", 0), backlog=128) as listening:
        url = f"http://127.0.0.1:{listening.getsockname()[1]}/api"
        command = [sys.executable, "-m", "flows.server", str(listening.fileno()), str(watched)]
        server = subprocess.Popen(command, cwd=REPO, env={**environment, **MARKS, **BLOCKS, "PREFECT_API_URL": url},
                                  pass_fds=[listening.fileno(), watched], stderr=subprocess.DEVNULL)  # fmt: skip
    yield url
    os.close(lifeline)
    server.wait(60)


@pytest.fixture(scope="session")
def winnow(environment: dict[str, str], prefect_api: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Winnow]:
    """Run the command line in a process of its own, as a user does."""
    commands = Commands({**environment, "PREFECT_API_URL": prefect_api}, tmp_path_factory.mktemp("commands"))
    yield commands
    commands.close()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One Chromium for all pages of the session; a second one beside it cannot be driven."""
    from tests.stats.browser import chromium

    with chromium() as opened:
        yield opened
