"""The processes of a run, by their part in it: found by the PREFECT_HOME that they all inherit, whoever their parent is
by now. So a process that outlived the command is found as well.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

import psutil

from flows.server import NAME

# What the command line of each has; the fork server's forks, the workers, share the fork server's.
MARKS = {
    "server": "flows.server",
    "log": "flows/quiet.py",
    "sandbox": "filters.extract.worker",
    "tracker": "multiprocessing.resource_tracker",
    "forks": "multiprocessing.forkserver",
}


def of_run(home: str) -> Iterator[tuple[str, psutil.Process]]:
    """(role, process) of every living process that was started with this PREFECT_HOME."""
    for process in psutil.process_iter():
        try:
            if process.environ().get("PREFECT_HOME") == home and process.status() != psutil.STATUS_ZOMBIE:
                yield _role(process), process
        except psutil.Error:  # it ended while it was looked at, or is another user's
            continue


def _role(process: psutil.Process) -> str:
    if process.name() == NAME:
        return "server"
    line = " ".join(process.cmdline())
    role = next((role for role, mark in MARKS.items() if mark in line), "command")
    if role == "forks" and (parent := process.parent()) and MARKS["forks"] in " ".join(parent.cmdline()):
        return "worker"
    return role


def left_behind(home: str, seconds: float) -> list[str]:
    """Roles of the processes that are still there after so many seconds; they are killed then."""
    end = time.monotonic() + seconds
    while found := list(of_run(home)):
        if time.monotonic() > end:
            for _, process in found:
                process.kill()
            return sorted(role for role, _ in found)
        time.sleep(0.2)
    return []
