"""Length-prefixed frames between the sandbox and its child: JSON for what is small, UTF-8 for what is large."""

from __future__ import annotations

import struct
from typing import IO

HEADER = struct.Struct("<I")
LIMIT = (1 << 32) - 1


def send(pipe: IO[bytes], data: bytes) -> None:
    """Write one frame."""
    pipe.write(HEADER.pack(len(data)))
    pipe.write(data)
    pipe.flush()


def receive(pipe: IO[bytes]) -> bytes | None:
    """Read one frame; None at the end of the stream."""
    head = pipe.read(HEADER.size)
    if len(head) < HEADER.size:
        return None
    (size,) = HEADER.unpack(head)
    data = pipe.read(size)
    return data if len(data) == size else None
