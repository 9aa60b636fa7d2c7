"""Numbers that move money: cards, accounts, banks, and addresses of two currencies without one.

Well-known test cards are found like any other: nothing in the number tells them from real ones. A number that the text
calls an order, a serial or an ISBN is left, whatever its check digit says.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import phonenumbers
import re2
from stdnum import bic, luhn, numdb
from stdnum import bitcoin as stdnum_bitcoin
from stdnum import iban as stdnum_iban

from filters.pii.kinds import Around, Rule

# ISO/IEC 7812 issuer ranges and lengths, as the schemes publish them
ISSUERS = (
    ("4", (13, 16, 19)), ("5[1-5]|2(?:22[1-9]|2[3-9]|[3-6]|7[01]|720)", (16,)), ("3[47]", (15,)),
    ("3(?:0[0-5]|095|[689])", (14, 15, 16, 17, 18, 19)), ("6011|64[4-9]|65", (16, 17, 18, 19)), ("35(?:2[89]|[3-8])",
    (16, 17, 18, 19)),
    ("62|81", (16, 17, 18, 19)), ("50|5[6-8]|6(?:0|[1367])", (13, 14, 15, 16, 17, 18, 19)), ("220[0-4]", (16, 17, 18,
    19)),
    ("9792", (16,)), ("2131|1800", (15,)),
)  # fmt: skip
PATTERNS = [(re2.compile(f"^(?:{prefix})"), lengths) for prefix, lengths in ISSUERS]
CARD = r"\d{12,19}|" + "|".join(
    rf"\d{{4}}{sign}\d{{4}}{sign}\d{{4}}{sign}\d{{1,4}}(?:{sign}\d{{1,3}})?|\d{{4}}{sign}\d{{6}}{sign}\d{{4,5}}"
    for sign in (" ", "-", r"\.")
)
SIZES = tuple((n, n) for n in range(12, 20))
ALIKE = 2  # fewer different digits than this make no number


def card(value: str) -> bool:
    """An issuer's prefix and length, and the check digit."""
    number = "".join(c for c in value if c.isdigit())
    known = any(len(number) in lengths and prefix.search(number) for prefix, lengths in PATTERNS)
    return known and len(set(number)) >= ALIKE and bool(luhn.is_valid(number))


def card_fits(value: str, around: Around) -> bool:
    """Short numbers, and forms that cards are not printed in, need a word that says card."""
    digits = sum(c.isdigit() for c in value)
    return "card" in around.cues or (digits >= 14 and "numbered" not in around.cues and not _leading_zero(around))


def _leading_zero(around: Around) -> bool:
    return around.before.endswith((b"=", b"/", b"."))


def any_card(value: str) -> bool:
    """A card by its check digit and length alone, for the issuers that are asked only beside a cue word."""
    number = "".join(c for c in value if c.isdigit())
    return len(set(number)) >= ALIKE and number[0] in "123456" and bool(luhn.is_valid(number))


@cache
def iban_lengths() -> np.ndarray:
    """Letters and digits of an IBAN by country, at 26 times the first letter's place and the second's; 0: none."""
    table = np.zeros(26 * 26, np.uint8)
    for _, code, _, country, _ in numdb.get("iban").prefixes:
        parts = re2.findall(r"(\d+)![nac]", country.get("bban", ""))
        table[(ord(code[0]) - 65) * 26 + ord(code[1]) - 65] = 4 + sum(map(int, parts))
    return table


def iban(value: str) -> bool:
    """Checksum and the country's own structure hold, however the value is parted."""
    return bool(stdnum_iban.is_valid("".join(c for c in value if c.isalnum())))


def is_bitcoin(value: str) -> bool:
    """The checksum of Base58Check or Bech32."""
    return bool(stdnum_bitcoin.is_valid(value))


def swift(value: str) -> bool:
    """Form and country hold; a word in capitals that only looks so has no country at its fifth letter."""
    return value.isupper() and bool(bic.is_valid(value)) and bic_country(value) is not None


def bic_country(value: str) -> str | None:
    """The country of a bank identifier code: one that telephones know."""
    return value[4:6] if value[4:6] in phonenumbers.SUPPORTED_REGIONS else None


BASE58 = tuple((n, d) for n in range(26, 36) for d in range(1, 27))
RULES = (
    Rule("cn_bank_card", "UnionPay card", "ISO/IEC 7812", SIZES[4:],
         r"62(?:\d{14,17}|\d\d(?:[ \-]\d{3,4}){3,4}|\d{4}[ \-]\d{12,13})",
         card, "CN", fits=card_fits),
    Rule("credit_card", "payment card", "ISO/IEC 7812", SIZES, CARD, card, fits=card_fits),
    Rule("credit_card", "card of any issuer", "ISO/IEC 7812", SIZES, CARD, any_card, cue="card"),
    Rule("bitcoin", "Bitcoin address, Base58Check", "BIP-13", BASE58,
         r"[13][1-9A-HJ-NP-Za-km-z]{25,34}", is_bitcoin),
)  # fmt: skip
