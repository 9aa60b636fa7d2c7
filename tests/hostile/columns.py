"""Hostile Parquet files, made on the fly."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tests.hostile.makers import PROSE, Maker


def file_of(table: pa.Table, **how: Any) -> bytes:
    """A table as Parquet."""
    sink = io.BytesIO()
    pq.write_table(table, sink, **how)
    return sink.getvalue()


def honest(rows: int = 3) -> pa.Table:
    """Texts, each with a number."""
    return pa.table(
        {"text": [f"{i}: {PROSE}" for i in range(rows)], "url": [f"http://a.example/{i}" for i in range(rows)]}
    )


def parquet(make: Callable[[], bytes]) -> Maker:
    """A folder with the hostile file and an honest one after it."""

    def fill(folder: Path) -> list[str]:
        (folder / "a.parquet").write_bytes(make())
        (folder / "b.parquet").write_bytes(file_of(honest()))
        return [str(folder)]

    return fill


def dictionary_bomb(size: int, rows: int) -> bytes:
    """One value of `size` bytes that stands in every row: two kilobytes."""
    text = pa.DictionaryArray.from_arrays(pa.array([0] * rows, pa.int32()), pa.array(["x" * size]))
    return file_of(pa.table({"text": text}), compression="zstd", dictionary_pagesize_limit=1 << 30)


def page_bomb() -> bytes:
    """Four different values of 60 MB, each stored on its own and compressed to nothing."""
    sink = io.BytesIO()
    with pq.ParquetWriter(sink, pa.schema([("text", pa.string())]), compression="zstd", use_dictionary=False) as out:
        for number in range(4):
            out.write_table(pa.table({"text": [f"{number}" + " " * (60 << 20)]}))
    return sink.getvalue()


def number(value: int) -> bytes:
    """A varint of thrift's compact protocol."""
    out = b""
    while value > 127:
        out, value = out + bytes([value & 127 | 128]), value >> 7
    return out + bytes([value])


def deep_schema(levels: int) -> bytes:
    """A footer whose schema nests as deep as that: Arrow would run out of stack."""
    group = b"\x35\x02\x18\x01a\x15\x02\x00"  # repetition optional, name "a", one child
    elements = [b"\x48\x01s\x15\x02\x00", *[group] * levels, b"\x15\x0c\x25\x02\x18\x01x\x00"]
    schema = b"\xfc" + number(len(elements)) + b"".join(elements)
    footer = b"\x15\x02\x19" + schema + b"\x16\x00\x19\x0c\x00"
    return b"PAR1" + footer + len(footer).to_bytes(4, "little") + b"PAR1"


def lying_rows(true: int, false: int, columns: pa.Table | None = None, groups: int = 1) -> bytes:
    """A file whose footer counts other rows in a group than there are."""
    table = honest(true * groups) if columns is None else columns
    data = file_of(table, compression="none", write_statistics=False, store_schema=False, row_group_size=true)
    end = len(data) - 8 - int.from_bytes(data[-8:-4], "little")
    told = number(false * 2 if false >= 0 else -false * 2 - 1)
    footer = data[end:-8].replace(number(true * 2), told)
    return data[:end] + footer + len(footer).to_bytes(4, "little") + b"PAR1"


def lists(rows: int) -> pa.Table:
    """Lists where a text should be: no column that is read."""
    return pa.table({"text": [["a"]] * rows})
