"""Opening inputs wherever Beam can reach them, as raw bytes: nothing is decompressed behind our back."""

from __future__ import annotations

from typing import IO, cast

import xxhash
from apache_beam.io.filesystem import CompressionTypes
from apache_beam.io.filesystems import FileSystems

CHUNK = 1 << 20


def open_raw(path: str) -> IO[bytes]:
    """The file's own bytes, seekable."""
    if "://" not in path:
        return open(path, "rb")  # noqa: PTH123 - a path or a URL; the caller closes it
    stream = FileSystems.open(
        path, mime_type="application/octet-stream", compression_type=CompressionTypes.UNCOMPRESSED
    )
    return cast("IO[bytes]", stream)


def digest(path: str, start: int, end: int) -> str:
    """xxh3_128 of bytes [start, end), 32 hex digits."""
    state = xxhash.xxh3_128()
    with open_raw(path) as stream:
        stream.seek(start)
        left = end - start
        while left > 0 and (chunk := stream.read(min(CHUNK, left))):
            state.update(chunk)
            left -= len(chunk)
    return state.hexdigest()


def size_of(path: str) -> int:
    """Bytes of the file."""
    return int(FileSystems.match([path])[0].metadata_list[0].size_in_bytes)
