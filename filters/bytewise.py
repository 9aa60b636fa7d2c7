"""The compiled steps under every kernel: eight bytes at once, UTF-8 decoding, hashes.

Eight bytes are read as one machine word whatever their alignment; a reader past the end of a buffer is the caller's
to prevent. A 64-bit hash stands for bytes: two different words collide about once in 10^19 pairs.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

from filters.compiled import step

Bytes = npt.NDArray[np.uint8]
Ints = npt.NDArray[np.int64]


def buffers(text: pa.LargeStringArray) -> tuple[Bytes, Ints]:
    """UTF-8 bytes and 64-bit offsets of a large_string array, without copying; a null is an empty text.

    Raises TypeError for any other array: its offsets would be read as what they are not.
    """
    if not pa.types.is_large_string(text.type):
        raise TypeError(f"kernels read large_string, this is {text.type}: cast it.")
    text = text.fill_null("") if text.null_count else text
    _, offsets, data = text.buffers()
    bounds = np.frombuffer(offsets, np.int64)[text.offset : text.offset + len(text) + 1]
    raw = np.frombuffer(data, np.uint8) if data is not None and data.size else np.zeros(1, np.uint8)
    raw, bounds = raw.view(), bounds.view()
    raw.flags.writeable = bounds.flags.writeable = False  # one type for every kernel, whoever made the buffer
    return raw, bounds


@intrinsic  # type: ignore[misc]
def load64(typingctx, data, at):  # type: ignore[no-untyped-def]
    """Eight bytes from `at`, little-endian; the caller sees to it that they are there."""

    def codegen(context, builder, signature, args):  # type: ignore[no-untyped-def]
        array = context.make_array(signature.args[0])(context, builder, args[0])
        place = builder.gep(array.data, [args[1]])
        place = builder.bitcast(place, ir.IntType(64).as_pointer())
        word = cgutils.alloca_once(builder, ir.IntType(64))
        builder.store(builder.load(place, align=1), word)
        return builder.load(word)

    return types.uint64(data, types.int64), codegen


@intrinsic  # type: ignore[misc]
def store64(typingctx, data, at, word):  # type: ignore[no-untyped-def]
    """Write eight bytes at `at`, little-endian; the caller sees to it that there is room."""

    def codegen(context, builder, signature, args):  # type: ignore[no-untyped-def]
        array = context.make_array(signature.args[0])(context, builder, args[0])
        place = builder.bitcast(builder.gep(array.data, [args[1]]), ir.IntType(64).as_pointer())
        builder.store(args[2], place, align=1)
        return context.get_dummy_value()

    return types.void(data, types.int64, types.uint64), codegen


@intrinsic  # type: ignore[misc]
def trailing_zeros(typingctx, word):  # type: ignore[no-untyped-def]
    """How many low bits of a 64-bit word are zero; 64 for zero."""

    def codegen(context, builder, signature, args):  # type: ignore[no-untyped-def]
        return builder.cttz(args[0], ir.Constant(ir.IntType(1), 0))

    return types.int64(types.uint64), codegen


@step
def letters8(word):  # type: ignore[no-untyped-def]
    """How many of a word's eight bytes, from the first, are letters of ASCII; all eight at once, without a branch."""
    low = (word | np.uint64(0x2020202020202020)) & np.uint64(0x7F7F7F7F7F7F7F7F)
    from_a = low + np.uint64(0x1F1F1F1F1F1F1F1F)  # the high bit of a byte is set from 'a' on
    after_z = low + np.uint64(0x0505050505050505)
    letter = from_a & ~after_z & ~word & np.uint64(0x8080808080808080)
    return trailing_zeros(letter ^ np.uint64(0x8080808080808080)) >> 3


@step
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


@step
def mix(h: np.uint64) -> np.uint64:
    """Finaliser of splitmix64: spreads every input bit over the whole word."""
    h ^= h >> np.uint64(30)
    h *= np.uint64(0xBF58476D1CE4E5B9)
    h ^= h >> np.uint64(27)
    h *= np.uint64(0x94D049BB133111EB)
    return h ^ (h >> np.uint64(31))


@step
def hash_bytes(data: Bytes, start: int, end: int) -> np.uint64:
    """64-bit hash of bytes [start, end), eight at a time."""
    h = np.uint64(end - start) * np.uint64(0x9E3779B97F4A7C15)
    at = start
    while at + 8 <= end:
        h = (h ^ load64(data, at)) * np.uint64(0xFF51AFD7ED558CCD)
        h ^= h >> np.uint64(32)
        at += 8
    if at < end:
        tail = np.uint64(0)
        if at + 8 <= len(data):
            tail = load64(data, at) & ((np.uint64(1) << np.uint64(8 * (end - at))) - np.uint64(1))
        else:  # the last bytes of the buffer
            for k in range(end - at):
                tail |= np.uint64(data[at + k]) << np.uint64(8 * k)
        h = (h ^ tail) * np.uint64(0xFF51AFD7ED558CCD)
    return mix(h)


@step
def copy_bytes(data, start, stop, out, o):  # type: ignore[no-untyped-def]
    """Copy bytes [start, stop) to `o`, eight at a time; up to PAD bytes after them are overwritten."""
    while start < stop:
        if start + 8 > len(data):
            break
        store64(out, o, load64(data, start))
        start += 8
        o += 8
    while start < stop:  # the last bytes of the buffer
        out[o] = data[start]
        start += 1
        o += 1


@step
def holds(word, byte):  # type: ignore[no-untyped-def]
    """Not zero if one of a word's eight bytes is `byte` (Hacker's Delight, 2nd edition, section 6-1)."""
    unlike = word ^ (np.uint64(0x0101010101010101) * np.uint64(byte))
    return (unlike - np.uint64(0x0101010101010101)) & ~unlike & np.uint64(0x8080808080808080)


@step
def hash_short(word, size):  # type: ignore[no-untyped-def]
    """`hash_bytes` of the first 1 to 8 bytes of a word that was loaded."""
    word &= np.uint64(0xFFFFFFFFFFFFFFFF) >> np.uint64(64 - 8 * size)
    h = (np.uint64(size) * np.uint64(0x9E3779B97F4A7C15) ^ word) * np.uint64(0xFF51AFD7ED558CCD)
    if size == 8:
        h ^= h >> np.uint64(32)
    return mix(h)


@step
def hash_word(data, start, stop):  # type: ignore[no-untyped-def]
    """`hash_bytes` of a span that is not empty and most often short: up to eight bytes are loaded once."""
    if stop - start <= 8 and start + 8 <= len(data):
        return hash_short(load64(data, start), stop - start)
    return hash_bytes(data, start, stop)


@step
def copy_and_hash(data, start, stop, out, o):  # type: ignore[no-untyped-def]
    """Copy bytes [start, stop) to `o`, as `copy_bytes` does; returns their `hash_bytes`. Short ones are loaded once."""
    size = stop - start
    if size > 8 or start + 8 > len(data):
        copy_bytes(data, start, stop, out, o)
        return hash_bytes(out, o, o + size)
    word = load64(data, start)
    store64(out, o, word)
    return hash_short(word, size)
