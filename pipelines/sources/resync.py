"""Finding the way back after damage: where a broken WARC's next sound record begins.

gzip: a member whose first bytes inflate to `WARC/`. Plain: a line `WARC/1.` with a Content-Length in its
header. Memory is bounded by two chunks whatever the file holds. Traded away: a WARC stored inside a damaged
record cannot be told from the file's own next record, so its records may surface as pages.
"""

from __future__ import annotations

import zlib
from typing import IO

CHUNK = 1 << 20
GZIP = b"\x1f\x8b\x08"


def next_record(stream: IO[bytes], after: int, compressed: bool) -> int | None:
    """Offset of the first sound record start >= `after`, or None if there is none."""
    magic = GZIP if compressed else b"WARC/"
    position, tail = after, b""
    while True:
        stream.seek(position)
        chunk = stream.read(CHUNK)
        window, base = tail + chunk, position - len(tail)
        found = window.find(magic)
        while found >= 0:
            offset = base + found
            if (starts_member if compressed else starts_plain)(stream, offset):
                return offset
            found = window.find(magic, found + 1)
        if not chunk:
            return None
        tail = window[-(len(magic) - 1) :]
        position += len(chunk)


def starts_member(stream: IO[bytes], offset: int) -> bool:
    """Whether a gzip member that holds a WARC record begins at `offset`."""
    stream.seek(offset)
    try:
        return zlib.decompressobj(wbits=31).decompress(stream.read(4096), 64).startswith(b"WARC/")
    except zlib.error:
        return False


def starts_plain(stream: IO[bytes], offset: int) -> bool:
    """Whether an uncompressed record begins at `offset`: at a line's start, with a Content-Length."""
    stream.seek(max(offset - 1, 0))
    before = stream.read(1) if offset else b"\n"
    stream.seek(offset)
    header = stream.read(16_384).replace(b"\r\n", b"\n").partition(b"\n\n")[0].lower()
    return before == b"\n" and header.startswith((b"warc/0.", b"warc/1.")) and b"\ncontent-length:" in header


def member_end(stream: IO[bytes], offset: int) -> int | None:
    """Offset just past the gzip member at `offset`, or None if that member is damaged or cut off."""
    stream.seek(offset)
    inflate, position = zlib.decompressobj(wbits=31), offset
    try:
        while chunk := stream.read(CHUNK):
            data = chunk
            while data and not inflate.eof:
                inflate.decompress(data, CHUNK)  # a bomb costs time in proportion, and one chunk of memory
                data = inflate.unconsumed_tail
            if inflate.eof:
                return position + len(chunk) - len(inflate.unused_data)
            position += len(chunk)
    except zlib.error:
        return None
    return None
