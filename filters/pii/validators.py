"""What convicts a candidate: checksums, ranges, numbering plans, and the words that stand before it."""

from __future__ import annotations

import ipaddress

import phonenumbers
import re2
from stdnum import iban as stdnum_iban
from stdnum import luhn
from stdnum.cn import ric

RESERVED_DOMAINS = ("example.com", "example.org", "example.net", "example.edu", "example", "invalid", "test",
                    "localhost")  # fmt: skip
CUES = re2.compile(
    r"(?i)(?:\b(?:tel|phone|telephone|call|fax|mobile|cell|hotline|whatsapp|contact|dial|ring|sms|text|number is|"
    r"reach (?:me|us)|tél|tel[eé]fono|téléphone|telefon|handy|телефон|тел|電話|전화|telefone)\b|"
    r"电话|電話|手机|手機|联系|聯絡|致电|拨打|传真|热线|來電|来电|座机|携帯)[^0-9+(]{0,24}$"
)
NUMBERED = re2.compile(
    r"(?i)(?:isbn(?:-1[03])?|issn|doi|order|invoice|ticket|serial|item|part|ref(?:erence)?|no|nr|id|sku|version|case|"
    r"account|tracking|订单号?|订单编号|编号|单号|流水号|型号|版本|序列号|批号|[#№])[ \t]*"
    r"(?:number|no|code|是|为)?[ \t]*[.:：#=]?[ \t]*$"
)
VERSION = re2.compile(r"(?i)(?:version|release|firmware|build|kernel|版本|v)[ \t:：.]*$")
DATE = re2.compile(r"^(?:19|20)\d\d[-./]\d{1,2}[-./]\d{1,2}|^\d{1,2}[-./]\d{1,2}[-./](?:19|20)\d\d")
ISSUERS = (("4", (13, 16, 19)), ("5[1-5]", (16,)), ("2[2-7]", (16,)), ("3[47]", (15,)), ("3[0689]", (14,)),
           ("6", (15, 16, 17, 18, 19)), ("35", (16,)), ("50|5[6-9]", (13, 14, 15, 16, 17, 18, 19)))  # fmt: skip
ISSUER_PATTERNS = [(re2.compile(f"^(?:{prefix})"), lengths) for prefix, lengths in ISSUERS]
REGIONS = (
    "US",
    "GB",
    "DE",
    "FR",
    "ES",
    "IT",
    "CN",
    "JP",
    "KR",
    "RU",
    "BR",
    "IN",
    "AU",
    "CA",
    "NL",
    "PL",
    "TW",
    "HK",
)


def digits(text: str) -> str:
    """The ASCII digits of a string."""
    return "".join(c for c in text if c in "0123456789")


def alone(before: str, after: str) -> bool:
    """Whether no ASCII letter or digit touches the candidate."""
    left, right = before[-1:], after[:1]
    return not (left.isascii() and left.isalnum()) and not (right.isascii() and right.isalnum())


def email(value: str, before: str, after: str) -> bool:
    """Not cut out of a longer word, and not a name reserved for examples."""
    domain = value.rpartition("@")[2].lower()
    if any(domain == name or domain.endswith(f".{name}") for name in RESERVED_DOMAINS):
        return False
    return not before[-1:].isalnum() or not before[-1:].isascii()


def cn_id(value: str, before: str, after: str) -> bool:
    """Region, birth date and checksum all hold."""
    return alone(before, after) and bool(ric.is_valid(value.upper()))


def iban(value: str, before: str, after: str) -> bool:
    """Checksum and the country's own structure hold."""
    return alone(before, after) and bool(stdnum_iban.is_valid(value))


def credit_card(value: str, before: str, after: str) -> bool:
    """An issuer's prefix and length, a checksum, separators of one kind, and no longer number around it."""
    number = digits(value)
    separators = {c for c in value if not c.isdigit()}
    if len(separators) > 1 or len(set(number)) == 1 or not alone(before, after):
        return False
    if (before[-1:] in "-." and before[-2:-1].isdigit()) or NUMBERED.search(before[-40:]):
        return False
    known = any(p.search(number) and len(number) in lengths for p, lengths in ISSUER_PATTERNS)
    return known and bool(luhn.is_valid(number))


def cn_mobile(value: str, before: str, after: str) -> bool:
    """Eleven digits that nothing numbers otherwise."""
    touching = before[-1:] in ("-", ".", "_") or (after[:1] in "-._" and after[1:2].isdigit())
    return alone(before, after) and not touching and not NUMBERED.search(before[-40:])


def ipv4(value: str, before: str, after: str) -> bool:
    """A public address that is no version number."""
    dotted = before[-1:] == "." or (after[:1] == "." and after[1:2].isdigit())
    if dotted or not alone(before, after) or VERSION.search(before[-24:]):
        return False
    return _public(value)


def ipv6(value: str, before: str, after: str) -> bool:
    """A public address; times and C++ scopes do not parse as one."""
    return ":" not in (before[-1:], after[:1]) and alone(before, after) and _public(value)


def _public(value: str) -> bool:
    try:
        return ipaddress.ip_address(value).is_global
    except ValueError:
        return False


def phone(value: str, before: str, after: str) -> bool:
    """A number of some country's plan: international, or national after a cue word; never a date or an order."""
    number = digits(value)
    if not 7 <= len(number) <= 15 or not alone(before, after) or DATE.search(value):
        return False
    if before[-1:] in ("-", ".", "/", "$", "€", "£", "¥") or NUMBERED.search(before[-40:]):
        return False
    plus = before[-1:] == "+" or value.startswith("+")
    if plus or value.startswith("00"):
        return _valid(f"+{number}" if plus else f"+{number[2:]}", None)
    if not CUES.search(before[-64:]):
        return False
    return any(_valid(value, region) for region in REGIONS) or _valid(f"+{number}", None)


def _valid(value: str, region: str | None) -> bool:
    try:
        return bool(phonenumbers.is_valid_number(phonenumbers.parse(value, region)))
    except phonenumbers.NumberParseException:
        return False
