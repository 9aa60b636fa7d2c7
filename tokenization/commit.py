"""Files that appear whole and stay: flushed to the disk under a temporary name, renamed, and the folder flushed.

Without the flushes a rename may survive a loss of power that the file's own bytes do not. `os.fsync` and `os.replace`
are looked up when they are called, so that a test can let each of them fail. Traded away: two flushes a file.
"""

from __future__ import annotations

import os
from pathlib import Path

MARK = ".tmp-"


def temporary_of(path: Path) -> Path:
    """The name under which `path` is written before it is there."""
    return path.with_name(f"{MARK}{path.name}")


def put(path: Path, data: bytes) -> None:
    """Write `data` to `path`: whole and durable, or not at all. OSError if the disk does not take it."""
    temporary = temporary_of(path)
    temporary.write_bytes(data)
    settle(temporary, path)


def settle(temporary: Path, path: Path) -> None:
    """Give a finished file its final name, over whatever is there, so that it is there after a loss of power too."""
    flush(temporary)
    os.replace(temporary, path)  # noqa: PTH105 - looked up when called, as os.fsync is
    flush(path.parent)


def flush(path: Path) -> None:
    """Flush a file or a folder to the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sweep(folder: Path) -> None:
    """Delete what a process that died left half-written in `folder`."""
    if folder.is_dir():
        for stray in folder.glob(f"{MARK}*"):
            stray.unlink(missing_ok=True)
