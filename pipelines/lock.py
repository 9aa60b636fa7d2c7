"""The lock of a run's folder: one process writes it at a time. It imports little, since questions take it too.

It is the kernel's (flock), so it goes when its holder dies, however it dies. A run on an object store has a claim there
besides (`pipelines.claim`).
"""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class BusyError(ValueError):
    """Another process holds the folder: waiting helps, and nothing else need be mended."""


@contextmanager
def locked(run: str) -> Iterator[None]:
    """Hold the run's folder for this process; BusyError if another does. On a store there is no such lock."""
    if "://" in run:
        yield
        return
    folder = Path(run)
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            told = f"{run} is being written by another process. Wait for it, or work in another folder."
            raise BusyError(told) from error
        yield
