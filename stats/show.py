"""Tables for the terminal, CSV and JSON. Crawled text is hostile to terminals too: controls are shown, not sent."""

from __future__ import annotations

import csv
import json
import sys
import unicodedata

import pyarrow as pa
from rich.console import Console
from rich.table import Table
from rich.text import Text

LONGEST = 200


def safe(value: object) -> str:
    """A cell that cannot steer a terminal: no control, no bidi override, at most 200 characters.

    >>> safe("a\\x1b[31mb")
    'a�[31mb'
    """
    text = (
        "" if value is None else f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)
    )
    text = text[:LONGEST] + ("…" if len(text) > LONGEST else "")
    return "".join("\N{REPLACEMENT CHARACTER}" if unicodedata.category(c) in ("Cc", "Cf") else c for c in text)


def table(rows: pa.Table, title: str = "") -> Table:
    """A rich table."""
    out = Table(title=title or None)
    for field in rows.schema:
        number = pa.types.is_integer(field.type) or pa.types.is_floating(field.type)
        out.add_column(Text(safe(field.name)), justify="right" if number else "left")
    for row in rows.to_pylist():
        out.add_row(*(Text(safe(value)) for value in row.values()))
    return out


def write(rows: pa.Table, form: str, console: Console) -> None:
    """Print rows as `table`, `csv` or `json` (one object a line)."""
    if form == "table":
        console.print(table(rows))
    elif form == "csv":
        writer = csv.writer(sys.stdout)
        writer.writerow(rows.column_names)
        writer.writerows(row.values() for row in rows.to_pylist())
    elif form == "json":
        for row in rows.to_pylist():
            print(json.dumps(row, ensure_ascii=False, default=str))
    else:
        raise ValueError(f"--format {form}: choose table, csv or json.")
