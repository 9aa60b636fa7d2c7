"""WARC, WET and ARC parts to records: what each record type means, and the verdict on each response."""

from __future__ import annotations

from collections.abc import Iterator

from warcio.archiveiterator import ArchiveIterator as ArcIterator
from warcio.exceptions import ArchiveLoadFailed

from pipelines.sources.http import Page, Refused, make_page, parse_response
from pipelines.sources.part import MAX_BODY, Item, Part, Record, Reject, Skipped, doc_id
from pipelines.sources.policy import policy_file, policy_path
from pipelines.sources.storage import open_raw
from pipelines.sources.warc import Damage, Raw, raw_records

PAGES = ("response", "resource", "conversion")


def read_warc(part: Part) -> Iterator[Item]:
    """Every record of a WARC or WET part."""
    with open_raw(part.path) as stream:
        waiting: Raw | None = None
        for raw in raw_records(stream, part.start, part.end, bodies=True):
            if waiting is not None:
                yield from_raw(part, waiting, raw.offset - waiting.offset)
                waiting = None
            if isinstance(raw, Damage):
                yield reject(part, raw.offset, raw.length, None, "warc.damaged", f"{raw.error}; "
                             f"{raw.length} bytes were passed over.")  # fmt: skip
            else:
                waiting = raw
        if waiting is not None:
            yield from_raw(part, waiting, part.end - waiting.offset)


def reject(part: Part, offset: int, length: int, url: str | None, reason: str, detail: str) -> Reject:
    """A reject at a place of this part."""
    return Reject(doc_id(part.source, offset), part.source, offset, length, url, reason, detail)


def from_raw(part: Part, raw: Raw, length: int) -> Item:
    """The verdict on one sound WARC record."""
    url = raw.headers.get("warc-target-uri", "").strip("<> ") or None

    def refuse(reason: str, detail: str) -> Reject:
        return reject(part, raw.offset, length, url, reason, detail)

    if raw.type == "revisit":
        return refuse("warc.revisit", "The record points to a page stored earlier.")
    if raw.type not in PAGES:
        return Skipped(raw.type)
    if raw.body is None:
        return refuse("warc.too_large", f"The record says it has {raw.content_length} bytes.")
    if len(raw.body) < raw.content_length:
        return refuse("warc.truncated", f"{len(raw.body)} of {raw.content_length} bytes are there.")
    try:
        if raw.type == "response" and (path := policy_path(url)) is not None:
            return policy_file(refuse("", ""), path, raw.headers.get("warc-date"), raw.body)
        page = open_body(raw)
    except Refused as no:
        return refuse(no.reason, no.detail)
    text = page.payload.decode("utf-8", "replace") if raw.type == "conversion" else None
    return record(part, raw.offset, length, url, raw.headers.get("warc-date"), page, text)


def open_body(raw: Raw) -> Page:
    """The page in a record's block: an HTTP response, or the bytes themselves."""
    body = raw.body or b""
    mime = raw.headers.get("content-type", "")
    if raw.type == "response" and (mime.startswith("application/http") or body.startswith(b"HTTP/")):
        return parse_response(body)
    return make_page((("content-type", mime),), body)


def record(
    part: Part, offset: int, length: int, url: str | None, date: str | None, page: Page, text: str | None
) -> Record:
    """A page as the jobs take it."""
    return Record(
        doc_id(part.source, offset), part.source, offset, length, url, date,
        page.headers, page.charset, page.payload, page.kind, text,
    )  # fmt: skip


def read_arc(part: Part) -> Iterator[Item]:
    """Every record of an ARC file, by warcio; damage ends the file, and what is left is one reject."""
    with open_raw(part.path) as stream:
        reader = ArcIterator(stream, arc2warc=True)
        last = -1
        try:
            for found in reader:
                body = found.raw_stream.read(MAX_BODY + 1)  # first: asking for the offset passes over what is unread
                offset = max(reader.get_record_offset(), last + 1)  # unique even in a single-member file
                last = offset
                if found.rec_type != "response":
                    yield Skipped(found.rec_type)
                    continue
                yield _from_arc(part, offset, found, body)
        except (ArchiveLoadFailed, OSError, ValueError, EOFError, OverflowError) as error:  # lengths past 2^63
            where = max(last + 1, 0)
            why = str(error).strip().splitlines()[0][:200] if str(error).strip() else type(error).__name__
            yield reject(part, where, part.end - where, None, "arc.damaged", f"{why}; the rest was passed over.")


def _from_arc(part: Part, offset: int, found: object, body: bytes) -> Item:
    headers = found.rec_headers  # type: ignore[attr-defined]
    url = headers.get_header("WARC-Target-URI")
    http = found.http_headers  # type: ignore[attr-defined]
    length = int(headers.get_header("Content-Length") or len(body))
    if not 0 <= length < 1 << 62:
        raise ValueError("a record's length is none")
    try:
        raw = (http.to_bytes() if http is not None else b"") + body
        if (path := policy_path(url)) is not None:
            place = reject(part, offset, length, url, "", "")
            return policy_file(place, path, headers.get_header("WARC-Date"), raw)
        page = parse_response(raw)
    except Refused as no:
        return reject(part, offset, length, url, no.reason, no.detail)
    return record(part, offset, length, url, headers.get_header("WARC-Date"), page, None)
