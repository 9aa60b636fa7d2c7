"""Tables for the terminal, CSV, JSON, Arrow and Parquet.

Crawled text is hostile to terminals: its controls are shown, not sent. What goes into a pipe or a file is the data as
it is; what goes to a terminal cannot steer it, in any format.
"""

from __future__ import annotations

import csv
import io
import sys
import unicodedata
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import IO, Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
from rich.console import Console
from rich.table import Table
from rich.text import Text

LONGEST = 200  # characters of a cell
MOST = 1_000  # rows of a table on the terminal
UNSAFE = ("Cc", "Cf", "Zl", "Zp")  # controls, format characters such as bidi overrides, line separators
FORMATS = ("table", "csv", "json", "arrow", "parquet")


def harmless(text: str) -> str:
    """`text` without anything that steers a terminal or turns the direction of writing.

    >>> harmless("a\\x1b[31mb\\u202ec")
    'a�[31mb�c'
    """
    return "".join("\N{REPLACEMENT CHARACTER}" if unicodedata.category(c) in UNSAFE else c for c in text)


def safe(value: object) -> str:
    """A cell of a table: harmless, and at most 200 characters.

    >>> safe(None), safe(12), safe("x" * 300)[-3:]
    ('', '12', 'xx…')
    """
    text = "" if value is None else str(value)
    return harmless(text[:LONGEST] + ("…" if len(text) > LONGEST else ""))


def table(rows: pa.Table, title: str = "") -> Table:
    """A rich table of the first 1,000 rows; a field's metadata `format`, such as ",", says how numbers look."""
    out = Table(title=Text(harmless(title)) if title else None)
    for field in rows.schema:
        number = pa.types.is_integer(field.type) or pa.types.is_floating(field.type)
        out.add_column(Text(safe(field.name)), justify="right" if number else "left")
    forms = [(field.metadata or {}).get(b"format", b"").decode() for field in rows.schema]
    for row in _rows(rows.slice(0, MOST)):
        cells = [format(v, form) if form and v is not None else v for v, form in zip(row, forms, strict=True)]
        out.add_row(*(Text(safe(cell)) for cell in cells))
    return out


def write(rows: pa.Table, form: str, console: Console) -> None:
    """Print rows as `table`, `csv`, `json` (an object a line), or the bytes of an `arrow` stream or `parquet` file."""
    if form == "table":
        console.print(table(rows))
        if rows.num_rows > MOST:
            console.print(f"{rows.num_rows - MOST:,} more rows: add LIMIT, or ask for csv, json, arrow or parquet.")
    elif form in ("csv", "json"):
        clean = harmless if sys.stdout.isatty() else None
        for line in (csv_lines if form == "csv" else json_lines)(rows):
            print(f"{clean(line.rstrip())}\n" if clean else line, end="")
    elif form in FORMATS:
        if sys.stdout.isatty():
            raise ValueError(f"--format {form} writes bytes: send them to a file with > FILE.")
        sys.stdout.flush()
        write_bytes(rows, form, sys.stdout.buffer)
    else:
        raise ValueError(f"--format {form}: choose one of {', '.join(FORMATS)}.")


def save(rows: pa.Table, path: str | Path) -> None:
    """Write rows to a file, in the format of its ending: .csv, .json, .jsonl, .arrow or .parquet."""
    form = {"jsonl": "json", "feather": "arrow"}.get(end := Path(path).suffix.lstrip("."), end)
    if form not in FORMATS[1:]:
        raise ValueError(f"{path}: let the name end in .csv, .json, .arrow or .parquet.")
    with Path(path).open("wb") as sink:
        if form in ("csv", "json"):
            sink.writelines(line.encode() for line in (csv_lines if form == "csv" else json_lines)(rows))
        else:
            write_bytes(rows, form, sink)


def write_bytes(rows: pa.Table, form: str, sink: IO[bytes]) -> None:
    """An Arrow IPC stream or a Parquet file."""
    if form == "parquet":
        pq.write_table(rows, sink, compression="zstd")
        return
    with pa.ipc.new_stream(sink, rows.schema) as out:
        out.write_table(rows)


def csv_lines(rows: pa.Table) -> Iterator[str]:
    """RFC 4180 lines, the header first; a line may hold newlines inside quotes."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")

    def line(cells: list[Any]) -> str:
        buffer.seek(0)
        buffer.truncate()
        writer.writerow(cells)
        return buffer.getvalue()

    yield line(rows.column_names)
    yield from map(line, _rows(rows))


def json_lines(rows: pa.Table) -> Iterator[str]:
    """One JSON object a line; what JSON cannot say (NaN, bytes, a date) becomes null or text."""
    for row in _rows(rows):
        named = dict(zip(rows.column_names, row, strict=True))
        yield orjson.dumps(named, default=_plain, option=orjson.OPT_NON_STR_KEYS).decode() + "\n"


def _plain(value: object) -> object:
    """What orjson does not know: a whole Decimal (DuckDB's sums) is a number, anything else is its text."""
    return int(value) if isinstance(value, Decimal) and value == int(value) and abs(value) < 1 << 63 else str(value)


def _rows(rows: pa.Table) -> Iterator[list[Any]]:
    """Rows as lists of Python values, a batch at a time."""
    for batch in rows.to_batches(max_chunksize=4096):
        yield from map(list, zip(*(column.to_pylist() for column in batch.columns), strict=True))
