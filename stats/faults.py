"""Faults of a run's files and questions, each in one sentence."""

from __future__ import annotations

import re
from pathlib import Path

import duckdb

from pipelines.footer import UNREADABLE, open_parquet


def sentence(error: duckdb.Error) -> str:
    """What DuckDB did not like, in one line, with its suggestion if it has one.

    >>> sentence(duckdb.BinderException('Binder Error: no "x"!\\nCandidate bindings: "y"\\n\\nLINE 1: x'))
    'Binder Error: no "x"! Candidate bindings: "y".'
    """
    text = str(error).strip()
    if ours := re.search(r"failed: \w+: (.+?)\.?\. Detail: Python exception", text):  # raised while a shard was read
        return f"{ours.group(1)}."
    lines = [line.strip() for line in text.splitlines()]
    hints = [line for line in lines[1:] if line.startswith(("Did you mean", "Candidate bindings"))]
    line = " ".join([lines[0], *hints[:1]])
    return line if line.endswith((".", "!", "?")) else f"{line}."


def fault(path: Path) -> str | None:
    """Why a part cannot be read, and the mend; None if its footer can be."""
    try:
        with path.open("rb") as stream:
            open_parquet(stream)
    except UNREADABLE as error:
        return f"{path} cannot be read ({str(error).splitlines()[0]}). Delete it and run again."
    return None
