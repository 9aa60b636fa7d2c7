"""Parquet parts to records: Arrow reads, and is never asked for more than fits into memory.

A value that is stored once may stand in a million rows, and 50 MB of one letter fit into 2 KB. So rows come few at a
time, fewer the larger a column is, which costs some 40 microseconds a row in the worst case; only columns of text or
bytes are read; and a file that gives far more than it holds is not read on.

Traded away: metadata can lie about sizes. Then a batch holds MOST_ROWS values, each of one page at most.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipelines.footer import UNREADABLE, open_parquet
from pipelines.sources.archive import reject
from pipelines.sources.part import MAX_BODY, Item, Part
from pipelines.sources.storage import open_raw
from pipelines.sources.tables import FIELDS, ROW, TEXT, bomb, from_row, most_of

MOST_ROWS = 64  # of one Arrow batch
PLAIN = (*TEXT, *FIELDS, "url", "html")
KINDS = (pa.string(), pa.large_string(), pa.string_view(), pa.binary(), pa.large_binary(), pa.binary_view())


def read_parquet(part: Part) -> Iterator[Item]:
    """Row groups [start, end); a row's offset is its number in the file. Text that is not UTF-8 is read with U+FFFD.

    A fault is told at the first row that could not be read: a number that no row of another part has.
    """
    offset, given = part.start, 0
    try:
        with open_raw(part.path) as stream:
            table = open_parquet(stream)
            offset = sum(table.metadata.row_group(i).num_rows for i in range(part.start))
            names, groups = _columns(table.schema_arrow), range(part.start, part.end)
            if not names:  # Arrow believes the number of rows then, and a negative one ends the process
                told = f"No flat column of text or bytes is called {', '.join(PLAIN[:-2])} or html."
                yield reject(part, offset, 0, None, "parquet.no_text", told)
                return
            most = most_of(part.path)
            for batch in table.iter_batches(_batch_rows(table.metadata, groups), row_groups=groups, columns=names):
                for row, size in _rows(batch):
                    given += size + ROW
                    if given > most:
                        yield bomb(part, offset)
                        return
                    if row is None:
                        yield reject(part, offset, 1, None, "row.too_large", "A value of the row is over 64 MiB.")
                    else:
                        yield from_row(part, offset, 1, row, "parquet.no_text")
                    offset += 1
    except UNREADABLE as error:
        told = (str(error).splitlines() or [type(error).__name__])[0]
        yield reject(part, offset, 0, None, "file.unreadable", f"{told}; the rest was passed over.")


def _columns(schema: pa.Schema) -> list[str]:
    """Paths of the columns that are read: flat ones of text or bytes, and metadata.url. No other type means a text."""
    names = []
    for field in schema:
        if field.name in PLAIN and _is_text(field.type):
            names.append(field.name)
        elif field.name == "metadata" and pa.types.is_struct(field.type):
            inner = field.type.get_all_field_indices("url")
            names += ["metadata.url"] if len(inner) == 1 and _is_text(field.type.field(inner[0]).type) else []
    return [name for name in names if names.count(name) == 1]


def _is_text(kind: pa.DataType) -> bool:
    return (kind.value_type if pa.types.is_dictionary(kind) else kind) in KINDS


def _batch_rows(metadata: pq.FileMetaData, groups: range) -> int:
    """So few rows at a time that they fit into MAX_BODY, were each as large as the whole row group: a value that is
    stored once may stand in every row. The columns' own sizes would be nearer, but asking pyarrow for the metadata of
    a column that contradicts itself ends the process."""
    largest = max((metadata.row_group(i).total_byte_size for i in groups), default=0)
    return min(max(MAX_BODY // max(largest, 1), 1), MOST_ROWS)


def _rows(batch: pa.RecordBatch) -> Iterator[tuple[dict[str, Any] | None, int]]:
    """Rows as dictionaries of their values that are no nulls, and their bytes; None where a value is too large."""
    columns = {name: _as_bytes(column) for name, column in zip(batch.schema.names, batch.columns, strict=True)}
    lengths = [pc.fill_null(pc.binary_length(column), 0).to_pylist() for column, _ in columns.values()]
    for row in range(batch.num_rows):
        sizes = [column[row] for column in lengths]
        if max(sizes, default=0) > MAX_BODY:
            yield None, sum(sizes)
            continue
        values = {name: _value(column[row].as_py(), is_text) for name, (column, is_text) in columns.items()}
        url = values.pop("metadata", None)
        values["url"] = values.get("url") or url
        yield {name: value for name, value in values.items() if value is not None}, sum(sizes)


def _as_bytes(column: pa.Array) -> tuple[pa.Array, bool]:
    """A column as bytes, and whether they are text: what is no UTF-8 must not be made a string by Arrow."""
    column = pc.struct_field(column, "url") if pa.types.is_struct(column.type) else column
    column = column.dictionary_decode() if pa.types.is_dictionary(column.type) else column
    return column.cast(pa.large_binary()), column.type in (pa.string(), pa.large_string(), pa.string_view())


def _value(value: bytes | None, is_text: bool) -> str | bytes | None:
    return value.decode("utf-8", "replace") if value is not None and is_text else value
