"""Fuzz targets for what reads a crawl: archives, HTTP bodies, charsets, JSONL and Parquet.

Each target is a plain function of bytes: whatever it is given it returns, or raises what its reader documents; anything
else is a find. Where the reader has a law (ids are unique, places in order, nothing lost between two parts) the target
holds it to that law. Traded away: files lie on disk, as the readers want them, so a try costs a tenth of a millisecond.
"""

from __future__ import annotations

import gzip
import os
import tempfile
from functools import cache
from pathlib import Path

from filters.charset import decode
from pipelines.sources import Part, Record, Reject, read
from pipelines.sources.http import Refused, parse_response, undo_codings
from pipelines.sources.part import MAX_BODY, Item
from pipelines.sources.plan import plan
from pipelines.sources.reasons import REASONS

SEAM = b"\xff\xfe\xfd"  # between the members of an archive that is to be compressed


@cache
def folder() -> Path:
    """A folder of this process's own, in memory where the system has one there."""
    fast = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    return Path(tempfile.mkdtemp(prefix="winnow-fuzz-", dir=fast))


def stored(data: bytes, name: str) -> str:
    """`data` as a file of this name."""
    path = folder() / name
    path.write_bytes(data)
    return str(path)


def items(kind: str, path: str, start: int, end: int) -> list[Item]:
    """All of a part, held to what holds for every part."""
    found = list(read(Part(0, kind, "fuzz", path, start, end, -1, "")))
    told = [item for item in found if isinstance(item, Record | Reject)]
    assert len({item.doc_id for item in told}) == len(told), "an id is given twice"
    places = [item.offset for item in told]
    assert places == sorted(places), "places are out of order"
    for item in told:
        assert not isinstance(item, Reject) or item.reason in REASONS, item
        assert not isinstance(item, Record) or len(item.payload) <= MAX_BODY
        for text in (item.url, item.detail if isinstance(item, Reject) else item.text):
            (text or "").encode()  # no lone surrogate leaves a reader
    return found


def warc(data: bytes) -> None:
    """A WARC as it is or, where its first byte is odd, with its pieces compressed as members of their own."""
    if data[:1] > b"\x7f":
        data = b"".join(gzip.compress(piece, 1, mtime=0) for piece in data[1:].split(SEAM))
    items("warc", stored(data, "fuzz.warc"), 0, len(data))


def arc(data: bytes) -> None:
    """An ARC file."""
    items("arc", stored(data, "fuzz.arc"), 0, len(data))


def http(data: bytes) -> None:
    """A whole HTTP response; every coding and the chunked framing."""
    try:
        page = parse_response(data)
    except Refused as no:
        assert no.reason in REASONS
    else:
        assert page.payload.strip()
        assert len(page.payload) <= MAX_BODY
    coding = ("gzip", "deflate", "br", "zstd", "gzip, br")[len(data) % 5]
    try:
        undo_codings({"content-encoding": coding, "transfer-encoding": "chunked" * (len(data) % 2)}, data)
    except Refused as no:
        assert no.reason in REASONS


def charset(data: bytes) -> None:
    """A label, a line end, and a body that is said to be in it."""
    label, _, body = data.partition(b"\n")
    decoded = decode(body, label.decode("latin-1"))
    decoded.text.encode()
    assert "\0" not in decoded.text
    assert 0 <= decoded.replaced <= len(body)


def jsonl(data: bytes) -> None:
    """Lines; the same records come of the whole as of two parts."""
    path = stored(data, "fuzz.jsonl")
    whole = items("jsonl", path, 0, len(data))
    cut = data.find(b"\n", len(data) // 2) + 1
    assert items("jsonl", path, 0, cut) + items("jsonl", path, cut, len(data)) == whole
    assert sum(bool(line.strip()) for line in data.split(b"\n")) == len(whole)


def parquet(data: bytes) -> None:
    """A Parquet file, planned and read row group by row group."""
    for part in plan([stored(data, "fuzz.parquet")])[:20]:
        items("parquet", part.path, part.start, part.end)
