"""A part to its records, whatever kind of input it is a part of."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from pipelines.sources.archive import read_arc, read_warc, reject
from pipelines.sources.names import real
from pipelines.sources.parquet import read_parquet
from pipelines.sources.part import Item, Part
from pipelines.sources.tables import read_html, read_jsonl, read_outside

READERS: dict[str, Callable[[Part], Iterator[Item]]] = {
    "warc": read_warc,
    "arc": read_arc,
    "html": read_html,
    "jsonl": read_jsonl,
    "parquet": read_parquet,
    "outside": read_outside,
}


def read(part: Part) -> Iterator[Item]:
    """Every record of the part, each as a Record, a Reject or a Skipped; an unreadable file is one reject."""
    files = tuple(map(real, part.files))  # Beam hands on a row with a part's fields, which is no Part
    read_as = Part(
        part.index, part.kind, part.source, real(part.path), part.start, part.end, part.records, part.digest, files
    )
    try:
        yield from READERS[part.kind](read_as)
    except FileNotFoundError as error:
        yield reject(part, part.start, 0, None, "file.unreadable", str(error))
