"""Text to units one after another: lower-case words, or characters, as bytes with zeros between them.

Two steps over CHUNK bytes at a time: `fold` writes the text in lower case with zeros for all that is no word, 64 bytes
of ASCII at once; `hash_units` finds their edges by a bit for each byte and hashes them eight bytes at a time. A unit
that a chunk cuts is carried on to the next, so that a word of fifty megabytes needs no more memory than a short one.
Traded away: bytes that are no UTF-8 separate words instead of raising an error.
"""

from __future__ import annotations

import numpy as np

from dedup.lanes import fold64, nonzero64
from filters.bytewise import decode_at, load64, trailing_zeros
from filters.codepoints import CLASSES, LOWER, OTHER, SINGLE, SPACE
from filters.compiled import step

WORD, CHAR = 0, 1
CHUNK = 8192  # bytes of folded text
SCRATCH = CHUNK + 256  # a vector more than is kept, on both ends
MOST = CHUNK // 2 + 1  # units in a chunk
SEED, FIRST, SECOND = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
ALL = np.uint64(0xFFFFFFFFFFFFFFFF)


def _coded() -> np.ndarray[tuple[int], np.dtype[np.uint32]]:
    """The UTF-8 bytes of every code point's lower case, the first lowest; NUL, which would end a unit, is 0xFF."""
    c = LOWER.astype(np.uint32)
    tail = [((c >> np.uint32(6 * k)) & np.uint32(0x3F)) | np.uint32(0x80) for k in range(3)]
    two = (c >> 6) | 0xC0 | tail[0] << 8
    three = (c >> 12) | 0xE0 | tail[1] << 8 | tail[0] << 16
    four = (c >> 18) | 0xF0 | tail[2] << 8 | tail[1] << 16 | tail[0] << 24
    made = np.select([c < 0x80, c < 0x800, c < 0x10000], [c, two, three], four).astype(np.uint32)
    made[0] = 0xFF
    return made


CODED = _coded()
TABLES = (CLASSES, CODED)


@step
def decode(data, i, end):  # type: ignore[no-untyped-def]
    """Code point and width at byte i; a byte that begins no character, or one cut off, is U+FFFD."""
    lead = data[i]
    width = 1 if lead < 0x80 else 2 if lead < 0xE0 else 3 if lead < 0xF0 else 4
    if (0x80 <= lead < 0xC2) or lead > 0xF4 or i + width > end:
        return np.int64(0xFFFD), np.int64(1)
    code, width = decode_at(data, i)
    return (code, np.int64(width)) if code < 0x110000 else (np.int64(0xFFFD), np.int64(1))


@step
def fold(data, i, end, unit, classes, coded, low, o):  # type: ignore[no-untyped-def]
    """Write text from byte i into `low` from o, zeros for gaps, until CHUNK; returns (where to go on, bytes there)."""
    while i < end and o <= CHUNK - 8:
        if unit == WORD and data[i] < 0x80 and i + 64 <= len(data):
            stop = min(trailing_zeros(fold64(data, i, low, o)), end - i, CHUNK - o)
            i += stop
            o += stop
            continue
        code, width = decode(data, i, end)
        kind = classes[code]
        i += width
        if kind == SPACE or (unit == WORD and kind == OTHER):
            low[o] = 0
            o += 1
            continue
        if unit == CHAR or kind == SINGLE:
            low[o] = 0
            o += 1
        packed = coded[code]
        while packed:
            low[o] = packed & np.uint32(0xFF)
            packed >>= np.uint32(8)
            o += 1
        if unit == CHAR or kind == SINGLE:
            low[o] = 0
            o += 1
    return i, o


@step
def absorb(h, block):  # type: ignore[no-untyped-def]
    """Take eight more bytes into a unit's hash."""
    h = (h ^ block) * FIRST
    return h ^ (h >> np.uint64(32))


@step
def finish(h):  # type: ignore[no-untyped-def]
    """A unit's hash, once all its bytes are in."""
    h = h * SECOND
    return h ^ (h >> np.uint64(29))


@step
def head(low, p, size):  # type: ignore[no-untyped-def]
    """The first `size` bytes (1 to 8) from p, as a number."""
    return load64(low, p) & (ALL >> np.uint64(64 - 8 * size))


@step
def blocks(low, p, stop, h):  # type: ignore[no-untyped-def]
    """(hash with the whole blocks of eight bytes in, where the rest begins)."""
    while p + 8 <= stop:
        h = absorb(h, load64(low, p))
        p += 8
    return h, p


@step
def find_edges(low, o, carried, edges):  # type: ignore[no-untyped-def]
    """Where the units in `low`[:o] begin and end, by turns; one that is carried begins at 0, and may end there."""
    low[o : o + 64] = 0
    m, before = 0, np.uint64(0)
    if carried:
        edges[0] = 0
        m, before = 1, np.uint64(1)
    for at in range(0, o + 1, 64):
        inside = nonzero64(low, at)
        change = inside ^ ((inside << np.uint64(1)) | before)
        before = inside >> np.uint64(63)
        while change:
            edges[m] = at + trailing_zeros(change)
            change &= change - np.uint64(1)
            m += 1
    return m


@step
def hash_unit(low, p, stop, h):  # type: ignore[no-untyped-def]
    """The hash of a unit that ends, from the hash of what went before."""
    h, p = blocks(low, p, stop, h)
    return finish(absorb(h, head(low, p, stop - p)) if p < stop else h)


@step
def hash_units(low, o, last, carried, h, edges, out):  # type: ignore[no-untyped-def]
    """Hash the units in `low`[:o] into `out`: (how many, bytes kept for the next chunk, whether one is cut, its hash).

    `carried` says that the chunk begins inside a unit whose hash so far is h; `last`, that no chunk follows.
    """
    count, n = find_edges(low, o, carried, edges) >> 1, 0
    cut = count > 0 and edges[2 * count - 1] == o and not last
    whole = count - 1 if cut else count
    if carried and whole:
        out[0] = hash_unit(low, 0, edges[1], h)
        n, carried = 1, False
    for k in range(n, whole):
        p, stop = edges[2 * k], edges[2 * k + 1]
        size = stop - p
        if size > 16:
            out[k] = hash_unit(low, p, stop, SEED)
        else:
            one = absorb(SEED, head(low, p, min(size, 8)))
            two = absorb(one, head(low, p + 8, max(size - 8, 1)))
            out[k] = finish(two if size > 8 else one)
    if not cut:
        return whole, 0, False, SEED
    h, p = blocks(low, edges[2 * whole], o, h if carried else SEED)
    for k in range(o - p):
        low[k] = low[p + k]
    return whole, o - p, True, h
