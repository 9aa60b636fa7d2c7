"""From a WARC record to a page: the HTTP response taken apart, decoded and judged by its type.

http.client's own header parser is not used on crawled bytes; the few rules needed are here: status line,
headers by RFC 9112 with the usual leniency, chunked framing, and content codings with a bound on what they
may expand to.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import brotli
import re2
import zstandard

from pipelines.sources.part import MAX_BODY

CHARSET = re2.compile(rb"""(?i)charset\s*=\s*["']?([A-Za-z0-9_:.+-]{1,40})""")
HTML_TYPES = ("text/html", "application/xhtml+xml")
STATUS = re2.compile(rb"[0-9]{1,9}")
MOST_HEADER = 1 << 20
CHUNK_LINE = 4096  # bytes of a chunk's first line, extensions included
MOST_CHUNKS = 1 << 20  # of one body: a byte a chunk would keep a worker busy for a minute
UNSAID = ("", "application/octet-stream", "application/http", "unknown/unknown", "no-type")
MOST_CODINGS = 5  # nested ones each expand; curl draws the line there too (CVE-2022-32206)
LOOKS_HTML = re2.compile(rb"(?i)<(?:!doctype\s+html|html|head|body|title|meta|div|p|table|h1)[\s>]")


class Refused(Exception):
    """The response is no page: carries a reason of `reasons.REASONS` and a sentence."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason, self.detail = reason, detail


@dataclass(frozen=True, slots=True)
class Page:
    """A page's bytes after transfer and content codings are undone."""

    headers: tuple[tuple[str, str], ...]
    charset: str | None
    kind: str
    payload: bytes


def parse_response(raw: bytes) -> Page:
    """A whole HTTP response to a page; Refused if it is none."""
    status, headers, body = taken_apart(raw)
    if status != 200:
        raise Refused("http.status", f"The server answered {status}.")
    return make_page(headers, undo_codings(dict(headers), body))


def taken_apart(raw: bytes) -> tuple[int, tuple[tuple[str, str], ...], bytes]:
    """Status, headers, and the body as it was sent; Refused if there is no status line."""
    head, body = split_head(raw)
    lines = head.replace(b"\r\n", b"\n").split(b"\n")
    status = lines[0].split(None, 2)
    if len(status) < 2 or not status[0].startswith(b"HTTP/") or not STATUS.fullmatch(status[1]):
        raise Refused("http.damaged", "The record holds no HTTP status line.")
    return int(status[1]), parse_headers(lines[1:]), body


def make_page(headers: tuple[tuple[str, str], ...], payload: bytes) -> Page:
    """Judge a decoded body by its type, looking at the bytes where the type is missing or says nothing."""
    if not payload.strip():
        raise Refused("http.empty", "The body is empty.")
    declared = dict(headers).get("content-type", "")
    mime = declared.partition(";")[0].strip().lower()
    found = CHARSET.search(declared.encode("latin-1", "replace"))
    if mime in UNSAID:
        mime = "text/html" if LOOKS_HTML.search(payload[:4096].replace(b"\0", b"")) else mime
    if mime not in (*HTML_TYPES, "text/plain"):
        raise Refused("http.not_html", f"The content type is {mime[:80] or 'not given, and the body is not HTML'}.")
    kind = "text" if mime == "text/plain" else "html"
    return Page(headers, found.group(1).decode() if found else None, kind, payload)


def split_head(raw: bytes) -> tuple[bytes, bytes]:
    """Header block and body, at the first blank line; Refused if it is too far away."""
    cuts = [(at, len(mark)) for mark in (b"\r\n\r\n", b"\n\n") if (at := raw.find(mark, 0, MOST_HEADER)) >= 0]
    if not cuts and len(raw) > MOST_HEADER:
        raise Refused("http.damaged", "The headers do not end within 1 MiB.")
    if not cuts:
        return raw[: 1 << 16], b""
    at, width = min(cuts)
    return raw[:at], raw[at + width :]


def parse_headers(lines: list[bytes]) -> tuple[tuple[str, str], ...]:
    """Names in lower case; a continued line is joined to the one before; a line without a colon is passed over."""
    headers: list[tuple[str, str]] = []
    for line in lines[:500]:
        text = line.decode("utf-8", "replace")
        if text[:1] in " \t" and headers:
            headers[-1] = (headers[-1][0], f"{headers[-1][1]} {text.strip()}")
        elif ":" in text:
            name, _, value = text.partition(":")
            headers.append((name.strip().lower(), value.strip()))
    return tuple(headers)


def undo_codings(headers: dict[str, str], body: bytes) -> bytes:
    """The body without chunked framing and content codings, at most MAX_BODY bytes."""
    if "chunked" in headers.get("transfer-encoding", "").lower():
        body = unchunk(body)
    codings = [c.strip().lower() for c in headers.get("content-encoding", "").split(",")]
    codings = [c for c in codings if c not in ("", "identity")]
    if len(codings) > MOST_CODINGS:
        raise Refused("http.bad_encoding", f"The header names {len(codings)} content codings, over {MOST_CODINGS}.")
    for coding in reversed(codings):
        body = decompress(body, coding)
    if len(body) > MAX_BODY:
        raise Refused("http.too_large", "The body is larger than 64 MiB.")
    return body


def unchunk(body: bytes) -> bytes:
    """Undo chunked framing; a body that is not framed, though its header says so, is taken as it is."""
    pieces: list[bytes] = []
    at = 0
    while (line_end := body.find(b"\n", at, at + CHUNK_LINE)) >= 0:
        size = body[at:line_end].partition(b";")[0].strip()
        if not size.isalnum() or len(size) > 16:
            break
        try:
            length = int(size, 16)
        except ValueError:
            break
        if not length:
            return b"".join(pieces)
        if len(pieces) == MOST_CHUNKS:
            raise Refused("http.bad_encoding", f"The body comes in more than {MOST_CHUNKS:,} chunks.")
        pieces.append(body[line_end + 1 : line_end + 1 + length])
        at = line_end + 1 + length
        at += 2 if body[at : at + 2] == b"\r\n" else 1
    return b"".join(pieces) if pieces else body  # crawlers often store it unframed already


def decompress(body: bytes, coding: str) -> bytes:
    """Undo one content coding, never producing more than MAX_BODY bytes."""
    if not body:
        return body
    try:
        if coding in ("gzip", "x-gzip", "deflate"):
            out = _inflate(body, coding)
        elif coding == "zstd":
            out = zstandard.ZstdDecompressor(max_window_size=MAX_BODY).stream_reader(body).read(MAX_BODY + 1)
        elif coding == "br":
            out = brotli.Decompressor().process(body, output_buffer_limit=MAX_BODY + 1)
        else:
            raise Refused("http.bad_encoding", f"The content coding {coding[:40]!r} is not known.")
    except (zlib.error, zstandard.ZstdError, brotli.error) as error:
        raise Refused("http.bad_encoding", f"The body is not {coding} as its header says.") from error
    if len(out) > MAX_BODY:
        raise Refused("http.too_large", "The body expands to more than 64 MiB.")
    return out


def _inflate(body: bytes, coding: str) -> bytes:
    if coding != "deflate" and not body.startswith(b"\x1f\x8b"):
        return body  # stored decoded under the original header
    for bits in (15, -15) if coding == "deflate" else (31,):
        try:
            return zlib.decompressobj(wbits=bits).decompress(body, MAX_BODY + 1)
        except zlib.error:
            if bits != 15:
                raise
    raise zlib.error("neither zlib nor raw deflate")
