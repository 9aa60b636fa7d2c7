"""Every code point as the letters that it is compared by: compatibility forms, case, accents and marks put aside.

A character becomes the letters, digits and marks of its NFKD form after case folding, so that full-width, ligature,
capital and accented forms meet their plain ones; accents and the points of Hebrew and Arabic go (combining classes
10 to 36 and from 200), vowel signs and the marks of kana stay. White space parts words. Everything else (punctuation,
symbols, controls, zero-width characters) is as if it were not there: "don't" is "dont", as in GPT-3's appendix C, whose
word is "a lower-case, whitespace-delimited word with no punctuation". A voiced kana is its plain one and a mark, so
two units: half-width kana are written that way. Traded away: Hangul that comes as single jamo, and simplified against
traditional Han, stay different.
"""

from __future__ import annotations

import unicodedata
from functools import cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from filters.codepoints import ASSIGNED, LAST

SPACE, NOTHING, SEVERAL = -1, -2, -3
ALONE = 1 << 24  # set in a letter that is a unit by itself
# Writing without blanks: Thai, Lao, Burmese, Khmer, radicals, kana, Han.
ALONE_RANGES = ((0x0E00, 0x0EFF), (0x1000, 0x109F), (0x1780, 0x17FF), (0x2E80, 0x2FDF), (0x3005, 0x3007),
                (0x3040, 0x30FF), (0x31F0, 0x31FF), (0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF),
                (0x20000, 0x323AF))  # fmt: skip
HANGUL, HAN = (0xAC00, 0xD7A3), ((0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0x20000, 0x2A6DF), (0x2A700, 0x2EE5D))
KANA_MARKS = (0x3099, 0x309A)
BLANKS = (*range(9, 14), *range(0x1C, 0x20), 0x85)


class Letters(NamedTuple):
    """What each code point is: `one` (int32[0x110000]) a letter, SPACE, NOTHING, or SEVERAL - k, and then its letters
    are `many[first[k] : first[k + 1]]`."""

    one: npt.NDArray[np.int32]
    first: npt.NDArray[np.int32]
    many: npt.NDArray[np.int32]


def folded(character: str) -> str:
    """The letters that one character is compared by; "" for none.

    >>> folded("Ａ"), folded("ﬁ"), folded("É"), folded("㎏"), folded("!")
    ('a', 'fi', 'e', 'kg', '')
    """
    if HANGUL[0] <= ord(character) <= HANGUL[1]:
        return character
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", character).casefold())
    return "".join(c for c in plain if unicodedata.category(c)[0] in "LNM" and not _is_accent(c))


def _is_accent(c: str) -> bool:
    kind = unicodedata.combining(c)
    return 10 <= kind <= 36 or (kind >= 200 and ord(c) not in KANA_MARKS)


@cache
def letters() -> Letters:
    """The tables, made once a process from Python's Unicode data."""
    one, first, many = np.full(LAST, NOTHING, np.int32), [0], list[int]()
    for low, high in HAN:
        one[low : high + 1] = np.arange(low, high + 1)
    one[HANGUL[0] : HANGUL[1] + 1] = np.arange(HANGUL[0], HANGUL[1] + 1)
    for start, stop in ASSIGNED:
        for code in np.flatnonzero(one[start:stop] == NOTHING) + start:
            c = chr(code)
            kind = unicodedata.category(c)
            if kind[0] == "Z" or code in BLANKS:
                one[code] = SPACE
            elif kind != "Cn":
                plain = [_marked(ord(p)) for p in folded(c)]
                if len(plain) == 1:
                    one[code] = plain[0]
                elif plain:
                    one[code] = SEVERAL - (len(first) - 1)
                    many += plain
                    first.append(len(many))
    for low, high in HAN:
        one[low : high + 1] |= ALONE
    return Letters(one, np.array(first, np.int32), np.array(many or [0], np.int32))


def _marked(code: int) -> int:
    return code | ALONE * any(low <= code <= high for low, high in ALONE_RANGES)
