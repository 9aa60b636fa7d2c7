"""Which groups of people a text mentions, by lists of identity terms in English and Chinese.

A mention is a term, lower-cased, with no letter, digit or underscore on either side in English, anywhere in Chinese
(which writes no spaces). It says that a group is named, not by whom nor how; it is for asking whether a rule drops such
texts more often than others (Dodge et al. 2021, arXiv:2104.08758 5.3, ask the same of C4's word list). Terms and where
they come from: data/identity_terms.json. Traded away: texts in other languages have no list and get no answer.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from filters.scores.search import WORD, Search

LANGUAGES = {"en": "en", "zh": "zh", "wuu": "zh", "yue": "zh"}  # of a document, to that of its list
MOST = 63  # groups that a mask holds


@dataclass(frozen=True)
class Group:
    """One group; its number is its bit in the mask."""

    id: str
    axis: str
    zh_name: str
    terms: dict[str, tuple[str, ...]]


@cache
def groups() -> tuple[Group, ...]:
    """All groups, in the order of their bits."""
    told = json.loads((files("filters") / "data" / "identity_terms.json").read_text(encoding="utf-8"))
    found = tuple(
        Group(one["id"], one["axis"], one["zh_name"],
              {lang: tuple(sorted({t for terms in one[lang].values() for t in terms})) for lang in ("en", "zh")})
        for one in told["groups"]
    )  # fmt: skip
    if len(found) > MOST:
        raise ValueError(f"identity_terms.json has {len(found)} groups; a mask holds {MOST}.")
    return found


@cache
def _machine(lang: str) -> tuple[Search, npt.NDArray[np.int64]]:
    """The search for one list, and the bits of each of its terms."""
    bits: dict[str, int] = {}
    for number, group in enumerate(groups()):
        for term in group.terms[lang]:
            bits[term] = bits.get(term, 0) | 1 << number
    terms = sorted(bits)
    return Search(terms), np.array([bits[term] for term in terms], np.int64)


def mentions(text: pa.LargeStringArray, lang: pa.StringArray) -> pa.Int64Array:
    """For each text a mask with the bits of the groups it mentions; null where its language has no list."""
    codes = np.array([LANGUAGES.get(code or "", "") for code in lang.to_pylist()], object)
    masks = np.zeros(len(text), np.int64)
    for code in ("en", "zh"):
        these = np.flatnonzero(codes == code)
        if len(these):
            machine, bits = _machine(code)
            lowered = pc.utf8_lower(pc.fill_null(text.take(pa.array(these)), ""))
            found, which = machine.find(lowered, WORD if code == "en" else None)
            np.bitwise_or.at(masks, these[found], bits[which])
    return pa.array(masks, mask=codes == "")
