"""Who might repeat whom: keys by range of their hash, pairs of each range, and their verification.

Three exchanges by files (`pipelines.exchange`): keys go to their column and range; pairs that are to be verified go to
the set of their lower document, take its evidence (signature or shingles) along to the set of the other one, and
are judged there. A task holds one group of parts or one range of one column, whatever the size of the corpus.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dedup.keys import BAND, BLOCK, EXACT, signature_width
from dedup.likeness import equal_share, set_jaccard
from dedup.pairs import U64, UNCHECKED, likely, star, unique_pairs
from dedup.shingles import shingles
from pipelines.exchange import files_in, gather, gathered, scatter
from pipelines.parts import read_table
from pipelines.signature import NODE_PART, matrix
from pipelines.work import INDEXED, Work

KEYED = pa.schema([("hash", pa.uint64()), ("mark", pa.uint64()), ("node", pa.uint64())])
PAIR = pa.schema([("left", pa.uint64()), ("right", pa.uint64())])
EVIDENCE = 32_000_000  # hashes that are sent at once: 128 MB
JUDGED = pa.schema([("left", pa.uint64()), ("right", pa.uint64()), ("evidence", pa.list_(pa.uint32()))])


def sign_group(number: int, work: Work) -> int:
    """Sign a group's parts and cut their keys by column and range."""
    pieces: list[pa.Table] = []
    places: list[npt.NDArray[np.int64]] = []
    for first, path in work.signature_files(number):
        table = read_table(path, ["content", "mark", "keys"])
        for column, (hashes, marks, nodes) in enumerate(_keyed(table, first, work)):
            pieces.append(pa.table([hashes, marks, nodes], schema=KEYED))
            places.append(column * work.ranges + range_of(hashes, work.ranges))
    everything = pa.concat_tables(pieces) if pieces else KEYED.empty_table()
    where = np.concatenate(places) if places else np.empty(0, np.int64)
    scatter(work.path("bands", number), everything, where, len(work.columns) * work.ranges)
    return everything.num_rows


def _keyed(table: pa.Table, first: np.uint64, work: Work) -> Iterator[tuple[U64, U64, U64]]:
    """(hash, mark, node) of each column, without the documents that have no key there."""
    keys = matrix(table["keys"], np.uint64, len(work.columns))
    nodes = first | np.arange(table.num_rows, dtype=np.uint64)
    mark = table["mark"].to_numpy()
    if EXACT in work.columns:
        content = np.frombuffer(table["content"].combine_chunks().buffers()[1], ">u8").reshape(-1, 2)
        low = content[: table.num_rows, 1].astype(np.uint64)
    for column, kind in enumerate(work.columns):
        some = keys[:, column] != 0
        yield keys[some, column], (low if kind == EXACT else mark)[some], nodes[some]


def range_of(hashes: U64, ranges: int) -> npt.NDArray[np.int64]:
    """Which of `ranges` (a power of two) equal slices of 64 bits each hash lies in: its topmost bits."""
    width = ranges.bit_length() - 1
    return (hashes >> np.uint64(64 - width)).astype(np.int64) if width else np.zeros(len(hashes), np.int64)


def pair_range(destination: int, work: Work) -> int:
    """Pairs of one range of one column; into edges/, or pairs/ where they have yet to be verified."""
    column, part = divmod(destination, work.ranges)
    table = _meeting(column, part, destination, work)
    hashes, marks, nodes = (table[name].to_numpy() for name in ("hash", "mark", "node"))
    minhash, simhash, kind = work.dedup.minhash, work.dedup.simhash, work.columns[column]
    if kind == EXACT:
        left, right, _ = unique_pairs(*star(_both(hashes, marks), nodes))
        settled = np.ones(len(left), bool)
    elif (kind == BAND and minhash and minhash.verify is not None) or (kind == BLOCK and simhash):
        left, right, settled = likely(
            hashes, marks, nodes, simhash.distance if kind == BLOCK and simhash else UNCHECKED
        )
        left, right, at = unique_pairs(left, right)
        settled = settled[at]
    else:
        left, right, _ = unique_pairs(*star(hashes, nodes))
        settled = np.ones(len(left), bool)
    _write_pairs(work.path("edges", destination), left[settled], right[settled])
    if not settled.all():
        open_pairs = pa.table([left[~settled], right[~settled]], schema=PAIR)
        where = work.set_of(left[~settled])
        scatter(work.path("pairs", destination), open_pairs, where, len(work.sets))
    return len(left)


def _both(high: U64, low: U64) -> U64:
    """One number for each distinct 128-bit value."""
    order = np.lexsort((low, high))
    new = np.zeros(len(high), np.uint64)
    new[order[1:]] = (high[order][1:] != high[order][:-1]) | (low[order][1:] != low[order][:-1])
    out = np.empty(len(high), np.uint64)
    out[order] = np.cumsum(new[order])
    return out


def _meeting(column: int, part: int, destination: int, work: Work) -> pa.Table:
    """All rows of one range: of this corpus, and of the index those that have a hash of this corpus.

    Two documents of the index have met before.
    """
    batches = gather(files_in(work.where("bands")), destination)
    own = (
        np.unique(np.concatenate([batch["hash"].to_numpy() for batch in batches]))
        if batches
        else np.empty(0, np.uint64)
    )
    for first_unit, ranges, files in work.earlier.bands if work.earlier else ():
        offset = INDEXED | (np.uint64(first_unit) << NODE_PART)
        for theirs in _overlapping(part, work.ranges, ranges):
            for batch in gather(files, column * ranges + theirs):
                mine = np.isin(batch["hash"].to_numpy(), own)
                nodes = (batch["node"].to_numpy() + offset)[mine]
                batches.append(
                    pa.RecordBatch.from_arrays(
                        [pa.array(batch["hash"].to_numpy()[mine]), pa.array(batch["mark"].to_numpy()[mine]),
                         pa.array(nodes)], schema=KEYED)
                )  # fmt: skip
    return pa.Table.from_batches(batches, KEYED)


def _overlapping(part: int, ranges: int, theirs: int) -> range:
    """Which of `theirs` ranges hold hashes of range `part` of `ranges`.

    >>> _overlapping(1, 2, 8), _overlapping(5, 8, 2)
    (range(4, 8), range(1, 2))
    """
    if theirs >= ranges:
        width = theirs // ranges
        return range(part * width, (part + 1) * width)
    return range(part * theirs // ranges, part * theirs // ranges + 1)


def _write_pairs(path: str, left: U64, right: U64) -> None:
    scatter(path, pa.table([left, right], schema=PAIR), np.zeros(len(left), np.int64), 1)


def attach(number: int, work: Work) -> int:
    """Give the open pairs of one set of lower documents their evidence, and send them to the other document's set."""
    table = gathered(files_in(work.where("pairs")), number, PAIR)
    if not table.num_rows:
        return 0
    left, right, _ = unique_pairs(table["left"].to_numpy(), table["right"].to_numpy())
    nodes, place = np.unique(left, return_inverse=True)
    known = evidence(nodes, number, work)
    length = np.diff(known.offsets.to_numpy())[place].astype(np.int64)
    for piece, (low, high) in enumerate(pieces(length, EVIDENCE)):
        rows = [left[low:high], right[low:high], known.take(pa.array(place[low:high]))]
        judged, where = pa.table(rows, schema=JUDGED), work.set_of(right[low:high])
        scatter(work.path("judged", number + piece * len(work.sets)), judged, where, len(work.sets))
    return len(left)


def pieces(length: npt.NDArray[np.int64], most: int) -> list[tuple[int, int]]:
    """Rows [low, high) whose lengths add up to `most` or less, or one row that is longer.

    >>> pieces(np.array([3, 3, 3, 9, 1]), 6)
    [(0, 2), (2, 3), (3, 4), (4, 5)]
    """
    ends, low = np.cumsum(length), 0
    cuts = []
    while low < len(length):
        passed = ends[low - 1] if low else 0
        high = max(low + 1, int(np.searchsorted(ends, passed + most, side="right")))
        cuts.append((low, high))
        low = high
    return cuts


def judge(number: int, work: Work) -> int:
    """Keep the pairs of one set of higher documents that are alike enough; they join edges/."""
    table = gathered(files_in(work.where("judged")), number, JUDGED)
    minhash = work.dedup.minhash
    if not table.num_rows or minhash is None or minhash.verify is None:
        return 0
    nodes, place = np.unique(table["right"].to_numpy(), return_inverse=True)
    first, second = _lists(table["evidence"].combine_chunks()), _lists(evidence(nodes, number, work))
    alike = set_jaccard if minhash.verify_by == "jaccard" else equal_share
    share = alike(*first, *second, place.astype(np.int64))
    good = share >= np.float32(minhash.verify)
    edges = work.path("edges", len(work.columns) * work.ranges + number)
    _write_pairs(edges, table["left"].to_numpy()[good], table["right"].to_numpy()[good])
    return int(good.sum())


def evidence(nodes: U64, number: int, work: Work) -> pa.ListArray:
    """What pairs of `nodes` (sorted, all of one set) are judged by: signatures, or sorted distinct shingles."""
    by_shingles = work.dedup.minhash is not None and work.dedup.minhash.verify_by == "jaccard"
    found = []
    for first, path in work.signature_files(number):
        low, high = np.searchsorted(nodes, (first, first + (np.uint64(1) << NODE_PART)))
        if high > low:
            places = (nodes[low:high] - first).astype(np.int64)
            column = "row" if by_shingles else "signed"
            rows = read_table(path, [column])[column].take(pa.array(places)).combine_chunks()
            found.append(_shingle_sets(int(first >> NODE_PART), rows, work) if by_shingles else _as_lists(rows, work))
    return pa.concat_arrays(found)


def _as_lists(rows: pa.FixedSizeBinaryArray, work: Work) -> pa.ListArray:
    width = signature_width(work.dedup)
    flat = matrix(rows, np.uint32, width).ravel()
    return pa.ListArray.from_arrays(pa.array(np.arange(0, (len(rows) + 1) * width, width), pa.int32()), pa.array(flat))


def _shingle_sets(part: int, rows: pa.UInt32Array, work: Work) -> pa.ListArray:
    assert work.dedup.minhash is not None
    hashes, first = shingles(work.texts(part, rows.to_numpy()), work.dedup.minhash.ngram, work.dedup.minhash.unit)
    sets = [np.unique(hashes[low:high]) for low, high in pairwise(first.tolist())]
    bounds = np.concatenate((np.zeros(1, np.int32), np.cumsum([len(s) for s in sets]))).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(bounds), pa.array(np.concatenate(sets) if sets else hashes))


def _lists(column: pa.ListArray) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.int64]]:
    return column.flatten().to_numpy(), (column.offsets.to_numpy() - column.offsets[0].as_py()).astype(np.int64)
