"""Gopher's signals of words (arXiv:2112.11446, A1.1) over the tokens of the text's language, as datatrove counts.

A word is a token that is not all punctuation; shares divide by all tokens. Stop words are distinct ones, matched in
their own case; each language has the list that FineWeb-2 published for it, English Gopher's, a language without a
list English's. A text without words measures 0, never NaN.
"""

from __future__ import annotations

import json
from functools import cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from filters.codepoints import DATA
from filters.compiled import kernel
from filters.segment import TextView
from filters.segmenters import CHINESE
from filters.signals.characters import symbol_columns
from filters.signals.signal import GOPHER, INT, REAL, ratio, signals
from filters.tokens import ALPHA, SYMBOL, word_hash

CELLS = 128  # of a language's table; no list has more than 32 words


@cache
def stop_words() -> dict[str, tuple[str, ...]]:
    """The stop words of each language, by its lid.176 code."""
    known = json.loads((DATA / "stop_words.json").read_text("utf-8"))
    words = {code: tuple(entry["words"]) for code, entry in known.items()}
    return words | dict.fromkeys(CHINESE, words["zh"])


@cache
def stop_tables() -> tuple[np.ndarray, np.ndarray]:
    """(hashes, bits), a row for each language in the order of `stop_words`: open-addressing tables of its words."""
    keys = np.zeros((len(stop_words()), CELLS), np.uint64)
    bits = np.zeros((len(stop_words()), CELLS), np.uint32)
    for row, words in enumerate(stop_words().values()):
        for number, word in enumerate(words):
            cell = word_hash(word) % CELLS
            while keys[row, cell]:
                cell = (cell + 1) % CELLS
            keys[row, cell], bits[row, cell] = word_hash(word), 1 << number
    return keys, bits


@kernel
def word_stats(first, flags, lengths, hashes, languages, keys, bits):  # type: ignore[no-untyped-def]
    """Four columns a text: words, their characters, tokens with a letter, distinct stop words of its language."""
    docs = len(first) - 1
    out = np.zeros((docs, 4), np.int64)
    last = keys.shape[1] - 1
    for doc in range(docs):
        seen, row = np.uint32(0), languages[doc]
        words = chars = letters = 0
        for t in range(first[doc], first[doc + 1]):
            word = (flags[t] & SYMBOL) == 0
            words += word
            chars += lengths[t] * word
            letters += flags[t] & ALPHA
            cell = np.int64(hashes[t] & np.uint64(last))
            while keys[row, cell] != np.uint64(0):
                if keys[row, cell] == hashes[t]:
                    seen |= bits[row, cell]
                    break
                cell = (cell + 1) & last
        out[doc, 0], out[doc, 1], out[doc, 2] = words, chars, letters
        while seen:
            seen &= seen - np.uint32(1)
            out[doc, 3] += 1
    return out


def languages(view: TextView) -> np.ndarray:
    """Each text's row in `stop_tables`; English's where its language has none."""
    codes = list(stop_words())
    found = pc.fill_null(pc.index_in(view.lang, value_set=pa.array(codes, view.lang.type)), codes.index("en"))
    return np.asarray(found, np.int64)


def measure(view: TextView) -> dict[str, np.ndarray]:
    """All word signals of a batch."""
    t = view.tokens
    w = word_stats(t.first, t.flags, t.lengths, t.hashes, languages(view), *stop_tables())
    c, tokens = symbol_columns(view), np.diff(t.first)
    return {
        "word_count": w[:, 0],
        "token_count": tokens,
        "mean_word_length": ratio(w[:, 1], w[:, 0]),
        "alpha_word_ratio": ratio(w[:, 2], tokens),
        "hash_word_ratio": ratio(c[:, 0], tokens),
        "ellipsis_word_ratio": ratio(c[:, 1], tokens),
        "stop_word_count": w[:, 3],
    }


SIGNALS = signals(measure, (
    ("word_count", INT, "tokens that are no symbols", GOPHER),
    ("token_count", INT, "tokens, symbols included", GOPHER),
    ("mean_word_length", REAL, "mean characters of a word", GOPHER),
    ("alpha_word_ratio", REAL, "share of tokens with a letter", GOPHER),
    ("hash_word_ratio", REAL, "'#' for each token", GOPHER),
    ("ellipsis_word_ratio", REAL, "ellipses for each token", GOPHER),
    ("stop_word_count", INT, "distinct stop words of the text's language",
     "arXiv:2112.11446 A1.1; huggingface/fineweb-2 configs"),
))  # fmt: skip
