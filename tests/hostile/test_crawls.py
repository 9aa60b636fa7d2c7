"""Every hostile input that a crawl can hold: one reject or one document, the neighbours whole, time and memory bounded.

Each case runs the reader and the extract job in another process. `told` is what the hostile part of the input must give,
in order: reasons of rejects, or "document". Bounds are in CPU
seconds, some five times what a case takes; the wall clock only ends what hangs.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pytest

from tests.hostile import columns as p
from tests.hostile import makers as m
from tests.hostile.conftest import Road

SECONDS, MEGABYTES = 30.0, 1000


@dataclass(frozen=True)
class Case:
    """What gives a maker, what must come of it, and the bounds where they are not the usual ones."""

    make: Callable[[], m.Maker]
    told: tuple[str, ...]
    honest: int = 2  # documents of neighbours
    megabytes: int = MEGABYTES
    seconds: float = SECONDS
    texts: tuple[str, ...] = field(default=())  # what the hostile documents must hold


def header(line: bytes, body: bytes = b"<p>x</p>") -> m.Maker:
    """A response with this header line."""
    return m.between(m.response(line, body))


def warc_length(length: object, squeeze: bool = True) -> m.Maker:
    """A record that says another length than it has."""
    return m.between(m.record("http://evil.example/", m.page("evil"), length=length), squeeze=squeeze)


def html(body: bytes) -> m.Maker:
    """A page of this markup."""
    return m.between(m.response(b"", body))


def folder(*more: object) -> m.Maker:
    """A folder of HTML with what is added."""
    return lambda path: m.pages_folder(path, *more)  # type: ignore[arg-type]


UTF7 = "+ADw-script+AD4-alert(1)+ADw-/script+AD4- 2AA- "
LINE = m.PROSE.encode()
ARTICLE = m.page("evil").partition(b"\r\n\r\n")[2]
CASES = {
    "gzip_bomb": Case(lambda: m.bomb("gzip"), ("http.too_large",)),
    "deflate_bomb": Case(lambda: m.bomb("deflate"), ("http.too_large",)),
    "brotli_bomb": Case(lambda: m.bomb("br"), ("http.too_large",)),
    "zstd_bomb": Case(lambda: m.bomb("zstd"), ("http.too_large",)),
    "nested_gzip_bomb": Case(lambda: m.bomb("gzip", 3), ("http.too_large",)),
    "two_hundred_codings": Case(lambda: header(b"Content-Encoding: " + b"gzip, " * 200 + b"\r\n"), ("http.bad_encoding",)),
    "coding_that_lies": Case(lambda: header(b"Content-Encoding: br\r\n"), ("http.bad_encoding",)),
    "warc_member_bomb": Case(lambda: m.member_bomb, ("warc.too_large",)),
    "length_too_long": Case(lambda: warc_length(99_999), ("warc.damaged",)),
    "length_too_short": Case(lambda: warc_length(60), ("extract.empty", "warc.damaged")),
    "length_negative": Case(lambda: warc_length(-1), ("http.damaged", "warc.damaged")),
    "length_2_63": Case(lambda: warc_length(1 << 63), ("warc.damaged", "warc.too_large")),
    "length_no_number": Case(lambda: warc_length("0x10"), ("http.damaged", "warc.damaged")),
    "length_too_long_plain": Case(lambda: warc_length(99_999, squeeze=False), ("warc.damaged",)),
    "length_2_63_plain": Case(lambda: warc_length(1 << 63, squeeze=False), ("warc.damaged",)),
    "million_warc_headers": Case(
        lambda: m.between(m.record("http://evil.example/", m.page("evil"), more="X: y\r\n" * 1_000_000)), ("warc.damaged",)
    ),
    "warc_header_of_100_mb": Case(
        lambda: m.between(m.record("http://evil.example/", m.page("evil"), more="X: " + "y" * (100 << 20) + "\r\n")), ("warc.damaged",)
    ),
    "million_http_headers": Case(lambda: header(b"X: y\r\n" * 1_000_000), ("http.damaged",)),
    "http_header_of_60_mb": Case(lambda: header(b"X: " + b"y" * (60 << 20) + b"\r\n"), ("http.damaged",)),
    "status_of_5000_digits": Case(
        lambda: m.between(m.record("http://evil.example/", b"HTTP/1.1 " + b"2" * 5000 + b" OK\r\n\r\nx")), ("http.damaged",)
    ),
    "endless_chunks": Case(
        lambda: header(b"Transfer-Encoding: chunked\r\n", b"1\r\na\r\n" * 5_000_000), ("http.bad_encoding",)
    ),
    "giant_chunk": Case(
        lambda: header(b"Transfer-Encoding: chunked\r\n", b"ffffffffffffffff\r\n" + ARTICLE), ("document",)
    ),
    "negative_chunk": Case(lambda: header(b"Transfer-Encoding: chunked\r\n", b"-5\r\n" + ARTICLE), ("document",)),
    "nested_a_million_deep": Case(lambda: html(b"<div>" * 1_000_000 + LINE), ("extract.empty",)),
    "attribute_of_19_mb": Case(lambda: html(ARTICLE.replace(b"<p>", b'<p class="' + b"a" * 19_000_000 + b'">')), ("extract.empty",)),
    "attribute_of_60_mb": Case(lambda: html(b'<p class="' + b"a" * 60_000_000 + b'">' + LINE), ("extract.too_large",)),
    "record_of_100_mb": Case(lambda: html(b"<p>" + b"a " * (50 << 20)), ("warc.too_large",)),
    "url_of_a_megabyte": Case(
        lambda: m.between(m.record("http://evil.example/" + "a" * (1 << 20), m.page("evil"))), ("warc.damaged",)
    ),
    "url_with_controls": Case(
        lambda: m.between(m.record("http://evil.example/\x1b[2J\u202e\x00x", m.page("evil"))), ("document",)
    ),
    "warc_filename_outside": Case(
        lambda: m.between(m.record("file:///../../etc/passwd", m.page("evil"), more="WARC-Filename: ../../../etc/x\r\n")), ("document",)
    ),
    "nuls_and_bidi": Case(
        lambda: html(b"<title>a\x00\xe2\x80\xaeb</title><p>\x00" + LINE + "\u202e\u2066".encode() + b"</p>"), ("document",)
    ),
    "charset_utf_7": Case(lambda: m.said("utf-7", (UTF7 + m.PROSE).encode()), ("document",), texts=("+ADw-script",)),
    "charset_idna": Case(lambda: m.said("idna", LINE + b"\xff"), ("document",)),
    "charset_punycode": Case(lambda: m.said("punycode", b"a-" + b"bcdefgh" * 1_000_000), ("document",)),
    "charset_undefined": Case(lambda: m.said("undefined", LINE), ("document",)),
    "charset_unicode_escape": Case(lambda: m.said("unicode_escape", LINE + rb"\ud800\x00"), ("document",), texts=(r"\ud800",)),
    "charset_that_is_not": Case(lambda: m.said("utf-8", "它們在漢字裡，很久以前。".encode("big5") * 20), ("document",), texts=("它們",)),
    "charset_utf_16_wrong_mark": Case(lambda: m.said("utf-16", b"\xff\xfe" + (m.PROSE + "\ud800x").encode("utf-16-be", "surrogatepass")), ("document",)),
    "overlong_utf_8": Case(lambda: m.said("utf-8", LINE + b"\xc0\xbcscript\xe0\x80\xaf\xed\xa0\x80"), ("document",), texts=("�",)),
    "json_line_of_200_mb": Case(lambda: m.jsonl(b'{"text": "' + b"a" * (200 << 20) + b'"}'), ("row.too_large",)),
    "json_text_of_30_mb": Case(lambda: m.jsonl(b'{"text": "' + b"a" * (30 << 20) + b'"}'), ("extract.too_large",)),
    "json_url_of_a_megabyte": Case(
        lambda: m.jsonl(json.dumps({"text": m.PROSE, "url": "http://e.example/" + "a" * (1 << 20)}).encode()), ("document",)
    ),
    "json_nested_deep": Case(lambda: m.jsonl(b"[" * 10_000_000), ("jsonl.damaged",)),
    "json_million_tables": Case(lambda: m.jsonl(b'{"x": [' + b"{}," * 2_000_000 + b"{}]}"), ("jsonl.no_text",)),
    "json_keys_twice": Case(lambda: m.jsonl(b'{"text": "a", "text": ' + json.dumps(m.PROSE).encode() + b"}"), ("document",)),
    "json_wrong_types": Case(lambda: m.jsonl(b'{"text": 5, "url": ["x"], "html": {}}'), ("jsonl.no_text",)),
    "json_lone_surrogate": Case(lambda: m.jsonl(rb'{"text": "\ud800"}'), ("jsonl.damaged",)),
    "json_huge_number": Case(lambda: m.jsonl(b'{"text": "a", "n": ' + b"9" * 100_000 + b"}"), ("jsonl.damaged",)),
    "json_endless_in_zstd": Case(lambda: m.endless_line, ("file.too_large",), honest=1),
    "json_broken_gzip": Case(lambda: m.broken_gzip, ("jsonl.damaged", "file.unreadable"), honest=-1),
    "parquet_deep_schema": Case(lambda: p.parquet(lambda: p.deep_schema(200_000)), ("file.unreadable",), honest=3),
    "parquet_cut_short": Case(lambda: p.parquet(lambda: p.file_of(p.honest())[:-30]), ("file.unreadable",), honest=3),
    "parquet_footer_beyond": Case(lambda: p.parquet(lambda: b"PAR1xx" + b"\xff\xff\xff\x7fPAR1"), ("file.unreadable",), honest=3),
    "parquet_too_many_rows": Case(lambda: p.parquet(lambda: p.lying_rows(5, 50)), ("document",) * 5, honest=3),
    "parquet_rows_that_count_back": Case(lambda: p.parquet(lambda: p.lying_rows(52, -51, groups=3)), ("file.unreadable",), honest=3),
    "parquet_rows_beyond_2_63": Case(lambda: p.parquet(lambda: p.lying_rows(52, 1 << 61, groups=3)), ("file.unreadable",), honest=3),
    "parquet_fewer_rows_than_none": Case(lambda: p.parquet(lambda: p.lying_rows(51, -7, p.lists(51))), ("file.unreadable",), honest=3),
    "parquet_rows_without_end": Case(lambda: p.parquet(lambda: p.lying_rows(51, 1 << 40, p.lists(51))), ("parquet.no_text",), honest=3),
    "parquet_dictionary_bomb": Case(lambda: p.parquet(lambda: p.dictionary_bomb(30 << 20, 1000)), ("extract.too_large",) * 8 + ("file.too_large",), honest=3),
    "parquet_value_too_large": Case(lambda: p.parquet(lambda: p.dictionary_bomb(100 << 20, 1)), ("row.too_large",), honest=3),
    "parquet_page_bomb": Case(lambda: p.parquet(p.page_bomb), ("extract.too_large",) * 4, honest=3),
    "parquet_lists_for_texts": Case(
        lambda: p.parquet(lambda: p.file_of(pa.table({"text": [["a"]], "url": [{"x": 1}]}))), ("parquet.no_text",), honest=3
    ),
    "parquet_text_no_utf_8": Case(
        lambda: p.parquet(lambda: p.file_of(pa.table({"text": ["aXb"]}), compression="none").replace(b"aXb", b"a\xffb")),
        ("document",), honest=3, texts=("a�b",),
    ),
    "parquet_columns_twice": Case(
        lambda: p.parquet(lambda: p.file_of(pa.table([["a"], ["b"]], names=["text", "text"]))), ("parquet.no_text",), honest=3
    ),
    "link_out_of_the_folder": Case(lambda: folder(lambda f: (f / "in.html").symlink_to("/etc/passwd")), ("file.outside",)),
    "pipe_in_the_folder": Case(lambda: folder(lambda f: os.mkfifo(f / "in.html")), ()),
    "name_that_is_no_utf_8": Case(
        lambda: folder(lambda f: Path(os.fsdecode(os.fsencode(f) + b"/in\xff\n.html")).write_bytes(m.page("evil"))), ("document",)
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_hostile_crawl(name: str, tmp_path: Path, road: Road) -> None:
    case = CASES[name]
    answer = road(case.make()(tmp_path), 5 * case.seconds)
    documents, rejects = answer["documents"], answer["rejects"]
    assert answer["records"] == len(documents) + len(rejects) + answer["skipped"]
    ids = [row["doc_id"] for row in (*documents, *rejects)]
    assert len(set(ids)) == len(ids)
    neighbours = [d for d in documents if d["text"].startswith(("before: ", "after: ")) or d["source"] == "b.parquet"]
    hostile = [d for d in documents if d not in neighbours]
    if case.honest >= 0:
        assert len(neighbours) == case.honest, answer
        assert sorted([*(r["reason"] for r in rejects), *["document"] * len(hostile)]) == sorted(case.told), answer
    else:
        assert [r["reason"] for r in rejects] == list(case.told)
    for text in case.texts:
        assert any(text in d["text"] for d in hostile), hostile
    assert "passwd" not in "".join(d["text"] for d in documents)
    assert max(answer["megabytes"]) < case.megabytes, answer["megabytes"]
    assert answer["seconds"] < case.seconds
