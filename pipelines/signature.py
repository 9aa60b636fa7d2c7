"""The rows of signatures/: what each document is known by, and how it ranks among its likes.

A document's number in a dedup is its part and its place in that part's signatures: `node = part << 32 | place`.
Rows of many numbers are stored as plain bytes, which Parquet reads without a list's levels. Traded away: more than two
thousand million parts.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from dedup.keys import Keys, columns, signature_width
from recipes.dedup import Dedup

NODE_PART = np.uint64(32)


def rows_of(item: int, width: int) -> pa.DataType:
    """A row of `width` numbers of `item` bytes as plain bytes: read without a list's levels; never of no width."""
    return pa.binary(max(1, item * width))


def signature_schema(dedup: Dedup) -> pa.Schema:
    """Columns of signatures/: 128-bit values as 16 bytes, high half first."""
    return pa.schema(
        [
            pa.field("id", pa.binary(16), nullable=False),
            pa.field("row", pa.uint32(), nullable=False),  # of documents/
            pa.field("content", pa.binary(16), nullable=False),
            pa.field("url", pa.uint64(), nullable=False),  # key of the address; 0 for none
            pa.field("mark", pa.uint64(), nullable=False),
            pa.field("order", rows_of(8, 1 + len(dedup.keep)), nullable=False),  # float64 each
            pa.field("keys", rows_of(8, len(columns(dedup))), nullable=False),  # uint64 each
            pa.field("signed", rows_of(4, signature_width(dedup)), nullable=False),  # uint32 each
        ]
    )


def signature_batch(
    ids: pa.StringArray, rows: pa.UInt32Array, keys: Keys, order: list[npt.NDArray[np.float64]], dedup: Dedup
) -> pa.RecordBatch:
    """A batch of signatures/; ids are 32 hex digits."""
    raw = pa.py_buffer(bytes.fromhex("".join(ids.to_pylist())))
    names = pa.FixedSizeBinaryArray.from_buffers(pa.binary(16), len(ids), [None, raw])
    wide = [packed(rows) for rows in (np.column_stack(order), keys.keys, keys.signed)]
    columns = [names, rows, halves_to_binary(keys.content), pa.array(keys.url), pa.array(keys.mark), *wide]
    return pa.RecordBatch.from_arrays(columns, schema=signature_schema(dedup))


def packed(rows: npt.NDArray[Any]) -> pa.FixedSizeBinaryArray:
    """(n x width) numbers to a row of bytes each; `matrix` turns it back."""
    raw = np.ascontiguousarray(rows).tobytes() or bytes(len(rows))
    kind = rows_of(rows.dtype.itemsize, rows.shape[1])
    return pa.FixedSizeBinaryArray.from_buffers(kind, len(rows), [None, pa.py_buffer(raw)])


def halves_to_binary(halves: npt.NDArray[np.uint64]) -> pa.FixedSizeBinaryArray:
    """(n x 2) halves, high first, to 16 bytes each, so that bytes order as numbers do."""
    raw = pa.py_buffer(np.ascontiguousarray(halves).astype(">u8").tobytes())
    return pa.FixedSizeBinaryArray.from_buffers(pa.binary(16), len(halves), [None, raw])


def halves(column: pa.ChunkedArray | pa.FixedSizeBinaryArray) -> npt.NDArray[np.uint64]:
    """16 bytes each to (n x 2) halves, high first."""
    array = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    raw = array.buffers()[1]
    whole = np.frombuffer(raw, ">u8").reshape(-1, 2) if raw is not None and raw.size else np.empty((0, 2), ">u8")
    return whole[array.offset : array.offset + len(array)].astype(np.uint64)


def matrix(column: pa.ChunkedArray, dtype: type[np.generic], width: int) -> npt.NDArray[Any]:
    """Rows of numbers as (n x width), without copying."""
    array = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    raw = array.buffers()[1] if width else None
    if raw is None or not len(array):
        return np.empty((len(array), width), dtype)
    return np.frombuffer(raw, dtype).reshape(-1, width)[array.offset : array.offset + len(array)]


def order_key(values: pa.RecordBatch, name: str) -> npt.NDArray[np.float64]:
    """A column as a key whose smallest value is best; nulls are NaN and come last. A leading "-" turns it round.

    Of a text (a date) the first ten characters count, if they are an ISO 8601 date.
    """
    column = values[name.removeprefix("-")]
    if pa.types.is_string(column.type):
        day = pc.utf8_slice_codeunits(column, 0, 10)
        day = pc.if_else(pc.match_substring_regex(day, r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"), day, None)
        column = pc.cast(pc.replace_substring(day, "-", ""), pa.int64())
    numbers: npt.NDArray[np.float64] = column.cast(pa.float64()).to_numpy(zero_copy_only=False)
    return -numbers if name.startswith("-") else numbers


def source_rank(source: pa.StringArray, dedup: Dedup) -> npt.NDArray[np.float64]:
    """The number of the first of `dedup.sources` that a source's name matches; after all of them if none does."""
    coded = source.dictionary_encode()
    last = len(dedup.sources)
    ranks = [
        next((i for i, pattern in enumerate(dedup.sources) if fnmatchcase(name, pattern)), last)
        for name in coded.dictionary.to_pylist()
    ]
    return np.array(ranks or [last], np.float64)[coded.indices.to_numpy(zero_copy_only=False)]
