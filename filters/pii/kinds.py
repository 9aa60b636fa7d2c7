"""Kinds of personal data: a RE2 pattern that finds candidates, and a validator that convicts.

A pattern is generous and linear in time; the validator looks at the digits and at what stands around them.
Placeholders are typed and match no pattern, so that scrubbing twice changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from filters.pii import validators

# (candidate, text before it, text after it) -> is it really one
Validator = Callable[[str, str, str], bool]


@dataclass(frozen=True)
class Kind:
    """One kind: `pattern` is RE2 with the value in group 1."""

    name: str
    doc: str
    source: str
    pattern: str
    valid: Validator
    placeholder: str


TABLE = (
    Kind(
        "email", "e-mail address", "RFC 5322 addr-spec in common use; RFC 2606 names are left",
        r"([A-Za-z0-9][A-Za-z0-9._%+\-]{0,63}@(?:[A-Za-z0-9](?:[A-Za-z0-9\-]{0,61}[A-Za-z0-9])?\.){1,8}[A-Za-z]{2,24})",
        validators.email, "<EMAIL>",
    ),
    Kind(
        "cn_id", "Chinese resident identity number", "GB 11643-1999: region, birth date, checksum",
        r"([1-9]\d{5}(?:19|20)\d{2}[01]\d[0-3]\d\d{3}[\dXx])", validators.cn_id, "<CN_ID>",
    ),
    Kind(
        "iban", "international bank account number", "ISO 13616; python-stdnum's country structures",
        r"([A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?)", validators.iban, "<IBAN>",
    ),
    Kind(
        "credit_card", "payment card number", "ISO/IEC 7812: issuer prefix, length, Luhn",
        r"((?:\d[ \-]?){12,18}\d)", validators.credit_card, "<CREDIT_CARD>",
    ),
    Kind(
        "cn_mobile", "mainland Chinese mobile number", "numbering plan of the MIIT: 11 digits, 13-19",
        r"((?:(?:\+|00)86[ \-]?)?1[3-9]\d[ \-]?\d{4}[ \-]?\d{4})", validators.cn_mobile, "<CN_MOBILE>",
    ),
    Kind(
        "ipv4", "public IPv4 address", "RFC 791; private and documentation ranges are left (RFC 1918, 5737)",
        r"((?:\d{1,3}\.){3}\d{1,3})", validators.ipv4, "<IP_ADDRESS>",
    ),
    Kind(
        "ipv6", "public IPv6 address", "RFC 4291; private and documentation ranges are left (RFC 4193, 3849)",
        r"((?:[0-9A-Fa-f]{0,4}:){2,7}[0-9A-Fa-f]{0,4})", validators.ipv6, "<IP_ADDRESS>",
    ),
    Kind(
        "phone", "telephone number", "libphonenumber's numbering plans; national forms need a cue word",
        r"((?:\+|00|\()?\d(?:[ \-./()\x{A0}]{0,2}\d){6,16})", validators.phone, "<PHONE>",
    ),
)  # fmt: skip
KINDS: dict[str, Kind] = {kind.name: kind for kind in TABLE}
