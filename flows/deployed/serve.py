"""`winnow serve`: Prefect's server, a worker and the deployments on this machine, in the foreground, on loopback.

Everything lies in one folder: Prefect's own database too, so that nothing here meets a Prefect that the user has
elsewhere. Server and worker are processes that end with this one, however it ends. What an earlier life left marked as
running is crashed before the worker starts, since its slots would never be given back. The server cannot reach out:
telemetry is off, and a proxy that is not there takes whatever it should still want to fetch.

Traded away: one machine, one user. The server asks nobody who they are; whoever can open its port can run the flows.
"""

from __future__ import annotations

import fcntl
import os
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

import httpx

from flows.deployed.document import POOL, Plan, text
from flows.settings import OFFLINE

LOOPBACK = "127.0.0.1"
FOLDERS = ("inbox", "corpus", "requests", "models", "log", "prefect")
NOWHERE = "http://127.0.0.1:9"  # the port of "discard": nobody listens there
START_SECONDS = 180
MOST_RUNS = 2
Say = Callable[[str], None]


class Interrupted(Exception):
    """Ctrl-C, or SIGTERM."""


def environment(home: Path, port: int) -> dict[str, str]:
    """What server, worker and flow runs share."""
    return {
        **os.environ, **OFFLINE,
        "PREFECT_API_URL": f"http://{LOOPBACK}:{port}/api", "PREFECT_HOME": str(home / "prefect"),
        "PREFECT_PROFILES_PATH": str(home / "prefect" / "profiles.toml"),
        "PREFECT_SERVER_API_HOST": LOOPBACK, "PREFECT_SERVER_API_PORT": str(port),
        "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false", "PREFECT_LOGGING_LEVEL": "INFO",
        "PREFECT_SERVER_LOGGING_LEVEL": "WARNING", "PREFECT_RESULTS_PERSIST_BY_DEFAULT": "false",
        "PREFECT_CLI_PROMPT": "false", "PREFECT_WORKER_QUERY_SECONDS": "2", "NO_COLOR": "1", "PYTHONUNBUFFERED": "1",
    }  # fmt: skip


def server_environment(given: dict[str, str]) -> dict[str, str]:
    """The same for the server: it can fetch nothing from outside."""
    proxies = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"), NOWHERE)
    lower = {name.lower(): to for name, to in proxies.items()}
    services = {"PREFECT_SERVER_SERVICES_SCHEDULER_LOOP_SECONDS": "10",
                "PREFECT_SERVER_SERVICES_LATE_RUNS_ENABLED": "false"}  # fmt: skip
    return {**given, **proxies, **lower, "NO_PROXY": "127.0.0.1,localhost", "no_proxy": "127.0.0.1,localhost",
            **services}  # fmt: skip


def serve(plan: Plan, port: int, say: Say) -> None:
    """Serve until SIGINT or SIGTERM; ValueError or OSError in a sentence if it cannot begin."""
    home = plan.home.absolute()
    for name in FOLDERS:
        (home / name).mkdir(parents=True, exist_ok=True)
    signal.signal(signal.SIGTERM, _interrupt)
    signal.signal(signal.SIGINT, _interrupt)
    with ExitStack() as stack:
        stack.enter_context(_alone(home))
        free = _free_port(port)
        given = environment(home, free)
        try:
            server = stack.enter_context(
                _tied("server", ["flows.deployed.server", str(free)], server_environment(given), home)
            )
            _wait_for(server, f"http://{LOOPBACK}:{free}/api/health", home)
            engine = f"{shlex.quote(sys.executable)} -m prefect.engine"
            _deploy(replace(plan, home=home, directory=str(Path.cwd()), command=engine), given, home)
            asked = f"prefect worker start --pool {POOL} --type process --limit {MOST_RUNS} --name here".split()
            worker = stack.enter_context(_tied("worker", [*asked, "--install-policy", "never"], given, home))
            say(_told(home, free))
            while server.poll() is None and worker.poll() is None:
                time.sleep(0.5)
            name = "server" if server.poll() is not None else "worker"
            raise ValueError(f"The {name} has ended by itself: {home / 'log'} says why.")
        except Interrupted:
            say("Ending: what is at work goes on where it stopped when you serve again.")


def _interrupt(_number: int, _frame: object) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a second Ctrl-C would leave processes behind
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise Interrupted


def _told(home: Path, port: int) -> str:
    api = f"http://{LOOPBACK}:{port}"
    return "\n".join((
        f"look:      {api}",
        f"crawls:    move files into {home / 'inbox'}",
        f"removals:  put .toml or .json requests into {home / 'requests'}",
        f"corpus:    winnow corpus show {home / 'corpus'}",
        f"now:       PREFECT_API_URL={api}/api prefect deployment run daily/inbox",
        "Ctrl-C ends all of it.",
    ))  # fmt: skip


@contextmanager
def _alone(home: Path) -> Iterator[None]:
    with (home / ".lock").open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise ValueError(f"{home} is being served already. Choose another --home, or end that one.") from error
        yield


def _free_port(port: int) -> int:
    """The port asked for if nobody has it, any for 0; ValueError if somebody has."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError as error:
            raise ValueError(f"Port {port} of {LOOPBACK} is in use. Choose another with --port.") from error
        return int(probe.getsockname()[1])


@contextmanager
def _tied(name: str, arguments: list[str], given: dict[str, str], home: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A Python module that runs as long as the block, and no longer than this process."""
    watched, lifeline = os.pipe()
    command = [sys.executable, "-m", "flows.deployed.tied", str(watched), sys.executable, "-m", *arguments]
    with (home / "log" / f"{name}.log").open("ab") as log:
        process = subprocess.Popen(command, env=given, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                   pass_fds=[watched], start_new_session=True)  # fmt: skip
    os.close(watched)
    try:
        yield process
    finally:
        os.close(lifeline)
        process.wait()


def _wait_for(server: subprocess.Popen[bytes], url: str, home: Path) -> None:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and server.poll() is None:
        try:
            if httpx.get(url, timeout=2, trust_env=False).is_success:
                return
        except httpx.HTTPError:
            time.sleep(0.3)
    raise ValueError(f"Prefect's server did not start: {home / 'log' / 'server.log'} says why.")


def _deploy(plan: Plan, given: dict[str, str], home: Path) -> None:
    """Make work pool and deployments; ValueError with Prefect's last words if they cannot be made."""
    file = home / "prefect.yaml"
    file.write_text(text(plan))
    command = [sys.executable, "-m", "flows.deployed.prepare", str(file)]
    done = subprocess.run(command, env=given, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    (home / "log" / "deploy.log").write_text(done.stdout + done.stderr)
    if done.returncode:
        raise ValueError(f"The deployments could not be made: {home / 'log' / 'deploy.log'} says why.")
