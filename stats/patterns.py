"""Patterns of yes and no over a run's documents: many tests, one pass, and only what differs is kept.

Each document gets a bit for every test; documents with the same bits are added up where they are read. What comes
back has as many rows as there are patterns, not documents.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from stats.run import Run

WORD = 62  # bits in one BIGINT
Bits = np.ndarray[Any, np.dtype[np.int64]]


def patterns(run: Run, tests: Sequence[str], keys: str, source: str) -> tuple[Bits, pa.Table]:
    """(bits, rest): for each pattern a row of 0 and 1, a column a test; and `keys`, further columns and sums, in SQL.

    `tests` are SQL that is true or false for each row of `source`; NULL counts as false.
    """
    words = [tests[i : i + WORD] for i in range(0, len(tests), WORD)] or [[]]
    columns = ", ".join(f"{_packed(word)} AS word_{i}" for i, word in enumerate(words))
    found = run.table(f"SELECT {columns}, {keys} FROM {source} GROUP BY ALL")
    bits = [
        (found[f"word_{i}"].to_numpy()[:, None] >> np.arange(len(word), dtype=np.int64)) & 1
        for i, word in enumerate(words)
    ]
    return np.hstack(bits), found.select(range(len(words), found.num_columns))


def _packed(tests: Sequence[str]) -> str:
    """SQL for a BIGINT whose i-th bit is the i-th test."""
    return " + ".join(f"CASE WHEN {test} THEN {1 << i} ELSE 0 END" for i, test in enumerate(tests)) or "0"
