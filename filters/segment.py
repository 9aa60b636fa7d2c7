"""Text to tokens and lines, once per text, as arrays over Arrow's own buffers.

A token is a run of letters, digits and marks (with an inner apostrophe, or an inner point or comma between
digits), or a run of one repeated other character: "..." is one token, as in the tokenisers that the published
rules were measured with. Chinese is cut by jieba first; Han, kana and Thai elsewhere are one token a
character. Traded away: exact agreement with spaCy's English exceptions ("don't" stays one token), and 64-bit
hashes stand for words: two different words collide about once in 10^19 pairs.
"""

from __future__ import annotations

import unicodedata
from functools import cached_property
from importlib.metadata import version

import numba
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import rjieba

OTHER, LETTER, DIGIT, MARK, SPACE, SINGLE = 0, 1, 2, 3, 4, 5
ALPHA, SYMBOL = 1, 2
Bytes = npt.NDArray[np.uint8]
Ints = npt.NDArray[np.int64]
SINGLE_RANGES = ((0x0E00, 0x0E7F), (0x3040, 0x30FF), (0x31F0, 0x31FF), (0x3400, 0x4DBF), (0x4E00, 0x9FFF),
                 (0xF900, 0xFAFF), (0x20000, 0x323AF))  # fmt: skip


def _classes() -> Bytes:
    """One class for every code point, from Python's own Unicode tables."""
    kinds = {"L": LETTER, "N": DIGIT, "M": MARK, "Z": SPACE}
    table = np.fromiter(
        (kinds.get(unicodedata.category(chr(c))[0], OTHER) for c in range(0x110000)), np.uint8, 0x110000
    )
    for low, high in SINGLE_RANGES:
        block = table[low : high + 1]
        block[block == LETTER] = SINGLE
    table[[9, 10, 11, 12, 13, 0x85]] = SPACE
    table[ord("_")] = LETTER
    return table


CLASSES = _classes()


def segmenter_versions() -> dict[str, str]:
    """Which segmenter each language gets, recorded with the run."""
    return {"zh": f"rjieba {version('rjieba')}", "*": f"unicode {unicodedata.unidata_version}"}


def buffers(text: pa.LargeStringArray) -> tuple[Bytes, Ints]:
    """UTF-8 bytes and 64-bit offsets of a large_string array, without copying; a null is an empty text."""
    text = text.fill_null("") if text.null_count else text
    _, offsets, data = text.buffers()
    bounds = np.frombuffer(offsets, np.int64)[text.offset : text.offset + len(text) + 1]
    raw = np.frombuffer(data, np.uint8) if data is not None and data.size else np.zeros(1, np.uint8)
    return raw, bounds


@numba.njit(cache=True, nogil=True)  # type: ignore[misc]
def decode_at(data, i):  # type: ignore[no-untyped-def]
    """Code point at byte i of valid UTF-8, and its width in bytes."""
    b = np.int64(data[i])
    if b < 0x80:
        return b, 1
    if b < 0xE0:
        return ((b & 0x1F) << 6) | (np.int64(data[i + 1]) & 0x3F), 2
    if b < 0xF0:
        return ((b & 0x0F) << 12) | ((np.int64(data[i + 1]) & 0x3F) << 6) | (np.int64(data[i + 2]) & 0x3F), 3
    return (
        ((b & 0x07) << 18)
        | ((np.int64(data[i + 1]) & 0x3F) << 12)
        | ((np.int64(data[i + 2]) & 0x3F) << 6)
        | (np.int64(data[i + 3]) & 0x3F)
    ), 4


@numba.njit(cache=True, nogil=True)  # type: ignore[misc]
def mix(h: np.uint64) -> np.uint64:
    """Finaliser of splitmix64: spreads every input bit over the whole word."""
    h ^= h >> np.uint64(30)
    h *= np.uint64(0xBF58476D1CE4E5B9)
    h ^= h >> np.uint64(27)
    h *= np.uint64(0x94D049BB133111EB)
    return h ^ (h >> np.uint64(31))


@numba.njit(cache=True, nogil=True)  # type: ignore[misc]
def hash_bytes(data: Bytes, start: int, end: int) -> np.uint64:
    """64-bit FNV-1a of bytes [start, end), finished by `mix`."""
    h = np.uint64(0xCBF29CE484222325)
    for i in range(start, end):
        h = (h ^ np.uint64(data[i])) * np.uint64(0x100000001B3)
    return mix(h)


@numba.njit(cache=True, nogil=True)  # type: ignore[misc]
def _token_end(data: Bytes, i: int, end: int, classes: Bytes, joined: bool) -> tuple[int, int, bool, bool]:
    """End of the token that begins at i, its characters, whether it has a letter, whether it is a symbol."""
    code, width = decode_at(data, i)
    kind = classes[code]
    i += width
    chars = 1
    if kind == SINGLE and not joined:
        while i < end:  # a base character keeps its marks
            following, w = decode_at(data, i)
            if classes[following] != MARK:
                break
            i += w
            chars += 1
        return i, chars, True, False
    if kind == OTHER:
        while i < end:
            following, w = decode_at(data, i)
            if following != code:
                break
            i += w
            chars += 1
        return i, chars, False, True
    alpha = kind in (LETTER, SINGLE)
    last = kind
    while i < end:
        code, width = decode_at(data, i)
        kind = classes[code]
        if kind == SPACE or (kind == SINGLE and not joined):
            break
        if kind == OTHER:
            inner = code == 0x27 or code == 0x2019 or ((code == 0x2E or code == 0x2C) and last == DIGIT)
            if not inner or i + width >= end:
                break
            following, _ = decode_at(data, i + width)
            wanted = DIGIT if last == DIGIT else LETTER
            if classes[following] != wanted:
                break
        alpha = alpha or kind in (LETTER, SINGLE)
        last = kind
        i += width
        chars += 1
    return i, chars, alpha, False


@numba.njit(cache=True, nogil=True)  # type: ignore[misc]
def _tokens(data: Bytes, bounds: Ints, joined: Bytes, classes: Bytes) -> tuple[Ints, Bytes, Ints, Ints]:
    """(first token of each text, flags, lengths in characters, hashes as int64) in one pass."""
    capacity = max(16, (bounds[-1] - bounds[0]) // 2 + len(bounds))
    first = np.zeros(len(bounds), np.int64)
    flags = np.empty(capacity, np.uint8)
    lengths = np.empty(capacity, np.int64)
    hashes = np.empty(capacity, np.int64)
    n = 0
    for doc in range(len(bounds) - 1):
        i, end = bounds[doc], bounds[doc + 1]
        while i < end:
            code, width = decode_at(data, i)
            if classes[code] == SPACE:
                i += width
                continue
            if n == capacity:  # only texts of single-byte symbols get here
                capacity *= 2
                flags = np.concatenate((flags, np.empty_like(flags)))
                lengths = np.concatenate((lengths, np.empty_like(lengths)))
                hashes = np.concatenate((hashes, np.empty_like(hashes)))
            stop, chars, alpha, symbol = _token_end(data, i, end, classes, joined[doc] == 1)
            flags[n] = (ALPHA if alpha else 0) | (SYMBOL if symbol else 0)
            lengths[n] = chars
            hashes[n] = np.int64(hash_bytes(data, i, stop))
            n += 1
            i = stop
        first[doc + 1] = n
    return first, flags[:n], lengths[:n], hashes[:n]


def word_hash(word: str) -> int:
    """The hash that a token has in `TextView.hashes`, for looking words up."""
    data = np.frombuffer(word.encode(), np.uint8)
    return int(np.uint64(hash_bytes(data, 0, len(data))).astype(np.int64))


class TextView:
    """One batch of texts with their languages; tokens are found when first asked for, and once."""

    def __init__(self, text: pa.LargeStringArray, lang: pa.StringArray) -> None:
        self.text = text.fill_null("") if text.null_count else text
        self.lang = lang
        self.data, self.bounds = buffers(self.text)

    def __len__(self) -> int:
        return len(self.text)

    @cached_property
    def is_chinese(self) -> npt.NDArray[np.bool_]:
        """Texts that jieba cuts."""
        return np.array([code in ("zh", "wuu", "yue") for code in self.lang.to_pylist()], np.bool_)

    @cached_property
    def tokens(self) -> tuple[Ints, Bytes, Ints, Ints]:
        """(first[n+1], flags, lengths, hashes): tokens of text i are first[i]:first[i+1]."""
        text = self.text
        if self.is_chinese.any():
            rows = zip(text.to_pylist(), self.is_chinese, strict=True)
            text = pa.array([" ".join(rjieba.cut(t)) if zh else t for t, zh in rows], pa.large_string())
        data, bounds = buffers(text)
        result: tuple[Ints, Bytes, Ints, Ints] = _tokens(data, bounds, self.is_chinese.astype(np.uint8), CLASSES)
        return result
