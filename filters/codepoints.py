"""What is known of every code point, as tables that compiled kernels index: token classes, properties, lower case.

Properties are Python's own (`str.isalpha` and its kin, so a kernel and a restatement in Python agree to the
character) and the character sets that published rules name, read from data/characters.json with their sources.
Traded away: code points outside the assigned planes are looked up nowhere and have no property but JUNK.
"""

from __future__ import annotations

import json
import unicodedata
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

OTHER, LETTER, DIGIT, MARK, SPACE, SINGLE = 0, 1, 2, 3, 4, 5
SINGLE_RANGES = ((0x0E00, 0x0E7F), (0x3040, 0x30FF), (0x31F0, 0x31FF), (0x3400, 0x4DBF), (0x4E00, 0x9FFF),
                 (0xF900, 0xFAFF), (0x20000, 0x323AF))  # fmt: skip
HAN_RANGES = ((0x3007, 0x3007), *SINGLE_RANGES[3:])
# Marks of Chinese writing: CJK symbols, full-width forms that are no letters or digits, and the shared quotes.
CJK_PUNCT_RANGES = ((0x3001, 0x3003), (0x3008, 0x3011), (0x3014, 0x301F), (0xFE30, 0xFE4F), (0xFF01, 0xFF0F),
                    (0xFF1A, 0xFF20), (0xFF3B, 0xFF40), (0xFF5B, 0xFF65), (0x2018, 0x2019), (0x201C, 0x201D),
                    (0x2014, 0x2014), (0x2026, 0x2026), (0xB7, 0xB7))  # fmt: skip
SENTENCE_END = ".!?…。！？؟۔।"
RPV2_BULLETS = "\u2022\u2023\u25b6\u25c0\u25e6\u25a0\u25a1\u25aa\u25ab\u2013"
# str.splitlines cuts at these (and takes \r\n as one); fmt: the documented list of Python's str.splitlines.
LINE_BREAKS = "\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029"

IS_SPACE, IS_ALPHA, IS_ALNUM, IS_NUMERIC, IS_UPPER, IS_LOWER, IS_DIGIT, IS_PUNCT = (1 << k for k in range(8))
GOPHER_PUNCT, TERMINAL, SPECIAL, HAN, CJK_PUNCT, JUNK, ENDS_SENTENCE, IS_WORD = (1 << k for k in range(8, 16))
RPV2_BULLET, LINE_BREAK = 1 << 16, 1 << 17
ASSIGNED = ((0, 0x323B0), (0xE0000, 0xE0200))
LAST = 0x110000
DATA = Path(__file__).parent / "data"
Classes = npt.NDArray[np.uint8]
Properties = npt.NDArray[np.uint32]


@cache
def character_ranges(name: str) -> tuple[tuple[int, int], ...]:
    """The inclusive code point ranges of a set in data/characters.json."""
    known = json.loads((DATA / "characters.json").read_text("utf-8"))
    return tuple((low, high) for low, high in known[name]["ranges"])


@cache
def categories(start: int, stop: int) -> npt.NDArray[np.uint8]:
    """The two letters of Unicode's general category of each code point of a range; (stop - start, 2)."""
    letters = "".join(map(unicodedata.category, map(chr, range(start, stop))))
    return np.frombuffer(letters.encode(), np.uint8).reshape(-1, 2)


def _classes() -> Classes:
    """One class for every code point, from Python's own Unicode tables."""
    table = np.zeros(LAST, np.uint8)
    for start, stop in ASSIGNED:
        major = categories(start, stop)[:, 0]
        for kind, letter in ((LETTER, b"L"), (DIGIT, b"N"), (MARK, b"M"), (SPACE, b"Z")):
            table[start:stop][major == letter[0]] = kind
    for low, high in SINGLE_RANGES:
        block = table[low : high + 1]
        block[block == LETTER] = SINGLE
    table[[9, 10, 11, 12, 13, 0x85]] = SPACE
    table[ord("_")] = LETTER
    return table


ASKS = ((IS_SPACE, str.isspace), (IS_ALPHA, str.isalpha), (IS_ALNUM | IS_WORD, str.isalnum), (IS_UPPER, str.isupper),
         (IS_NUMERIC, str.isnumeric), (IS_LOWER, str.islower), (IS_DIGIT, str.isdigit))  # fmt: skip


def _properties() -> Properties:
    """The property bits of every code point."""
    table = np.zeros(LAST, np.uint32)
    for start, stop in ASSIGNED:
        chars, kinds, part = [*map(chr, range(start, stop))], categories(start, stop), table[start:stop]
        for bits, ask in ASKS:
            part |= np.fromiter(map(ask, chars), np.bool_, len(chars)) * np.uint32(bits)
        for bit, kind in ((IS_LOWER, b"Lt"), (JUNK, b"Co"), (JUNK, b"Cc")):  # title case counts as lower
            part[(kinds == np.frombuffer(kind, np.uint8)).all(axis=1)] |= bit
        part[kinds[:, 0] == ord("P")] |= IS_PUNCT
    table[ord("_")] |= IS_WORD
    table[0xFFFD] |= JUNK
    table[[*b"\t\n\r"]] &= ~np.uint32(JUNK)
    table[0xF0000:0xFFFFE] |= JUNK  # the private planes
    table[0x100000:0x10FFFE] |= JUNK
    sets = (
        (GOPHER_PUNCT, character_ranges("datatrove_punctuation")),
        (TERMINAL, character_ranges("datatrove_terminal_punctuation")),
        (SPECIAL, character_ranges("data_juicer_special")),
        (HAN, HAN_RANGES),
        (CJK_PUNCT, CJK_PUNCT_RANGES),
    )
    for bit, ranges in sets:
        for low, high in ranges:
            table[low : high + 1] |= bit
    for bit, characters in ((ENDS_SENTENCE, SENTENCE_END), (RPV2_BULLET, RPV2_BULLETS), (LINE_BREAK, LINE_BREAKS)):
        table[[ord(c) for c in characters]] |= bit
    return table


def _lower() -> npt.NDArray[np.int32]:
    """The lower case of every code point; U+0130, the only one that grows, becomes a plain i."""
    table = np.arange(LAST, dtype=np.int32)
    for c in range(0x1E944):
        low = chr(c).lower()
        if ord(low[0]) != c:
            table[c] = ord(low[0])
    return table


CLASSES = _classes()
LOWER = _lower()
PROPERTIES: Properties


def __getattr__(name: str) -> Properties:
    """PROPERTIES when it is first asked for: deduplication has no use for it."""
    if name != "PROPERTIES":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    table = globals()["PROPERTIES"] = _properties()
    return table
