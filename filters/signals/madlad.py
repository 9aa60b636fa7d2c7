"""MADLAD-400's questionable sentences (arXiv:2309.04662, its list as other curators' code quotes it).

A sentence is questionable if half its words or more of at least 12 begin with a capital, if it has under 20 or over
500 characters, if more than a fifth of them are technical (0-9 { } + / ( ) >), or if it holds a cursed pattern. A
sentence ends at a newline, after a wide end mark, and after another that a blank follows. Its fifth test, the
language of each sentence, is left out, and the thresholds are quoted from memory of the data set's card.
"""

from __future__ import annotations

import numpy as np

from filters.bytewise import decode_at
from filters.codepoints import ENDS_SENTENCE, IS_SPACE, IS_UPPER, PROPERTIES
from filters.compiled import kernel, step
from filters.hash_table import longest_text
from filters.segment import TextView
from filters.signals.signal import MADLAD, REAL, ratio, signals

CASED_WORDS, SHORTEST, LONGEST = 12, 20, 500
ANYWHERE = (" №", "\ufffd\ufffd\ufffd", "aute irure dolor ", " sunt in culpa qui ", "orem ipsum ", " quis nostrud ",
            " adipisicing ", " dolore eu ", " cupidatat ", "autem vel eum", "wisi enim ad", " sex ", " porn ",
            "黄色电影", "mp3", "ownload", "Vol.", " Ep.", "Episode", " шт.", "Develop", "Facebook", " crusher ",
            " xxx ")  # fmt: skip
AT_END = ("|", " nr.", " г.", " кг.")


def _place(word: str) -> int:
    """Where the first two characters of a pattern lead, folded to few bits."""
    return (ord(word[0]) * 61 + ord(word[1])) & 4095


def _openers(words: tuple[str, ...]) -> tuple[np.ndarray, np.ndarray]:
    """The places of all patterns in order; and for every place 1 + the first pattern that leads there, or 0."""
    places = np.array(sorted(map(_place, words)), np.int64)
    openers = np.zeros(4096, np.uint8)
    openers[places[::-1]] = np.arange(len(places), 0, -1)  # of equal places the first is written last
    return places, openers


def _flat(words: tuple[str, ...]) -> tuple[np.ndarray, np.ndarray]:
    edges = np.cumsum([0, *map(len, words)]).astype(np.int64)
    return np.array([ord(c) for c in "".join(words)], np.int32), edges


PLACES, OPENERS = _openers(ANYWHERE)
WORDS, WORD_EDGES = _flat(tuple(sorted(ANYWHERE, key=_place)))
ENDINGS, ENDING_EDGES = _flat(AT_END)
# Nine blanks 2, 4 or 5 characters apart, as bits; those 2 apart have none between them.
ROW_2, ROW_4, ROW_5 = (np.uint64(sum(1 << apart * k for k in range(9))) for apart in (2, 4, 5))
LAST_17 = np.uint64((1 << 17) - 1)


@step
def _same(codes, at, m, words, low, high):  # type: ignore[no-untyped-def]
    """Whether words[low:high] stands at `at` of m codes."""
    if at < 0 or at + high - low > m:
        return False
    for k in range(low, high):  # noqa: SIM110 compiled
        if codes[at + k - low] != words[k]:
            return False
    return True


@step
def _pairs(codes, at, m):  # type: ignore[no-untyped-def]
    """Four times a blank, two characters, and one comma or two."""
    for _ in range(4):
        if at + 3 >= m or codes[at] != 0x20 or codes[at + 3] != 0x2C:
            return False
        at += 4
        if at < m and codes[at] == 0x2C:
            at += 1
    return True


@step
def _cursed(codes, m, words, edges, endings, ending_edges, places, openers):  # type: ignore[no-untyped-def]
    """Whether a sentence of m codes holds a cursed pattern."""
    for e in range(len(ending_edges) - 1):
        low, high = ending_edges[e], ending_edges[e + 1]
        if _same(codes, m - (high - low), m, endings, low, high):
            return True
    blanks = np.uint64(0)  # a bit for each of the last 64 characters, the latest the lowest: whether it is a blank
    for k in range(m):
        place = (codes[k] * 61 + codes[k + 1]) & 4095 if k + 1 < m else 0
        if openers[place]:
            w = np.int64(openers[place]) - 1
            while w < len(places) and places[w] == place:
                if _same(codes, k, m, words, edges[w], edges[w + 1]):
                    return True
                w += 1
        blanks = blanks << np.uint64(1) | np.uint64(codes[k] == 0x20)
        # the ninth blank of a row 2 (no blank between), 4 or 5 apart, and enough after it?
        if blanks & LAST_17 == ROW_2 and k + 1 < m and codes[k + 1] != 0x20:
            return True
        if (blanks & ROW_4 == ROW_4 and k + 3 < m) or (blanks & ROW_5 == ROW_5 and k + 4 < m):
            return True
        if codes[k] == 0x2C and _pairs(codes, k + 1, m):
            return True
    return False


@step
def _questionable(codes, m, properties):  # type: ignore[no-untyped-def]
    """Whether length, capitals or technical characters make a sentence questionable."""
    if m < SHORTEST or m > LONGEST:
        return True
    words = capitals = technical = 0
    in_word = False
    for k in range(m):
        code = codes[k]
        blank = (properties[code] & IS_SPACE) != 0
        if not blank and not in_word:
            words += 1
            capitals += (properties[code] & IS_UPPER) != 0
        in_word = not blank
        technical += 0x30 <= code <= 0x39 or code == 0x7B or code == 0x7D or code == 0x2B or code == 0x2F \
            or code == 0x28 or code == 0x29 or code == 0x3E  # fmt: skip
    return (words >= CASED_WORDS and 2 * capitals > words) or 5 * technical > m


@kernel
def questionable(data, bounds, properties, words, edges, endings, ending_edges, places, openers):  # type: ignore[no-untyped-def]
    """Two columns a text: sentences, questionable ones."""
    docs = len(bounds) - 1
    out = np.zeros((docs, 2), np.int64)
    codes = np.empty(longest_text(bounds) + 1, np.int32)
    for doc in range(docs):
        i, end, m = bounds[doc], bounds[doc + 1], 0
        while i < end:
            code, width = decode_at(data, i)
            i += width
            bits = properties[code]
            if code != 10 and not (m == 0 and bits & IS_SPACE):
                codes[m] = code
                m += 1
            over = code == 10 or i >= end
            if not over and bits & ENDS_SENTENCE:
                over = code > 0x2FFF or (properties[decode_at(data, i)[0]] & IS_SPACE) != 0
            if over:
                while m > 0 and properties[codes[m - 1]] & IS_SPACE:
                    m -= 1
                if m > 0:
                    out[doc, 0] += 1
                    out[doc, 1] += _questionable(codes, m, properties) or _cursed(
                        codes, m, words, edges, endings, ending_edges, places, openers
                    )
                m = 0
    return out


def measure(view: TextView) -> dict[str, np.ndarray]:
    """The share of questionable sentences."""
    c = questionable(view.data, view.bounds, PROPERTIES, WORDS, WORD_EDGES, ENDINGS, ENDING_EDGES, PLACES, OPENERS)
    return {"madlad_questionable_ratio": ratio(c[:, 1], c[:, 0])}


SIGNALS = signals(measure, (
    ("madlad_questionable_ratio", REAL, "share of sentences that a rule or pattern questions", MADLAD),
))  # fmt: skip
