"""The documents of a run as one table in memory, which every part of the report and the explorer ask.

A row a document: id, language, domain, bytes of text, tokens, fate, rule, the number of its part, and the measurements
that the recipe's rules read. Above `most` documents a part of them stands for all, chosen by `doc_id`, so that memory
is bounded; whoever shows a figure of it says so. What was removed by request is never in it.
"""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow.parquet as pq

from filters.rules import columns_read
from filters.sql import literal
from recipes.model import Recipe
from stats.gather import gather
from stats.rows import FATE, decided_parts, side_by_side
from stats.run import Run

TABLE = "held"
MOST = 2_000_000


@dataclass(frozen=True)
class Held:
    """The table TABLE: `documents` in it of `of` that are not removed; `parts` are file names by their number."""

    documents: int
    of: int
    parts: list[str]
    columns: list[str]

    @property
    def share(self) -> float:
        """Of all documents, 0 to 1."""
        return self.documents / self.of if self.of else 1.0


def hold(run: Run, recipe: Recipe, most: int = MOST) -> Held:
    """Make TABLE; measurements that the run does not have are left out of `columns`. ValueError if a file is bad."""
    run.sound()
    gather(run)
    have = {name for name, *_ in run.rows("DESCRIBE signals")}
    wanted = [name for name in dict.fromkeys((*columns_read(recipe), "domain")) if name in have]
    parts = decided_parts(run)
    if not parts:
        return Held(0, 0, [], wanted)
    all_rows = sum(pq.read_metadata(run.path / "decisions" / part).num_rows for part in parts)
    chosen = f"AND doc_id < {literal(f'{most * (1 << 128) // all_rows:032x}')}" if all_rows > most else ""
    source, there = side_by_side(run, wanted, parts), f"NOT starts_with({FATE}, 'removed:')"
    run.rows(f"CREATE OR REPLACE TEMP TABLE {TABLE} AS SELECT * FROM {source} WHERE {there} {chosen}")
    documents = run.rows(f"SELECT count(*) FROM {TABLE}")[0][0]
    if not chosen:  # what was removed makes no sample of the rest
        return Held(documents, documents, parts, wanted)
    of = run.rows(f"SELECT count(*) FROM {side_by_side(run, (), parts)} WHERE {there}")[0][0]
    return Held(documents, of, parts, wanted)
