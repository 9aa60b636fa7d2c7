"""A made-up value of the same shape, that cannot be anyone's.

Addresses come from the ranges set aside for documentation (RFC 2606, 5737, 3849, 7042). Every other kind keeps its
separators and its length, with other digits and letters, drawn until the scanner itself finds nothing there: a number
with a wrong checksum, or of no numbering plan. Where no such string comes up (a kind that has no checksum, beside its
cue word), the placeholder stands instead. What is drawn depends on the document and on which of its values it is, so
that a value met twice in a document has one surrogate, and none can be traced back.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random

DRAWS = 16
LOWER, UPPER = "abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
DOMAINS = ("example.com", "example.net", "example.org")
NETS = ("192.0.2", "198.51.100", "203.0.113")


def surrogate(kind: str, value: str, random: Random, found: Callable[[str], bool]) -> str | None:
    """A value of the shape of `value`; None if `found` still takes every draw for personal data.

    >>> surrogate("email", "jo.li@mail.de", Random(1), lambda _: False).partition("@example.")[0].count(".")
    1
    >>> surrogate("phone", "+44 20 7946-0958", Random(1), lambda _: False)[0:4:3]
    '+ '
    """
    made = DRAWN.get(kind, reshaped)
    for _ in range(DRAWS):
        drawn = made(value, random)
        if drawn != value and not found(drawn):
            return drawn
    return None


def reshaped(value: str, random: Random) -> str:
    """The value with each ASCII digit and letter drawn anew; everything else stays where it is."""
    return "".join(_drawn(c, random) for c in value)


def _drawn(c: str, random: Random) -> str:
    if not c.isascii() or not c.isalnum():
        return c
    return str(random.randrange(10)) if c.isdigit() else random.choice(UPPER if c.isupper() else LOWER)


def _email(value: str, random: Random) -> str:
    local = value.partition("@")[0]
    return f"{reshaped(local if local.isascii() else 'user', random)}@{random.choice(DOMAINS)}"


def _ipv4(_: str, random: Random) -> str:
    return f"{random.choice(NETS)}.{random.randrange(1, 255)}"


def _ipv6(_: str, random: Random) -> str:
    return f"2001:db8::{random.randrange(1, 1 << 16):x}"


def _mac(value: str, random: Random) -> str:
    mark = "-" if "-" in value else ":"
    return mark.join(["00", "00", "5E", "00", "53", f"{random.randrange(256):02X}"])


def _phone(value: str, random: Random) -> str:
    """A country's code stays; what follows begins with three noughts, which no numbering plan assigns."""
    head = value.split(maxsplit=1)[0] if value.startswith("+") and " " in value else "+" * value.startswith("+")
    zeros, out = 3, [head]
    for c in value[len(head) :]:
        out.append("0" if zeros and c.isdigit() else _drawn(c, random))
        zeros -= bool(zeros and c.isdigit())
    return "".join(out)


NUMBERS = ("phone", "cn_mobile", "hk_mobile", "tw_mobile", "cn_landline")
DRAWN = {"email": _email, "ipv4": _ipv4, "ipv6": _ipv6, "mac": _mac, **dict.fromkeys(NUMBERS, _phone)}
