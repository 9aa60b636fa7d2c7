"""Lines of chat files, plain or compressed (.gz, .zst), one at a time and none longer than LONGEST.

Traded away: a JSON array of conversations, which would have to be held whole; a sentence says how to make lines of it.
"""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, cast

import zstandard

LONGEST = 64 << 20
PIECE = 1 << 10  # a kilobyte of zstd may hold tens of megabytes of one letter


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
    except (EOFError, gzip.BadGzipFile, zlib.error, zstandard.ZstdError) as error:
        raise ValueError(f"{file} is damaged after line {number}. Fetch it again.") from error


def _opened(file: Path) -> IO[bytes]:
    if not file.is_file():
        raise FileNotFoundError(f"There is no file {file}.")
    if file.suffix == ".gz":
        return cast(IO[bytes], gzip.open(file, "rb"))
    if file.suffix == ".zst":
        return io.BufferedReader(_Frames(file))
    return file.open("rb")


class _Frames(io.RawIOBase):
    """Zstandard frames, one after another. EOFError if the last is cut, which `zstandard.open` takes for the end."""

    def __init__(self, file: Path) -> None:
        self.source, self.frame = file.open("rb"), _new_frame()
        self.begun, self.left, self.made = False, b"", memoryview(b"")

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, buffer: Any) -> int:
        """What comes next, at least a byte until the end."""
        while not self.made:
            pressed = self.left or self.source.read(PIECE)
            if not pressed:
                if self.begun:
                    raise EOFError("a frame is cut")
                return 0
            self.made, self.begun = memoryview(self.frame.decompress(pressed)), True
            self.left = b""
            if self.frame.eof:
                self.left, self.frame, self.begun = self.frame.unused_data, _new_frame(), False
        count = min(len(buffer), len(self.made))
        buffer[:count], self.made = self.made[:count], self.made[count:]
        return count

    def close(self) -> None:
        """Close the file too."""
        self.source.close()
        super().close()


def _new_frame() -> Any:
    return zstandard.ZstdDecompressor(max_window_size=1 << 31).decompressobj()
