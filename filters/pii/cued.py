"""Values that nothing but a word before them gives away: QQ numbers, WeChat ids, passports, plates, bank codes.

One Aho-Corasick automaton finds the words in a whole batch; what follows a word, within a few signs, must have the
value's form. Plates of mainland China begin with a province's character and need no other word.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import re2
from ahocorasick_rs import BytesAhoCorasick, Implementation, MatchKind

from filters.pii.payment import bic_country, swift

REACH = 64  # bytes after a cue word that are looked at
LABEL = r"(?: ?(?:号码|號碼|账号|帳號|帐号|号|號|id|ID|Id|number|no\.?|No\.?|#))?"
POINTS = r"(?:[ \t]{0,2}(?:是|为|：|:|=|is|＝|-|（|\()){0,2}[ \t]{0,2}"
Country = Callable[[str], str | None]


@dataclass(frozen=True)
class Cued:
    """A kind by its cue words: the pattern stands directly after the word, its value in group 1."""

    kind: str
    words: tuple[str, ...]
    pattern: str
    valid: Callable[[str], bool]
    country: Country
    source: str


def wechat(value: str) -> bool:
    """An id of 6 to 20 signs that is no plain word: it holds a digit, a dash or an underscore, or no vowel pattern."""
    return value.lower() not in (
        "wechat",
        "WeChat",
        "weixin",
        "alipay",
        "follow",
        "public",
        "official",
        "account",
        "payment",
    )


def numbers(value: str) -> bool:
    """Not one digit repeated, and no year."""
    return len(set(value)) > 1 and not (len(value) == 8 and value[:2] in ("19", "20"))


def passport(value: str) -> bool:
    """Five digits at least, not all alike."""
    digits = [c for c in value if c.isdigit()]
    return len(digits) >= 5 and len(set(digits)) > 1


def passport_country(value: str) -> str | None:
    """China, where the form is China's and nobody else's."""
    return "CN" if re2.fullmatch(r"(?:E[A-HJ-NP-Z]\d{7}|E\d{8}|G\d{8})", value) else None


def plate(value: str) -> bool:
    """At least one digit."""
    return any(c.isdigit() for c in value)


def _fixed(country: str | None) -> Country:
    return lambda value: country


PLATES = (
    r"(?:[A-Z]{2}\d{2}[ \-]?[A-Z]{3}|[A-Z]\d{1,3}[ \-]?[A-Z]{3}|[A-Z]{3}[ \-]?\d{1,3}[A-Z]|[A-Z]{2}-?\d{3}-?[A-Z]{2}|"
    r"[A-Z]{1,3}[ \-][A-Z]{1,2}[ \-]\d{1,4}[EH]?|\d{2} ?[A-Z]{1,3} ?\d{2,5}|[A-Z]{2}\d{1,2}[A-Z]{1,3}\d{4}|"
    r"[A-Z]{3}[ \-]?\d{3,4}(?:[A-Z]{2})?|\d{4}[ \-]?[B-Z]{3}|\d[A-Z]{3}\d{3})"
)
CHINESE_PLATE = re2.compile(
    r"(\p{Han}[A-HJ-Z][·•. \-]?(?:[A-HJ-NP-Z0-9]{4}[A-HJ-NP-Z0-9挂学警港澳]|[DF][A-HJ-NP-Z0-9]\d{4}|\d{5}[DF]))"
    r"(?:[^A-Za-z0-9]|$)"
)  # GA 36-2018
END = r"(?:[^A-Za-z0-9_\-]|$)"
TABLE = (
    Cued("wechat", ("微信号", "微信", "薇信", "V信", "v信", "wechat", "WeChat", "weixin", "微信id"),
         rf"(?:号|號|ID|id|账号|帐号)?{LABEL}[ \t]{{0,2}}(?:[:：=＝]|是|为|is|号|加)[ "
         rf"\t]{{0,2}}([A-Za-z][A-Za-z0-9_\-]{{5,19}}){END}",
         wechat, _fixed("CN"), "6-20 signs, begins with a letter"),
    Cued("wechat", ("微信号", "微信", "薇信", "加v", "加V", "vx", "wx", "wechat", "WeChat"),
         rf"{LABEL}{POINTS}([A-Za-z][A-Za-z\-]{{0,14}}[0-9_][A-Za-z0-9_\-]{{0,14}}){END}",
         lambda v: 6 <= len(v) <= 20, _fixed("CN"), "6-20 signs, begins with a letter, holds a digit"),
    Cued("qq", ("qq", "扣扣", "企鹅号", "q号"), rf"(?:群|邮箱)?{LABEL}{POINTS}(?:联系|咨询|客服|"
    rf"加)?{POINTS}([1-9]\d{{4,10}}){END}",
         numbers, _fixed("CN"), "5-11 digits"),
    Cued("passport", ("passport", "护照", "護照", "pasaporte", "reisepass", "passeport", "passaporto", "пасспорт",
         "паспорт",
                      "pass-nr", "여권", "パスポート", "旅券"),
         r"[^0-9\n]{0,32}?(?:[ \t:：#.(（]|号|码|碼|號|为|是|番号|번호)((?i:[A-Z]\d{7,8}|[A-Z]{2}\d{6,7}|"
         r"[A-Z]{3}\d{6}|[A-Z]\d{7}[A-Z]|[CFGHJKL][0-9CFGHJKLMNPRTVWXYZ]{8}|[A-Z]\d{3}[A-Z]\d{4})|\d{8,9})"
         + END, passport, passport_country, "ICAO 9303"),
    Cued("swift", ("swift", "bic"), r"(?i:[ /\-]{0,2}(?:bic|swift))?(?i: ?code| ?codes| ?no\.?|代码|代碼|"
    r"码)?[^A-Za-z0-9\n]{0,6}"
         r"(?i:is )?([A-Z]{4}[A-Z]{2}[A-Z0-9]{2}(?:[A-Z0-9]{3})?)" + END, swift, bic_country, "ISO 9362"),
    Cued("plate", ("licence plate", "license plate", "number plate", "numberplate", "registration number", "reg number",
                   "vehicle reg", "car reg", "vehicle registration", "registration plate", "kennzeichen", "plaka",
                   "matrícula", "matricula",
                   "immatriculation", "plates", "plate", "targa", "kenteken", "vehicles", "车牌号", "车牌", "車牌",
                   "车号"),
         r"(?:[^0-9A-Za-z\n]{1,4}(?:(?i:number|no|is|was|号码|号))?[^0-9A-Za-z\n]{0,4}){0,2}(" + PLATES + ")" + END,
         plate, _fixed(None),
         "national forms"),
    Cued("national_id", ("hkid", "香港身份證", "香港身份证", "身份證號碼", "身份證", "身份证"),
         r"[^0-9A-Za-z\n]{0,12}((?i:[A-Z]{1,2}\d{6}\([0-9A]\)))", lambda v: hong_kong(v), _fixed("HK"),
         "Immigration Department, Hong Kong"),
)  # fmt: skip


def hong_kong(value: str) -> bool:
    """Identity card: letters as 10 to 35, a blank as 36, weights 9 to 1, modulo 11."""
    text = value.upper().replace("(", "").replace(")", "").rjust(9)
    total = 0
    for weight, c in zip(range(9, 0, -1), text, strict=True):
        last = weight == 1 and c == "A"
        total += weight * (10 if last else 36 if c == " " else int(c, 36))
    return total % 11 == 0


def chinese_plate(window: bytes) -> int:
    """Where a plate of mainland China that begins the window ends; 0 if none does.

    >>> chinese_plate("京A12345，".encode())
    9
    """
    match = CHINESE_PLATE.match(window)
    return int(match.end(1)) if match and plate(match.group(1).decode()) else 0


@cache
def automaton(kinds: frozenset[str]) -> tuple[BytesAhoCorasick, tuple[tuple[re2.Set, tuple[int, ...]], ...]]:
    """An automaton for the cue words of these kinds in their usual cases, and for each word what it introduces.

    That is a set of patterns, and for each the place in TABLE.
    """
    words: dict[bytes, list[int]] = {}
    for place, cued in enumerate(TABLE):
        for word in cued.words if cued.kind in kinds else ():
            for form in (word, word.lower(), word.upper(), word.title(), word.capitalize()):
                if place not in words.setdefault(form.encode(), []):
                    words[form.encode()].append(place)
    return BytesAhoCorasick(list(words), MatchKind.LeftmostLongest, Implementation.DFA), tuple(
        _introduced(tuple(places)) for places in words.values()
    )


@cache
def _introduced(places: tuple[int, ...]) -> tuple[re2.Set, tuple[int, ...]]:
    patterns = re2.Set.MatchSet()
    for place in places:
        patterns.Add(TABLE[place].pattern)
    patterns.Compile()
    return patterns, places


@cache
def _pattern(place: int) -> re2._Regexp:
    return re2.compile(TABLE[place].pattern)


def value_after(place: int, window: bytes) -> tuple[int, int, str | None] | None:
    """Start, end and country of the value of TABLE[place] in what follows its cue word."""
    cued = TABLE[place]
    match = _pattern(place).match(window)
    if match is None:
        return None
    value = match.group(1).decode()
    return (*match.span(1), cued.country(value)) if cued.valid(value) else None
