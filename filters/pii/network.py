"""Addresses of mail and machines: e-mail in plain, full-width and spelt-out forms, IPv4 and IPv6, hardware addresses.

A mail address is taken apart at its sign: what ends there, and the name that begins there, whose last label must be a
top-level domain. In running Chinese an address is what is ASCII around the sign; Chinese local parts and domains are
taken where something other than a letter stands before them. Quoted local parts are not looked for.
"""

from __future__ import annotations

import ipaddress
from functools import cache

import re2
from publicsuffixlist import PublicSuffixList

from filters.pii.context import cues
from filters.pii.kinds import Around

RESERVED = ("example.com", "example.org", "example.net", "example.edu", "example", "invalid", "test", "localhost")
LETTERS = r"A-Za-z0-9\p{Latin}\p{Greek}\p{Cyrillic}\p{Arabic}\p{Hebrew}\p{Devanagari}\p{Armenian}\p{Georgian}"
HAN = r"\p{Han}\p{Hiragana}\p{Katakana}\p{Hangul}"
LOCAL = re2.compile(rf"([{LETTERS}_](?:[{LETTERS}._%+\-'’]*[{LETTERS}_+\-])?)$")
HAN_LOCAL = re2.compile(rf"(?:^|[\s:：,，;；<《（(\[【“\"'、])([{HAN}A-Za-z0-9._\-]{{1,12}})$")
ASCII_DOMAIN = r"(?:[A-Za-z0-9](?:[A-Za-z0-9\-]*[A-Za-z0-9])?[.。．])+(?:xn--[A-Za-z0-9\-]+|[A-Za-z]+)"
AT = r"\s?[\[({<（【]\s?(?:at|@)\s?[\])}>）】]\s?"
DOT = r"(?:\s?[\[({（【]\s?(?:dot|\.)\s?[\])}）】]\s?|\s?[.。]|\s(?:dot|DOT|Dot)\s)"
NAME = r"[A-Za-z0-9](?:[A-Za-z0-9\-]*[A-Za-z0-9])?"
SPELT = re2.compile(
    rf"(?i)([A-Za-z0-9_](?:[A-Za-z0-9_+\-]|\.|{DOT})*(?:{AT}{NAME}(?:{DOT}{NAME}){{1,4}}|"
    rf"\sat\s{NAME}(?:\sdot\s{NAME}){{1,4}}))"
)
SEPARATED = re2.compile(rf"(?i){AT}|\sat\s|{DOT}")


@cache
def top_levels() -> frozenset[str]:
    """Top-level domains of the public suffix list, in Unicode and in ASCII form."""
    names = {str(rule).rpartition(".")[2].lower() for rule in PublicSuffixList()._publicsuffix}
    return frozenset(names | {name.encode("idna").decode() for name in names if not name.isascii()})


@cache
def _domain() -> re2._Regexp:
    abroad = "|".join(sorted((n for n in top_levels() if not n.isascii()), key=len, reverse=True))
    label = rf"[{LETTERS}{HAN}\pM](?:[{LETTERS}{HAN}\pM\-]*)"
    return re2.compile(rf"({ASCII_DOMAIN}|(?:{label}[.。．])+(?:{abroad}|[A-Za-z]+))")


def email(before: bytes, after: bytes) -> tuple[int, int] | None:
    """Bytes of the local part and of the domain of an address whose sign stands between `before` and `after`.

    >>> email("邮箱li_na".encode(), "qq.com。".encode())
    (5, 6)
    """
    local = LOCAL.search(before)
    if local is None or len(local.group(1)) > 64 or _alnum(before[: local.start(1)][-1:]):
        local = HAN_LOCAL.search(before)
    domain = _domain().match(after) if local else None
    if domain is None:
        return None
    whole = domain.group(1).decode()
    name = _known(whole)
    rest = after[len(name.encode()) :]
    glued = rest[:1] in (b"_", b"@") or (name == whole and _alnum(rest[:1]))
    if not name or glued or reserved(name) or len(name) > 253 or max(map(len, name.split("."))) > 63:
        return None
    if local.group(1) == b"git" and rest[:1] in (b":", b"/"):  # a repository's address
        return None
    return len(local.group(1)), len(name.encode())


def spelt_email(window: bytes, at: int) -> tuple[int, int] | None:
    """Start and end of an address like `name [at] host [dot] com` in the window, around byte `at` of it."""
    for match in SPELT.finditer(window):
        start, end = match.span(1)
        if start > at:
            break
        if at < end:
            plain = SEPARATED.sub(".", match.group(1).decode()).split(".")
            top = plain[-1].strip().lower()
            if top in top_levels() and not reserved(".".join(p.strip().lower() for p in plain[1:])):
                return start, end
    return None


def reserved(domain: str) -> bool:
    """Whether RFC 2606 or 6761 keeps this name for examples."""
    name = domain.lower().replace("。", ".").replace("．", ".")
    return any(name == kept or name.endswith(f".{kept}") for kept in RESERVED)


def _known(domain: str) -> str:
    """The domain up to a top-level name: a word that a missing space glued on is left, '' if none is known.

    >>> _known("host.comPhone"), _known("host.com.Bitte"), _known("image.png")
    ('host.com', 'host.com', '')
    """
    while True:
        parts = domain.replace("。", ".").replace("．", ".").split(".")
        if len(parts) < 2:
            return ""
        last = parts[-1]
        if last.lower() in top_levels() or last.lower().startswith("xn--"):
            return domain
        lower = next((k for k, c in enumerate(last) if c.isupper() and k > 1), 0)
        if lower and last[:lower] in top_levels():
            return domain[: len(domain) - len(last) + lower]
        domain = domain[: len(domain) - len(last) - 1]


def _alnum(byte: bytes) -> bool:
    return byte.isalnum() and byte.isascii()


def ipv4(value: str, around: Around) -> bool:
    """A public address: no version, section or part of a longer dotted number.

    Four numbers below a hundred are a section or a version more often than an address, and need a cue word; of all
    addresses they are one in forty.
    """
    if "version" in around.cues or _alnum(around.before[-1:]) or around.before.endswith((b"-", b"_")):
        return False
    return public(value) and (max(map(int, value.split("."))) > 99 or ip_cue(around))


def ip_cue(around: Around) -> bool:
    """Whether machines and no versions are spoken of beside it, and no heading begins with it; or nothing is there."""
    if not (around.before + around.after).strip():
        return True
    opens = not around.before.strip(b" \t\r") or around.before.rstrip(b" \t\r").endswith(b"\n")
    if opens and around.after[:1] in (b" ", b"\t", b"."):
        return False
    near = cues(around.before, around.after)
    return "ip" in near and "versions" not in near


def ipv6(value: str, around: Around) -> bool:
    """A public address; times, scopes of C++ and hardware addresses do not parse as one.

    A shortened one must be of 2000::/3, out of which all are given: `::1:123` and `fe80::` are other things.
    """
    first = value.partition(":")[0]
    if "::" in value and not (len(first) == 4 and first[0] in "23"):
        return False
    return around.before[-1:] not in (b":", b".", b"-") and not _alnum(around.after[:1]) and public(value)


def public(value: str) -> bool:
    """Whether an address is reachable from everywhere, and one machine's."""
    try:
        address = ipaddress.ip_address(value)
    except ValueError:
        return False
    return address.is_global and not address.is_multicast


def mac(value: str, around: Around) -> bool:
    """One card's address: not broadcast or all alike, none of the multicast blocks, and no part of a longer row."""
    digits = "".join(c for c in value if c.isalnum()).lower()
    if len(set(digits)) == 1 or digits.startswith(("01005e", "3333")) or around.before[-1:] in (b":", b"-", b"."):
        return False
    return not digits.isdigit() or value[2] == ":" or "." not in value
