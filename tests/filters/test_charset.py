"""A declared charset is found whichever way it is declared, and a wrong header loses to a right page."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from filters.charset import codec, decode
from pipelines.sources import Record, plan, read


def test_declared_charsets_of_real_pages(shared_data: Path) -> None:
    lines = gzip.decompress((shared_data / "charset_variants_gold.jsonl.gz").read_bytes()).splitlines()
    gold = {g["url"]: g for g in map(json.loads, lines)}
    checked = 0
    for part in plan([str(shared_data / "charset_variants.warc.gz")]):
        for page in read(part):
            if isinstance(page, Record) and gold[page.url or ""]["charset_mode"] != "none":
                decoded = decode(page.payload, page.charset_header)
                assert decoded.charset == codec(gold[page.url or ""]["charset_bytes"]), page.url
                assert decoded.replaced == 0
                checked += 1
    assert checked == 38


@pytest.mark.parametrize("charset", ["gb18030", "shift_jis", "windows-1251", "utf-16", "euc-kr", "big5"])
def test_round_trip(charset: str) -> None:
    text = {"windows-1251": "Привет, мир", "euc-kr": "안녕하세요", "shift_jis": "こんにちは"}.get(charset, "漢字測試")
    assert decode(text.encode(charset), charset).text == text


def test_nothing_fails() -> None:
    for payload in (b"", b"\xff\xfe", b"\xff" * 100, b"a\0b", b'<meta charset="rot13">x', bytes(range(256))):
        decoded = decode(payload, "no-such-charset")
        decoded.text.encode()
        assert "\0" not in decoded.text
