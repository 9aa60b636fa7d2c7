"""The inner loop of MinHash as vector code: sixteen permutations a register, their minima held there over all hashes.

A compiler that vectorises the plain loop takes sixteen hashes at once instead, which costs a reduction for each
permutation and most of the work on short texts. Traded away: the loop is written in LLVM's own terms. Its vectors are
of fixed width; LLVM splits them where a processor's registers are narrower (AVX2, NEON), so the result never differs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

LANES = 16
I32, I64 = ir.IntType(32), ir.IntType(64)
VECTOR = ir.VectorType(I32, LANES)


def _loop(builder: Any, hashes: Any, count: Any, a: list[Any], b: list[Any], start: list[Any]) -> list[Any]:
    """Minima of a*h + b (mod 2^32) and `start` over `count` hashes, one vector of each for LANES permutations."""
    before, body, after = builder.block, builder.append_basic_block("body"), builder.append_basic_block("after")
    builder.cbranch(builder.icmp_signed(">", count, ir.Constant(I64, 0)), body, after)
    builder.position_at_end(body)
    k = builder.phi(I64)
    least = [builder.phi(VECTOR) for _ in a]
    one = builder.load(builder.gep(hashes, [k]), align=4)
    h = builder.insert_element(ir.Constant(VECTOR, ir.Undefined), one, ir.Constant(I32, 0))
    h = builder.shuffle_vector(h, ir.Constant(VECTOR, ir.Undefined), ir.Constant(VECTOR, [0] * LANES))
    found = []
    for old, factor, offset in zip(least, a, b, strict=True):
        new = builder.add(builder.mul(factor, h), offset)
        found.append(builder.select(builder.icmp_unsigned("<", new, old), new, old))
    following = builder.add(k, ir.Constant(I64, 1))
    builder.cbranch(builder.icmp_signed("<", following, count), body, after)
    k.add_incoming(ir.Constant(I64, 0), before)
    k.add_incoming(following, body)
    for old, new, given in zip(least, found, start, strict=True):
        old.add_incoming(given, before)
        old.add_incoming(new, body)
    builder.position_at_end(after)
    results = []
    for new, given in zip(found, start, strict=True):
        result = builder.phi(VECTOR)
        result.add_incoming(given, before)
        result.add_incoming(new, body)
        results.append(result)
    return results


def _minima(vectors: int) -> Callable[..., None]:
    """A function for compiled code over vectors * LANES permutations."""

    @intrinsic  # type: ignore[misc]
    def minima(typingctx, hashes, count, a, b, row, at):  # type: ignore[no-untyped-def]
        """row[at:] = min(row[at:], a[at:] * h + b[at:] mod 2^32) over hashes[:count]; the caller sees to the bounds."""

        def codegen(context, builder, signature, args):  # type: ignore[no-untyped-def]
            def place(number: int, index: Any) -> Any:
                array = context.make_array(signature.args[number])(context, builder, args[number])
                return builder.gep(array.data, [index])

            def vectors_at(number: int) -> list[Any]:
                base = builder.bitcast(place(number, args[5]), VECTOR.as_pointer())
                return [builder.gep(base, [ir.Constant(I64, v)]) for v in range(vectors)]

            a, b = ([builder.load(p, align=4) for p in vectors_at(number)] for number in (2, 3))
            rows = vectors_at(4)
            start = [builder.load(p, align=4) for p in rows]
            hashes = place(0, ir.Constant(I64, 0))
            for p, least in zip(rows, _loop(builder, hashes, args[1], a, b, start), strict=True):
                builder.store(least, p, align=4)
            return context.get_dummy_value()

        return types.void(hashes, types.int64, a, b, row, types.int64), codegen

    return minima  # type: ignore[no-any-return]


minima16, minima64 = _minima(1), _minima(4)


BYTES = 64
I8, BYTE_VECTOR = ir.IntType(8), ir.VectorType(ir.IntType(8), BYTES)


def _bytes_at(context: Any, builder: Any, kind: Any, array: Any, at: Any) -> Any:
    data = context.make_array(kind)(context, builder, array).data
    return builder.bitcast(builder.gep(data, [at]), BYTE_VECTOR.as_pointer())


def _each(value: int) -> Any:
    return ir.Constant(BYTE_VECTOR, [value] * BYTES)


@intrinsic  # type: ignore[misc]
def fold64(typingctx, data, at, out, to):  # type: ignore[no-untyped-def]
    """Write 64 bytes from `at` as of `to`, letters of ASCII in lower case and all but letters, digits and _ as zero.

    Returns which of the bytes are not ASCII, the first in the lowest bit; the caller sees to the bounds.
    """

    def codegen(context, builder, signature, args):  # type: ignore[no-untyped-def]
        given = builder.load(_bytes_at(context, builder, signature.args[0], args[0], args[1]), align=1)
        low = builder.or_(given, _each(0x20))
        letter = builder.icmp_unsigned("<", builder.sub(low, _each(ord("a"))), _each(26))
        digit = builder.icmp_unsigned("<", builder.sub(given, _each(ord("0"))), _each(10))
        other = builder.or_(digit, builder.icmp_unsigned("==", given, _each(ord("_"))))
        folded = builder.select(letter, low, builder.select(other, given, _each(0)))
        builder.store(folded, _bytes_at(context, builder, signature.args[2], args[2], args[3]), align=1)
        return builder.bitcast(builder.icmp_signed("<", given, _each(0)), I64)

    return types.uint64(data, types.int64, out, types.int64), codegen


@intrinsic  # type: ignore[misc]
def nonzero64(typingctx, data, at):  # type: ignore[no-untyped-def]
    """Which of 64 bytes from `at` are not zero, the first in the lowest bit; the caller sees to the bounds."""

    def codegen(context, builder, signature, args):  # type: ignore[no-untyped-def]
        given = builder.load(_bytes_at(context, builder, signature.args[0], args[0], args[1]), align=1)
        return builder.bitcast(builder.icmp_unsigned("!=", given, _each(0)), I64)

    return types.uint64(data, types.int64), codegen
