"""Small runs up to duplicates/, made by hand, to cut and to read back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import xxhash

from pipelines.cuts import cut
from pipelines.options import beam_options
from pipelines.parts import part_path, write_part
from pipelines.schemas import DOCUMENTS, DUPLICATES
from recipes.dedup import Dedup
from recipes.model import Recipe

SIGNALS = pa.schema([pa.field("doc_id", pa.string()), pa.field("lang", pa.string())])


@dataclass(frozen=True)
class Doc:
    """A document with the little of it that cutting reads."""

    name: str
    text: str
    url: str | None = None
    lang: str = "en"
    copy: bool = False  # a duplicate of something better

    @property
    def doc_id(self) -> str:
        return str(xxhash.xxh3_128_hexdigest(self.name.encode()))


def recipe_of(**dedup: Any) -> Recipe:
    """A recipe that keeps all and has this deduplication."""
    return Recipe(name="tiny", title="Tiny", fidelity="R3", sources=("none",), dedup=Dedup.model_validate(dedup))


def write_run(run: Path, parts: Sequence[Sequence[Doc]]) -> None:
    """documents/, signals/ and duplicates/ of these parts."""
    for index, docs in enumerate(parts):
        rows = [
            {"doc_id": d.doc_id, "source": "s", "offset": 0, "url": d.url, "text_hash": "0", "text": d.text}
            for d in docs
        ]
        signals = [{"doc_id": d.doc_id, "lang": d.lang} for d in docs]
        copies = [
            {"doc_id": d.doc_id, "cluster_id": "c", "kept_id": "k", "cluster_size": 2, "method": "exact"}
            for d in docs if d.copy
        ]  # fmt: skip
        for name, given, schema in (
            ("documents", rows, DOCUMENTS), ("signals", signals, SIGNALS), ("duplicates", copies, DUPLICATES)
        ):  # fmt: skip
            batch = pa.RecordBatch.from_pylist(given, schema=schema)
            write_part(part_path(str(run), name, index), [batch], schema, f"{name} {[d.name for d in docs]}", {})


def cuts_of(run: Path, parts: Sequence[Sequence[Doc]], recipe: Recipe, workers: int = 1) -> list[dict[str, Any]]:
    """All rows of cuts/ after the job, by document and place."""
    write_run(run, parts)
    cut(str(run), range(len(parts)), recipe, beam_options(workers))
    rows = [row for i in range(len(parts)) for row in pq.read_table(part_path(str(run), "cuts", i)).to_pylist()]
    return sorted(rows, key=lambda r: (r["doc_id"], r["fate"] is not None, r["start"]))


def texts_left(parts: Sequence[Sequence[Doc]], rows: Sequence[dict[str, Any]]) -> dict[str, str | None]:
    """What is left of each document by name; None for one that goes. Cut by plain slicing, as a check."""
    left: dict[str, str | None] = {}
    for doc in (d for part in parts for d in part if not d.copy):
        mine = [r for r in rows if r["doc_id"] == doc.doc_id]
        data = bytearray(doc.text.encode())
        for row in sorted((r for r in mine if r["fate"] is None), key=lambda r: -r["start"]):
            del data[row["start"] : row["end"]]
        left[doc.name] = None if any(r["fate"] for r in mine) else data.decode()
    return left
