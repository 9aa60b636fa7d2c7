"""A Prefect server of the run's own, for those who run none: it starts beside the run's imports and ends with it.

Prefect would start one too, but only when the flow begins, and wait for it; started here at once it is ready when
the imports are. The socket is opened before the server, so requests queue up instead of failing and no port is
raced for. A run that gets SIGKILL cannot stop its server: so the server belongs to a small keeper process outside
the run's process group, which ends it when the pipe from the run closes, however that comes about.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SERVER = "prefect.server.api.server:create_app"
# Prefect's own marks of a server that serves one process: no user interface, no services that watch other flows.
MARKS = {"PREFECT_UI_ENABLED": "0", "PREFECT__SERVER_EPHEMERAL": "1", "PREFECT__SERVER_FINAL": "1"}


@contextmanager
def own_server() -> Iterator[None]:
    """Keep a server while the block runs, unless the environment or a Prefect profile names one."""
    if "PREFECT_API_URL" in os.environ or _profile_names_one():
        yield
        return
    with socket.create_server(("127.0.0.1", 0), backlog=128) as listening:
        port = listening.getsockname()[1]
        command = [sys.executable, "-m", "flows.server", str(listening.fileno())]
        # stderr and stdout are let go of, or whoever waits for the run's output would wait for the keeper.
        keeper = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                  start_new_session=True, pass_fds=[listening.fileno()])  # fmt: skip
    os.environ["PREFECT_API_URL"] = f"http://127.0.0.1:{port}/api"
    try:
        yield
    finally:
        del os.environ["PREFECT_API_URL"]
        if keeper.stdin is not None:
            keeper.stdin.close()


def _profile_names_one() -> bool:
    """Whether the user's Prefect profiles mention an API; only then is it worth the second that asking costs."""
    home = Path(os.environ.get("PREFECT_HOME", "~/.prefect")).expanduser()
    profiles = Path(os.environ.get("PREFECT_PROFILES_PATH", home / "profiles.toml")).expanduser()
    if not profiles.is_file() or "PREFECT_API_URL" not in profiles.read_text():
        return False
    from prefect.settings import get_current_settings

    return get_current_settings().api.url is not None


def keep(socket_fd: int) -> None:
    """Serve on the listening socket `socket_fd` until standard input closes."""
    command = [sys.executable, "-m", "uvicorn", "--factory", SERVER, "--fd", str(socket_fd),
               "--log-level", "critical", "--timeout-keep-alive", "5"]  # fmt: skip
    server = subprocess.Popen(command, env={**os.environ, **MARKS}, stdin=subprocess.DEVNULL, pass_fds=[socket_fd])
    os.close(socket_fd)
    sys.stdin.read()
    server.terminate()
    try:
        server.wait(timeout=15)
    except subprocess.TimeoutExpired:
        server.kill()


if __name__ == "__main__":
    keep(int(sys.argv[1]))
