"""The small things that travel between the plan, the readers and the jobs.

A `Part` is a reference to a piece of an input file; reading it yields `Record`, `Reject` and `Skipped`, one
for each record of the crawl, so that what was read can be added up.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

import xxhash

# A page larger than this is no page: the body is never held in memory beyond it.
MAX_BODY = 64 << 20


def doc_id(source: str, offset: int) -> str:
    """128 bits from where the record lies: the same crawl gives the same ids.

    >>> len(doc_id("crawl.warc.gz", 0))
    32
    """
    return xxhash.xxh3_128_hexdigest(f"{source}\0{offset}".encode())


@dataclass(frozen=True)
class Part:
    """A piece of one input: bytes [start, end) for WARC and JSONL, row groups for Parquet, files for HTML.

    `records` is how many the plan saw, -1 where it did not look; `digest` is xxh3_128 of the part's bytes.
    """

    index: int
    kind: str
    source: str
    path: str
    start: int
    end: int
    records: int
    digest: str
    files: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """As run.json keeps it."""
        return {**asdict(self), "files": list(self.files)}


@dataclass(frozen=True, slots=True)
class Record:
    """One page: its place in the crawl, what HTTP said, and its bytes (or its text, if it is text already)."""

    doc_id: str
    source: str
    offset: int
    length: int
    url: str | None
    crawled: str | None = None
    http_headers: tuple[tuple[str, str], ...] = ()
    charset_header: str | None = None
    payload: bytes = b""
    kind: str = "html"
    text: str | None = None
    fields: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reject:
    """A record that is no document, and why; `detail` never quotes the page."""

    doc_id: str
    source: str
    offset: int
    length: int
    url: str | None
    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class PolicyFile(Reject):
    """A site's robots.txt, tdmrep.json or ai.txt: no document, and yet read. `body` is what was served with 200."""

    path: str = ""
    status: int = 0
    fetched: str | None = None
    body: bytes = b""
    truncated: bool = False


@dataclass(frozen=True, slots=True)
class Skipped:
    """A sound record that is no page by its type (warcinfo, request, metadata): counted by type only."""

    record_type: str


Item = Record | Reject | Skipped
