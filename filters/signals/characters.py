"""Signals of characters: how many of which kind, the longest runs, and the few symbols that rules name.

Kinds are Python's (`str.isalnum`, `str.isdigit`, `str.isupper`, `str.isspace`), punctuation is Unicode's category P.
Sources: Gopher (arXiv:2112.11446, A1.1), C4's page rules, ChineseWebText, data-juicer's character filters.
"""

from __future__ import annotations

import numpy as np

from filters.bytewise import decode_at, holds, load64
from filters.codepoints import (
    CJK_PUNCT,
    HAN,
    IS_ALNUM,
    IS_ALPHA,
    IS_DIGIT,
    IS_PUNCT,
    IS_SPACE,
    IS_UPPER,
    JUNK,
    PROPERTIES,
    SPECIAL,
)
from filters.compiled import kernel, step
from filters.scan import before, strip
from filters.segment import TextView
from filters.signals.signal import C4, CWT, FLAG, INT, JUICER, OWN, REAL, ratio, signals

KINDS = np.array([IS_ALNUM, IS_DIGIT, IS_UPPER, IS_SPACE, IS_PUNCT, JUNK, SPECIAL, HAN, CJK_PUNCT, IS_ALPHA], np.uint32)
ALNUM, DIGITS, UPPER, SPACES, PUNCT, JUNKS, SPECIALS, HANS, CJK_MARKS, ALPHAS = range(len(KINDS))
HAN_BASIC, CHAR_RUN, NON_HAN_RUN = range(len(KINDS), len(KINDS) + 3)
CLOSERS = "\"'”’»)]}）】》」』〉〕"


@kernel
def kinds_of(data, bounds, properties, kinds):  # type: ignore[no-untyped-def]
    """A column a text for each kind, then Han U+4E00-9FA5, the longest run of one character, the longest run that is
    neither Han, nor Chinese punctuation, nor blank."""
    docs, width = len(bounds) - 1, len(kinds)
    out = np.zeros((docs, width + 3), np.int64)
    for doc in range(docs):
        ascii_counts = np.zeros(128, np.int64)
        i, end = bounds[doc], bounds[doc + 1]
        previous, run, longest, other, most_other = -1, 0, 0, 0, 0
        while i < end:
            code, size = decode_at(data, i)
            i += size
            if code < 128:
                ascii_counts[code] += 1
                other = 0 if 9 <= code <= 13 or 28 <= code <= 32 else other + 1
            else:
                bits = properties[code]
                for k in range(width):
                    out[doc, k] += (bits & kinds[k]) != 0
                out[doc, width] += 0x4E00 <= code <= 0x9FA5
                other = 0 if bits & (HAN | CJK_PUNCT | IS_SPACE) else other + 1
            most_other = max(most_other, other)
            if code == previous:
                run += 1
                longest = max(longest, run)
            else:
                run = 1
            previous = code
        for code in range(128):
            for k in range(width):
                if properties[code] & kinds[k]:
                    out[doc, k] += ascii_counts[code]
        out[doc, width + 1] = max(longest, 1 if end > bounds[doc] else 0)
        out[doc, width + 2] = most_other
    return out


@step
def may_hold(word):  # type: ignore[no-untyped-def]
    """Whether one of a word's eight bytes begins something that `symbols` counts."""
    return (holds(word, 0x2E) | holds(word, 0xE2) | holds(word, 0x23) | holds(word, 0x7B) | holds(word, 0x7D)) != 0


@kernel
def symbols(data, bounds):  # type: ignore[no-untyped-def]
    """Four columns a text: '#', '...' (not overlapping) and '…', '{', '}'."""
    out = np.zeros((len(bounds) - 1, 4), np.int64)
    for doc in range(len(out)):
        dots = 0
        i, end = bounds[doc], bounds[doc + 1]
        while i < end:
            if i + 8 <= end and not may_hold(load64(data, i)):
                i += 8
                dots = 0
                continue
            b = data[i]
            i += 1
            if b == 0x2E:
                dots += 1
                if dots == 3:
                    out[doc, 1] += 1
                    dots = 0
                continue
            dots = 0
            if b == 0xE2:
                out[doc, 1] += data[i] == 0x80 and data[i + 1] == 0xA6
            out[doc, 0] += b == 0x23
            out[doc, 2] += b == 0x7B
            out[doc, 3] += b == 0x7D
    return out


@kernel
def unterminated(data, bounds, properties, ends, closers):  # type: ignore[no-untyped-def]
    """Whether the last character (blanks and closing marks after it aside) ends no sentence."""
    out = np.zeros(len(bounds) - 1, np.bool_)
    for doc in range(len(out)):
        start, end = strip(data, bounds[doc], bounds[doc + 1], properties)
        filled = end > start
        while end > start:
            code, at = before(data, start, end)
            if not closers[code]:
                out[doc] = not ends[code]
                break
            end = at
        if filled and end == start:
            out[doc] = True
    return out


def marks(characters: str) -> np.ndarray:
    """A table over code points with 1 at each of `characters`."""
    table = np.zeros(0x110000, np.uint8)
    table[[ord(c) for c in characters]] = 1
    return table


ENDS_TABLE, CLOSERS_TABLE = marks(".!?…。！？；;؟۔।"), marks(CLOSERS)


def kind_columns(view: TextView) -> np.ndarray:
    """The columns of `kinds_of`, once a batch."""
    return view.once(kinds_of, lambda: kinds_of(view.data, view.bounds, PROPERTIES, KINDS))


def symbol_columns(view: TextView) -> np.ndarray:
    """The columns of `symbols`, once a batch."""
    return view.once(symbols, lambda: symbols(view.data, view.bounds))


def count(view: TextView) -> dict[str, np.ndarray]:
    """Characters."""
    return {"char_count": view.char_counts}


def by_kind(view: TextView) -> dict[str, np.ndarray]:
    """Shares of kinds of characters and longest runs."""
    c, chars = kind_columns(view), view.char_counts
    shares = {
        "alnum_ratio": ALNUM,
        "special_char_ratio": SPECIALS,
        "digit_ratio": DIGITS,
        "upper_ratio": UPPER,
        "whitespace_ratio": SPACES,
        "punctuation_ratio": PUNCT,
        "replacement_char_ratio": JUNKS,
        "han_ratio": HAN_BASIC,
        "cjk_punct_ratio": CJK_MARKS,
    }
    runs = {"han_count": c[:, HANS], "longest_char_run": c[:, CHAR_RUN], "longest_non_han_run": c[:, NON_HAN_RUN]}
    return {name: ratio(c[:, column], chars) for name, column in shares.items()} | runs


def braces(view: TextView) -> dict[str, np.ndarray]:
    """C4's curly bracket and RedPajama-v2's share of both."""
    c = symbol_columns(view)
    return {"has_curly": c[:, 2] > 0, "rps_doc_curly_bracket": ratio(c[:, 2] + c[:, 3], view.char_counts)}


def ends(view: TextView) -> dict[str, np.ndarray]:
    """The first and the last character."""
    filled = np.diff(view.bounds) > 0
    first = np.zeros(len(view), np.bool_)
    first[filled] = view.data[view.bounds[:-1][filled]] < 128
    return {
        "first_char_is_ascii": first,
        "unterminated_end": unterminated(view.data, view.bounds, PROPERTIES, ENDS_TABLE, CLOSERS_TABLE),
    }


SIGNALS = (
    *signals(count, (("char_count", INT, "characters", C4),)),
    *signals(by_kind, (
        ("han_ratio", REAL, "share of characters in U+4E00-9FA5", CWT),
        ("alnum_ratio", REAL, "share of letters and numbers", JUICER),
        ("special_char_ratio", REAL, "share of data-juicer's special characters", JUICER),
        ("digit_ratio", REAL, "share of digits", OWN),
        ("upper_ratio", REAL, "share of capital letters", OWN),
        ("whitespace_ratio", REAL, "share of blanks", OWN),
        ("punctuation_ratio", REAL, "share of punctuation (category P)", OWN),
        ("replacement_char_ratio", REAL, "share of U+FFFD, private use and control characters", OWN),
        ("cjk_punct_ratio", REAL, "share of Chinese punctuation", OWN),
        ("han_count", INT, "Han characters of all blocks", "MNBVC and WuDaoCorpora, as described"),
        ("longest_char_run", INT, "longest run of one character", OWN),
        ("longest_non_han_run", INT, "longest run without Han, Chinese mark or blank", "WuDaoCorpora, as described"),
    )),
    *signals(braces, (
        ("has_curly", FLAG, "holds '{'", C4),
        ("rps_doc_curly_bracket", REAL, "'{' and '}' over characters", "RedPajama-Data content.py"),
    )),
    *signals(ends, (
        ("first_char_is_ascii", FLAG, "the first character is of ASCII", "Roller et al. 2021, as described"),
        ("unterminated_end", FLAG, "the last character ends no sentence", "WuDaoCorpora, as described"),
    )),
)  # fmt: skip
