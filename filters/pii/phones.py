"""Telephone numbers: libphonenumber's numbering plans of all regions, compiled into two sets of RE2 patterns.

One match of such a set answers for every region at once, in linear time and without parsing a number 245 times. What
was traded away: carrier codes and the rewriting of numbers that a few plans ask for (Argentine mobiles, say) are not
applied, only the region's national prefix. https://github.com/google/libphonenumber
"""

from __future__ import annotations

from functools import cache
from typing import Any

import phonenumbers
import re2
from phonenumbers.phonemetadata import PhoneMetadata

from filters.pii.context import line_after
from filters.pii.kinds import Around, Rule

LINES = ("fixed_line", "mobile", "toll_free", "premium_rate", "shared_cost", "personal_number", "voip", "pager", "uan",
         "voicemail")  # fmt: skip
DATE = re2.compile(
    rb"(?:19|20)\d\d[-./ ]\d{1,2}[-./ ]\d{1,2}(?:\D.*)?|\d{1,2}[-./ ]\d{1,2}[-./ ](?:19|20)\d\d(?:\D.*)?|"
    rb"(?:19|20)\d\d[^0-9]+(?:19|20)\d\d|(?:19|20)\d\d(?:0[1-9]|1[0-2])[0-3]\d"
)
QUAD = re2.compile(r"\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}")  # an address of a machine, private or not
# forms that no other number takes: (555) 123-4567, 555-123-4567, 010-12345678, 0912-345-678
PUNCTUATED = re2.compile(
    r"\([2-9]\d\d\) ?[2-9]\d\d[-. ]\d{4}|1?[-. ]?[2-9]\d\d-[2-9]\d\d-\d{4}|[2-9]\d\d\.[2-9]\d\d\.\d{4}|"
    r"1-8\d\d-\d{3}-\d{4}|\(0\d{1,4}\)[ -]?\d{2,4}[ -]?\d{3,4}(?:[ -]?\d{2,4})?|0\d{2,3}[-－]\d{7,8}|"
    r"09\d\d-\d{3}-?\d{3}"
)
CHINESE = re2.compile(r"\(?0\d{2,3}\)?[-－ ]?\d{7,8}|1[3-9]\d[- ]?\d{4}[- ]?\d{4}")
NORTH_AMERICAN = re2.compile(r"1?[-. ]?\(?[2-9]\d\d\)?[-. ]?[2-9]\d\d[-. ]?\d{4}")


def _plan(region: str) -> Any:
    """libphonenumber's plan of a region."""
    return PhoneMetadata.metadata_for_region(region, None)


@cache
def _plans() -> tuple[tuple[str, ...], re2.Set, re2.Set]:
    """Regions, and for each in the same order the pattern of its national and its international numbers."""
    options = re2.Options()
    options.max_mem = 256 << 20
    regions, national, international = [], re2.Set.FullMatchSet(options), re2.Set.FullMatchSet(options)
    codes = [(region, _plan(region)) for region in sorted(phonenumbers.SUPPORTED_REGIONS)]
    nongeographic = sorted(phonenumbers.COUNTRY_CODES_FOR_NON_GEO_REGIONS)
    codes += [("001", PhoneMetadata.metadata_for_nongeo_region(code, None)) for code in nongeographic]
    for region, plan in codes:
        lines = [getattr(plan, line) for line in LINES]
        numbers = "|".join(dict.fromkeys(n.national_number_pattern for n in lines if n and n.national_number_pattern))
        prefix = f"(?:{plan.national_prefix})?" if plan.national_prefix else ""
        national.Add(f"{prefix}(?:{numbers})")
        international.Add(f"{plan.country_code}{prefix}(?:{numbers})")
        regions.append(region)
    national.Compile()
    international.Compile()
    return tuple(regions), national, international


def regions_of(digits: str, international: bool) -> list[str]:
    """Regions in whose plan these digits are a number; international ones begin with the country code.

    >>> regions_of("8613812345678", True)
    ['CN']
    """
    regions, national, abroad = _plans()
    return [regions[k] for k in (abroad if international else national).Match(digits.encode()) or ()]


def phone(value: str, around: Around, linked: bool) -> tuple[str, str | None] | None:
    """('', region) for a number of some plan, or None; `linked` says that a number stands directly before it.

    A number with + or 00 needs no cue. A national one needs a cue word before it, or its country's punctuation.
    """
    number = "".join(c for c in value if "0" <= c <= "9")
    if around.before.endswith((b"/", b"$", b"=", b"#", b"_")) and not linked:
        return None
    if value.startswith(("+", "＋", "(+")):
        for digits in (number, _without_trunk(value)):
            if len(digits) >= 7 and (regions := regions_of(digits, True)):
                return "international", _one(regions)
        return _possible(value, _without_trunk(value))
    if DATE.fullmatch(value.encode()) or QUAD.fullmatch(value):
        return None
    if value.startswith("00") and len(number) >= 10 and (regions := regions_of(number[2:], True)):
        return "international", _one(regions)
    if around.before.endswith((b"-", b".")) or around.after[:1] in (b"%", b"\xc2") or "money" in around.cues:
        return None
    return _national(value, number, around, linked)


SERVICE = re2.compile(r"[48]00[- ]?\d{3}[- ]?\d{4}|[48]00\d{7}")


def _possible(value: str, number: str) -> tuple[str, str | None] | None:
    """A number with a country's code and as long as that country's are, though its plan has no such line."""
    if sum(c in " -.()" for c in value) < 2 and len(number) < 10:
        return None
    for length in (1, 2, 3) if number[0] != "0" else ():
        if int(number[:length] or 0) in phonenumbers.COUNTRY_CODE_TO_REGION_CODE:
            region = phonenumbers.COUNTRY_CODE_TO_REGION_CODE[int(number[:length])][0]
            plan = _plan(region)
            if plan and len(number) - length in plan.general_desc.possible_length:
                return "international", region
    return None


def _national(value: str, number: str, around: Around, linked: bool) -> tuple[str, str | None] | None:
    cued = "phone" in around.cues or linked or line_after(around.after)
    cued |= "letter" in around.cues and len(number) >= 9
    if 2 * len(re2.findall(r"\d+", value)) > len(number):
        return None  # single digits are no number's groups
    if not cued and ("numbered" in around.cues or not PUNCTUATED.fullmatch(value)):
        return None
    regions = regions_of(number, False)
    if SERVICE.fullmatch(value) and (chinese(around) or not cued):
        return None  # a company's hotline in China
    if not regions and cued and len(number) >= 8:
        regions = regions_of(number, True)
    if not regions or len(number) < 7 - 2 * ("phone" in around.cues):
        return None
    if NORTH_AMERICAN.fullmatch(value) and "US" in regions:
        return "national", "US"
    if "CN" in regions and CHINESE.fullmatch(value) and (chinese(around) or not _words(around)):
        return "national", "CN"
    return "national", _one(regions)


def _without_trunk(value: str) -> str:
    """Digits of +44 (0)20 7946 0958 without the (0) that is dialled at home only."""
    return "".join(c for c in value.replace("(0)", "", 1) if "0" <= c <= "9")


def _one(regions: list[str]) -> str | None:
    """The region, where there is one; regions that share a country code are told apart by libphonenumber's order."""
    if len(regions) == 1:
        return regions[0]
    main = {phonenumbers.region_code_for_country_code(phonenumbers.country_code_for_region(r)) for r in regions}
    return main.pop() if len(main) == 1 else None


MOBILE = ("CN", "cn_mobile", "86", r"1[3-9]\d{9}"), ("HK", "hk_mobile", "852", r"[45679]\d{7}"), \
         ("TW", "tw_mobile", "886", r"0?9\d{8}"), ("CN", "cn_landline", "86", r"0?[1-9]\d{8,11}")  # fmt: skip


EXTENSION = re2.compile(
    r"(?i)[ ,]{0,2}(?:x|ext\.?|extension|转|轉|分机|分機|内线)[ :.]{0,2}(\d{1,6})(?:[^0-9A-Za-z]|$)"
)


def extension(after: bytes) -> int:
    """Bytes of an extension that follows a number.

    >>> extension(b" ext. 12 or"), extension("转801。".encode()), extension(b" x")
    (8, 6, 0)
    """
    match = EXTENSION.match(after)
    return int(match.end(1)) if match else 0


def kind_of(value: str, style: str, region: str | None) -> str:
    """The kind of a convicted number: a Chinese one's own, else `phone`."""
    number = "".join(c for c in value if "0" <= c <= "9").removeprefix("00")
    for country, kind, code, pattern in MOBILE:
        own = region == country and (style == "international" or number.startswith("0"))
        if own and re2.fullmatch(pattern, number.removeprefix(code)):
            return kind
    return "phone"


def _words(around: Around) -> bool:
    """Whether any letter of ASCII stands near."""
    return any(0x41 <= b & 0xDF <= 0x5A for b in around.before + around.after)


def chinese(around: Around) -> bool:
    """Whether a three-byte character, as Chinese ones are, stands near."""
    return any(0xE3 <= b <= 0xE9 for b in around.before[-24:] + around.after[:24])


def cn_mobile_fits(value: str, around: Around) -> bool:
    """Eleven digits in Chinese company, parted 3-4-4, after a cue, or alone; +1 381 234 5678 is another country's."""
    if around.before.rstrip().endswith(b"+") or (around.before.endswith((b"=", b"/")) and "phone" not in around.cues):
        return False
    if not _words(around) or len(value) > 11 or chinese(around):
        return True
    return "phone" in around.cues and not regions_of(value, True)


def hk_mobile_fits(value: str, around: Around) -> bool:
    """A cue word before it; that Hong Kong is spoken of is the rule's own cue."""
    return "phone" in around.cues


def tw_mobile_fits(value: str, around: Around) -> bool:
    """Parted 4-3-3, or after a cue word in Chinese company."""
    return value.count("-") == 2 or ("phone" in around.cues and chinese(around))


def always(value: str) -> bool:
    """What the pattern says is enough."""
    return True


RULES = (
    Rule("cn_mobile", "mainland mobile", "MIIT numbering plan", ((11, 11), (13, 13), (15, 15)),
         r"(?:(?:00)?86[ \-]?)?1[3-9]\d(?:[ \-]?\d{4}[ \-]?\d{4}|[ \-]\d{3}[ \-]\d{5})", always, "CN",
         fits=cn_mobile_fits),
    Rule("hk_mobile", "Hong Kong mobile", "libphonenumber", ((8, 8), (11, 11)),
         r"(?:852[ \-]?)?[4-79]\d{3}[ \-]?\d{4}", always,
         "HK", "hk", fits=hk_mobile_fits),
    Rule("tw_mobile", "Taiwanese mobile", "libphonenumber", ((10, 10),), r"09\d\d-?\d{3}-?\d{3}", always, "TW",
         fits=tw_mobile_fits),
)  # fmt: skip
