"""Text to shingle hashes over Arrow's buffers: lower-case words (one a character in Han, kana and Thai), n at a time.

Words here do not depend on a language guess, so a page and its copy are compared alike whatever each was taken
for. Case is folded for Latin, Greek, Cyrillic and the rest through Python's simple lower-case map. A unit is hashed
from the UTF-8 bytes of its lower case, eight at a time, and a shingle is a polynomial in its units' hashes, carried
on from the one before (Karp and Rabin 1987, doi:10.1147/rd.312.0249), so a shingle costs the same for every n.
Traded away: bytes that are no UTF-8 separate words instead of raising an error.
"""

from __future__ import annotations

import numba
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from filters.bytewise import load64, trailing_zeros
from filters.segment import CLASSES, OTHER, SINGLE, SPACE, Bytes, Ints, buffers, decode_at

LOWER = np.fromiter(
    (ord(chr(c).lower()) if len(chr(c).lower()) == 1 else c for c in range(0x110000)), np.int32, 0x110000
)
Hashes = npt.NDArray[np.uint32]
WORD, CHAR = 0, 1
LONGEST = 64  # units in a shingle; a power of two, for the ring of the last units
SEED, FIRST, SECOND = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
BASE = np.uint64(0xD1342543DE82EF95)  # of the polynomial: odd, so that no unit's hash loses bits
HIGH = np.uint64(0x8080808080808080)


@numba.njit(cache=True, nogil=True)  # type: ignore[misc]
def absorb(h, block):  # type: ignore[no-untyped-def]
    """Take eight more bytes into a unit's hash."""
    h = (h ^ block) * FIRST
    return h ^ (h >> np.uint64(32))


@numba.njit(cache=True, nogil=True)  # type: ignore[misc]
def finish(h):  # type: ignore[no-untyped-def]
    """A unit's hash, once all its bytes are in."""
    h = h * SECOND
    return h ^ (h >> np.uint64(29))


@numba.njit(cache=True, nogil=True)  # type: ignore[misc]
def word_bytes(word):  # type: ignore[no-untyped-def]
    """(which of eight bytes are letters, digits or _ of ASCII, by their high bit; the eight bytes in lower case)."""
    seven = word & ~HIGH
    low = seven | np.uint64(0x2020202020202020)  # upper case becomes lower; what else moves is no letter before or after
    letter = (low + np.uint64(0x1F1F1F1F1F1F1F1F)) & ~(low + np.uint64(0x0505050505050505))  # from a, not after z
    digit = (seven + np.uint64(0x5050505050505050)) & ~(seven + np.uint64(0x4646464646464646))  # from 0, not after 9
    under = ~((seven ^ np.uint64(0x5F5F5F5F5F5F5F5F)) + np.uint64(0x7F7F7F7F7F7F7F7F))
    plain = ~word & HIGH
    letter &= plain
    return letter | ((digit | under) & plain), word | (letter >> np.uint64(2))


@numba.njit(cache=True, nogil=True)  # type: ignore[misc]
def decode(data, i, end):  # type: ignore[no-untyped-def]
    """Code point and width at byte i; what is no UTF-8 or runs past the end is one U+FFFD."""
    lead = data[i]
    width = 1 if lead < 0x80 else 2 if lead < 0xE0 else 3 if lead < 0xF0 else 4
    if (0x80 <= lead < 0xC2) or lead > 0xF4 or i + width > end:
        return np.int64(0xFFFD), 1
    code, width = decode_at(data, i)
    return (code, width) if code < 0x110000 else (np.int64(0xFFFD), 1)


@numba.njit(cache=True, nogil=True)  # type: ignore[misc]
def encode(code):  # type: ignore[no-untyped-def]
    """(the UTF-8 bytes of a code point as one little-endian number, how many)."""
    c = np.uint64(code)
    six, lead = np.uint64(0x3F), np.uint64(0x80)
    if code < 0x80:
        return c, 1
    last = (c & six) | lead
    c >>= np.uint64(6)
    if code < 0x800:
        return (c | np.uint64(0xC0)) | (last << np.uint64(8)), 2
    third = (c & six) | lead
    c >>= np.uint64(6)
    if code < 0x10000:
        return (c | np.uint64(0xE0)) | (third << np.uint64(8)) | (last << np.uint64(16)), 3
    second, c = (c & six) | lead, c >> np.uint64(6)
    bytes_ = (c | np.uint64(0xF0)) | (second << np.uint64(8)) | (third << np.uint64(16)) | (last << np.uint64(24))
    return bytes_, 4


@numba.njit(cache=True, nogil=True)  # type: ignore[misc]
def any_unit(data, i, end, unit, classes, lower):  # type: ignore[no-untyped-def]
    """What `next_unit` returns, one character at a time, whatever the script; a gap is passed one character a call."""
    h, held, filled, found = SEED, np.uint64(0), np.int64(0), False
    while i < end:
        code, width = decode(data, i, end)
        kind = classes[code]
        alone = kind == SINGLE or (unit == CHAR and kind != SPACE)
        if found and (alone or kind in (SPACE, OTHER)):
            break
        if not alone and kind in (SPACE, OTHER):
            return np.uint64(0), i + width, False
        coded, size = encode(lower[code])
        i, found = i + width, True
        held |= coded << np.uint64(8 * filled)
        filled += size
        if filled >= 8:
            h, filled = absorb(h, held), filled - 8
            held = coded >> np.uint64(8 * (size - filled)) if filled else np.uint64(0)
        if alone:
            break
    return finish(absorb(h, held) if filled else h), i, found


@numba.njit(cache=True, nogil=True)  # type: ignore[misc]
def next_unit(data, i, end, unit, classes, lower):  # type: ignore[no-untyped-def]
    """(hash of the unit at or after byte i, where to go on, whether there was one); ASCII words eight bytes at once."""
    while i < end:
        if unit == CHAR or data[i] >= 0x80:
            break
        h, at = SEED, i
        while at + 8 <= len(data):
            word, stays = load64(data, at), np.int64(8)
            marks, low = word_bytes(word)
            count = trailing_zeros(marks ^ HIGH) >> 3
            if count >= 8 and at + 8 <= end:
                h, at = absorb(h, low), at + 8
                if at == end:
                    return finish(h), at, True
                continue
            stays = min(count, end - at)
            if at + stays < end and data[at + stays] >= 0x80:
                return any_unit(data, i, end, unit, classes, lower)  # the word goes on, or a text of another script
            if stays == 0 and at == i:  # a gap
                i += min(trailing_zeros(marks | (word & HIGH)) >> 3, end - i)
                break
            if stays:
                h = absorb(h, low & ((np.uint64(1) << np.uint64(8 * stays)) - np.uint64(1)))
            return finish(h), min(at + stays + 1, end), True
        else:
            break  # the last bytes of the buffer
    return any_unit(data, i, end, unit, classes, lower)


@numba.njit(cache=True, nogil=True)  # type: ignore[misc]
def power(n):  # type: ignore[no-untyped-def]
    """BASE to the n, modulo 2^64: what the oldest of n + 1 units has been multiplied with."""
    result = np.uint64(1)
    for _ in range(n):
        result *= BASE
    return result


@numba.njit(cache=True, nogil=True)  # type: ignore[misc]
def squeeze(rolled):  # type: ignore[no-untyped-def]
    """32 bits of a shingle's polynomial, every bit of it counting."""
    rolled = (rolled ^ (rolled >> np.uint64(32))) * SECOND
    return np.uint32(rolled >> np.uint64(32))


@numba.njit(cache=True, nogil=True)  # type: ignore[misc]
def scan(data, i, end, seen, rolled, unit, ngram, oldest, ring, classes, lower, out):  # type: ignore[no-untyped-def]
    """Shingle hashes of one text from byte i until `out` is full: (how many, where to go on, units seen, polynomial).

    To go on, call again with the last three; it is over when `i` is `end`. `ring` holds the last LONGEST units'
    hashes. A text with fewer than `ngram` units is one shingle, one without any none.
    """
    n, room = 0, len(out)
    while i < end and n < room:
        h, i, found = next_unit(data, i, end, unit, classes, lower)
        if not found:
            continue
        rolled = rolled * BASE + h
        if seen >= ngram:
            rolled -= ring[(seen - ngram) & (LONGEST - 1)] * oldest
        ring[seen & (LONGEST - 1)] = h
        seen += 1
        if seen >= ngram:
            out[n] = squeeze(rolled)
            n += 1
    if i >= end and 0 < seen < ngram:
        out[n] = squeeze(rolled)
        n += 1
    return n, i, seen, rolled


@numba.njit(cache=True, nogil=True)  # type: ignore[misc]
def _all(data, bounds, unit, ngram, classes, lower):  # type: ignore[no-untyped-def]
    docs = len(bounds) - 1
    first = np.zeros(docs + 1, np.int64)
    out = np.empty(bounds[-1] - bounds[0] + docs, np.uint32)
    ring, oldest = np.empty(LONGEST, np.uint64), power(ngram)
    n = 0
    for doc in range(docs):
        n += scan(
            data, bounds[doc], bounds[doc + 1], 0, np.uint64(0), unit, ngram, oldest, ring, classes, lower, out[n:]
        )[0]
        first[doc + 1] = n
    return out[:n], first


def checked(ngram: int, unit: str) -> int:
    """The number of a unit; ValueError for one that is unknown or a shingle that is too long."""
    if not 1 <= ngram <= LONGEST:
        raise ValueError(f"ngram is {ngram}: a shingle has 1 to {LONGEST} units.")
    if unit not in ("word", "char"):
        raise ValueError(f"unit is {unit!r}: it is 'word' or 'char'.")
    return CHAR if unit == "char" else WORD


def shingles(text: pa.LargeStringArray, ngram: int, unit: str = "word") -> tuple[Hashes, Ints]:
    """(hashes, first[n+1]): the 32-bit shingle hashes of text i are hashes[first[i]:first[i+1]]."""
    kind, (data, bounds) = checked(ngram, unit), buffers(text)
    result: tuple[Hashes, Ints] = _all(data, bounds, kind, ngram, CLASSES, LOWER)
    return result


def true_jaccard(a: str, b: str, ngram: int, unit: str = "word") -> float:
    """Exact Jaccard of two texts' shingle sets; 0 if either has none.

    >>> true_jaccard("one two three", "one two four", 2)
    0.3333333333333333
    """
    hashes, first = shingles(pa.array([a, b], pa.large_string()), ngram, unit)
    left, right = set(hashes[: first[1]].tolist()), set(hashes[first[1] :].tolist())
    return len(left & right) / len(left | right) if left and right else 0.0


__all__ = ["Bytes", "Hashes", "Ints", "checked", "shingles", "true_jaccard"]
