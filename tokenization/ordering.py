"""Rows of a table in an order, with the lists of ids moved by one loop over their buffer.

Arrow's own `take` moves a list column at a fraction of the speed of memory, and ids are nearly all that encoded
documents weigh. Other columns go through `take`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numba
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

PLACE = [("shard", "ascending"), ("key", "ascending"), ("doc_id", "ascending")]


def in_order(table: pa.Table) -> pa.Table:
    """A table with the columns shard, key and doc_id, sorted by them; every column in one chunk."""
    return _moved(table, pc.sort_indices(table.select([name for name, _ in PLACE]), sort_keys=PLACE))


def shard_by_shard(table: pa.Table) -> Iterator[pa.RecordBatch]:
    """The rows of each shard as one batch, in the order they have, shards ascending, empty ones left out."""
    shards = table["shard"].to_numpy()
    order = np.argsort(shards, kind="stable")
    table = _moved(table, pa.array(order.astype(np.uint64)))
    edges = np.flatnonzero(np.diff(shards[order])) + 1
    for start, stop in zip([0, *edges], [*edges, table.num_rows], strict=True):
        yield from table.slice(start, stop - start).to_batches()


def _moved(table: pa.Table, order: pa.UInt64Array) -> pa.Table:
    columns = [pa.concat_arrays(table[name].chunks) for name in table.column_names]
    if not np.array_equal(order.to_numpy(), np.arange(table.num_rows)):
        columns = [taken(column, order) if _is_ids(column.type) else column.take(order) for column in columns]
    return pa.table(columns, schema=table.schema)


def as_bytes(lists: pa.LargeListArray) -> pa.LargeBinaryArray:
    """Lists of ids as the bytes that they are: the same buffer, which Parquet then writes and reads as a whole.

    >>> as_bytes(pa.array([[1, 2], []], pa.large_list(pa.uint16()))).to_pylist()
    [b'\\x01\\x00\\x02\\x00', b'']
    """
    width = lists.type.value_type.bit_width // 8
    offsets = pa.array((lists.offsets.to_numpy() + lists.values.offset) * width)
    return pa.LargeBinaryArray.from_buffers(
        pa.large_binary(), len(lists), [None, offsets.buffers()[1], lists.values.buffers()[1]],
    )  # fmt: skip


def as_lists(column: pa.LargeBinaryArray, kind: pa.DataType) -> pa.LargeListArray:
    """What `as_bytes` was made from, of the list type `kind`.

    >>> as_lists(pa.array([b"\\x01\\x00\\x02\\x00", b""], pa.large_binary()), pa.large_list(pa.uint16())).to_pylist()
    [[1, 2], []]
    """
    width = kind.value_type.bit_width // 8
    _, starts, data = column.buffers()
    offsets = np.frombuffer(starts, np.int64)[column.offset : column.offset + len(column) + 1] // width
    ids = np.frombuffer(data, np.dtype(f"u{width}")) if data is not None and data.size else np.empty(0, f"u{width}")
    return pa.LargeListArray.from_arrays(pa.array(offsets), pa.array(ids), type=kind)


def taken(lists: pa.LargeListArray, order: pa.UInt64Array) -> pa.LargeListArray:
    """`lists.take(order)` for lists of unsigned integers without nulls.

    >>> lists = pa.array([[1, 2], [], [3]], pa.large_list(pa.uint16()))
    >>> taken(lists, pa.array([2, 1, 0, 0], pa.uint64())).to_pylist()
    [[3], [], [1, 2], [1, 2]]
    """
    old, rows = lists.offsets.to_numpy(), order.to_numpy()
    new = np.zeros(len(rows) + 1, np.int64)
    np.cumsum(np.diff(old)[rows], out=new[1:])
    ids = lists.values.to_numpy()
    out = np.empty(int(new[-1]), ids.dtype)
    _move(ids, old, rows, new, out)
    return pa.LargeListArray.from_arrays(pa.array(new), pa.array(out), type=lists.type)


def _is_ids(kind: pa.DataType) -> bool:
    return pa.types.is_large_list(kind) and pa.types.is_unsigned_integer(kind.value_type)


@numba.njit(cache=True, nogil=True)  # type: ignore[misc]
def _move(ids: Any, old: Any, rows: Any, new: Any, out: Any) -> None:
    for i in range(len(rows)):
        start, at = old[rows[i]], new[i]
        for k in range(new[i + 1] - at):
            out[at + k] = ids[start + k]
