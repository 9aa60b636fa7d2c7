"""Spellings of one address are one, and what an escape keeps apart stays apart."""

from __future__ import annotations

import time
from urllib.parse import quote, unquote

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.removal.address import same_addresses
from pipelines.removal.match import Wanted, found_in
from pipelines.removal.register import entry_of
from pipelines.removal.request import Request, url_target
from pipelines.schemas import REMOVALS

ONE = [
    ["https://b.de/~a/x@y", "http://B.de:80/%7ea/x%40y", "https://u@b.de/%7Ea/./x%40y/#top", "//b.de/~a/x@y", "https://b.de/q/../~a/x@y"],
    ["http://b.de/ü?q=ä", "http://b.de/%c3%BC?q=%C3%a4"],
    ["http://b.de", "http://b.de/", "HTTPS://b.de:443//", "http://b.de/a/..", "http://b.de/%2e"],
    ["http://b.de?q=1", "https://b.de/?q=1#x"],
    ["http://bücher.de/", "http://xn--bcher-kva.de", "http://b%C3%BCcher.de/"],
    ["http://b.de/a b", "http://b.de/a%20b", "http:\\\\b.de\\a b"],
    ["http://b.de/a,b;c(d)", "http://b.de/a%2Cb%3bc%28d%29"],
]  # fmt: skip
APART = [
    ("http://b.de/a/b", "http://b.de/a%2Fb"), ("http://b.de/?a=1&b=2", "http://b.de/?a=1%26b=2"), ("http://b.de/A", "http://b.de/a"),
    ("http://b.de/a%3Fb", "http://b.de/a?b"), ("http://b.de/a%23b", "http://b.de/a"), ("http://b.de/?a+b", "http://b.de/?a%2Bb"),
    ("http://b.de/%2541", "http://b.de/%41"), ("http://b.de/?q=a/../b", "http://b.de/?q=b"), ("http://b.de/a", "http://b.de/?a"),
]  # fmt: skip


@pytest.mark.parametrize("urls", ONE)
def test_spellings_of_one_address(urls: list[str]) -> None:
    found = same_addresses(pa.array([url if not url.startswith("//") else f"http:{url}" for url in urls])).to_pylist()
    assert len(set(found)) == 1 and found[0]


@pytest.mark.parametrize("urls", APART)
def test_what_differs_differs(urls: tuple[str, str]) -> None:
    first, second = same_addresses(pa.array(urls)).to_pylist()
    assert first and second and first != second


def test_a_request_and_the_register_mean_every_spelling() -> None:
    """Asked in one spelling, met in another; and what a register remembers is met in a third."""
    kept = ["http://b.de/%7Ea/x%40y?q=%c3%bc", "https://other.de/~a/x@y"]
    table = pa.table({"doc_id": ["0" * 32, "1" * 32], "url": kept, "text_hash": ["a", "b"]})
    request = Request.of([url_target("https://B.de:443/~a/./x@y?q=ü#part")], "asked")
    found = found_in(table, 0, Wanted.of(request))
    assert found["url"].to_pylist() == kept[:1] and found["value"].to_pylist() == ["https://B.de:443/~a/./x@y?q=ü#part"]
    row = dict.fromkeys(REMOVALS.names) | {"request": "r", "date": "d", "reason": "x", "kind": "url", "value": "v",
                                                     "doc_id": "2" * 32, "url": "http://b.de/%7ea/x@y?q=%C3%BC"}  # fmt: skip
    known = entry_of(Request.of([url_target("http://elsewhere.de/")], "x"), "d", pa.Table.from_pylist([row], REMOVALS))
    assert found_in(table, 0, Wanted.of(known.request, known))["url"].to_pylist() == kept[:1]


def test_what_names_no_host_is_null() -> None:
    found = same_addresses(pa.array([None, "", "mailto:a@b.de", "http://%2F/", "http://%zz/", "http:///x"]))
    assert found.to_pylist()[:5] == [None] * 5


@settings(max_examples=200, deadline=None)
@given(
    st.text(st.characters(codec="utf-8", exclude_characters="/\\?#%+"), min_size=1, max_size=20).filter(
        lambda s: s.strip(". \t\r\n/")
    )
)
def test_escaping_a_path_changes_nothing(name: str) -> None:
    """Python's own quoting is the oracle: however much of a segment is escaped, it is the same address."""
    name = f"x{''.join(name.split())}"
    spellings = [f"http://b.de/{given}" for given in (name, quote(name), quote(name, safe="!$&'()*,;=:@"),
                                                      "".join(f"%{byte:02x}" for byte in name.encode()))]  # fmt: skip
    (found,) = set(same_addresses(pa.array([url for url in spellings if all(ord(c) > 31 for c in url)])).to_pylist())
    assert unquote(found) == f"b.de/{name}"
    assert same_addresses(pa.array([f"http://{found}"])).to_pylist() == [found], "a normal form is its own"


def test_long_addresses_are_linear() -> None:
    began = time.process_time()
    same_addresses(
        pa.array(
            [
                "http://a.de/" + "/.." * 300_000,
                "http://a.de/" + "%41" * 300_000,
                "http://a.de/?" + "%" * 900_000,
                "http://a.de/" + "a/" * 200_000 + "../" * 200_000,
            ]
        )
    )
    assert time.process_time() - began < 20  # quadratic work would take hours
