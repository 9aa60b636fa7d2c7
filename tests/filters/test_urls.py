"""Hosts and registrable domains of friendly and hostile URLs, and against urllib on real ones."""

from __future__ import annotations

import gzip
import json
import time
from pathlib import Path
from urllib.parse import urlsplit

import pyarrow as pa
import pytest

from filters.urls import hosts, plain_urls, registrable_domain

CASES = [
    ("http://example.com/", "example.com", "example.com"),
    ("HTTP://User:pw@WWW.Example.Co.UK:8080/a?b#c", "www.example.co.uk", "example.co.uk"),
    ("http://good.com@bad.com", "bad.com", "bad.com"),
    ("http://good.com@bad.com@worse.com/@x", "worse.com", "worse.com"),
    ("http://evil.com#@good.com", "evil.com", "evil.com"),
    ("http://evil.com?@good.com", "evil.com", "evil.com"),
    ("http://evil.com\\@good.com/", "evil.com", "evil.com"),
    ("https://bücher.de/x", "xn--bcher-kva.de", "xn--bcher-kva.de"),
    ("https://BÜCHER.de/x", "xn--bcher-kva.de", "xn--bcher-kva.de"),
    ("http://www.中文.中国/路", "www.xn--fiq228c.xn--fiqs8s", "xn--fiq228c.xn--fiqs8s"),
    ("http://a.b.c.com./x", "a.b.c.com", "c.com"),
    ("http://foo.blogspot.com/", "foo.blogspot.com", "blogspot.com"),
    ("http://1.2.3.4:80/", "1.2.3.4", "1.2.3.4"),
    ("http://[2001:DB8::1]:80/", "[2001:db8::1]", "[2001:db8::1]"),
    ("http://localhost/", "localhost", "localhost"),
    ("http://co.uk/", "co.uk", "co.uk"),
    ("  https://spaced.example.org  ", "spaced.example.org", "example.org"),
    ("ftp://files.example.org/a", "files.example.org", "example.org"),
    ("http://under_score.example.org", "under_score.example.org", "example.org"),
]
INVALID = [
    None, "", "example.com", "//example.com/", "mailto:a@b.com", "javascript://a.com", "http:", "http://", "http:///x",
    "http:/one.com", "http://a..b/", "http://.a.com/", "http://a\0b.com/", "http://a b.com/", "http://ex%41mple.com/",
    "http://a.com:123456/", "http://a.com:8o/", "http://[::1", "http://[evil.com]/", "http://5.1.2.3.4/", "http://1.2.3/", "http://1.2.3.256/", "http://1.2.3.04/",
    "http://a.1/", "http://0x7f.0x1/", "http://2130706433/", "http://" + "a" * 254,
    "http://" + "é" * 300 + ".com", "http://" + "a" * 1_000_000, "http://" + "ü" * 1_000_000, "http://a.com<script>",
]  # fmt: skip


@pytest.mark.parametrize(("url", "host", "domain"), CASES)
def test_hosts_and_domains(url: str, host: str, domain: str) -> None:
    assert hosts(pa.array([url])).to_pylist() == [host]
    assert registrable_domain(pa.array([url])).to_pylist() == [domain]


def test_invalid_urls_are_null() -> None:
    urls = pa.array(INVALID, pa.string())
    for found in (hosts(urls), registrable_domain(urls), plain_urls(urls)):
        assert found.to_pylist() == [None] * len(INVALID)


def test_a_batch_is_as_its_rows() -> None:
    mixed = [case[0] for case in CASES] + INVALID + [case[0] for case in reversed(CASES)]
    one_by_one = [hosts(pa.array([url], pa.string()))[0].as_py() for url in mixed]
    assert hosts(pa.array(mixed)).to_pylist() == one_by_one
    assert hosts(pa.array(mixed).slice(3, 20)).to_pylist() == one_by_one[3:23]
    assert hosts(pa.array([], pa.string())).to_pylist() == []


def test_companies_suffixes_when_asked() -> None:
    urls = pa.array(["http://a.github.io/x", "http://b.github.io/", "http://a.b.example.jp"])
    assert registrable_domain(urls).to_pylist() == ["github.io", "github.io", "example.jp"]
    assert registrable_domain(urls, private=True).to_pylist() == ["a.github.io", "b.github.io", "example.jp"]


def test_real_urls_as_urllib_reads_them(shared_data: Path) -> None:
    lines = gzip.decompress((shared_data / "gold_text.jsonl.gz").read_bytes()).splitlines()
    urls = sorted({u for u in (json.loads(line).get("url") for line in lines) if u and u.startswith("http")})
    assert len(urls) > 1000
    for url, host in zip(urls, hosts(pa.array(urls)).to_pylist(), strict=True):
        split = urlsplit(url)
        if split.netloc.isascii():
            assert host == (split.hostname if "%" not in split.netloc and "::" not in split.netloc else None), url


@pytest.mark.parametrize(
    ("url", "plain"),
    [
        ("https://User@Example.com:443/A/b?q=1#frag", "example.com/A/b?q=1"),
        ("http://example.com///", "example.com"),
        ("http://example.com/?", "example.com/?"),
        ("http://bücher.de/ü/", "xn--bcher-kva.de/ü"),
    ],
)
def test_plain_urls(url: str, plain: str) -> None:
    assert plain_urls(pa.array([url])).to_pylist() == [plain]


def test_a_megabyte_of_url_is_linear() -> None:
    began = time.perf_counter()
    urls = pa.array(
        ["http://a.com/" + "/#@" * 333_333, "http://" + "@" * 1_000_000 + "b.com", "http://a.com" + "/" * 10**6]
    )
    assert hosts(urls).to_pylist() == ["a.com", "b.com", "a.com"]
    assert plain_urls(urls).to_pylist()[2] == "a.com"
    assert time.perf_counter() - began < 20  # quadratic work would take hours
