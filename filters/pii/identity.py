"""Numbers that a state gives to a person: one rule a country and form, checked by python-stdnum or here.

A rule without cue word is one whose form and checksum together let through fewer than about one random number in five
hundred, or whose punctuation nothing else has. Weaker ones ask for the document's name near the number. Identifiers of
companies (VAT, EIN, USCC ...) are no personal data and not looked for.
"""

from __future__ import annotations

from importlib import import_module

from stdnum import numdb
from stdnum.cn import ric
from stdnum.exceptions import ValidationError
from stdnum.fi import hetu

from filters.pii.kinds import Around, Rule

STDNUM = "python-stdnum, stdnum.{}; https://arthurdejong.org/python-stdnum/doc/2.2/"
NINO_PREFIX = frozenset(("BG", "GB", "KN", "NK", "NT", "TN", "ZZ"))
NRIC = ((2, 7, 6, 5, 4, 3, 2), "JZIHGFEDCBA", "XWUTRQPNMLK", "KLJNPQRTUWX")
TAIWAN = "ABCDEFGHJKLMNPQRSTUVXYWZIO"


def compact(value: str) -> str:
    """Letters and digits of a number, letters in capitals."""
    return "".join(c for c in value.upper() if c.isalnum())


def singapore(value: str) -> bool:
    """NRIC or FIN: weighted sum modulo 11, a letter for each remainder (ICA; series M since 2022)."""
    text, (weights, citizens, foreigners, newer) = compact(value), NRIC
    total = sum(w * int(d) for w, d in zip(weights, text[1:8], strict=True)) + {"T": 4, "G": 4, "M": 3}.get(text[0], 0)
    table = citizens if text[0] in "ST" else newer if text[0] == "M" else foreigners
    return text[8] == table[10 - total % 11 if text[0] == "M" else total % 11]


def taiwan(value: str) -> bool:
    """National identity card: the letter's two digits and nine more, weighted, modulo 10."""
    text = compact(value)
    letter = TAIWAN.index(text[0]) + 10
    weights = (8, 7, 6, 5, 4, 3, 2, 1, 1)
    total = letter // 10 + letter % 10 * 9 + sum(w * int(d) for w, d in zip(weights, text[1:], strict=True))
    return total % 10 == 0


def german_pension(value: str) -> bool:
    """Rentenversicherungsnummer: weights 2 1 2 5 7 1 2 1 2 1 2 1 over digits and the letter's two (VKVV section 4)."""
    text = compact(value)
    digits = text[:8] + f"{ord(text[8]) - 64:02d}" + text[9:11]
    products = (w * int(d) for w, d in zip((2, 1, 2, 5, 7, 1, 2, 1, 2, 1, 2, 1), digits, strict=True))
    return sum(p // 10 + p % 10 for p in products) % 10 == int(text[11])


def medicare(value: str) -> bool:
    """Australian Medicare card: weights 1 3 7 9 1 3 7 9, modulo 10 the ninth digit."""
    digits = [int(c) for c in compact(value)]
    total = sum(w * d for w, d in zip((1, 3, 7, 9, 1, 3, 7, 9), digits[:8], strict=True))
    return digits[0] in (2, 3, 4, 5, 6) and total % 10 == digits[8]


def snils(value: str) -> bool:
    """Russian pension number: nine digits weighted 9 to 1, modulo 101."""
    digits = compact(value)
    total = sum((9 - k) * int(d) for k, d in enumerate(digits[:9])) % 101
    return int(digits[9:]) == total % 100


def nino(value: str) -> bool:
    """Prefixes that HMRC does not give are left."""
    return compact(value)[:2] not in NINO_PREFIX


def nino_fits(value: str, around: Around) -> bool:
    """In one word it may be a product's number: then a cue word, or nothing at all beside it."""
    return " " in value or "nino" in around.cues or not (around.before + around.after).strip()


def itin(value: str) -> bool:
    """The groups that the IRS gives: 50 to 65, 70 to 88, 90 to 92, 94 to 99."""
    group = int(compact(value)[3:5])
    return 50 <= group <= 65 or (70 <= group <= 99 and group not in (89, 93))


def cn_id(value: str) -> bool:
    """A county, a date, and ISO 7064 mod 11-2. That the county had its name at birth, as stdnum asks, is not asked:

    the number is given where one is registered, years after birth for all born before 1984.
    """
    number = compact(value)
    try:
        known = any("county" in properties for _, properties in numdb.get("cn/loc").info(number[:6]))
        return known and ric.get_birth_date(number) is not None and ric.calc_check_digit(number) == number[-1]
    except ValidationError:
        return False


def old_cn_id(value: str) -> bool:
    """Fifteen digits: region and birth date as in the number that its owner has today."""
    month, day = int(value[8:10]), int(value[10:12])
    return 1 <= month <= 12 and 1 <= day <= 31 and "11" <= value[:2] <= "82"


def _country(code: str, module: str, sizes: str, pattern: str, cue: str = "", unmistakable: str = "") -> Rule:
    """A rule whose check is stdnum's; `sizes` are pairs letters-and-digits:digits."""
    check = import_module(f"stdnum.{module}").is_valid
    pairs = tuple((int(a), int(b)) for a, b in (pair.split(":") for pair in sizes.split()))
    return Rule("national_id", module, STDNUM.format(module), pairs, pattern, check, code, cue, unmistakable)


RULES = (
    _country("ES", "es.dni", "9:8", r"(?i:\d{8}-?[A-Z])"),
    _country("ES", "es.nie", "9:7", r"(?i:[XYZ]-?\d{7}-?[A-Z])"),
    _country("FR", "fr.nir", "15:15 15:14", r"[12] ?\d\d ?\d\d ?(?:\d\d|2[AB]) ?\d{3} ?\d{3} ?\d\d"),
    _country("IT", "it.codicefiscale", "16:7", r"(?i:[A-Z]{6}\d\d[A-EHLMPRST]\d\d[A-Z]\d{3}[A-Z])"),
    _country("NL", "nl.bsn", "9:9", r"\d{9}|\d{4}\.\d\d\.\d{3}", "nl"),
    _country("PL", "pl.pesel", "11:11", r"\d{11}", "pl"),
    _country("BR", "br.cpf", "11:11", r"\d{3}\.\d{3}\.\d{3}-\d\d|\d{11}", "br", r"\d{3}\.\d{3}\.\d{3}-\d\d"),
    _country("IN", "in_.aadhaar", "12:12", r"\d{12}|\d{4}[ :\-]\d{4}[ :\-]\d{4}", "in"),
    _country("IN", "in_.pan", "10:4", r"(?i:[A-Z]{3}P[A-Z]\d{4}[A-Z])"),
    _country("IN", "in_.epic", "10:7", r"[A-Z]{3}\d{7}", "epic"),
    _country("KR", "kr.rrn", "13:13", r"\d{6}-?[1-8]\d{6}", "kr", r"\d{6}-\d{7}"),
    Rule("national_id", "hetu, also temporary", STDNUM.format("fi.hetu"), ((11, 10), (11, 9), (10, 10), (10, 9)),
         r"(?i:[0-3]\d[01]\d{3}[\-+A-FU-Y]\d{3}[0-9A-Y])", lambda v: hetu.is_valid(v, allow_temporary=True), "FI"),
    _country("SE", "se.personnummer", "10:10 12:12", r"(?:\d\d)?\d\d[01]\d[0-9]\d[\-+]?\d{4}", "se",
             r"\d{6}[\-+]\d{4}"),
    _country("NO", "no.fodselsnummer", "11:11", r"\d{6} ?\d{5}", "no"),
    _country("DK", "dk.cpr", "10:10", r"\d{6}-?\d{4}", "dk"),
    _country("BE", "be.nn", "11:11", r"\d{11}|\d\d\.\d\d\.\d\d-\d{3}\.\d\d", "be", r"\d\d\.\d\d\.\d\d-\d{3}\.\d\d"),
    _country("RO", "ro.cnp", "13:13", r"\d{13}", "ro"),
    _country("TR", "tr.tckimlik", "11:11", r"\d{11}", "tr"),
    _country("ZA", "za.idnr", "13:13", r"\d{13}|\d{6} \d{4} \d{3}", "za"),
    _country("MY", "my.nric", "12:12", r"\d{12}|\d{6}-\d\d-\d{4}", "my", r"\d{6}-\d\d-\d{4}"),
    _country("TH", "th.pin", "13:13", r"\d{13}|\d-\d{4}-\d{5}-\d\d-\d", "th", r"\d-\d{4}-\d{5}-\d\d-\d"),
    _country("ID", "id.nik", "16:16", r"\d{16}", "id"),
    _country("JP", "jp.in_", "12:12", r"\d{12}|\d{4}[ \-]\d{4}[ \-]\d{4}", "jp"),
    _country("DE", "de.idnr", "11:11", r"\d{11}|\d\d \d{3} \d{3} \d{3}", "de"),
    _country("AT", "at.vnr", "10:10", r"\d{10}|\d{4} \d{6}", "at"),
    _country("CH", "ch.ssn", "13:13", r"756\.?\d{4}\.?\d{4}\.?\d\d", "ch", r"756\.\d{4}\.\d{4}\.\d\d"),
    _country("CZ", "cz.rc", "10:10", r"\d{6}/\d{4}"),
    _country("BG", "bg.egn", "10:10", r"\d{10}", "bg"),
    _country("HR", "hr.oib", "11:11", r"\d{11}", "hr"),
    _country("SI", "si.emso", "13:13", r"\d{13}", "jmbg"),
    _country("EE", "ee.ik", "11:11", r"[3-6]\d{10}", "ee"),
    _country("LV", "lv.pvn", "11:11", r"[0-3]\d{5}-\d{5}", "lv"),
    _country("IS", "is_.kennitala", "10:10", r"[0-3]\d{5}-?\d{4}", "is"),
    _country("GR", "gr.amka", "11:11", r"[0-3]\d{10}", "gr"),
    _country("IL", "il.idnr", "9:9", r"\d{9}|\d{8}-\d", "il"),
    _country("MX", "mx.curp", "18:8 18:7", r"[A-Z]{4}\d{6}[HM][A-Z]{5}[A-Z0-9]\d"),
    _country("CL", "cl.rut", "8:8 9:9 8:7 9:8", r"\d{1,2}\.\d{3}\.\d{3}-[\dkK]|\d{7,8}-[\dkK]", "cl",
             r"\d{1,2}\.\d{3}\.\d{3}-[\dkK]"),
    _country("AR", "ar.cuit", "11:11", r"2[0347]-\d{8}-\d"),
    _country("AU", "au.tfn", "9:9 8:8", r"\d{8,9}|\d{3} \d{3} \d{3}", "tfn"),
    _country("CA", "ca.sin", "9:9", r"\d{9}|\d{3}-\d{3}-\d{3}|\d{3} \d{3} \d{3}", "ca"),
    _country("GB", "gb.nhs", "10:10", r"\d{3}[ \-]?\d{3}[ \-]?\d{4}", "nhs"),
    _country("IE", "ie.pps", "8:7 9:7", r"\d{7}[A-W][A-IW]?", "ie"),
    _country("PK", "pk.cnic", "13:13", r"\d{5}-\d{7}-\d"),
    _country("UA", "ua.rntrc", "10:10", r"\d{10}", "ua"),
    _country("RU", "ru.inn", "12:12", r"\d{12}", "ru"),
    _country("PT", "pt.nif", "9:9", r"[1-3]\d{8}|[1-3]\d\d \d{3} \d{3}", "pt"),
    _country("EC", "ec.ci", "10:10", r"\d{10}|\d{9}-\d", "ec"),
    _country("DO", "do.cedula", "11:11", r"\d{3}-\d{7}-\d"),
    Rule("national_id", "NRIC, FIN", "ICA, Singapore", ((9, 7),), r"(?i:[STFGM]\d{7}[A-Z])", singapore, "SG"),
    Rule("national_id", "identity card", "Ministry of the Interior, Taiwan", ((10, 9),), r"(?i:[A-Z][1289]\d{8})",
         taiwan, "TW", "tw"),
    Rule("national_id", "Rentenversicherungsnummer", "VKVV section 4", ((12, 11),),
         r"\d\d[0-9]\d[01]\d\d\d[A-Z]\d{3}", german_pension, "DE"),
    Rule("national_id", "Medicare card", "Services Australia", ((10, 10), (11, 11)), r"\d{4} ?\d{5} ?\d{1,2}",
         medicare, "AU", "medicare"),
    Rule("national_id", "SNILS", "Pension Fund of Russia", ((11, 11),), r"\d{3}-\d{3}-\d{3} \d\d", snils, "RU"),
    Rule("cn_id", "18 digits", "GB 11643-1999", ((18, 18), (18, 17)),
         r"[1-8]\d{5} ?(?:18|19|20)\d\d[01]\d[0-3]\d ?\d{3}[\dXx]", cn_id, "CN"),
    Rule("cn_id", "15 digits, until 1999", "GB 11643-1989", ((15, 15),), r"[1-8]\d{14}", old_cn_id, "CN", "cn"),
    Rule("us_ssn", "social security number", "SSA; stdnum.us.ssn", ((9, 9),), r"\d{3}[-. ]?\d\d[-. ]?\d{4}",
         lambda v: import_module("stdnum.us.ssn").is_valid(_dashed(v)), "US", "ssn", r"\d{3}-\d\d-\d{4}"),
    Rule("us_itin", "individual taxpayer number", "IRS", ((9, 9),), r"9\d\d[-. ]?\d\d[-. ]?\d{4}",
         lambda v: itin(v), "US", "itin", r"\d{3}-\d\d-\d{4}"),
    Rule("uk_nino", "national insurance number", "HMRC NIM39110", ((9, 6),),
         r"(?i:[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z](?: ?\d\d){3} ?[A-D])", nino, "GB", fits=nino_fits),
)  # fmt: skip


def _dashed(value: str) -> str:
    digits = compact(value)
    return f"{digits[:3]}-{digits[3:5]}-{digits[5:]}"
