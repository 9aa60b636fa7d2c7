"""Labels to duplicates/: gather each cluster's members, rank them, and write who repeats whom, part by part.

Members go to the slice of their cluster, and what became of them goes back to the set of their part. Of an index only
those members take part that something new resembles, and the one that stands for their cluster; its size and
lowest doc_id stand for the others, so that the outcome is that of one dedup over all corpora.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from dedup.clusters import Clusters, Members, clustered
from dedup.keys import METHODS, near_method, signature_width
from dedup.pairs import U64
from pipelines.connect import LABEL
from pipelines.exchange import files_in, gathered, scatter
from pipelines.index import clusters_of, roots_of
from pipelines.parts import part_path, read_table, write_part
from pipelines.schemas import DUPLICATES
from pipelines.signature import NODE_PART, halves, halves_to_binary, matrix, rows_of
from pipelines.work import INDEXED, Work

FATE = pa.schema([("node", pa.uint64()), *((f.name, f.type) for f in DUPLICATES)])


def member_schema(work: Work) -> pa.Schema:
    """A member on its way to its cluster: what ranks it, and how many documents it stands for."""
    return pa.schema(
        [
            ("label", pa.uint64()),
            ("node", pa.uint64()),
            ("id", pa.binary(16)),
            ("lowest", pa.binary(16)),
            ("weight", pa.int64()),
            ("content", pa.binary(16)),
            ("url", pa.uint64()),
            ("order", rows_of(8, 1 + len(work.dedup.keep))),
            ("signed", rows_of(4, signature_width(work.dedup))),
        ]
    )


def send_members(number: int, work: Work) -> int:
    """The labelled documents of one set, to the slice of their cluster."""
    labels = gathered(files_in(work.where("labels")), number, LABEL).sort_by("node")
    if not labels.num_rows:
        return 0
    nodes, label = labels["node"].to_numpy(), labels["label"].to_numpy()
    tables = []
    for first, path in work.signature_files(number):
        low, high = np.searchsorted(nodes, (first, first + (np.uint64(1) << NODE_PART)))
        if high > low:
            places = pa.array((nodes[low:high] - first).astype(np.int64))
            table = read_table(path, ["id", "content", "url", "order", "signed"]).take(places)
            tables.append(_member(table, nodes[low:high], label[low:high], work))
    members = pa.concat_tables(tables)
    slices = work.destinations
    mixed = members["label"].to_numpy() * np.uint64(0x9E3779B97F4A7C15) >> np.uint64(33)
    scatter(work.path("members", number), members, (mixed % np.uint64(slices)).astype(np.int64), slices)
    return members.num_rows


def _member(table: pa.Table, nodes: U64, label: U64, work: Work) -> pa.Table:
    weight, lowest = np.ones(len(nodes), np.int64), table["id"].combine_chunks()
    if work.earlier and nodes[0] & INDEXED:
        is_root = roots_of(nodes, work.earlier) == nodes
        weight[~is_root] = 0
        known = clusters_of(nodes[is_root], work.earlier.clusters)
        at = np.searchsorted(nodes, known["root"].to_numpy())
        weight[at] = known["size"].to_numpy()
        ids = halves(lowest)
        ids[at] = halves(known["lowest"])
        lowest = halves_to_binary(ids)
    columns = [pa.array(label), pa.array(nodes), table["id"], lowest, pa.array(weight), table["content"],
               table["url"], table["order"], table["signed"]]  # fmt: skip
    return pa.Table.from_arrays(columns, schema=member_schema(work))


def rank_members(destination: int, work: Work) -> int:
    """Rank the clusters of one slice; what became of each document goes back to its set."""
    table = gathered(files_in(work.where("members")), destination, member_schema(work))
    if not table.num_rows:
        return 0
    table = table.combine_chunks()
    nodes = table["node"].to_numpy()
    age = _age(nodes, work)
    order = matrix(table["order"], np.float64, 1 + len(work.dedup.keep))
    members = Members(
        label=table["label"].to_numpy(),
        ids=halves(table["id"]),
        content=halves(table["content"]),
        url=table["url"].to_numpy(),
        order=[age, *order.T],
        signed=matrix(table["signed"], np.uint32, signature_width(work.dedup)),
    )
    found = clustered(members)
    size, lowest = _whole_clusters(table, members)
    fates = _fates(table, found, size, lowest, work)
    scatter(work.path("fates", destination), fates, work.set_of(nodes), len(work.sets))
    if work.earlier is not None:
        _remember(destination, work, nodes, found, size, lowest)
    return table.num_rows


def _age(nodes: U64, work: Work) -> npt.NDArray[np.float64]:
    """Documents of an index rank by generation, before all others."""
    age = np.full(len(nodes), np.inf)
    if work.earlier:
        starts = np.array([first for first, _, _ in work.earlier.bands] or [0])
        units = ((nodes & ~INDEXED) >> NODE_PART).astype(np.int64)
        old = nodes & INDEXED != 0
        age[old] = np.searchsorted(starts, units[old], side="right")
    return age


def _whole_clusters(table: pa.Table, members: Members) -> tuple[npt.NDArray[np.int64], U64]:
    """Per member: documents of its cluster, those that only the index knows included, and the lowest doc_id of all."""
    lowest = halves(table["lowest"])
    order = np.lexsort((lowest[:, 1], lowest[:, 0], members.label))
    label = members.label[order]
    starts = np.flatnonzero(np.concatenate((np.ones(1, bool), label[1:] != label[:-1])))
    lengths = np.diff(np.append(starts, len(label)))
    total = np.repeat(np.add.reduceat(table["weight"].to_numpy()[order], starts), lengths)
    size, low = np.empty(len(label), np.int64), np.empty((len(label), 2), np.uint64)
    size[order] = total
    low[order] = np.repeat(lowest[order][starts], lengths, axis=0)
    return size, low


def _fates(table: pa.Table, found: Clusters, size: npt.NDArray[np.int64], lowest: U64, work: Work) -> pa.Table:
    names = hex_ids(table["id"].combine_chunks())
    own = np.arange(table.num_rows)
    known = np.where(found.same_url, "url", near_method(work.dedup))
    known = np.where(found.same_text, "exact", known)
    method = np.where(found.kept == own, "kept", known)
    columns = [
        table["node"], names, hex_ids(halves_to_binary(lowest)), names.take(pa.array(found.kept)), pa.array(size),
        _optional(found.similarity), pa.array(method.tolist(), pa.string()), names.take(pa.array(found.partner)),
        _optional(found.partner_similarity), generations_of(table["node"].to_numpy()[found.kept], work),
    ]  # fmt: skip
    return pa.Table.from_arrays(columns, schema=FATE)


def generations_of(nodes: U64, work: Work) -> pa.Array:
    """The generation of each node that is of the index."""
    names = np.array([*(work.earlier.names if work.earlier else ()), None], object)
    age = _age(nodes, work)
    return pa.array(names[np.where(np.isinf(age), len(names), age).astype(np.int64) - 1].tolist(), pa.string())


def _optional(values: npt.NDArray[np.float32]) -> pa.Array:
    return pa.array(values, pa.float32(), mask=np.isnan(values))


def hex_ids(column: pa.FixedSizeBinaryArray) -> pa.StringArray:
    """16 bytes each to 32 hex digits each."""
    text = halves(column).astype(">u8").tobytes().hex().encode()
    offsets = np.arange(0, 32 * (len(column) + 1), 32, dtype=np.int32)
    return pa.StringArray.from_buffers(len(column), pa.py_buffer(offsets.tobytes()), pa.py_buffer(text))


def write_set(number: int, work: Work) -> dict[str, int]:
    """Write duplicates/ for every part of one set."""
    table = gathered(files_in(work.where("fates")), number, FATE).sort_by("node")
    part = table["node"].to_numpy() >> NODE_PART
    total: dict[str, int] = {}
    for index in work.groups[number]:
        low, high = np.searchsorted(part, (index, index + 1))
        mine = table.slice(low, high - low).drop_columns(["node"]).cast(DUPLICATES)
        counts = {key: pc.sum(pc.equal(mine["method"], key)).as_py() or 0 for key in METHODS}
        counts["clusters"] = pc.sum(pc.equal(mine["method"], "kept")).as_py() or 0
        write_part(part_path(work.folder, "duplicates", index), mine.to_batches(), DUPLICATES, work.mark, counts)
        total = {key: total.get(key, 0) + count for key, count in counts.items()}
    return total


def _remember(
    destination: int, work: Work, nodes: U64, found: Clusters, size: npt.NDArray[np.int64], lowest: U64
) -> None:
    """What the index is to know of these clusters: for every document the one that stands for its cluster."""
    columns = [pa.array(nodes), pa.array(nodes[found.kept]), pa.array(size), halves_to_binary(lowest)]
    rows = pa.Table.from_arrays(columns, names=["node", "root", "size", "lowest"])
    scatter(work.path("remembered", destination), rows, work.set_of(nodes), len(work.sets))


def remembered(work: Work, number: int) -> pa.Table:
    """What `rank_members` remembered of one set, by node."""
    schema = pa.schema([("node", pa.uint64()), ("root", pa.uint64()), ("size", pa.int64()), ("lowest", pa.binary(16))])
    return gathered(files_in(work.where("remembered")), number, schema).sort_by("node")
