"""Edits that are a library's work: OpenCC, Unicode normal forms. Only texts that can change are handed over.

What cannot change is known without the library: a text that has none of certain characters is its own NFC and NFKC;
OpenCC's t2s leaves a text alone that has none of the characters that its tables change. Traded away: a text with more
than 128 combining marks in a row passes nfc and nfkc unchanged, because sorting them takes quadratic time, in CPython
as in utf8proc. One byte becomes at most 11 by NFKC (U+FDFA: 3 become 33), 3 by NFC.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from functools import cache
from typing import Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from filters.compiled import kernel
from filters.edits.tables import ASKED, CODES
from filters.segment import buffers, decode_at
from filters.signals.chinese import candidates, holds_any, simplify

MOST_MARKS = 128
Mask = npt.NDArray[np.bool_]
Form = Literal["NFC", "NFKC"]


def where(text: pa.LargeStringArray, wanted: Mask, change: Callable[[str], str]) -> pa.LargeStringArray:
    """`change` of the texts that `wanted` names; the others pass as they are."""
    if not wanted.any():
        return text
    mask = pa.array(wanted)
    changed = pa.array([change(t) for t in text.filter(mask).to_pylist()], pa.large_string())
    return pc.replace_with_mask(text, mask, changed)


@cache
def _changing(form: Form) -> npt.NDArray[np.uint8]:
    """For every code point: 1 if a text without any such character is its own normal form, 2 if it is a combining mark
    besides. They are those that have another form, and those that may join the character before them (UAX #15, 9)."""
    table = np.zeros(CODES, np.uint8)
    table[0x1161:0x1176] = table[0x11A8:0x11C3] = 1  # vowels and finals of Hangul
    for code in ASKED:
        char = chr(code)
        if not unicodedata.is_normalized(form, char):
            table[code] = 1
        parts = unicodedata.decomposition(char).split()
        if parts and not parts[0].startswith("<"):
            table[[int(part, 16) for part in parts[1:]]] = 1
    marks = [code for code in ASKED if unicodedata.combining(chr(code))]
    table[marks] = 2
    return table


@kernel
def _normalisable(data, bounds, changing):  # type: ignore[no-untyped-def]
    """1 for each text that may have another form and has no run of more than MOST_MARKS combining marks."""
    out = np.zeros(len(bounds) - 1, np.bool_)
    for doc in range(len(out)):
        i, end = bounds[doc], bounds[doc + 1]
        run = 0
        while i < end:
            if data[i] < 0x80:
                run = 0
                i += 1
                continue
            code, width = decode_at(data, i)
            out[doc] |= changing[code] > 0
            run = run + 1 if changing[code] == 2 else 0
            if run > MOST_MARKS:
                out[doc] = False
                break
            i += width
    return out


def _normalise(text: pa.LargeStringArray, form: Form) -> pa.LargeStringArray:
    text = text.fill_null("") if text.null_count else text
    return where(text, _normalisable(*buffers(text), _changing(form)), lambda t: unicodedata.normalize(form, t))


def nfc(text: pa.LargeStringArray) -> pa.LargeStringArray:
    """Unicode's canonical composition, by Python's unicodedata."""
    return _normalise(text, "NFC")


def nfkc(text: pa.LargeStringArray) -> pa.LargeStringArray:
    """Unicode's compatibility composition, by Python's unicodedata: full-width marks become ASCII."""
    return _normalise(text, "NFKC")


def t2s(text: pa.LargeStringArray) -> pa.LargeStringArray:
    """Traditional to simplified characters, by OpenCC."""
    text = text.fill_null("") if text.null_count else text
    return where(text, holds_any(*buffers(text), np.arange(len(text)), candidates()), simplify)
