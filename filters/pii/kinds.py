"""Kinds of personal data, and the rules that find each: where to look, a RE2 pattern, a validator that convicts.

A rule is asked only about the places that `filters.pii.anchors` names. Its pattern is linear in time and covers the
whole candidate; its validator looks at digits, checksums and ranges; the words around a candidate decide between what
is personal and what only looks so (`filters.pii.context`). Placeholders are typed and match no rule.
What has a checksum comes before what has none: where spans overlap the earlier kind wins.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple


class Around(NamedTuple):
    """What stands beside a candidate: bytes before and after it (up to 64 and 32), and the cues found there."""

    before: bytes
    after: bytes
    cues: frozenset[str]


@dataclass(frozen=True)
class Rule:
    """One way to find a kind: a shape, a pattern for the whole candidate, a check of it as text.

    `sizes` are pairs (letters and digits, digits); `cue` names the words that must stand near (empty: none must);
    a value that matches `unmistakable` needs no cue; `fits`, where given, has the last word about value and company.
    """

    kind: str
    doc: str
    source: str
    sizes: tuple[tuple[int, int], ...]
    pattern: str
    valid: Callable[[str], bool]
    country: str | None = None
    cue: str = ""
    unmistakable: str = ""
    fits: Callable[[str, Around], bool] | None = None


@dataclass(frozen=True)
class Kind:
    """One kind as recipes name it."""

    name: str
    doc: str
    source: str
    placeholder: str
    country: str | None = None
    validated: str = field(default="")


KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind("private_key", "private key in PEM", "RFC 7468; OpenPGP: RFC 4880 section 6.2", "<PRIVATE_KEY>", None,
             "BEGIN and END lines"),
        Kind("secret", "API key, token or password of a service", "gitleaks' rules (MIT), secrets.toml", "<SECRET>",
             None,
             "form of the service, entropy, known examples left"),
        Kind("email", "e-mail address, also written name [at] host [dot] com",
             "RFC 5322 addr-spec in common use, RFC 6531",
             "<EMAIL>", None, "top-level domain of the public suffix list; names of RFC 2606 and 6761 left"),
        Kind("mac", "hardware address of a network card", "IEEE 802 EUI-48", "<MAC_ADDRESS>", None,
             "not broadcast, multicast of IPv4/IPv6, or all alike"),
        Kind("ipv6", "public IPv6 address", "RFC 4291", "<IP_ADDRESS>", None,
             "not private, local or for documentation (RFC 4193, 3849)"),
        Kind("ipv4", "public IPv4 address", "RFC 791", "<IP_ADDRESS>", None,
             "not private or for documentation (RFC 1918, 5737, 6890); not a version or section"),
        Kind("bitcoin", "Bitcoin address", "BIP-13, BIP-173, BIP-350", "<CRYPTO_ADDRESS>", None,
             "Base58Check or Bech32"),
        Kind("ethereum", "Ethereum address", "EIP-55", "<CRYPTO_ADDRESS>", None, "form; words that call it a hash"),
        Kind("iban", "international bank account number", "ISO 13616", "<IBAN>", None,
             "mod 97 and the country's structure"),
        Kind("swift", "bank identifier code", "ISO 9362", "<SWIFT>", None, "cue word; country"),
        Kind("cn_id", "Chinese resident identity number", "GB 11643-1999", "<CN_ID>", "CN",
             "region, date, ISO 7064 mod 11-2"),
        Kind("national_id", "identity, tax or health number of a person in one of 48 countries", "python-stdnum",
             "<NATIONAL_ID>", None, "the country's checksum; weak ones need a cue word"),
        Kind("us_ssn", "US social security number", "SSA", "<US_SSN>", "US",
             "area, group, serial; dashes or a cue word"),
        Kind("us_itin", "US individual taxpayer number", "IRS", "<US_ITIN>", "US", "group; dashes or a cue word"),
        Kind("uk_nino", "UK national insurance number", "HMRC NIM39110", "<UK_NINO>", "GB",
             "prefix and suffix letters"),
        Kind("passport", "passport number", "ICAO 9303; each country's form", "<PASSPORT>", None, "cue word"),
        Kind("cn_bank_card", "UnionPay card number", "ISO/IEC 7812, issuer 62", "<BANK_CARD>", "CN", "length, Luhn"),
        Kind("credit_card", "payment card number", "ISO/IEC 7812", "<CREDIT_CARD>", None, "issuer, length, Luhn"),
        Kind("cn_mobile", "mainland Chinese mobile number", "MIIT numbering plan", "<CN_MOBILE>", "CN",
             "11 digits, 13-19"),
        Kind("hk_mobile", "Hong Kong mobile number", "libphonenumber", "<HK_MOBILE>", "HK", "+852 or a cue word"),
        Kind("tw_mobile", "Taiwanese mobile number", "libphonenumber", "<TW_MOBILE>", "TW",
             "09, parted or with a cue word"),
        Kind("cn_landline", "mainland Chinese fixed line", "libphonenumber", "<CN_LANDLINE>", "CN", "area code"),
        Kind("phone", "telephone number", "libphonenumber", "<PHONE>", None,
             "numbering plan; national forms need a cue word or their country's punctuation"),
        Kind("qq", "QQ number", "Tencent", "<QQ>", "CN", "cue word"),
        Kind("wechat", "WeChat id", "Tencent", "<WECHAT>", "CN", "cue word"),
        Kind("plate", "vehicle registration plate", "GA 36-2018; national forms", "<PLATE>", None,
             "province and form (CN); others need a cue word"),
    )
}  # fmt: skip

# found by a trained model alone (`filters.pii.ner`); no rule looks for them
NAMED: dict[str, Kind] = {
    "person": Kind("person", "name of a person", "a spaCy pipeline", "<PERSON>", None, "the model"),
    "address": Kind("address", "street address", "a spaCy pipeline", "<ADDRESS>", None, "the model"),
}
