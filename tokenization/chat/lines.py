"""Lines of chat files, plain or compressed (.gz, .zst), one at a time and none longer than LONGEST.

Traded away: a JSON array of conversations, which would have to be held whole; a sentence says how to make lines of it.
"""

from __future__ import annotations

import gzip
import io
from collections.abc import Iterator
from pathlib import Path
from typing import IO, cast

import zstandard

LONGEST = 64 << 20


def lines(file: Path) -> Iterator[tuple[int, bytes | None]]:
    """(number from 1, line) of a file; None for one that is too long. Blank lines are given too.

    ValueError in a sentence if the file is an array, or its compression is damaged.
    """
    try:
        with _opened(file) as stream:
            number = 0
            while line := stream.readline(LONGEST + 1):
                number += 1
                if number == 1 and line.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"[":
                    raise ValueError(f"{file} is a JSON array. Write an object a line: jq -c '.[]' {file.name}")
                whole = len(line) <= LONGEST
                while not whole and line and not line.endswith(b"\n"):
                    line = stream.readline(LONGEST)
                yield number, line.removeprefix(b"\xef\xbb\xbf") if whole else None
    except (EOFError, gzip.BadGzipFile, zstandard.ZstdError) as error:
        raise ValueError(f"{file} is damaged after line {number}. Fetch it again.") from error


def _opened(file: Path) -> IO[bytes]:
    if not file.is_file():
        raise FileNotFoundError(f"There is no file {file}.")
    if file.suffix == ".gz":
        return cast(IO[bytes], gzip.open(file, "rb"))
    if file.suffix == ".zst":
        return io.BufferedReader(cast(io.RawIOBase, zstandard.open(file, "rb")))
    return file.open("rb")
