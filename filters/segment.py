"""Text to tokens, once per text, as arrays over Arrow's own buffers, by the words of the text's language.

Unicode words by default (filters/tokens.py). English is cut by spaCy's rules (filters/english.py), Chinese by jieba
first, Japanese, Thai, Lao, Khmer and Burmese by ICU's dictionaries; French, Italian and Catalan also after an
elided article ("l'eau" is "l'" and "eau"), as their published stop words want it. Han, kana and Thai in texts of
other languages are one token a character. Traded away: ICU's Japanese words are a little longer than SudachiPy's
short units, which FineWeb-2 measured with (the cuts agree at an F1 of 0.93); it is ten times as fast, 30 MB smaller
than any dictionary, and needs no download.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cached_property, lru_cache, partial
from typing import TypeVar, cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import rjieba
from icu4py.breakers import WordBreaker

from filters.bytewise import Bytes, Ints, buffers, decode_at, hash_bytes, mix
from filters.codepoints import CLASSES, DIGIT, LETTER, MARK, OTHER, SINGLE, SPACE
from filters.segmenters import BY_ICU, CHINESE, ELIDING
from filters.tokens import ALPHA, ELIDED, ENGLISH, JOINED, PLAIN, SYMBOL, Tokens, cut, word_hash

__all__ = [
    "ALPHA",
    "CLASSES",
    "DIGIT",
    "LETTER",
    "MARK",
    "OTHER",
    "SINGLE",
    "SPACE",
    "SYMBOL",
    "Bytes",
    "Ints",
    "TextView",
    "buffers",
    "decode_at",
    "hash_bytes",
    "mix",
    "word_hash",
]
Result = TypeVar("Result")
# A segmenter sees at most this many characters at once: what a line without blanks costs stays bounded. Longer
# texts are cut where no word can be: after a mark or a blank, if there is one.
PIECE = 20_000
BREAKS = "\n。！？，、；： "
LINES, SHORT = 1 << 16, 200  # so many cuts of lines are kept, of at most so many characters: 100 MB were each so long
LONG_LINES, LONG = 1 << 11, 4000  # and so many of longer lines: 50 MB, twice that where each has a rare character
MOST_LINES = 50_000  # of a text that is taken line by line: each costs some 100 bytes for a moment


def pieces(text: str, size: int = PIECE) -> Iterator[str]:
    """The text in runs of at most `size` characters, cut after a mark or blank where there is one.

    >>> list(pieces("一二。三四五六", 4))
    ['一二。', '三四五六']
    """
    at = 0
    while len(text) - at > size:
        stop = max(text.rfind(mark, at, at + size) for mark in BREAKS) + 1
        stop = stop if stop > at else at + size
        yield text[at:stop]
        at = stop
    yield text[at:]


def jieba(text: str) -> Iterable[str]:
    """The words of Chinese; all characters are in one of them, blanks too."""
    words: list[str] = rjieba.cut(text)
    return words


def icu(code: str, text: str) -> Iterable[str]:
    """The words of a language by ICU's dictionaries."""
    return WordBreaker(text, code)


@lru_cache(LINES)
def kept_line(cut: Callable[[str], Iterable[str]], line: str) -> str:
    """A short line with blanks between its words. Edits mostly drop lines, and pages of one site share some: so most
    lines of a version of a text were cut before.
    """
    return " ".join(cut(line))


@lru_cache(LONG_LINES)
def kept_long_line(cut: Callable[[str], Iterable[str]], line: str) -> str:
    """As `kept_line`, for the versions of a text, which come soon after each other."""
    return " ".join(cut(line))


def by_line(cut: Callable[[str], Iterable[str]]) -> Callable[[str], str]:
    """A function that puts blanks between the words of a text. No word reaches over a newline."""

    def whole(text: str) -> str:
        return " ".join(" ".join(cut(piece)) for piece in pieces(text))

    def one(line: str) -> str:
        if len(line) <= SHORT:
            return kept_line(cut, line)
        return kept_long_line(cut, line) if len(line) <= LONG else whole(line)

    def segmented(text: str) -> str:
        return whole(text) if text.count("\n") > MOST_LINES else "\n".join(map(one, text.split("\n")))

    return segmented


SEGMENTERS: dict[str, Callable[[str], str]] = dict.fromkeys(CHINESE, by_line(jieba))
SEGMENTERS |= {code: by_line(partial(icu, code)) for code in BY_ICU}


class TextView:
    """One batch of texts with their languages; tokens are found when first asked for, and once."""

    def __init__(self, text: pa.LargeStringArray, lang: pa.StringArray) -> None:
        self.text = text.fill_null("") if text.null_count else text
        self.lang = lang.cast(pa.string())
        self.data, self.bounds = buffers(self.text)
        self._shared: dict[object, object] = {}

    def __len__(self) -> int:
        return len(self.text)

    def once(self, key: object, work: Callable[[], Result]) -> Result:
        """What several kernels of one batch need: worked out when first asked for, and once."""
        if key not in self._shared:
            self._shared[key] = work()
        return cast(Result, self._shared[key])

    def knows(self, key: object) -> bool:
        """Whether `once` has worked this out."""
        return key in self._shared

    def is_in(self, codes: tuple[str, ...]) -> npt.NDArray[np.bool_]:
        """Texts in one of these languages."""
        return np.asarray(pc.is_in(self.lang, value_set=pa.array(codes, self.lang.type)), np.bool_)

    @cached_property
    def is_chinese(self) -> npt.NDArray[np.bool_]:
        """Texts that jieba cuts."""
        return self.is_in(CHINESE)

    @cached_property
    def char_counts(self) -> Ints:
        """Characters of each text."""
        return np.asarray(pc.utf8_length(self.text), np.int64)

    @cached_property
    def tokens(self) -> Tokens:
        """The tokens of every text, segmented by its language."""
        modes = np.where(self.is_in(ELIDING), ELIDED, PLAIN).astype(np.uint8)
        modes[self.is_in(("en",))] = ENGLISH
        joined = self.is_in(tuple(SEGMENTERS))
        text = self.text
        if joined.any():
            modes[joined] = JOINED
            rows = np.flatnonzero(joined)
            chosen = zip(text.take(rows).to_pylist(), self.lang.take(rows).to_pylist(), strict=True)
            done = pa.array([SEGMENTERS[code](t) for t, code in chosen], pa.large_string())
            text = pc.replace_with_mask(text, pa.array(joined), done)
        return cut(*buffers(text), modes)
