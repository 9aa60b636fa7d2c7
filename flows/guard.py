"""Sees to it that Prefect's temporary server dies with the run that started it, also when that run is killed.

A run that ends by itself stops its server. One that gets SIGKILL cannot, and its server would go on for ever.
So a run keeps a small process beside it, outside its own process group, that learns which servers are the run's
children, and ends them when the pipe from the run closes. Traded away: a server that is less than half a second
old when its run is killed.
"""

from __future__ import annotations

import os
import select
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import psutil

SERVER = "prefect.server.api.server:create_app"


@contextmanager
def guarded() -> Iterator[None]:
    """Keep a guard beside this process while the block runs."""
    command = [sys.executable, "-m", "flows.guard", str(os.getpid())]
    # stderr and stdout are let go of, or whoever waits for the run's output would wait for the guard.
    guard = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    try:
        yield
    finally:
        if guard.stdin is not None:
            guard.stdin.close()
        # The guard leaves by itself; it may outlive this block for the moment that it needs to.


def servers_of(pid: int) -> list[psutil.Process]:
    """Prefect servers among the children of process `pid`."""
    try:
        children = psutil.Process(pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []
    return [child for child in children if _is_server(child)]


def _is_server(process: psutil.Process) -> bool:
    try:
        return SERVER in process.cmdline()
    except psutil.Error:  # it ended, or is another user's
        return False


def watch(pid: int) -> None:
    """Learn the servers of `pid` until standard input closes, then end those that are still there."""
    known: set[psutil.Process] = set()  # a Process knows its start time: a reused number is another one
    while not select.select([sys.stdin], [], [], 0.5)[0]:
        known.update(servers_of(pid))
    if psutil.pid_exists(pid):  # the run ends by itself, and stops its server on the way out
        psutil.wait_procs(known, timeout=10)
    for server in known:
        if server.is_running():
            server.terminate()


if __name__ == "__main__":
    watch(int(sys.argv[1]))
