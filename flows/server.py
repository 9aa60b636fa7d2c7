"""A Prefect server of the run's own, for those who run none: it starts beside the run's imports and ends with it.

Prefect would start one too, but only when the flow begins, and wait for it; started here it is ready when the
imports are. It is a fork of the command, made when what both need is imported and before there is a second thread:
importing that twice would cost a second of processor time. The socket is opened before the server, so requests queue
up instead of failing and no port is raced for. A run that gets SIGKILL cannot stop its server: so the server, outside
the run's process group, watches a pipe from the run and ends when that closes, however that comes about.

A server that is lost while the run goes on is replaced, on the same socket: what Prefect asks meanwhile waits there,
and what was under way it asks again by itself. The replacement is a process of its own, for by then the command has
threads and must not be forked.
"""

from __future__ import annotations

import gc
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NoReturn

SERVER = "prefect.server.api.server:create_app"
NAME = "winnow-prefect"  # what `ps -o comm` calls it
# Prefect's own marks of a server that serves one process: no user interface, no services that watch other flows.
MARKS = {"PREFECT_UI_ENABLED": "0", "PREFECT__SERVER_EPHEMERAL": "1", "PREFECT__SERVER_FINAL": "1"}
# Blocks are configurations kept for flows; a run stores none, so their kinds need not be registered.
BLOCKS = {"PREFECT_API_BLOCKS_REGISTER_ON_START": "0", "PREFECT_MEMOIZE_BLOCK_AUTO_REGISTRATION": "0"}
REPLACED = 20  # servers a run may lose
PATIENCE = 15  # seconds that a server may take to end by itself


@contextmanager
def own_server() -> Iterator[None]:
    """Keep a server while the block runs, unless the environment or a Prefect profile names one."""
    if "PREFECT_API_URL" in os.environ or _profile_names_one():
        yield
        return
    with socket.create_server(("127.0.0.1", 0), backlog=128) as listening:
        url = f"http://127.0.0.1:{listening.getsockname()[1]}/api"
        with _environment({"PREFECT_API_URL": url, **MARKS, **BLOCKS}), _told_already(url):
            watched, lifeline = os.pipe()
            ending = threading.Event()
            first = _start(listening, watched, lifeline)
            keeper = threading.Thread(target=_keep, args=(first, listening, watched, ending), daemon=True)
            keeper.start()
            try:
                yield
            finally:
                ending.set()
                os.close(lifeline)


def _keep(server: int, listening: socket.socket, watched: int, ending: threading.Event) -> None:
    """Replace a server that ends before it should; after REPLACED times, let requests fail at once and not wait."""
    for _ in range(REPLACED):
        os.waitpid(server, 0)
        if ending.wait(0.1):  # it may have ended because the run has
            return
        server = _spawn(listening, watched)
    os.waitpid(server, 0)
    listening.close()


@contextmanager
def _environment(values: dict[str, str]) -> Iterator[None]:
    """Set environment variables for a while; Prefect reads its own when it is imported."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@contextmanager
def _told_already(url: str) -> Iterator[None]:
    """Prefect does not look at the environment again once it is imported: where it is, it is told the address."""
    if "prefect.settings" not in sys.modules:
        yield
        return
    from prefect.settings import temporary_settings

    with temporary_settings({"api.url": url}):
        yield


def _start(listening: socket.socket, watched: int, lifeline: int) -> int:
    """Start a server on this socket, which ends when the pipe does; returns its process number."""
    import prefect.context  # noqa: F401 - read by the command and the server alike

    # A fork takes the locks that other threads hold along, but not the threads; macOS's own libraries start some.
    if sys.platform != "linux" or _threads() > 1:
        return _spawn(listening, watched)
    server = os.fork()
    if server == 0:
        os.close(lifeline)
        _be_the_server(listening, watched)
    return server


def _spawn(listening: socket.socket, watched: int) -> int:
    command = [sys.executable, "-m", "flows.server", str(listening.fileno()), str(watched)]
    server = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                              start_new_session=True, pass_fds=[listening.fileno(), watched])  # fmt: skip
    server.returncode = 0  # whoever keeps the server waits for it by its number
    return server.pid


def _threads() -> int:
    """Threads of this process, those of C libraries included, but for pyarrow's allocator: it minds forks."""
    return sum((task / "comm").read_text().strip() != "jemalloc_bg_thd" for task in Path("/proc/self/task").iterdir())


def _be_the_server(listening: socket.socket, watched: int) -> NoReturn:
    """What the forked process does: let go of everything that is the command's, serve, end."""
    status = 1
    try:
        os.setsid()
        nothing = os.open(os.devnull, os.O_RDWR)
        for descriptor in (0, 1, 2):  # or whoever waits for the run's output would wait for the server
            os.dup2(nothing, descriptor)
        with suppress(OSError):
            Path("/proc/self/comm").write_text(NAME)
        serve(listening, watched)
        status = 0
    finally:
        os._exit(status)  # never back into the command's own code, nor its exit handlers


def serve(listening: socket.socket, watched: int) -> None:
    """Serve on a listening socket until the pipe `watched` closes."""
    import uvicorn
    from prefect.server.api.server import create_app

    gc.freeze()  # what was imported is never garbage, and create_app looks for some
    app = create_app(ephemeral=True, final=True)
    server = uvicorn.Server(uvicorn.Config(app, log_level="critical", timeout_keep_alive=5, lifespan="on"))

    def watch() -> None:
        os.read(watched, 1)
        server.should_exit = True
        time.sleep(PATIENCE)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
    server.run(sockets=[listening])


def _profile_names_one() -> bool:
    """Whether the user's Prefect profiles mention an API; only then is it worth the second that asking costs."""
    home = Path(os.environ.get("PREFECT_HOME", "~/.prefect")).expanduser()
    profiles = Path(os.environ.get("PREFECT_PROFILES_PATH", home / "profiles.toml")).expanduser()
    if not profiles.is_file() or "PREFECT_API_URL" not in profiles.read_text():
        return False
    from prefect.settings import get_current_settings

    return get_current_settings().api.url is not None


if __name__ == "__main__":
    serve(socket.socket(fileno=int(sys.argv[1])), int(sys.argv[2]))
