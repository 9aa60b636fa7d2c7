"""JSONL parts and folders of HTML files to records, and what a row of JSONL or Parquet has to be.

Traded away: a line over 64 MiB is not parsed, though its text might be short.
"""

from __future__ import annotations

import io
import zlib
from collections.abc import Iterator, Mapping
from typing import IO, Any

import orjson
import zstandard

from pipelines.sources.archive import reject
from pipelines.sources.http import Page, Refused, make_page
from pipelines.sources.names import source_of
from pipelines.sources.part import MAX_BODY, Item, Part, Record, doc_id
from pipelines.sources.storage import open_raw, size_of

TEXT = ("text", "content", "raw_content")
FIELDS = ("title", "author", "date", "lang", "license")
# A compressed file, or a Parquet file, is read until it has given so much more than it holds: beyond that it is a bomb.
# Crawled text in JSON compresses by 5 to 20.
FREE, EXPANDS = 256 << 20, 200
ROW = 256  # bytes that a row counts for besides its values: a million million nulls fit into 1 KB, each a reject


def opened(path: str) -> IO[bytes]:
    """A JSONL file's lines, decompressed by its ending."""
    stream = open_raw(path)
    if path.endswith(".gz"):
        import gzip

        return io.BufferedReader(gzip.GzipFile(fileobj=stream))  # type: ignore[arg-type]
    if path.endswith(".zst"):
        reader = zstandard.ZstdDecompressor(max_window_size=1 << 31).stream_reader(stream, read_across_frames=True)
        return io.BufferedReader(reader)  # type: ignore[arg-type]
    return stream


def read_jsonl(part: Part) -> Iterator[Item]:
    """Lines that begin in [start, end) of the decompressed stream (end -1: to the end)."""
    offset, rows, most = part.start, 0, most_of(part.path) if part.end < 0 else None
    with opened(part.path) as stream:
        if offset:
            stream.seek(offset)
        try:
            while part.end < 0 or offset < part.end:
                line = stream.readline(MAX_BODY + 1)
                if not line:
                    return
                length = len(line)
                while not line.endswith(b"\n") and (more := stream.readline(MAX_BODY)):
                    length += len(more)  # the rest of a line that is too long is only counted
                    if more.endswith(b"\n") or (most is not None and offset + length > most):
                        break
                rows += 1
                if most is not None and offset + length + rows * ROW > most:
                    yield bomb(part, offset)
                    return
                if line.strip() or length > len(line):
                    yield _from_line(part, offset, length, line)
                offset += length
        except (OSError, EOFError, zlib.error, zstandard.ZstdError) as error:
            yield reject(part, offset, 0, None, "file.unreadable", f"{error}; the rest was passed over.")


def most_of(path: str) -> int:
    """Bytes that a file of this size may expand to."""
    return FREE + EXPANDS * size_of(path)


def bomb(part: Part, offset: int) -> Item:
    """What is said where a file has given more than `most_of` it."""
    told = f"The file expands to more than 256 MiB and {EXPANDS} times its size; the rest was passed over."
    return reject(part, offset, 0, None, "file.too_large", told)


def _from_line(part: Part, offset: int, length: int, line: bytes) -> Item:
    if length > MAX_BODY:
        return reject(part, offset, length, None, "row.too_large", f"The line has {length:,} bytes.")
    try:
        row = orjson.loads(line)
    except orjson.JSONDecodeError:
        return reject(part, offset, length, None, "jsonl.damaged", "The line is no valid JSON.")
    if not isinstance(row, dict):
        return reject(part, offset, length, None, "jsonl.damaged", "The line is no JSON object.")
    return from_row(part, offset, length, row, "jsonl.no_text")


def from_row(part: Part, offset: int, length: int, row: Mapping[str, Any], missing: str) -> Item:
    """A row with a text or an HTML column."""
    meta = row.get("metadata") if isinstance(row.get("metadata"), dict) else {}
    url = next((u for u in (row.get("url"), (meta or {}).get("url")) if isinstance(u, str) and u), None)
    fields = {name: row[name] for name in FIELDS if isinstance(row.get(name), str)}
    text = next((row[name] for name in TEXT if isinstance(row.get(name), str)), None)
    html = row.get("html")
    if text is None and not isinstance(html, (str, bytes)):
        return reject(part, offset, length, url, missing, "None of text, content, raw_content, html is there.")
    place = (doc_id(part.source, offset), part.source, offset, length, url)
    if text is not None:
        return Record(*place, text=text.encode("utf-8", "replace").decode(), fields=fields)
    payload = html.encode("utf-8", "replace") if isinstance(html, str) else bytes(html or b"")
    charset = "utf-8" if isinstance(html, str) else None
    return Record(*place, payload=payload, charset_header=charset, fields=fields)


def read_html(part: Part) -> Iterator[Item]:
    """One record a file; the path stands for the URL."""
    for name in part.files:
        source = f"{part.source}/{source_of(name)}" if part.source else source_of(name)
        path = f"{part.path}/{name}"
        place = Part(part.index, part.kind, source, path, 0, 0, 1, part.digest)
        try:
            with open_raw(path) as stream:
                payload = stream.read(MAX_BODY + 1)
            if len(payload) > MAX_BODY:
                raise Refused("http.too_large", "The file is larger than 64 MiB.")
            page: Page = make_page((("content-type", "text/html"),), payload)
        except Refused as no:
            yield reject(place, 0, 0, f"file:{source}", no.reason, no.detail)
            continue
        except OSError as error:
            yield reject(place, 0, 0, f"file:{source}", "file.unreadable", str(error.strerror or error))
            continue
        yield Record(doc_id(source, 0), source, 0, len(payload), f"file:{source}", payload=page.payload)


def read_outside(part: Part) -> Iterator[Item]:
    """A link that leads out of the folder that was named: it is not followed."""
    told = "It is a link out of the folder that was named: name its place too, or give --follow-links, if it is meant."
    yield reject(part, 0, 0, None, "file.outside", told)
