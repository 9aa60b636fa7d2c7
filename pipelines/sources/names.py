"""Names of files, which may be any bytes, and links, which may lead anywhere.

A crawl that was fetched from somewhere is a folder made by a stranger: a page in it may be a link to a file of this
machine, or a pipe that never ends, and its name need not be text.
"""

from __future__ import annotations

import os
from pathlib import Path

RAW = "\0"  # no name of a file has it


def portable(path: str) -> str:
    r"""A path as it travels to workers and lies in run.json, which take text only; `real` undoes it.

    >>> portable("页.html"), portable("a\udcff")
    ('页.html', '\x0061ff')
    """
    try:
        path.encode()
    except UnicodeEncodeError:
        return RAW + os.fsencode(path).hex()
    return path


def real(path: str) -> str:
    """The path that `portable` was given."""
    return os.fsdecode(bytes.fromhex(path[1:])) if path.startswith(RAW) else path


def source_of(name: str) -> str:
    r"""A file's name as text: bytes that are no UTF-8 as escapes.

    >>> source_of("页.html"), source_of("a\udcff.html")
    ('页.html', 'a\\xff.html')
    """
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def is_file(path: str) -> bool:
    """Whether this is a file, and no pipe or device; what lies in an object store always is."""
    return "://" in path or Path(path).is_file()


def leads_away(path: str, folder: str) -> bool:
    """Whether a file found in `folder` is a link to somewhere outside of it."""
    if "://" in path:
        return False
    return not Path(path).resolve().is_relative_to(Path(folder).resolve())
