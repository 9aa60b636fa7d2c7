"""The two random samples that TC260-003 section 8.1 (GB/T 45654-2025) asks for: at least 4,000 items for people to
judge, at least 10 % for keywords and classifiers.

A document is drawn by the lowest md5 of seed and doc_id, so that a seed names one sample, whatever the run's parts.
What is shown is the text of kept/, scrubbed also of the kinds of personal data that the recipe leaves as they are: the
sheet goes to people. Addresses of pages may hold names; the sheet has the domain, and doc_id finds the page.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from math import ceil
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from filters.pii import KINDS
from filters.pii import scrub as scrub_text
from filters.sql import literal
from stats.papers.figures import Figures
from stats.papers.safe import block, line

FORMAT = "winnow.tc260_sheet/1"
ITEMS, TECH_SHARE = 4000, 0.1
LONGEST = 20_000  # characters of one text that are shown
ROWS = 1024
TECH = pa.schema([
    pa.field("doc_id", pa.string()), pa.field("source", pa.string()), pa.field("domain", pa.string()),
    pa.field("lang", pa.string()), pa.field("text", pa.large_string())])  # fmt: skip
CHOSEN = """CREATE OR REPLACE TEMP TABLE chosen AS
SELECT m.doc_id, p.domain, row_number() OVER (ORDER BY mark, m.doc_id) AS number
FROM (SELECT doc_id, md5({seed} || doc_id) AS mark FROM paper_kept ORDER BY mark, doc_id LIMIT {items}) m
JOIN (SELECT doc_id, domain FROM paper) p ON m.doc_id = p.doc_id"""
TEXTS = """SELECT c.number, k.doc_id, k.source, c.domain, coalesce(k.lang, 'und') AS lang, k.text
FROM {part} k JOIN chosen c ON k.doc_id = c.doc_id ORDER BY c.number"""


def write_sheet(figures: Figures, path: Path, seed: int, items: int = ITEMS) -> int:
    """tc260_manual_sample.jsonl: a line that tells of the sample, then one an item with an empty verdict; how many."""
    chosen = min(items, figures.total.kept)
    _choose(figures, f"manual:{seed}:", chosen)
    ids = [doc_id for (doc_id,) in figures.run.rows("SELECT doc_id FROM chosen ORDER BY doc_id")]
    told = {
        "format": FORMAT, "recipe": figures.manifest.recipe, "recipe_hash": figures.manifest.recipe_hash,
        "manifest_sha256": figures.manifest_sha256, "seed": seed, "items": chosen, "population": figures.total.kept,
        "sources": {line(group.name): group.kept for group in figures.sources if group.kept},
        "ids_sha256": ids_digest(ids),
        "how": "verdict: pass or fail; risk: of Appendix A, such as A.1.f, where it fails; reviewer: who judged. "
               "判定：pass（合格）或 fail（不合格）；不合格须填风险编号（附录 A，如 A.1.f）；reviewer 填审核人。",
    }  # fmt: skip
    rows = sorted(_items(figures), key=lambda row: int(row["number"]))
    with path.open("wb") as sink:
        for row in (told, *rows):
            sink.write(orjson.dumps(row) + b"\n")
    return chosen


def ids_digest(ids: list[str]) -> str:
    """What names the set of items, in whatever order they come back."""
    return hashlib.sha256("\n".join(sorted(ids)).encode()).hexdigest()


def _items(figures: Figures) -> Iterator[dict[str, Any]]:
    for batch in _batches(figures):
        for row in batch.to_pylist():
            text = row["text"]
            yield {
                "number": row["number"], "doc_id": row["doc_id"], "source": line(row["source"]),
                "domain": line(row["domain"]), "lang": row["lang"], "text": block(text[:LONGEST]),
                "cut": len(text) > LONGEST,
                "verdict": None, "risk": None, "reviewer": None, "note": None,
            }  # fmt: skip


def write_tech(figures: Figures, path: Path, seed: int) -> int:
    """tc260_tech_sample.parquet: TECH_SHARE of the kept documents, rounded up, as a Parquet file of TECH; how many."""
    items = ceil(figures.total.kept * TECH_SHARE)
    _choose(figures, f"tech:{seed}:", items)
    with pq.ParquetWriter(path, TECH, compression="zstd") as out:
        out.add_key_value_metadata({"winnow.population": str(figures.total.kept), "winnow.seed": str(seed)})
        for batch in _batches(figures):
            out.write_batch(
                pa.RecordBatch.from_arrays([batch[name].cast(kind) for name, kind in _types()], schema=TECH)
            )
    return items


def _types() -> list[tuple[str, pa.DataType]]:
    return [(field.name, field.type) for field in TECH]


def _choose(figures: Figures, seed: str, items: int) -> None:
    figures.run.rows(CHOSEN.format(seed=literal(seed), items=items))


def _batches(figures: Figures) -> Iterator[pa.RecordBatch]:
    """The chosen documents, part by part, without personal data of any kind that Winnow knows."""
    run = figures.run
    left = {kind: "placeholder" for kind in KINDS if figures.policy(kind) == "leave"}
    for part in run.parts("kept"):
        for batch in run.table(TEXTS.format(part=run.files([part]))).to_batches(ROWS):
            text = batch["text"].cast(pa.large_string())
            text = scrub_text(text, left).text if left else text
            yield batch.set_column(batch.schema.names.index("text"), "text", text)
