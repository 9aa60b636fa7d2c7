"""What the kernels know of a character: Python's own answers, tabled once a process, one row for each code point.

`str.strip`, `split`, `splitlines`, `lower`, `isupper`, `isdigit` and `re`'s `\\w` are the published rules'
semantics, so the tables are filled by asking Python itself. Asked are planes 0 to 3 and 14, where Python's
answers vary (a test asks the rest). The sets of Chinese marks, end marks and odd symbols are our own reading;
each says so. Traded away: about 0.3 s and 7 MB in each process that edits.
"""

from __future__ import annotations

import unicodedata
from functools import cache

import numpy as np
import numpy.typing as npt

Flags = npt.NDArray[np.uint16]
CODES = 0x110000
ASKED = (*range(0x40000), *range(0xE0000, 0xE0200))

SPACE, BREAK, UPPER, DIGIT, DECIMAL, WORD = 1, 2, 4, 8, 16, 32  # isspace, splitlines, isupper, isdigit, \d, \w
HAN, ZH_MARK, ODD, END, CLOSER, WIDE, REPEATABLE = 64, 128, 256, 512, 1024, 2048, 4096
CASED, IGNORABLE = 16384, 32768  # Unicode's Cased (and not ignorable), Case_Ignorable, as str.lower() uses them

BREAKS = "\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029"
HAN_RANGES = ((0x3005, 0x3007), (0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF), (0x20000, 0x323AF))
WIDE_RANGES = ((0x1100, 0x115F), (0x2E80, 0x303E), (0x3041, 0xA4CF), (0xA960, 0xA97C), (0xAC00, 0xD7A3),
               (0xF900, 0xFAFF), (0xFE30, 0xFE6F), (0xFF01, 0xFF60), (0xFFE0, 0xFFE6), (0x20000, 0x3FFFD))  # fmt: skip
ZH_MARKS = "、。〃〈〉《》「」『』【】〔〕〖〗！（），．：；？［］｛｝～"
ENDS = "。！？｡…!?"  # the full stop ends a sentence too, but only before a blank or a closer: see sentences.py
CLOSERS = "\"'”’」』）)】》〉〕］]"
REPEATABLE_MARKS = "!?,;~！？，、；：。～·…—."

# Emoji, dingbats, boxes, blocks, geometric shapes, stars, private use, replacement and object characters,
# invisible marks that belong to no script, and controls that are not white space. Letterlike signs and units
# (℃ № ™), circled numbers, radicals, arrows, mathematics and Braille stay.
ODD_RANGES = (
    (0x00, 0x08), (0x0E, 0x1B), (0x7F, 0x84), (0x86, 0x9F), (0x200B, 0x200B), (0x2060, 0x2060), (0x20E2, 0x20E4),
    (0x231A, 0x231B), (0x23CF, 0x23CF), (0x23E9, 0x23FF), (0x2500, 0x2775), (0x2794, 0x2797), (0x27B0, 0x27B0),
    (0x27BF, 0x27BF), (0x2B1B, 0x2B1C), (0x2B50, 0x2B59), (0x3013, 0x3013), (0x3030, 0x3030), (0x303D, 0x303D),
    (0xE000, 0xF8FF), (0xFE0E, 0xFE0F), (0xFEFF, 0xFEFF), (0xFFF9, 0xFFFD), (0x1F000, 0x1FBFF),
    (0xE0001, 0xE007F), (0xF0000, 0xFFFFD), (0x100000, 0x10FFFD),
)  # fmt: skip


def _mark(table: Flags, flag: int, ranges: tuple[tuple[int, int], ...]) -> None:
    for low, high in ranges:
        table[low : high + 1] |= flag


@cache
def flags() -> Flags:
    """The flags above for every code point; (0x110000,) uint16."""
    table = np.zeros(CODES, np.uint16)
    codes = np.array(ASKED)
    chars = list(map(chr, ASKED))
    asked = ((SPACE, str.isspace), (UPPER, str.isupper), (DIGIT, str.isdigit), (DECIMAL, str.isdecimal),
             (WORD, str.isalnum))  # fmt: skip
    for flag, ask in asked:
        table[codes] |= np.fromiter(map(ask, chars), np.bool_, len(chars)) * np.uint16(flag)
    after_letter = np.fromiter((("A" + c + "Σ").lower()[-1] == "ς" for c in chars), np.bool_, len(chars))
    alone = np.fromiter(((c + "Σ").lower()[-1] == "ς" for c in chars), np.bool_, len(chars))
    table[codes] |= alone * np.uint16(CASED) | (after_letter & ~alone) * np.uint16(IGNORABLE)
    table[ord("_")] |= WORD
    for flag, listed in ((BREAK, BREAKS), (ZH_MARK, ZH_MARKS), (END, ENDS), (CLOSER, CLOSERS),
                         (REPEATABLE, REPEATABLE_MARKS)):  # fmt: skip
        table[list(map(ord, listed))] |= flag
    blanks = [c for c in ASKED if unicodedata.category(chr(c)) == "Zs"]
    table[[9, *blanks]] |= REPEATABLE
    for flag, ranges in ((HAN, HAN_RANGES), (WIDE, WIDE_RANGES), (ODD, ODD_RANGES)):
        _mark(table, flag, ranges)
    return table


@cache
def lower() -> npt.NDArray[np.int32]:
    """The lower case of every code point. The one that becomes two characters (U+0130) and the one that looks
    about itself (U+03A3) are the kernels' business; (0x110000,) int32.
    """
    table = np.arange(CODES, dtype=np.int32)
    table[list(ASKED)] = [ord(low) if len(low := chr(c).lower()) == 1 else c for c in ASKED]
    return table
