"""Signals of words and characters: counts, lengths, stop words, symbols, script.

Sources: Gopher (arXiv:2112.11446, A1.1); C4's page rules (arXiv:1910.10683, 2.2); FineWeb-2's `cmn_Hani` stop
words; ChineseWebText (arXiv:2311.01149, preprocess.py). A text without words measures 0, never NaN.
"""

from __future__ import annotations

import numba
import numpy as np
import opencc
import pyarrow.compute as pc

from filters.segment import ALPHA, SYMBOL, TextView, decode_at, word_hash
from filters.signals.repetition import char_counts

STOP_EN = ("the", "be", "to", "of", "and", "that", "have", "with")
STOP_ZH = tuple("的年在月是和日了於·為有被人中为他與後也而由")


@numba.njit(cache=True, nogil=True)  # type: ignore[misc]
def word_stats(first, flags, lengths, hashes, english, chinese):  # type: ignore[no-untyped-def]
    """Seven columns a text: words, their characters, tokens, with a letter, hash signs, en and zh stop words."""
    docs = len(first) - 1
    out = np.zeros((docs, 7))
    for doc in range(docs):
        seen_en = np.zeros(len(english), np.uint8)
        seen_zh = np.zeros(len(chinese), np.uint8)
        for t in range(first[doc], first[doc + 1]):
            out[doc, 2] += 1
            if not flags[t] & SYMBOL:
                out[doc, 0] += 1
                out[doc, 1] += lengths[t]
            if flags[t] & ALPHA:
                out[doc, 3] += 1
            if lengths[t] <= 4:
                for k in range(len(english)):
                    if hashes[t] == english[k]:
                        seen_en[k] = 1
                for k in range(len(chinese)):
                    if hashes[t] == chinese[k]:
                        seen_zh[k] = 1
        out[doc, 5] = seen_en.sum()
        out[doc, 6] = seen_zh.sum()
    return out


@numba.njit(cache=True, nogil=True)  # type: ignore[misc]
def character_stats(data, bounds):  # type: ignore[no-untyped-def]
    """Four columns a text: '#', ellipses ('...' and '…'), Han characters U+4E00-9FA5, '{'."""
    out = np.zeros((len(bounds) - 1, 4), np.int64)
    for doc in range(len(out)):
        i, end = bounds[doc], bounds[doc + 1]
        while i < end:
            code, width = decode_at(data, i)
            out[doc, 0] += code == 0x23
            out[doc, 2] += 0x4E00 <= code <= 0x9FA5
            out[doc, 3] += code == 0x7B
            if code == 0x2026:
                out[doc, 1] += 1
            elif code == 0x2E and i + 2 < end and data[i + 1] == 0x2E and data[i + 2] == 0x2E:
                out[doc, 1] += 1
                width = 3
            i += width
    return out


def measure(view: TextView) -> dict[str, np.ndarray]:
    """All word and character signals of a batch."""
    stops = [np.array([word_hash(w) for w in words], np.int64) for words in (STOP_EN, STOP_ZH)]
    w = word_stats(*view.tokens, *stops)
    c = character_stats(view.data, view.bounds)
    chars = char_counts(view.data, view.bounds)
    words, tokens = np.maximum(w[:, 0], 1), np.maximum(w[:, 2], 1)
    lower = pc.utf8_lower(view.text)
    return {
        "char_count": chars,
        "word_count": w[:, 0].astype(np.int64),
        "token_count": w[:, 2].astype(np.int64),
        "mean_word_length": w[:, 1] / words,
        "alpha_word_ratio": w[:, 3] / tokens,
        "hash_word_ratio": c[:, 0] / tokens,
        "ellipsis_word_ratio": c[:, 1] / tokens,
        "stop_word_count": np.where(view.is_chinese, w[:, 6], w[:, 5]).astype(np.int64),
        "han_ratio": c[:, 2] / np.maximum(chars, 1),
        "has_curly": c[:, 3] > 0,
        "has_lorem_ipsum": np.asarray(pc.match_substring(lower, "lorem ipsum").to_numpy(zero_copy_only=False)),
        "is_traditional": traditional(view),
    }


def traditional(view: TextView) -> np.ndarray:
    """Whether converting a Chinese text to simplified characters changes it."""
    out = np.zeros(len(view), np.bool_)
    for i in np.flatnonzero(view.is_chinese):
        text = view.text[int(i)].as_py()
        out[i] = simplify(text) != text
    return out


_converter: list[opencc.OpenCC] = []


def simplify(text: str) -> str:
    """Traditional to simplified characters, by OpenCC's t2s tables."""
    if not _converter:
        _converter.append(opencc.OpenCC("t2s"))
    return str(_converter[0].convert(text))
