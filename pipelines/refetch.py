"""One record of a crawl again, by its place: what lineage shows, and what proves that a document came from there.

A WARC record in a gzip member of its own is read alone, from its offset; whatever cannot be read so (records that share
a member, tables, folders of HTML) is found by reading its part from the beginning, which gives each record its place.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pipelines.sources import Part, Record, Reject, Skipped, read


def part_of(row: Mapping[str, Any]) -> Part:
    """A part as run.json keeps it."""
    return Part(**{**row, "files": tuple(row.get("files", ()))})


def refetch(
    parts: Sequence[Mapping[str, Any]], doc_id: str, source: str, offset: int, length: int | None
) -> Record | Reject:
    """The record of `doc_id`; FileNotFoundError if the crawl is not where it was, ValueError if it has changed."""
    mine = [part for part in map(part_of, parts) if part.source == source or part.kind == "html"]
    holding = [
        part for part in mine if part.kind in ("html", "parquet") or part.end < 0 or part.start <= offset < part.end
    ]
    for part in holding:
        if "://" not in part.path and not Path(part.path).exists():
            raise FileNotFoundError(f"{part.path} is not there any more: the record at {offset} cannot be shown.")
    alone = [dataclasses.replace(p, start=offset, end=offset + length) for p in holding if p.kind == "warc" and length]
    for part in [*alone, *holding]:
        for item in read(part):
            if not isinstance(item, Skipped) and item.doc_id == doc_id:
                return item
    raise ValueError(f"There is no record {doc_id} at {offset} of {source} any more: the crawl was changed since.")
