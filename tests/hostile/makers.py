"""Hostile crawls, made on the fly: each maker fills a folder and gives the inputs to read.

What is told apart by name in tests/hostile/test_crawls.py is made here. Honest neighbours lie before and after the hostile
record wherever a file can have some.
"""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Callable
from pathlib import Path

import brotli
import zstandard

HTML = b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n"
PROSE = "The river rose in the night, and by morning the lower fields were under water from bank to bank. " * 4
Maker = Callable[[Path], list[str]]


def record(url: str, block: bytes, kind: str = "response", length: object = None, more: str = "") -> bytes:
    """A WARC record; `length` is what it says of itself."""
    head = f"WARC/1.0\r\nWARC-Type: {kind}\r\nWARC-Target-URI: {url}\r\nWARC-Date: 2026-01-01T00:00:00Z\r\n{more}"
    head += "Content-Type: application/http; msgtype=response\r\n"
    return f"{head}Content-Length: {len(block) if length is None else length}\r\n\r\n".encode() + block + b"\r\n\r\n"


def page(name: str) -> bytes:
    """An honest page's HTTP response."""
    body = f"<html><head><title>{name}</title></head><body><article><p>{name}: {PROSE}</p></article></body></html>"
    return HTML + b"\r\n" + body.encode()


def packed(*records: bytes) -> bytes:
    """Each record as a gzip member."""
    return b"".join(gzip.compress(one, 1, mtime=0) for one in records)


def between(*hostile: bytes, squeeze: bool = True) -> Maker:
    """A WARC in which these records, whole, lie between two honest pages."""

    def make(folder: Path) -> list[str]:
        records = (record("http://a.example/before", page("before")), *hostile,
                   record("http://a.example/after", page("after")))  # fmt: skip
        path = folder / ("crawl.warc.gz" if squeeze else "crawl.warc")
        path.write_bytes(packed(*records) if squeeze else b"".join(records))
        return [str(path)]

    return make


def response(head: bytes, body: bytes, url: str = "http://evil.example/") -> bytes:
    """A record of an HTTP response with these header lines."""
    return record(url, b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n" + head + b"\r\n" + body)


def coded(coding: str, data: bytes) -> bytes:
    """`data` under a content coding."""
    by = {"gzip": lambda d: gzip.compress(d, 1), "deflate": lambda d: zlib.compress(d, 1), "zstd": zstandard.compress,
          "br": lambda d: brotli.compress(d, quality=2)}  # fmt: skip
    return by[coding](data)


def bomb(coding: str, layers: int = 1) -> Maker:
    """A body of a few hundred bytes to a few kilobytes that expands to 100 MB, `layers` times over."""

    def make(folder: Path) -> list[str]:
        data = bytes(100 << 20)
        for _ in range(layers):
            data = coded(coding, data)
        named = ", ".join([coding] * layers).encode()
        return between(response(b"Content-Encoding: " + named + b"\r\n", data))(folder)

    return make


def member_bomb(folder: Path) -> list[str]:
    """A gzip member of 300 KB that holds a record of 300 MB."""
    return between(record("http://evil.example/", bytes(300 << 20)))(folder)


def said(charset: str, body: bytes) -> Maker:
    """A page of plain text whose header names a charset."""
    head = f"HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset={charset}\r\n\r\n".encode()
    return between(record("http://evil.example/", head + body))


def jsonl(*lines: bytes) -> Maker:
    """Lines between two honest ones."""

    def make(folder: Path) -> list[str]:
        honest = [
            json.dumps({"text": f"{name}: {PROSE}", "url": f"http://a.example/{name}"}) for name in ("before", "after")
        ]
        path = folder / "crawl.jsonl"
        with path.open("wb") as sink:
            for line in (honest[0].encode(), *lines, honest[1].encode()):
                sink.write(line + b"\n")
        return [str(path)]

    return make


def endless_line(folder: Path) -> list[str]:
    """A .jsonl.zst of some tens of kilobytes whose second line has 400 MB."""
    path = folder / "crawl.jsonl.zst"
    with path.open("wb") as file, zstandard.ZstdCompressor().stream_writer(file) as sink:
        sink.write(json.dumps({"text": f"before: {PROSE}", "url": "http://a.example/before"}).encode() + b"\n")
        for _ in range(6):
            sink.write(b" " * (64 << 20))
    return [str(path)]


def broken_gzip(folder: Path) -> list[str]:
    """A .jsonl.gz with one bit turned after its first lines."""
    lines = b"\n".join(json.dumps({"text": f"{PROSE} {i * i}"}).encode() for i in range(2000))
    data = bytearray(gzip.compress(lines))
    data[len(data) // 2] ^= 0xFF
    (folder / "crawl.jsonl.gz").write_bytes(data)
    return [str(folder / "crawl.jsonl.gz")]


def pages_folder(folder: Path, *more: Callable[[Path], None]) -> list[str]:
    """A folder of HTML files, with what `more` adds to it."""
    inside = folder / "site"
    inside.mkdir()
    for name in ("before", "zzz-after"):
        (inside / f"{name}.html").write_bytes(page(name.removeprefix("zzz-")).partition(b"\r\n\r\n")[2])
    for add in more:
        add(inside)
    return [str(inside)]
