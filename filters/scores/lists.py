"""Reading lists of words and addresses: text with an entry a line, or JSON lines; gzip by the name's end.

"#" begins a comment only at the start of a line, as in squidGuard's and datatrove's lists.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, cast

import orjson


def open_list(path: Path) -> BinaryIO:
    """The file's bytes, unpacked if it is named .gz."""
    return cast(BinaryIO, gzip.open(path, "rb")) if path.suffix == ".gz" else path.open("rb")


def lines(path: Path) -> Iterator[str]:
    """Entries of a text list, without blanks around them, comments and empty lines; bytes that are no UTF-8 become
    U+FFFD, since UT1 holds a few."""
    with open_list(path) as file:
        for line in file:
            entry = line.decode("utf-8", "replace").strip().removeprefix("\ufeff")
            if entry and not entry.startswith("#"):
                yield entry


def is_jsonl(path: Path) -> bool:
    """Whether the name says JSON lines."""
    return path.name.removesuffix(".gz").endswith((".jsonl", ".ndjson"))


def rows(path: Path, *keys: str) -> Iterator[tuple[Any, ...]]:
    """The named values of each JSON line; ValueError names the first line that lacks one."""
    with open_list(path) as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            try:
                row = orjson.loads(line)
                yield tuple(row[key] for key in keys)
            except (orjson.JSONDecodeError, KeyError, TypeError) as error:
                raise ValueError(f"line {number} is no JSON object with {', '.join(keys)}.") from error
