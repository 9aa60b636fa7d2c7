"""Sites' policies: their rows, and the same rows sorted by site, so that a part of documents finds those of its own
sites and reads no others.

`policies/` lies in the crawl's order, and Common Crawl keeps robots.txt in files of their own, so any part's sites may
be in any other part. One pass sorts them by site into `policies_by_site/`, the newest answer a site, scheme and path;
DuckDB spills what does not fit. Row groups are small, and their smallest and largest site is in the file's footer: a
look-up reads the column of sites and the few groups that hold what it wants, whatever the crawl's size. Bodies are
packed there, so that a site that serves half a megabyte of blanks costs the sort no more than another.
"""

from __future__ import annotations

import hashlib
import tempfile
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import zstandard
from apache_beam.io.filesystems import FileSystems

from filters.charset import BOMS
from filters.rights.judge import address
from filters.rights.sites import ANSWERS, Policy
from pipelines.code import made_by
from pipelines.parts import fingerprint, part_path, read_counts, read_mark, read_part, read_rows, write_part
from pipelines.schemas import POLICIES
from pipelines.sources import PolicyFile

SORTED = "policies_by_site"
GROUP_ROWS = 128  # a quarter of a megabyte of robots.txt
MEMORY = "1GB"
ROWS = 64
PACKED = pa.schema([field.with_type(pa.binary()) if field.name == "body" else field for field in POLICIES])
# What says most counts, of equals the newest.
NEWEST = f"""
SELECT * FROM policies WHERE site IS NOT NULL
QUALIFY row_number() OVER (PARTITION BY site, scheme, path ORDER BY
    {ANSWERS} DESC, fetched DESC NULLS LAST, source, "offset" DESC) = 1
ORDER BY site, scheme, path
"""


def policy_batches(policies: Sequence[tuple[PolicyFile, bytes]]) -> Iterator[pa.RecordBatch]:
    """Rows of policies/ in small batches, from policies without bodies and their packed bodies."""
    for start in range(0, len(policies), ROWS):
        some = policies[start : start + ROWS]
        rows = [policy_row(policy, zstandard.decompress(packed)) for policy, packed in some]
        yield pa.RecordBatch.from_pylist(rows, schema=POLICIES)


def policy_row(policy: PolicyFile, body: bytes) -> dict[str, Any]:
    """One row of policies/."""
    site, scheme, _ = address(policy.url or "")
    return {
        "doc_id": policy.doc_id,
        "source": policy.source,
        "offset": policy.offset,
        "length": policy.length,
        "url": policy.url,
        "site": site,
        "scheme": scheme,
        "path": policy.path,
        "status": policy.status,
        "fetched": policy.fetched,
        "body": body.decode(next((name for mark, name in BOMS if body.startswith(mark)), "utf-8"), "replace"),
        "truncated": policy.truncated,
        "sha256": hashlib.sha256(body).hexdigest(),
    }


def sort_policies(run: str, indices: Sequence[int]) -> str:
    """Make the one part of policies_by_site/, unless it is there already; returns its fingerprint."""
    parts = [part_path(run, "policies", index) for index in indices]
    mark = fingerprint("policies", made_by(), [read_mark(path) for path in parts])
    path = part_path(run, SORTED, 0)
    if read_counts(path, mark) is None:
        filled = [part for part in parts if read_rows(part)]
        counts = {"policies": 0}
        write_part(path, _sorted(filled, counts), PACKED, mark, counts, group_rows=GROUP_ROWS)
    return mark


def _sorted(parts: Sequence[str], counts: dict[str, int]) -> Iterator[pa.RecordBatch]:
    if not parts:
        return
    with tempfile.TemporaryDirectory(prefix="winnow-") as spill:
        how = {"threads": 1, "memory_limit": MEMORY, "temp_directory": spill}
        with duckdb.connect(config=how) as connection:
            batches = (_packed(batch) for part in parts for batch in read_part(part, batch_rows=ROWS))
            connection.register("policies", pa.RecordBatchReader.from_batches(PACKED, batches))
            for batch in connection.sql(NEWEST).to_arrow_reader(GROUP_ROWS):
                counts["policies"] += batch.num_rows
                yield batch.cast(PACKED)


def _packed(batch: pa.RecordBatch) -> pa.RecordBatch:
    bodies = pa.array([zstandard.compress(body.encode(), 3) for body in batch["body"].to_pylist()], pa.binary())
    columns = [bodies if name == "body" else batch[name] for name in PACKED.names]
    return pa.RecordBatch.from_arrays(columns, schema=PACKED)


class Policies:
    """policies_by_site/ opened for look-ups."""

    def __init__(self, run: str) -> None:
        self.stream = FileSystems.open(part_path(run, SORTED, 0), mime_type="application/octet-stream")
        self.file = pq.ParquetFile(self.stream)
        self.ranges = list(self._ranges())

    def __enter__(self) -> Policies:
        return self

    def __exit__(self, *_: object) -> None:
        self.file.close()
        self.stream.close()

    def of(self, sites: Iterable[str]) -> dict[str, list[Policy]]:
        """The policies of these sites; sites without any are not in it."""
        wanted = sorted(set(sites))
        found: dict[str, list[Policy]] = {}
        groups = [i for i, (low, high) in enumerate(self.ranges) if _holds(wanted, low, high)]
        for group in groups:
            names = self.file.read_row_group(group, columns=["site"])["site"]
            mask = pc.is_in(names, value_set=pa.array(wanted, pa.string()))
            if pc.any(mask).as_py():
                for row in self.file.read_row_group(group).filter(mask).to_pylist():
                    row["body"] = zstandard.decompress(row["body"]).decode()
                    known = {name: row[name] for name in Policy.__annotations__}
                    found.setdefault(row["site"], []).append(Policy(**known))
        return found

    def _ranges(self) -> Iterator[tuple[str, str]]:
        metadata = self.file.metadata
        column = metadata.schema.names.index("site")
        for i in range(metadata.num_row_groups):
            statistics = metadata.row_group(i).column(column).statistics
            yield (statistics.min, statistics.max) if statistics and statistics.has_min_max else ("", "\U0010ffff")


def _holds(wanted: Sequence[str], low: str, high: str) -> bool:
    """Whether one of the sorted names lies in [low, high]."""
    at = bisect_left(wanted, low)
    return at < len(wanted) and wanted[at] <= high
