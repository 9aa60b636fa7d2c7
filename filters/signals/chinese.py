"""Traditional Chinese: whether OpenCC's conversion to simplified characters changes a text.

Only texts that hold a character which conversion could touch are converted: a table, drawn from OpenCC itself when
first asked for, marks every character that changes alone, and the eight that change in some phrase only. So the
answer equals `simplify(text) != text`; tests prove it against OpenCC's own dictionaries. ChineseWebText itself asks
zhconv's zh-cn, which also changes regional words.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import opencc

from filters.bytewise import decode_at
from filters.codepoints import HAN_RANGES
from filters.compiled import kernel
from filters.segment import TextView
from filters.signals.signal import CWT, FLAG, signals

OTHER_RANGES = ((0x2E80, 0x2FDF), (0x3000, 0x303F), (0x2F800, 0x2FA1F))  # radicals, symbols, compatibility forms
PHRASE_CHARACTERS = "沈坏藉哩覆瞭衹甦"


@cache
def _converter() -> opencc.OpenCC:
    return opencc.OpenCC("t2s")


def simplify(text: str) -> str:
    """Traditional to simplified characters, by OpenCC's t2s tables."""
    return str(_converter().convert(text))


@cache
def candidates() -> np.ndarray:
    """A table over code points with 1 at each character that conversion may change."""
    table = np.zeros(0x110000, np.uint8)
    codes = [c for low, high in (*HAN_RANGES, *OTHER_RANGES) for c in range(low, high + 1)]
    rows = simplify("\n".join(map(chr, codes))).split("\n")
    table[[code for code, form in zip(codes, rows, strict=True) if form != chr(code)]] = 1
    table[[ord(c) for c in PHRASE_CHARACTERS]] = 1
    return table


@kernel
def holds_any(data, bounds, rows, table):  # type: ignore[no-untyped-def]
    """Which of the rows hold a marked character."""
    out = np.zeros(len(rows), np.bool_)
    for k in range(len(rows)):
        i, end = bounds[rows[k]], bounds[rows[k] + 1]
        while i < end:
            code, width = decode_at(data, i)
            if table[code]:
                out[k] = True
                break
            i += width
    return out


def traditional(view: TextView) -> dict[str, np.ndarray]:
    """Whether converting a Chinese text to simplified characters changes it."""
    out = np.zeros(len(view), np.bool_)
    rows = np.flatnonzero(view.is_chinese)
    if len(rows):
        for i in rows[holds_any(view.data, view.bounds, rows, candidates())]:
            text = view.text[int(i)].as_py()
            out[i] = simplify(text) != text
    return {"is_traditional": out}


SIGNALS = signals(traditional, (
    ("is_traditional", FLAG, "Chinese text that changes when converted to simplified", CWT),
))  # fmt: skip
