"""Names of licences: from URLs, statements and expressions to SPDX, and the family that a rule can ask for.

The SPDX list and its expressions are those of `license-expression` (https://github.com/aboutcode-org/license-expression).
A Creative Commons licence that the list lacks, such as a ported one (`by/3.0/hk`), becomes `LicenseRef-CC-BY-3.0-HK`,
which SPDX allows for licences off its list; a text that says no version becomes `LicenseRef-CC-BY`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

from license_expression import ExpressionError, Licensing, get_license_index, get_spdx_licensing

from filters.rights.licences import NAMES, SCHEME, denied

HOME = r"^(?:(?:https?:)?//)?(?:www\.)?"  # a host elsewhere in a URL, as in a query, is not whom it leads to
CC_URL = re.compile(
    HOME + r"creativecommons\.org/(?:licen[sc]es|publicdomain)/([a-z+-]{2,20})(?:/([0-9]\.[0-9]))?"
    r"(?:/(igo|scotland|[a-z]{2}(?=[/?#]|$)))?(?!\w)"
)
CC_SHORT = re.compile(r"\bcc[ -](by(?:[ -](?:nc|nd|sa)){0,2})(?:[ -](\d\.\d))?")
PARTS = (("nc", ("noncommercial", "non-commercial", "非商业")), ("nd", ("noderiv", "no deriv", "禁止演绎")),
         ("sa", ("sharealike", "share-alike", "share alike", "相同方式共享")))  # fmt: skip
VERSION = re.compile(r"\d\.\d")
URLS = (  # (what the URL holds, SPDX id): a licence's own home
    (re.compile(HOME + r"opensource\.org/licen[sc]es?/([a-z0-9.+-]+)"), "{}"),
    (re.compile(HOME + r"spdx\.org/licenses/([a-z0-9.+-]+?)(?:\.html|\.json)?(?:[?#]|$)"), "{}"),
    (re.compile(HOME + r"apache\.org/licenses/license-(\d\.\d)"), "Apache-{}"),
    (re.compile(HOME + r"gnu\.org/(?:licen[sc]es|copyleft)/(?:old-licenses/)?((?:a|l)?gpl|fdl)-(\d\.\d)"), "{}-{}"),
    (re.compile(HOME + r"opendatacommons\.org/licenses/(odbl|by|pddl)/(\d[.-]\d)"), "{}-{}"),
    (re.compile(HOME + r"nationalarchives\.gov\.uk/doc/open-government-licence/version/(\d)"), "OGL-UK-{}.0"),
    (re.compile(HOME + r"mozilla\.org/(?:en-us/)?mpl/(\d\.\d)"), "MPL-{}"),
)
NAMED_AS = [(re.compile(rf"(?<![a-z0-9])(?:{name})"), spdx) for name, spdx in NAMES]
OPEN_DATA = {"odbl": "ODbL", "by": "ODC-By", "pddl": "PDDL"}
CC_CODES = {"zero": "CC0", "mark": "CC-PDM", "certification": "CC-PDDC", "publicdomain": "CC-PDDC"}
CC_PARTS = frozenset(("by", "nc", "nd", "sa", "sampling", "sampling+", "devnations"))
LONGEST = 300


@dataclass(frozen=True, slots=True)
class Licence:
    """`spdx` is an SPDX expression; `family` is what a rule asks for: cc-by-sa, cc0, public-domain, permissive, ..."""

    spdx: str
    family: str | None
    version: str | None = None
    jurisdiction: str | None = None


@cache
def spdx_licensing() -> Licensing:
    """The SPDX list, ready to parse expressions."""
    return get_spdx_licensing()


@cache
def _known() -> dict[str, dict[str, Any]]:
    """Licences of the list by lower-cased id, those that the licence list calls by another name too."""
    rows = [row for row in get_license_index() if row.get("spdx_license_key")]
    return {name.lower(): row for row in rows for name in (row["spdx_license_key"], *row["other_spdx_license_keys"])}


@lru_cache(maxsize=4096)
def named(url: str | None, said: str | None) -> Licence | None:
    """The licence that a URL or else a statement names; None if it names none that is known."""
    if url:
        return _of_url(url.lower()[:LONGEST])
    text = " ".join((said or "").split())[:LONGEST]
    return _of_statement(text.lower()) or expression(text) or _of_name(text.lower())


def _of_url(url: str) -> Licence | None:
    url = url.strip()
    if found := CC_URL.search(url):
        code, version, place = found.groups()
        return creative_commons(code, version, place)
    for pattern, form in URLS:
        if found := pattern.search(url):
            parts = [OPEN_DATA.get(part, part) for part in found.groups()]
            parts[0] = "GFDL" if parts[0] == "fdl" else parts[0]
            return expression(form.format(*parts).replace("1-0", "1.0"))
    # Wikipedia links its own copies: .../Wikipedia:Text_of_the_Creative_Commons_Attribution-ShareAlike_4.0_...
    if (scheme := SCHEME.match(url)) and scheme.group(1) not in ("http", "https"):
        return None
    words = re.split(r"[?#]", url)[0].replace("_", " ").replace("%20", " ")
    return _of_statement(words) if "commons" in words or "cc" in words else None


def _of_statement(text: str) -> Licence | None:
    """ "Creative Commons Attribution-ShareAlike 4.0 International", "CC BY-NC 2.0", "知识共享署名 4.0"."""
    cue = min((at for word in ("cc", "creative commons", "知识共享") if (at := text.find(word)) >= 0), default=0)
    if denied(text[:cue]):
        return None
    version = VERSION.search(text)
    number = version.group() if version else None
    if "cc0" in text or "creative commons zero" in text:
        return creative_commons("zero", number or "1.0", None)
    if found := CC_SHORT.search(text):
        return creative_commons(found.group(1).replace(" ", "-"), found.group(2), None)
    if ("commons" in text and "attribution" in text) or ("知识共享" in text and "署名" in text):
        parts = [code for code, words in PARTS if any(word in text for word in words)]
        return creative_commons("-".join(["by", *parts]), number, None)
    return None


def _of_name(text: str) -> Licence | None:
    """ "the Apache License, Version 2.0", "GNU General Public License v3 or later": of several names none."""
    told = set()
    for pattern, spdx in NAMED_AS:
        if (found := pattern.search(text)) and not denied(text[: found.start()]):
            told.add(f"{spdx}-or-later" if any(found.groups()) else spdx)
    return expression(told.pop()) if len(told) == 1 else None


def creative_commons(code: str, version: str | None, place: str | None) -> Licence | None:
    """A licence of creativecommons.org by its code, version and jurisdiction.

    >>> creative_commons("by-sa", "3.0", "de").spdx, creative_commons("by", "3.0", "hk").spdx
    ('CC-BY-SA-3.0-DE', 'LicenseRef-CC-BY-3.0-HK')
    """
    parts = code.split("-")
    if code not in CC_CODES and not set(parts) <= CC_PARTS:
        return None
    # The order of the parts differs among the oldest versions; the names do not.
    code = "-".join(part for part in ("by", "nc", "nd", "sa") if part in parts) or code
    base = CC_CODES.get(code) or f"CC-{code.upper()}"
    if base in ("CC0", "CC-PDM", "CC-PDDC"):
        spdx = "CC-PDDC" if base == "CC-PDDC" else f"{base}-{version or '1.0'}"
        return Licence(spdx, "cc0" if base == "CC0" else "public-domain", version, place)
    whole = "-".join(filter(None, (base, version, place.upper() if place else None)))
    row = _known().get(whole.lower())
    return Licence(row["spdx_license_key"] if row else f"LicenseRef-{whole.replace('+', '-plus')}", base.lower(),
                   version, place)  # fmt: skip


@lru_cache(maxsize=4096)
def expression(text: str) -> Licence | None:
    """An SPDX expression whose every licence is on the list, spelt as the list spells it; None otherwise."""
    text = text.strip(" \t*/-#\"'<>.;,")[:LONGEST]
    if not text:
        return None
    try:
        parsed = spdx_licensing().parse(text, validate=True, strict=True)
    except (ExpressionError, ValueError, RecursionError):  # hostile nesting, or simply prose
        return None
    if parsed is None:
        return None
    families = {family_of(str(key)) for key in parsed.objects}
    return Licence(str(parsed), families.pop() if len(families) == 1 else "mixed")


def family_of(spdx: str) -> str | None:
    """The family of one SPDX id; None if the list does not have it.

    >>> family_of("CC-BY-NC-SA-3.0-IGO"), family_of("CC0-1.0"), family_of("MIT"), family_of("AGPL-3.0-only")
    ('cc-by-nc-sa', 'cc0', 'permissive', 'copyleft')
    """
    if spdx.startswith("CC-BY"):
        return re.sub(r"-\d.*", "", spdx).lower()
    if spdx.startswith("CC0"):
        return "cc0"
    row = _known().get(spdx.lower())
    return str(row["category"]).lower().replace(" ", "-") if row else None


def one_of(found: Sequence[tuple[Licence | None, str]]) -> tuple[Licence | None, bool | None]:
    """(the licence of the page or None, ambiguous or None) of (licence, scope) pairs.

    Only what speaks of the page can license it. Ambiguous: hits for the page that differ, one of them for a licence
    that is not known, or hits for parts of the page alone. Without any hit both are None.
    """
    if not found:
        return None, None
    stated = {licence for licence, scope in found if scope == "page"}
    told = [licence for licence in stated if licence is None or not any(_more_of(licence, other) for other in stated)]
    if len({licence.spdx if licence else None for licence in told}) != 1 or told[0] is None:
        return None, True
    return told[0], False


def _more_of(licence: Licence, other: Licence | None) -> bool:
    """Whether `other` is the same Creative Commons licence with its version or jurisdiction said too."""
    bare = licence.spdx.removeprefix("LicenseRef-")
    if other is None or not bare.startswith("CC-") or other.family != licence.family:
        return False
    return other.spdx.removeprefix("LicenseRef-").startswith(f"{bare}-")
