"""What was found of evaluation sets: by set and mode, by item, and document by document with its place.

Figures come from contamination/ and from what the job counted; nothing is searched again. `items` and `looked for` say
what a clean answer is worth: an item that was too short to be looked for cannot be found. A stretch of text names at
most 16 items, so that of items which share their every word some may be missing here; no document is.
"""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

from stats.rows import COUNT, table
from stats.run import Run

TOTALS = pa.schema([pa.field("what", pa.string()), pa.field("count", pa.int64(), metadata=COUNT)])
SETS = pa.schema([
    pa.field("set", pa.string()), pa.field("mode", pa.string()), pa.field("items", pa.int64(), metadata=COUNT),
    pa.field("looked for", pa.int64(), metadata=COUNT), pa.field("items hit", pa.int64(), metadata=COUNT),
    pa.field("documents", pa.int64(), metadata=COUNT)])  # fmt: skip
ITEMS = pa.schema([
    pa.field("item", pa.string()), pa.field("documents", pa.int64(), metadata=COUNT),
    pa.field("modes", pa.string())])  # fmt: skip
# The label of each count of the job, in the order in which they are shown.
COUNTED = {
    "looked_at": "documents looked at", "dropped": "documents dropped", "cut": "documents cut",
    "bytes_cut": "bytes of text cut out",
}  # fmt: skip
BY_SET = """
SELECT i.set, i.mode, i.items, i.looked_for, count(DISTINCT c.other), count(DISTINCT c.doc_id)
FROM {items} i LEFT JOIN contamination c ON c.method = i.mode AND starts_with(c.other, i.set || ':')
GROUP BY ALL ORDER BY i.set, i.mode"""
BY_ITEM = """
SELECT other, count(DISTINCT doc_id) AS documents, string_agg(DISTINCT method, ', ' ORDER BY method)
FROM contamination WHERE other IS NOT NULL GROUP BY other ORDER BY documents DESC, other"""
PLACES = """
SELECT d.url, c.doc_id, c.other AS item, c.method AS mode, c."start", c."end", c.fate, c.value, c.threshold
FROM contamination c JOIN documents d ON d.doc_id = c.doc_id WHERE c.other IS NOT NULL
ORDER BY c.doc_id, c."start", c."end", c.method, c.other"""


@dataclass(frozen=True)
class Contamination:
    """Tables: `totals`; `sets`, a row a set and mode; `items` that were hit; `documents`, a row a finding: its `start`
    and `end` are the bytes that go from the text after the recipe's edits."""

    totals: pa.Table
    sets: pa.Table
    items: pa.Table
    documents: pa.Table

    def tables(self) -> dict[str, pa.Table]:
        """The tables by name."""
        return {"totals": self.totals, "sets": self.sets, "items": self.items, "documents": self.documents}


def contamination(run: Run) -> Contamination:
    """What the run found; ValueError if its recipe looks for no evaluation set, or the stage is not done."""
    run.sound()
    if run.recipe.decontaminate is None:
        raise ValueError(
            f"{run.path} looked for no evaluation set. Run again into another folder with --decontaminate FILE."
        )
    stage = run.described["stages"].get("decontaminate", {})
    path = run.path / "contamination" / "items.parquet"
    if stage.get("state") != "done" or not path.is_file():
        raise ValueError(f"{run.path} has not looked for evaluation sets yet. Give the same `winnow run` again.")
    counts = stage["counts"]
    totals = [(label, counts.get(key, 0)) for key, label in COUNTED.items()]
    totals += [(f"dropped by {key[8:]}", n) for key, n in sorted(counts.items()) if key.startswith("dropped.")]
    return Contamination(
        table(totals, TOTALS),
        table(run.rows(BY_SET.format(items=run.files([path]))), SETS),
        table(run.rows(BY_ITEM), ITEMS),
        run.table(PLACES),
    )
