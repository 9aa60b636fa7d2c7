"""JSONL and Parquet parts, and folders of HTML files, to records."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from typing import IO, Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import zstandard

from pipelines.sources.archive import reject
from pipelines.sources.http import Page, Refused, make_page
from pipelines.sources.part import MAX_BODY, Item, Part, Record, doc_id
from pipelines.sources.storage import open_raw

TEXT = ("text", "content", "raw_content")
FIELDS = ("title", "author", "date", "lang", "license")


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
    offset = part.start
    with opened(part.path) as stream:
        if offset:
            stream.seek(offset)
        try:
            while part.end < 0 or offset < part.end:
                line = stream.readline(MAX_BODY)
                if not line:
                    return
                length = len(line)
                while not line.endswith(b"\n") and (more := stream.readline(MAX_BODY)):
                    length += len(more)  # the rest of a line that is too long is only counted
                    if more.endswith(b"\n"):
                        break
                if line.strip():
                    yield _from_line(part, offset, length, line)
                offset += length
        except (OSError, EOFError, zstandard.ZstdError) as error:
            yield reject(part, offset, 0, None, "file.unreadable", f"{error}; the rest was passed over.")


def _from_line(part: Part, offset: int, length: int, line: bytes) -> Item:
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


def read_parquet(part: Part) -> Iterator[Item]:
    """Row groups [start, end); a row's offset is its number in the file.

    A fault is told at the first row that could not be read: a number that no row of another part has.
    """
    offset = part.start
    try:
        with open_raw(part.path) as stream:
            table = pq.ParquetFile(stream)
            offset = sum(table.metadata.row_group(i).num_rows for i in range(part.start))
            names = [n for n in table.schema_arrow.names if n in (*TEXT, *FIELDS, "url", "html", "metadata")]
            for batch in table.iter_batches(1024, row_groups=range(part.start, part.end), columns=names):
                for row in batch.to_pylist():
                    yield from_row(part, offset, 1, row, "parquet.no_text")
                    offset += 1
    except (OSError, pa.ArrowException) as error:
        yield reject(part, offset, 0, None, "file.unreadable", f"{error}; the rest was passed over.")


def read_html(part: Part) -> Iterator[Item]:
    """One record a file; the path stands for the URL."""
    for name in part.files:
        source = f"{part.source}/{name}" if part.source else name
        path = f"{part.path}/{name.rpartition('/')[2]}"
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
