"""Made-up values of the same shape, that cannot be anyone's.

Addresses come from the ranges set aside for documentation (RFC 2606, 5737, 3849, 7042). Kinds with a checksum or a
numbering plan keep separators and length, with other digits and letters; of a few draws the first stands that the
scanner takes for nothing: a wrong checksum, a number of no plan. Where none does, where a kind has neither (a WeChat
id is whatever stands after its cue word), and past MOST values in one document, the placeholder stands instead. What
is drawn depends on the document and on which of its values it is, so that a value met twice in a document has one
surrogate, and none can be traced back. All draws of a batch are looked at in one scan.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from random import Random
from typing import Any

import numpy as np
import pyarrow as pa

from filters.pii.fold import PLAIN
from filters.pii.kinds import KINDS
from filters.pii.scan import find

DRAWS = 4
MOST = 256  # values of one document: a page with more is a list, and a scan of each draw is not free
LOWER, UPPER = "abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
DOMAINS = ("example.com", "example.net", "example.org")
NETS = ("192.0.2", "198.51.100", "203.0.113")
SHAPELESS = ("private_key", "wechat", "plate", "passport", "swift")


@dataclass(frozen=True)
class Wanted:
    """A value to stand in for: which of its document's it is, and what stands on either side of it."""

    seed: str
    kind: str
    value: str
    before: str
    after: str


def surrogates(wanted: Sequence[Wanted]) -> list[str | None]:
    """One for each that is wanted, None where the placeholder has to do."""
    drawn = [_draws(one) for one in wanted]
    asked = [(i, draw) for i, draws in enumerate(drawn) for draw in draws if wanted[i].kind not in RESERVED]
    texts = [wanted[i].before + draw + wanted[i].after for i, draw in asked]
    low = np.array([len(wanted[i].before.encode()) for i, _ in asked], np.int64)
    high = np.array([len((wanted[i].before + draw).encode()) for i, draw in asked], np.int64)
    seen = find(pa.array(texts, pa.large_string()), list(KINDS))
    row, start, end = (seen[name].to_numpy(zero_copy_only=False) for name in ("row", "start", "end"))
    taken = set(row[(start < high[row]) & (end > low[row])].tolist())
    out: list[str | None] = [
        draws[0] if one.kind in RESERVED else None for one, draws in zip(wanted, drawn, strict=True)
    ]
    for place, (i, draw) in enumerate(asked):
        if out[i] is None and place not in taken and draw != wanted[i].value:
            out[i] = draw
    return out


def _draws(one: Wanted) -> list[str]:
    """A few values of the shape of one; none where its kind has no shape to keep.

    >>> _draws(Wanted("doc", "email", "jo.li@mail.de", "", ""))[0].partition("@example.")[0].count(".")
    1
    """
    if one.kind in SHAPELESS:
        return []
    random = Random(blake2b(one.seed.encode(), digest_size=16).digest())
    value = one.value.translate(PLAIN)  # a full-width number has its surrogate in ASCII
    return [DRAWN.get(one.kind, reshaped)(value, random) for _ in range(1 if one.kind in RESERVED else DRAWS)]


def reshaped(value: str, random: Random) -> str:
    """The value with each ASCII digit and letter drawn anew; everything else stays where it is."""
    return "".join(_drawn(c, random) for c in value)


def _drawn(c: str, random: Random) -> str:
    if not c.isascii() or not c.isalnum():
        return c
    return str(random.randrange(10)) if c.isdigit() else random.choice(UPPER if c.isupper() else LOWER)


def _email(value: str, random: Random) -> str:
    local = value.partition("@")[0] if "@" in value else "user"
    return f"{reshaped(local if local.isascii() else 'user', random)}@{random.choice(DOMAINS)}"


def _ipv4(_: str, random: Random) -> str:
    return f"{random.choice(NETS)}.{random.randrange(1, 255)}"


def _ipv6(_: str, random: Random) -> str:
    return f"2001:db8::{random.randrange(1, 1 << 16):x}"


def _mac(value: str, random: Random) -> str:
    mark = "-" if "-" in value else ":"
    return mark.join(["00", "00", "5E", "00", "53", f"{random.randrange(256):02X}"])


def _name(value: str, random: Random) -> str:
    """A made-up name, Chinese where the value is; common ones are somebody's, and nothing ties them to this one."""
    return str(_faker(value, random).name())


def _address(value: str, random: Random) -> str:
    """A made-up street address, in one line."""
    made = _faker(value, random)
    return str(made.street_address()) if value.isascii() else str(made.address()).split(" ")[0]


def _faker(value: str, random: Random) -> Any:
    from faker import Faker  # takes a tenth of a second, and few recipes ask for it

    made = Faker("zh_CN" if any("\u4e00" <= c <= "\u9fff" for c in value) else "en_US")
    made.seed_instance(random.randrange(1 << 32))
    return made


def _phone(value: str, random: Random) -> str:
    """A country's code that stands apart stays; what follows begins with three noughts, which no plan assigns."""
    stop = min((value.find(mark) for mark in " -(" if value.find(mark) > 0), default=1)
    head = value[:stop] if value.startswith("+") else ""
    zeros, out = 3, [head]
    for c in value[len(head) :]:
        out.append("0" if zeros and c.isdigit() else _drawn(c, random))
        zeros -= bool(zeros and c.isdigit())
    return "".join(out)


NUMBERS = ("phone", "cn_mobile", "hk_mobile", "tw_mobile", "cn_landline")
RESERVED = ("email", "ipv4", "ipv6", "mac", "person", "address")  # ranges set aside, or no rule looks for them
DRAWN = {"email": _email, "ipv4": _ipv4, "ipv6": _ipv6, "mac": _mac, "person": _name, "address": _address,
         **dict.fromkeys(NUMBERS, _phone)}  # fmt: skip
