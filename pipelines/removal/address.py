"""An address as a request means it: spellings that lead a browser to one page are one address.

`filters.urls.plain_urls` levels the host (case, IDN, user, port) and drops scheme, fragment and last slashes. Here the
rest follows: escapes of what need not be escaped are undone, what must be is escaped in capitals, dot segments and
backslashes are resolved (RFC 3986 section 6.2.2; https://url.spec.whatwg.org, path and query states). What an escape
keeps apart stays apart: %2F is no slash, %26 no ampersand. Beyond the RFC, `:`, `@` and the sub-delimiters of a path
mean the same escaped and not, as servers take them.

Only addresses that hold such a sign are looked at one by one; all others are levelled as a column.
"""

from __future__ import annotations

import re
from urllib.parse import unquote_to_bytes

import pyarrow as pa
import pyarrow.compute as pc

from filters.urls import plain_urls

# signs for which there is more than one spelling, also a query that follows the host without a slash
MANY = r"(?s)[^!-~]|[%\\\"<>\[\]^`{|}]|/\.|^[^/?]*\?"
HOST = re.compile(r"(?s)^([\x00-\x20]*[A-Za-z]+:[/\\]{2})([^/\\?#]*)(.*)$")
ESCAPE = re.compile(rb"%[0-9A-Fa-f]{2}")
UNRESERVED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
PATH, QUERY = UNRESERVED | frozenset(b":@!$'()*,;&=+"), UNRESERVED | frozenset(b":@!$'()*,;/?")
KEPT = frozenset(b"%/?&=+")  # as they stand they mean something else than escaped


def same_addresses(urls: pa.StringArray | pa.LargeStringArray) -> pa.LargeStringArray:
    """The normal form of each address, without scheme; null for what names no host.

    >>> same_addresses(pa.array(["http://b.de:80/%7Ea/./x%40y#z", "https://B.de/~a/x@y/"])).unique().to_pylist()
    ['b.de/~a/x@y']
    """
    urls = urls.cast(pa.large_string())
    plain = plain_urls(urls)
    hidden = pc.indices_nonzero(pc.and_(pc.is_null(plain), pc.fill_null(pc.match_substring(urls, "%"), False)))
    if len(hidden):
        shown = pa.array(map(_host_shown, urls.take(hidden).to_pylist()), pa.large_string())
        plain = _put(plain, hidden, plain_urls(shown))
    many = pc.indices_nonzero(pc.fill_null(pc.match_substring_regex(plain, MANY), False))
    if not len(many):
        return plain
    return _put(plain, many, pa.array(map(_level, plain.take(many).to_pylist()), pa.large_string()))


def _put(column: pa.LargeStringArray, rows: pa.Array, values: pa.LargeStringArray) -> pa.LargeStringArray:
    mask = pc.is_in(pa.array(range(len(column)), rows.type), value_set=rows)
    return pc.replace_with_mask(column, mask, values)


def _host_shown(url: str) -> str:
    """An address with the escapes in its host undone, as browsers do."""
    match = HOST.match(url)
    if match is None:
        return url
    name = unquote_to_bytes(match[2]).decode(errors="replace")
    return match[1] + name + match[3] if re.search(r"[/\\?#]", name) is None else url


def _level(plain: str) -> str:
    """Path and query of a levelled address in their normal form.

    >>> _level("b.de?q=%c3%bc%26"), _level("b.de/a/../%2e/ü"), _level("b.de/%2f/100%")
    ('b.de/?q=%C3%BC%26', 'b.de/%C3%BC', 'b.de/%2F/100%')
    """
    rest, asked, query = re.sub(r"[\t\r\n]", "", plain).partition("?")
    host, *parts = rest.replace("\\", "/").split("/")
    path: list[str] = []
    for part in (_spelt(part, PATH) for part in parts):
        if part == "..":
            if path:
                path.pop()
        elif part != ".":
            path.append(part)
    if not asked:
        return "/".join([host, *path]).rstrip("/")
    return "/".join([host, *(path or [""])]) + "?" + _spelt(query, QUERY)


def _spelt(text: str, free: frozenset[int]) -> str:
    """Each byte in its one spelling: bare where it may be, else escaped in capitals."""
    out, raw, at = [], text.encode("utf-8", "surrogatepass"), 0
    while at < len(raw):
        escaped = ESCAPE.match(raw, at) is not None
        byte = int(raw[at + 1 : at + 3], 16) if escaped else raw[at]
        bare = byte in free or (not escaped and byte in KEPT)
        out.append(chr(byte) if bare else f"%{byte:02X}")
        at += 3 if escaped else 1
    return "".join(out)
