"""Keeps the chatter of Beam's workers off the terminal and in the run's log, where it can be looked up.

A small process of its own writes the log, and goes on reading when the disk is full: were standard error the file
itself, a worker's report of the full disk would fail too, and Beam would wait for that report for ever.
"""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import termios
import time
from array import array
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

PATIENCE = 2  # seconds that the log's writer may be behind when a run ends
MOST_BYTES = 64_000_000  # a run that fails a million times need not fill the disk by itself


@contextmanager
def chatter_logged(run: str) -> Iterator[Console]:
    """Send file descriptor 2, also of child processes, to RUN/log/beam.log; yields a console on the real one."""
    from rich.console import Console  # here: the log's writer starts without third-party packages

    if "://" in run:
        yield Console(stderr=True)
        return
    log = Path(run, "log", "beam.log")
    log.parent.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-S", __file__, str(log)]
    writer = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, start_new_session=True)
    if writer.stdin is None:  # never: it was asked for
        raise OSError("the log's writer has no standard input")
    sys.stderr.flush()
    terminal = os.dup(2)
    with os.fdopen(os.dup(2), "w") as real:
        os.dup2(writer.stdin.fileno(), 2)
        try:
            yield Console(file=real)
        finally:
            sys.stderr.flush()
            os.dup2(terminal, 2)
            os.close(terminal)
            _drained(writer, writer.stdin.fileno())
            writer.stdin.close()


def _drained(writer: subprocess.Popen[bytes], pipe: int) -> None:
    """Wait until what was said is read, not until the writer ends: it goes on while any process holds the pipe, and
    those that Python keeps to fork workers from do so for as long as the command lives.
    """
    waiting = array("i", [1])
    end = time.monotonic() + PATIENCE
    while waiting[0] and writer.poll() is None and time.monotonic() < end:
        fcntl.ioctl(pipe, termios.FIONREAD, waiting)
        if waiting[0]:
            time.sleep(0.01)
    writer.returncode = 0  # nobody waits for its end


def write_log(path: str) -> None:
    """Copy standard input to the end of `path`, and what finds no room there nowhere."""
    written = 0
    with open(path, "ab", buffering=0) as log:  # noqa: PTH123 - started without site, so little is imported
        while chunk := os.read(0, 65536):
            if written < MOST_BYTES:
                with suppress(OSError):
                    written += log.write(chunk) or 0


if __name__ == "__main__":
    write_log(sys.argv[1])
