"""Where an export goes: a folder that appears whole under its name, or not at all.

It is written beside its place under a temporary name, flushed and renamed. A note in it (`winnow-export.json` unless
another name is given) says what it was made from, so that the same asked for again is known to be there, and anything
else there is left alone. The lock is the last thing to leave the temporary folder, or goes with it to its place, so
that what a kill leaves is always known for something unfinished, or for whole.

Traded away: an export that was interrupted starts over.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from tokenization.commit import flush, put, temporary_of

NOTE = "winnow-export.json"
LOCK = ".winnow-export.lock"


def finished(out: Path, wanted: dict[str, Any], name: str = NOTE) -> dict[str, Any] | None:
    """The note of an export that lies at `out` and was made from what is `wanted`; None if the place is free.

    ValueError in a sentence if the folder holds anything else.
    """
    if not out.exists():
        return None
    if not out.is_dir():
        raise ValueError(f"{out} is a file. Name a folder for --out.")
    if not any(out.iterdir()):
        return None
    note = out / name
    if not note.is_file():
        raise ValueError(f"{out} holds something else. Choose another --out, or empty that folder.")
    try:
        found: dict[str, Any] = json.loads(note.read_bytes())
        same = all(found.get(key) == value for key, value in wanted.items())
        files = {name: (out / name).stat().st_size for name in found["files"]}
    except (ValueError, KeyError, TypeError, AttributeError, OSError) as error:
        raise ValueError(f"{out} is damaged ({error}). Delete it, and give the command again.") from error
    if not same:
        raise ValueError(f"{out} was made from other inputs or options. Choose another --out, or delete that folder.")
    if files != found["files"]:
        raise ValueError(f"{out} is damaged: a file has another size than was written. Delete it, and give the "
                         "command again.")  # fmt: skip
    if (out / LOCK).exists():  # a kill came just after the folder had its name
        (out / LOCK).unlink(missing_ok=True)
    return found


@contextmanager
def placed(out: Path) -> Iterator[Path]:
    """A temporary folder to write into, which becomes `out` when the block ends well, and goes if it does not."""
    out = out.absolute()
    out.parent.mkdir(parents=True, exist_ok=True)
    temporary = temporary_of(out)
    if temporary.is_dir() and any(temporary.iterdir()) and not (temporary / LOCK).is_file():
        raise ValueError(f"{temporary} is in the way and is nothing unfinished. Move it away.")
    temporary.mkdir(exist_ok=True)
    with (temporary / LOCK).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise ValueError(f"Another process is writing {out}. Wait for it, or choose another --out.") from error
        _clear(temporary)
        try:
            yield temporary
            _flush(temporary)
            os.replace(temporary, out)  # noqa: PTH105 - an empty folder may be there, and nothing else
            (out / LOCK).unlink(missing_ok=True)
            flush(out)
            flush(out.parent)
        except BaseException:
            with suppress(OSError):  # best effort: the next export clears what is left
                _clear(temporary)
                (temporary / LOCK).unlink()
                temporary.rmdir()
            raise


def write_note(folder: Path, described: dict[str, Any], name: str = NOTE) -> dict[str, Any]:
    """Write the note last: what was asked and counted, and the size of every file."""
    files = sorted(p for p in folder.rglob("*") if p.is_file() and p.name != LOCK)
    note = {**described, "files": {p.relative_to(folder).as_posix(): p.stat().st_size for p in files}}
    put(folder / name, (json.dumps(note, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode())
    return note


def _clear(folder: Path) -> None:
    """Delete what an interrupted export left."""
    for stray in folder.iterdir():
        if stray.is_dir():
            shutil.rmtree(stray)
        elif stray.name != LOCK:
            stray.unlink()


def _flush(folder: Path) -> None:
    for path in folder.rglob("*"):
        flush(path)
    flush(folder)
