"""Runs a command and ends it, with all that it started, when whoever asked for it is gone.

`python -m flows.deployed.tied DESCRIPTOR COMMAND...` watches the reading end of a pipe. When that closes, because its
owner asked for it or died, however it died, the command gets SIGTERM and some time to end by itself; then whatever is
left of its descendants is killed. A Prefect worker starts flow runs in sessions of their own, so a signal to its own
process group would not reach them: hence the list of descendants, taken while their parents still live.
"""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time

import psutil

PATIENCE = 8.0  # a worker that has nothing to do takes longer than this by itself, and nothing is lost


def watch(descriptor: int, command: list[str]) -> int:
    """Run `command` until it ends or the pipe closes; its exit status."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the terminal's whole group: the owner decides
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)
    while process.poll() is None:
        if select.select([descriptor], [], [], 0.2)[0] and not os.read(descriptor, 1):
            _end(process)
    return process.returncode


def _end(process: subprocess.Popen[bytes]) -> None:
    known: dict[int, psutil.Process] = {}
    process.terminate()
    end = time.monotonic() + PATIENCE
    while True:
        _note(process.pid, known)
        left = [one for one in known.values() if _lives(one)]
        if (process.poll() is not None and not left) or time.monotonic() > end:
            break
        if process.poll() is not None:
            for one in left:  # the worker has gone and can tell them no more
                _signal(one, signal.SIGTERM)
        time.sleep(0.3)
    for one in known.values():
        _signal(one, signal.SIGKILL)
    if process.poll() is None:
        process.kill()
    process.wait()


def _note(pid: int, known: dict[int, psutil.Process]) -> None:
    """Add all descendants of a process, and of those that were known, to `known`."""
    for start in [pid, *known]:
        try:
            for one in psutil.Process(start).children(recursive=True):
                known.setdefault(one.pid, one)
        except psutil.NoSuchProcess:
            continue


def _lives(one: psutil.Process) -> bool:
    try:
        return one.is_running() and one.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _signal(one: psutil.Process, number: signal.Signals) -> None:
    """Signal a process if it is still the one that was noted: psutil compares its time of birth."""
    try:
        one.send_signal(number)
    except psutil.NoSuchProcess:
        return


if __name__ == "__main__":
    sys.exit(watch(int(sys.argv[1]), sys.argv[2:]))
