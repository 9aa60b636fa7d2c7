"""Keeps the chatter of Beam's workers off the terminal and in the run's log, where it can be looked up."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console


@contextmanager
def chatter_logged(run: str) -> Iterator[Console]:
    """Send file descriptor 2, also of child processes, to RUN/log/beam.log; yields a console on the real one."""
    if "://" in run:
        yield Console(stderr=True)
        return
    folder = Path(run, "log")
    folder.mkdir(parents=True, exist_ok=True)
    sys.stderr.flush()
    terminal = os.dup(2)
    with (folder / "beam.log").open("ab") as log, os.fdopen(os.dup(2), "w") as real:
        os.dup2(log.fileno(), 2)
        try:
            yield Console(file=real)
        finally:
            sys.stderr.flush()
            os.dup2(terminal, 2)
            os.close(terminal)
