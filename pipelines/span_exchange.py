"""Who has a unit of text first: hashes of all parts meet by file, and each part learns what others have before it.

A part gives one row for each different hash (40 bytes before compression, never text): the best of its documents,
and whether more than one has it. A range of hashes is then met: for each hash of several parts, or of several
documents of one, the best document is its owner. A part reads the answers to its own hashes. Best is the document
with the lowest (order, doc_id), so neither parts nor workers nor the order of input matter. Memory: a part's
different hashes, or a range's rows (ROWS); on disk, all given rows. Traded away: an answer is found by the statistics
of row groups, so a reader decodes a few thousand rows that are not its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from apache_beam.io.filesystems import FileSystems

from pipelines.parts import write_part

Column = npt.NDArray[np.uint64]
ROWS = 4_000_000  # rows of a range: 350 MB while they are met
GIVEN = pa.schema(
    [
        pa.field("hash", pa.uint64(), nullable=False),
        pa.field("order", pa.uint64(), nullable=False),  # the lower comes first; ties go to the lower doc_id
        pa.field("high", pa.uint64(), nullable=False),  # the doc_id's 128 bits
        pa.field("low", pa.uint64(), nullable=False),
        pa.field("several", pa.bool_(), nullable=False),  # more documents of the part have it
    ]
)
ANSWER = pa.schema(
    [
        pa.field("part", pa.uint32(), nullable=False),
        pa.field("hash", pa.uint64(), nullable=False),
        pa.field("high", pa.uint64(), nullable=False),  # the owner
        pa.field("low", pa.uint64(), nullable=False),
    ]
)


def id_halves(doc_ids: pa.StringArray) -> tuple[Column, Column]:
    """The two 64-bit halves of doc_ids of 32 hex digits; ValueError for others."""
    if not pc.all(pc.equal(pc.binary_length(doc_ids), 32), min_count=0).as_py():
        raise ValueError("A doc_id must have 32 hexadecimal digits.")
    halves = np.frombuffer(bytes.fromhex("".join(doc_ids.to_pylist())), ">u8").reshape(-1, 2).astype(np.uint64)
    return np.ascontiguousarray(halves[:, 0]), np.ascontiguousarray(halves[:, 1])


def id_texts(high: Column, low: Column) -> pa.StringArray:
    """doc_ids again, from their halves."""
    digits = np.stack((high, low), axis=1).astype(">u8").tobytes().hex().encode()
    offsets = np.arange(0, len(digits) + 1, 32, dtype=np.int32)
    return pa.StringArray.from_buffers(len(high), pa.py_buffer(offsets), pa.py_buffer(digits))


def given_rows(
    hashes: Column, docs: npt.NDArray[np.uint32], order: Column, high: Column, low: Column
) -> pa.RecordBatch:
    """Rows of GIVEN for a part's units: unit k, of document docs[k], has hash hashes[k]; the others are by document."""
    best = np.lexsort((low, high, order))
    place = np.empty(len(best), np.uint32)
    place[best] = np.arange(len(best), dtype=np.uint32)
    by = np.argsort(hashes)
    hashes, mine = hashes[by], place[docs[by]]
    starts = np.flatnonzero(_new(hashes))
    first = np.minimum.reduceat(mine, starts) if len(starts) else mine
    several = np.maximum.reduceat(mine, starts) != first if len(starts) else np.empty(0, np.bool_)
    doc = best[first]
    columns = [hashes[starts], order[doc], high[doc], low[doc], several]
    return pa.RecordBatch.from_arrays([pa.array(c) for c in columns], schema=GIVEN)


def _new(hashes: Column) -> npt.NDArray[np.bool_]:
    """Where a run of equal hashes begins."""
    new = np.ones(len(hashes), np.bool_)
    new[1:] = hashes[1:] != hashes[:-1]
    return new


def ranges(rows: int) -> int:
    """How many ranges of hashes so many given rows are met in."""
    return rows // ROWS + 1


def _edges(index: int, count: int) -> tuple[int, int]:
    """First and last hash of a range: hashes are uniform, so equal ranges hold about equally many."""
    return (index << 64) // count, ((index + 1 << 64) // count) - 1


def given_of(path: str, index: int, count: int) -> pa.Table:
    """The rows that a part has given in one range."""
    first, last = (pa.scalar(edge, pa.uint64()) for edge in _edges(index, count))
    wanted = (pc.field("hash") >= first) & (pc.field("hash") <= last)
    with FileSystems.open(path, mime_type="application/octet-stream") as stream:
        return pq.read_table(stream, columns=GIVEN.names, filters=wanted)


def meet(index: int, count: int, given: Sequence[str], every: bool, path: str, mark: str) -> int:
    """Write the answers for one range: rows of ANSWER to the parts whose best document does not own a hash, or with
    `every` to all parts that have a hash which several documents have. Returns the rows written.
    """
    tables = [given_of(one, index, count) for one in given]
    part = np.repeat(np.arange(len(given), dtype=np.uint32), [table.num_rows for table in tables])
    table = pa.concat_tables(tables)
    columns = [table[name].to_numpy() for name in GIVEN.names]
    by = np.argsort(columns[0], kind="stable")
    hashes = columns[0][by]
    same = ~_new(hashes)
    same[:-1] |= same[1:]
    shared = by[same]
    part, (hashes, order, high, low, _) = part[shared], [column[shared] for column in columns]
    by = np.lexsort((low, high, order, hashes))
    part, hashes, high, low = part[by], hashes[by], high[by], low[by]
    first = _new(hashes)
    owner = np.flatnonzero(first)[np.cumsum(first) - 1]
    wanted = np.flatnonzero(~first | every)
    wanted = wanted[np.lexsort((hashes[wanted], part[wanted]))]
    owner = owner[wanted]
    answers = [part[wanted], hashes[wanted], high[owner], low[owner]]
    batch = pa.RecordBatch.from_arrays([pa.array(a) for a in answers], schema=ANSWER)
    return write_part(path, [batch], ANSWER, mark, {"rows": batch.num_rows})


def owners(part: int, given: str, answered: Sequence[str]) -> tuple[Column, Column, Column]:
    """(hash, and the owner's id in two halves), by hash: all that more than one document has, as far as the part can
    have lost it, or all of its own if every part was answered.
    """
    tables = [t.select(ANSWER.names[1:]) for t in _answers(part, answered)]
    with FileSystems.open(given, mime_type="application/octet-stream") as stream:
        own = pq.read_table(stream, columns=["hash", "high", "low", "several"], filters=pc.field("several"))
    hashes, high, low = (
        np.concatenate([table[name].to_numpy() for table in (*tables, own)]) for name in ("hash", "high", "low")
    )
    by = np.argsort(hashes, kind="stable")  # an answer comes before what the part itself knows
    hashes, high, low = hashes[by], high[by], low[by]
    first = _new(hashes)
    return hashes[first], high[first], low[first]


def _answers(part: int, answered: Sequence[str]) -> Iterator[pa.Table]:
    for path in answered:
        with FileSystems.open(path, mime_type="application/octet-stream") as stream:
            yield pq.read_table(stream, filters=pc.field("part") == pa.scalar(part, pa.uint32()))
