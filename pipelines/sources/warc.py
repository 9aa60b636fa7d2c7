"""WARC: records by FastWARC, with offsets, surviving damage.

FastWARC stops at the first fault without saying where it was. A record is therefore held back until the next
one has been found; when a fault comes instead, the member after the held one is walked with zlib to tell
which of the two is broken, the broken one becomes damage with its offset, and reading goes on at the next
sound record. Sound files pay one comparison a record for this.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Any, cast

from fastwarc.warc import ArchiveIterator, WarcRecord

from pipelines.sources.part import MAX_BODY
from pipelines.sources.resync import GZIP, member_end, next_record, starts_member


@dataclass(frozen=True, slots=True)
class Raw:
    """A record as FastWARC gives it, read whole (`body` is None when only the scan was wanted)."""

    offset: int
    type: str
    headers: dict[str, str]
    content_length: int
    body: bytes | None


@dataclass(frozen=True, slots=True)
class Damage:
    """Bytes [offset, offset + length) that are no valid record."""

    offset: int
    length: int
    error: str


class Window:
    """File-like view that starts at an offset, so that FastWARC can be started anywhere."""

    def __init__(self, stream: IO[bytes], start: int) -> None:
        self.stream, self.start = stream, start
        stream.seek(start)

    def read(self, size: int = -1) -> bytes:
        """Next bytes."""
        return self.stream.read(size)

    def tell(self) -> int:
        """Position counted from the window's start."""
        return self.stream.tell() - self.start

    def seek(self, offset: int, whence: int = 0) -> int:
        """Move within the window."""
        return self.stream.seek(offset + self.start if whence == 0 else offset, whence) - self.start


def raw_records(stream: IO[bytes], start: int, end: int, bodies: bool) -> Iterator[Raw | Damage]:
    """Every record that begins in [start, end), and every stretch of damage there, in order."""
    to_the_end = end >= stream.seek(0, 2)
    last = start - 1
    stream.seek(start)
    head = stream.read(1 << 16)
    compressed = not head.startswith(b"WARC/") and GZIP in head
    position: int | None = start
    while position is not None and position < end:
        held: Raw | None = None
        reading: int | None = None  # offset of the record whose body is being read
        try:
            for record in ArchiveIterator(cast(Any, Window(stream, position)), parse_http=False):
                # Records that share one gzip member share its place; each still gets an offset of its own.
                offset = last = max(position + record.stream_pos, last + 1)
                if held is not None:
                    yield held
                    held = None
                if offset >= end and not to_the_end:
                    return
                reading = offset
                held, reading = _take(record, offset, bodies), None
            lies = held is not None and (_swallowed if compressed else _leads_past)(stream, held)
            if held is None:
                yield from _silent_end(stream, position, end)
            elif not lies:
                yield held
            if not lies:
                return
            raise OSError("Content-Length leads past the record")
        except OSError as error:
            known = position if reading is None else reading
            damage, resume = _after_fault(stream, known, held, compressed, str(error), end)
            if held is not None and damage.offset != held.offset:
                yield held
            if damage.offset >= end and not to_the_end:
                return  # the fault lies in the next part, which will tell it
            if damage.length or resume is None:  # else the way back is here: the next turn says what this is
                yield damage
            position = resume


def _take(record: WarcRecord, offset: int, bodies: bool) -> Raw:
    headers = {name.lower(): value for name, value in record.headers.items()}
    kind = headers.get("warc-type", "unknown").lower()
    wanted = bodies and kind in ("response", "resource", "conversion") and record.content_length <= MAX_BODY
    body = record.reader.read(record.content_length) if wanted else None
    return Raw(offset, kind, headers, record.content_length, body)


def _silent_end(stream: IO[bytes], position: int, end: int) -> Iterator[Damage]:
    """FastWARC may end without a record or a fault: bytes that it did not understand are damage."""
    stream.seek(position)
    if stream.read(min(end - position, 1 << 16)).strip(b"\r\n\0 "):
        yield Damage(position, end - position, "no WARC record here")


def _swallowed(stream: IO[bytes], held: Raw) -> bool:
    """Whether the last record that FastWARC gave is followed by a sound member: then its length lies."""
    after = member_end(stream, held.offset)
    return after is not None and starts_member(stream, after)


def _leads_past(stream: IO[bytes], held: Raw) -> bool:
    """Whether the last record says that it goes on past the file, and another begins in it: then its length lies."""
    if held.offset + held.content_length <= stream.seek(0, 2):
        return False
    return next_record(stream, held.offset + 1, compressed=False) is not None


def _reads(stream: IO[bytes], offset: int) -> bool:
    """Whether FastWARC takes the header of the record at `offset`; it refuses long ones."""
    try:
        return next(iter(ArchiveIterator(cast(Any, Window(stream, offset)), parse_http=False)), None) is not None
    except OSError:
        return False


def _after_fault(
    stream: IO[bytes], position: int, held: Raw | None, compressed: bool, error: str, end: int
) -> tuple[Damage, int | None]:
    """Where the fault lies, and where to go on. Damage at the held record's own offset condemns it."""
    if held is None:
        bad, resume = position, next_record(stream, position + 1, compressed)
    elif compressed:
        bad, resume = _locate_gzip(stream, held)
    else:
        bad, resume = _locate_plain(stream, held)
    stop = end if resume is None else min(resume, end)
    return Damage(bad, max(stop - bad, 0), error), resume


def _locate_gzip(stream: IO[bytes], held: Raw) -> tuple[int, int | None]:
    """The held record's own member, what is left over in it (one byte in), or the member after it."""
    after = member_end(stream, held.offset)
    if after is None:
        return held.offset, next_record(stream, held.offset + 1, compressed=True)
    if starts_member(stream, after) and member_end(stream, after) is not None:
        if held.body is not None and len(held.body) < held.content_length:
            return held.offset, after
        if _reads(stream, after):
            return held.offset + 1, after
    return after, next_record(stream, after + 1, compressed=True)


def _locate_plain(stream: IO[bytes], held: Raw) -> tuple[int, int | None]:
    """The held record if it swallowed the start of another one, else what follows it."""
    stream.seek(held.offset)
    head = stream.read(1 << 16)
    ends = [i + len(mark) for mark in (b"\r\n\r\n", b"\n\n") if (i := head.find(mark)) >= 0]
    after = held.offset + (min(ends) if ends else 0) + held.content_length
    inner = next_record(stream, held.offset + 1, compressed=False)
    if inner is not None and inner < after:
        return held.offset, inner
    return after, next_record(stream, after, compressed=False)
