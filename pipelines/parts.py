"""One part in, one part out: the protocol that makes a run resumable and its bytes repeatable.

A part's output is a Parquet file that carries, in its own footer, the fingerprint of everything it was made
from and the counts of what happened. It is written under a temporary name and renamed, so that a file with
its final name is always whole. A part whose output already bears the wanted fingerprint is not made again;
that one rule gives resume after SIGKILL, cheap re-runs, and the same bytes for any number of workers.

Traded away: on object stores a rename is a copy. Beam's `FileSystems` hides that, at the price of one more
write; a part is small enough for it.
"""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager

import pyarrow as pa
import pyarrow.parquet as pq
import xxhash
from apache_beam.io.filesystems import FileSystems

from pipelines.footer import UNREADABLE, open_parquet

FINGERPRINT = b"winnow.fingerprint"
COUNTS = b"winnow.counts"
ROW_GROUP = 16_384


def part_path(run: str, dataset: str, index: int) -> str:
    """Where part `index` of `dataset` lives inside the run.

    >>> part_path("/data/run", "documents", 7)
    '/data/run/documents/part-00007.parquet'
    """
    return FileSystems.join(run, dataset, f"part-{index:05d}.parquet")


def fingerprint(*ingredients: object) -> str:
    """A stable 128-bit digest, 32 hex digits, of JSON-able ingredients."""
    text = json.dumps(ingredients, sort_keys=True, ensure_ascii=False, default=str)
    return xxhash.xxh3_128_hexdigest(text.encode())


def read_footer(path: str) -> Mapping[bytes, bytes]:
    """The key-value metadata of a part; empty if there is no such file or it is not Parquet."""
    try:
        with FileSystems.open(path, mime_type="application/octet-stream") as stream:
            return open_parquet(stream).metadata.metadata or {}
    except UNREADABLE:  # absent, or damaged since: either way it must be made again
        return {}


def read_mark(path: str) -> str:
    """The fingerprint of a finished part, "" if there is none."""
    return read_footer(path).get(FINGERPRINT, b"").decode()


def read_counts(path: str, wanted: str) -> dict[str, int] | None:
    """The counts in the footer of a finished part, or None if it is missing or has another fingerprint."""
    metadata = read_footer(path)
    if metadata.get(FINGERPRINT, b"").decode() != wanted:
        return None
    counts: dict[str, int] = json.loads(metadata.get(COUNTS, b"{}"))
    return counts


def write_part(
    path: str,
    batches: Iterable[pa.RecordBatch],
    schema: pa.Schema,
    mark: str,
    counts: Mapping[str, int],
    before_commit: Callable[[], object] | None = None,
    random: bool = False,
    level: int = 3,
    group_rows: int = ROW_GROUP,
) -> int:
    """Write `batches` to `path` atomically under fingerprint `mark`; returns the rows written.

    `counts` may be filled in while `batches` is consumed: it is read after the last batch. `before_commit`
    is called when all is written and nothing is visible yet: a second output of the same part goes there. `random`
    says that the values are hashes, which neither a dictionary nor a compressor makes smaller; `level` is zstd's;
    `group_rows` is small where single rows are looked up.
    """
    parent, name = FileSystems.split(path)
    make_dirs(parent)
    temporary = FileSystems.join(parent, f".tmp-{uuid.uuid4().hex}-{name}")
    rows = 0
    with FileSystems.create(temporary, mime_type="application/octet-stream") as sink:
        # The raw schema's own metadata would make equal data unequal files.
        how = {"compression": "none", "use_dictionary": False} if random else {"compression": "zstd"}
        squeezed = None if random else level
        with pq.ParquetWriter(sink, schema.remove_metadata(), compression_level=squeezed, **how) as out:
            for batch in batches:
                rows += batch.num_rows
                out.write_batch(batch, row_group_size=group_rows)
            out.add_key_value_metadata(
                {FINGERPRINT: mark.encode(), COUNTS: json.dumps(dict(counts), sort_keys=True).encode()}
            )
    if before_commit is not None:
        before_commit()
    replace(temporary, path)
    return rows


def replace(temporary: str, path: str) -> None:
    """Give `temporary` its final name, over whatever is there."""
    if "://" not in path:
        os.replace(temporary, path)  # noqa: PTH105 - paths are strings that may also be URLs
        return
    if FileSystems.exists(path):
        FileSystems.delete([path])
    FileSystems.rename([temporary], [path])


def make_dirs(path: str) -> None:
    """Create a folder if it is not there; other workers may be doing the same."""
    if "://" not in path:
        os.makedirs(path, exist_ok=True)  # noqa: PTH103
    elif not FileSystems.exists(path):
        FileSystems.mkdirs(path)


def read_rows(path: str) -> int:
    """How many rows a part has, from its footer; 0 if it is not there."""
    try:
        with FileSystems.open(path, mime_type="application/octet-stream") as stream:
            return int(open_parquet(stream).metadata.num_rows)
    except FileNotFoundError:
        return 0


def read_part(path: str, columns: list[str] | None = None, batch_rows: int = 1024) -> Iterable[pa.RecordBatch]:
    """Stream a part as record batches of at most `batch_rows`, with only `columns` if given."""
    with _readable(path), FileSystems.open(path, mime_type="application/octet-stream") as stream:
        yield from pq.ParquetFile(stream).iter_batches(batch_size=batch_rows, columns=columns)


def read_table(path: str, columns: list[str] | None = None) -> pa.Table:
    """A whole part as a table; also when it holds no rows."""
    with _readable(path), FileSystems.open(path, mime_type="application/octet-stream") as stream:
        return pq.read_table(stream, columns=columns)


@contextmanager
def _readable(path: str) -> Iterator[None]:
    """Tell which part cannot be read. Its footer may be whole and its fingerprint right: then only a person knows."""
    try:
        yield
    except MemoryError:  # Arrow's own is an ArrowException too
        raise
    except (pa.ArrowException, OSError) as error:
        if isinstance(error, FileNotFoundError):
            raise
        raise ValueError(
            f"{path} cannot be read ({str(error).splitlines()[0]}). Delete it and give the same command again: "
            "it is made anew."
        ) from error
