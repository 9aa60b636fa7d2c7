"""Bytes to text: which charset a page is in, and how sure we are.

Order: byte-order mark, HTTP header, the page's own declaration, detection; labels by the WHATWG Encoding
Standard's aliases (https://encoding.spec.whatwg.org/#names-and-labels). One departure from browsers: where
header and page disagree, the header wins only if the bytes fit it at least as well. Servers send one default
for everything, while a page's declaration was written with the page.
"""

from __future__ import annotations

import codecs
from dataclasses import dataclass

import cchardet
import re2

META = re2.compile(rb"""(?i)<(?:meta|\?xml)[^>]{0,300}?(?:charset|encoding)\s*=\s*["']?\s*([A-Za-z0-9_:.+-]{1,40})""")
BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF16_LE, "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16"))  # fmt: skip
ALIASES = {
    "gb2312": "gb18030", "gbk": "gb18030", "x-gbk": "gb18030", "gb_2312-80": "gb18030", "chinese": "gb18030",
    "iso-8859-1": "windows-1252", "latin1": "windows-1252", "ascii": "windows-1252", "us-ascii": "windows-1252",
    "iso8859-1": "windows-1252", "latin-1": "windows-1252", "l1": "windows-1252",
    "shift_jis": "cp932", "shift-jis": "cp932", "sjis": "cp932", "x-sjis": "cp932", "windows-31j": "cp932",
    "euc-kr": "cp949", "ks_c_5601-1987": "cp949", "ksc5601": "cp949", "windows-949": "cp949",
    "big5": "big5hkscs", "big5-hkscs": "big5hkscs", "x-x-big5": "big5hkscs",
    "iso-8859-9": "windows-1254", "iso-8859-11": "cp874", "tis-620": "cp874", "windows-874": "cp874",
    "x-euc-jp": "euc-jp", "utf8": "utf-8", "unicode": "utf-16", "x-mac-roman": "mac-roman",
    "koi8": "koi8-r", "x-cp1251": "windows-1251", "x-cp1252": "windows-1252",
}  # fmt: skip
# Python has codecs that are no page's charset: some raise on any input, one takes quadratic time, some make half
# characters or hide markup. The standard has none of them (https://encoding.spec.whatwg.org/#security-background).
NO_CHARSET = ("idna", "punycode", "undefined", "unicode_escape", "raw_unicode_escape", "utf_7")
# Undefined in Python's table, control characters in every browser's.
LENIENT = ("windows-1252", "cp874", "windows-1251", "windows-1254", "windows-1250", "windows-1253")


@dataclass(frozen=True, slots=True)
class Decoded:
    """Text, the charset that gave it, where the charset came from, and how many characters were replaced."""

    text: str
    charset: str
    origin: str
    replaced: int


def codec(label: str | None) -> str | None:
    """Python's codec for a charset label, or None if there is none that yields text.

    >>> codec("GB2312"), codec("latin1"), codec("rot13"), codec("UTF-7")
    ('gb18030', 'windows-1252', None, None)
    """
    if not label:
        return None
    name = ALIASES.get(label.strip().lower(), label.strip().lower())
    try:
        found = codecs.lookup(name)
    except (LookupError, ValueError):
        return None
    known = found._is_text_encoding and found.name.replace("-", "_") not in NO_CHARSET
    return name if known else None


def decode(payload: bytes, header_charset: str | None) -> Decoded:
    """Decode a page. Never fails: what cannot be decoded becomes U+FFFD and is counted."""
    for mark, name in BOMS:
        if payload.startswith(mark):
            return _decoded(payload, name, "bom")
    found = META.search(payload[:4096])
    header, meta = codec(header_charset), codec(found.group(1).decode() if found else None)
    if meta and meta.startswith("utf-16"):
        meta = "utf-8"  # the declaration was readable as ASCII, so it cannot be UTF-16
    if header and meta and header != meta:
        return _better(payload, header, meta)
    if header or meta:
        chosen = _decoded(payload, header or meta or "", "http" if header else "meta")
        if chosen.replaced * 50 <= len(chosen.text):
            return chosen
        guess = _detected(payload)
        return guess if guess.replaced < chosen.replaced else chosen
    return _detected(payload)


def _better(payload: bytes, header: str, meta: str) -> Decoded:
    """Header and page disagree: a strict multi-byte fit is evidence, a single-byte fit is none."""
    by_header, by_meta = _decoded(payload, header, "http"), _decoded(payload, meta, "meta")
    if by_header.replaced != by_meta.replaced:
        return by_header if by_header.replaced < by_meta.replaced else by_meta
    if meta == "iso-2022-jp" and b"\x1b$" in payload:  # all its bytes are ASCII, so everything seems to fit
        return by_meta
    wide_header, wide_meta = _is_multibyte(header), _is_multibyte(meta)
    if wide_header != wide_meta:
        return by_header if wide_header else by_meta
    if payload.isascii():
        return by_header
    guess = codec(cchardet.detect(payload[:65_536]).get("encoding"))
    return by_header if guess == header else by_meta


def _is_multibyte(name: str) -> bool:
    return name in ("utf-8", "gb18030", "cp932", "cp949", "big5hkscs", "euc-jp", "iso-2022-jp")


def _detected(payload: bytes) -> Decoded:
    sample = payload[:262_144]
    try:
        payload.decode("utf-8")
        return _decoded(payload, "utf-8", "detected")
    except UnicodeDecodeError:
        guess = codec(cchardet.detect(sample).get("encoding"))
        return _decoded(payload, guess or "windows-1252", "detected")


def _decoded(payload: bytes, name: str, origin: str) -> Decoded:
    text = payload.decode(name, "replace")
    replaced = text.count("\N{REPLACEMENT CHARACTER}")
    if replaced and name not in LENIENT:
        replaced = max(replaced - payload.count(b"\xef\xbf\xbd"), 0) if name.startswith("utf-8") else replaced
    clean = text.replace("\0", "").encode("utf-8", "replace").decode() if "\0" in text else text
    return Decoded(clean, name.removesuffix("-sig"), origin, replaced)
