"""What tokenizers make of texts in several languages, and which of a vocabulary's tokens are of no use.

Fertility is tokens a word (Rust et al. 2021, arXiv:2012.15613); words are what stands between blanks, which says little
of Chinese, Japanese or Thai, so tokens a character stand beside it. A token is unreachable if its own text is encoded
otherwise (Land and Bartolo 2024, arXiv:2405.05417, section 2.2); those whose bytes are no whole characters cannot be
asked. Glitch candidates are reachable tokens that the texts never have: a model trained on these texts would never
learn them. Which of them do harm only the model's weights can say.

Tokens are hostile text: whoever prints them has to make them harmless.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from tokenization.encode import slices
from tokenization.tokenizer import Tokenizer

BROKEN = "\ufffd"


@dataclass(frozen=True)
class Measure:
    """One tokenizer on one language: sums, and what follows from them."""

    tokenizer: str
    language: str
    documents: int
    text_bytes: int
    characters: int
    words: int
    tokens: int

    @property
    def bytes_per_token(self) -> float:
        """Bytes of UTF-8 that a token stands for; more is better."""
        return self.text_bytes / max(1, self.tokens)

    @property
    def fertility(self) -> float:
        """Tokens a word; fewer is better."""
        return self.tokens / max(1, self.words)

    @property
    def per_character(self) -> float:
        """Tokens a character; fewer is better."""
        return self.tokens / max(1, self.characters)

    def as_dict(self) -> dict[str, Any]:
        """All of it, for JSON."""
        ratios = {name: round(getattr(self, name), 4) for name in ("bytes_per_token", "fertility", "per_character")}
        return {**asdict(self), **ratios}


@dataclass(frozen=True)
class Vocabulary:
    """A vocabulary's tokens by kind: (id, text) each; `partial` counts those whose bytes are no whole characters."""

    longest: list[tuple[int, str]]
    unreachable: list[tuple[int, str]]
    unseen: list[tuple[int, str]]
    partial: int
    size: int


class Report:
    """Adds texts up, table by table, for several tokenizers at once; the first one's vocabulary is looked into."""

    def __init__(self, tokenizers: Iterable[Tokenizer]) -> None:
        self.tokenizers = list(tokenizers)
        self.sums: dict[tuple[int, str], npt.NDArray[np.int64]] = {}
        self.seen = np.zeros(self.tokenizers[0].vocab_size, np.int64)

    def add(self, language: str, text: pa.LargeStringArray) -> None:
        """Count texts of one language."""
        lengths = pc.sum(pc.binary_length(text)).as_py() or 0
        characters = pc.sum(pc.utf8_length(text)).as_py() or 0
        pieces = pc.utf8_split_whitespace(text).flatten()
        words = len(pieces) - (pc.sum(pc.equal(pieces, "")).as_py() or 0)
        for number, tokenizer in enumerate(self.tokenizers):
            tokens = 0
            for some in slices(text):
                ids, _ = tokenizer.encode_batch(some)
                tokens += len(ids)
                if number == 0:
                    self.seen += np.bincount(ids, minlength=len(self.seen))
            added = np.array([len(text), lengths, characters, words, tokens], np.int64)
            key = number, language
            self.sums[key] = self.sums.get(key, np.zeros(5, np.int64)) + added

    def measures(self) -> list[Measure]:
        """A row for each language and tokenizer, the language with most text first."""
        size = {language: int(sums[1]) for (number, language), sums in self.sums.items() if number == 0}
        order = sorted(self.sums, key=lambda key: (-size[key[1]], key[1], key[0]))
        return [Measure(self.tokenizers[n].name, language, *self.sums[n, language].tolist()) for n, language in order]

    def vocabulary(self, most: int) -> Vocabulary:
        """The first tokenizer's vocabulary; `most` of the longest tokens, all that are unreachable or unseen."""
        tokenizer = self.tokenizers[0]
        ids = [i for i in range(tokenizer.vocab_size) if i != tokenizer.end_of_text]
        texts = {i: text for i in ids if (text := _text(tokenizer, i))}
        whole = {i: text for i, text in texts.items() if BROKEN not in text}
        made, offsets = tokenizer.encode_batch(pa.array(list(whole.values()), pa.large_string()))
        starts = dict(zip(whole, itertools.pairwise(offsets), strict=True))
        lost = [i for i, (a, b) in starts.items() if b - a != 1 or made[a] != i]
        longest = sorted(whole, key=lambda i: (-len(whole[i].encode()), i))[:most]
        gone = set(lost)
        unseen = [i for i in whole if not self.seen[i] and i not in gone]
        named = ([(i, whole[i]) for i in some] for some in (longest, lost, unseen))
        return Vocabulary(next(named), next(named), next(named), len(texts) - len(whole), tokenizer.vocab_size)


def _text(tokenizer: Tokenizer, number: int) -> str:
    try:
        return tokenizer.decode([number])
    except (KeyError, IndexError):  # ids need not be dense
        return ""
