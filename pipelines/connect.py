"""Edges to components: every clustered document gets the number of its cluster's lowest node.

Edges that fit are joined in one task. Past `EDGES_IN_MEMORY` (a hundred bytes each while they are sorted and joined)
alternating stars are run over files, a round of two phases at a time, until a round changes nothing; then no task
holds more than one slice of the nodes. Documents of an index bring the edge to the one that stands for their
cluster there.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from apache_beam.io.filesystems import FileSystems
from apache_beam.options.pipeline_options import PipelineOptions

from dedup.components import both_ways, components, large_star, small_star
from dedup.pairs import U64, unique_pairs
from pipelines.candidates import PAIR
from pipelines.exchange import files_in, gather, gathered, phases, scatter
from pipelines.index import roots_of
from pipelines.parts import make_dirs
from pipelines.work import INDEXED, Work

EDGES_IN_MEMORY = 20_000_000
EDGES_A_SLICE = 10_000_000
ROUNDS = 60  # log2(n)^2 bounds it in theory; published runs on billions of edges took fewer than ten
LABEL = pa.schema([("node", pa.uint64()), ("label", pa.uint64())])
Star = Callable[[U64, U64], tuple[U64, U64]]


def connect(_: int, work: Work) -> int:
    """All edges to labels, in memory; returns the nodes labelled."""
    left, right = _edges(work)
    if work.earlier:
        inner = _roots(left, right, work)
        left, right = np.concatenate((left, inner[0])), np.concatenate((right, inner[1]))
    nodes, lowest = components(left, right)
    write_labels(work, nodes, lowest, 0)
    return len(nodes)


def _edges(work: Work) -> tuple[U64, U64]:
    tables = [gathered([path], 0, PAIR) for path in files_in(work.where("edges"))]
    table = pa.concat_tables([PAIR.empty_table(), *tables])
    left, right, _ = unique_pairs(table["left"].to_numpy(), table["right"].to_numpy())
    return left, right


def _roots(left: U64, right: U64, work: Work) -> tuple[U64, U64]:
    """Edges from documents of the index to those that stand for their clusters there."""
    nodes = np.unique(np.concatenate((left, right)))
    earlier = nodes[nodes & INDEXED != 0]
    assert work.earlier is not None
    roots = roots_of(earlier, work.earlier)
    away = roots != earlier
    return earlier[away], roots[away]


def write_labels(work: Work, nodes: U64, labels: U64, number: int) -> None:
    """Labels by the set of their node."""
    scatter(work.path("labels", number), pa.table([nodes, labels], schema=LABEL), work.set_of(nodes), len(work.sets))


def edges_found(work: Work) -> int:
    """How many edges lie on disk, doubles included: told by the files' footers."""
    return sum(batch.num_rows for path in files_in(work.where("edges")) for batch in gather([path], 0))


def connect_by_stars(work: Work, options: PipelineOptions) -> int:
    """All edges to labels, slice by slice; returns the rounds it took. ValueError past ROUNDS."""
    for number, path in enumerate(files_in(work.where("edges")) if work.earlier else []):  # edges inside the index
        table = gathered([path], 0, PAIR)
        left, right = _roots(table["left"].to_numpy(), table["right"].to_numpy(), work)
        inner = pa.table([left, right], schema=PAIR)
        scatter(work.path("edges", (1 << 30) + number), inner, np.zeros(len(left), np.int64), 1)
    slices = max(2, edges_found(work) // EDGES_A_SLICE + 1)
    files = len(files_in(work.where("edges")))
    phases(options, [("Begin stars", range(files), partial(begin_stars, work=work, slices=slices))])
    before = ""
    for turn in range(ROUNDS):
        star = partial(run_star, work=work, slices=slices, turn=turn)
        phases(
            options,
            [
                ("Large star", range(slices), partial(star, kind="large")),
                ("Small star", range(slices), partial(star, kind="small")),
            ],
        )
        FileSystems.delete([work.where(f"stars-{turn}-{kind}") for kind in ("large", "small")])
        after = _digest(work, turn)
        if after == before:
            last = partial(label_slice, work=work, turn=turn)
            phases(options, [("Label", range(slices), last)])
            return turn + 1
        before = after
    raise ValueError(f"Stars had not settled after {ROUNDS} rounds; the edges in {work.where('edges')} are damaged.")


def _slice_of(nodes: U64, slices: int) -> npt.NDArray[np.int64]:
    mixed = nodes * np.uint64(0x9E3779B97F4A7C15)
    return ((mixed >> np.uint64(33)) % np.uint64(slices)).astype(np.int64)


def begin_stars(number: int, work: Work, slices: int) -> int:
    """One file of edges, both ways, by the slice of the first node."""
    table = gathered([files_in(work.where("edges"))[number]], 0, PAIR)
    source, other = both_ways(table["left"].to_numpy(), table["right"].to_numpy())
    rows = pa.table([source, other], schema=PAIR)
    scatter(work.path("stars-0-large", number), rows, _slice_of(source, slices), slices)
    return len(source)


def run_star(number: int, work: Work, slices: int, turn: int, kind: str) -> int:
    """One slice of one star operation; its edges go to the slices of the next one."""
    table = gathered(files_in(work.where(f"stars-{turn}-{kind}")), number, PAIR)
    left, right = _ordered_pairs(table)
    star: Star = large_star if kind == "large" else small_star
    low, high = star(left, right)
    if kind == "large":
        name, source, other = f"stars-{turn}-small", high, low  # the next one wants the higher end first
    else:
        name, (source, other) = f"stars-{turn + 1}-large", both_ways(low, high)
        digest = {"edges": len(low), "sum": int(np.bitwise_xor.reduce(_mixed(low, high), initial=np.uint64(0)))}
        make_dirs(work.where(f"digest-{turn}"))
        with FileSystems.create(work.path(f"digest-{turn}", number) + ".json") as sink:
            sink.write(json.dumps(digest).encode())
    scatter(work.path(name, number), pa.table([source, other], schema=PAIR), _slice_of(source, slices), slices)
    return len(low)


def _ordered_pairs(table: pa.Table) -> tuple[U64, U64]:
    """Directed edges once each: unlike `unique_pairs` it keeps the direction."""
    left, right = table["left"].to_numpy(), table["right"].to_numpy()
    order = np.lexsort((right, left))
    left, right = left[order], right[order]
    new = np.ones(len(left), bool)
    new[1:] = (left[1:] != left[:-1]) | (right[1:] != right[:-1])
    return left[new], right[new]


def _mixed(low: U64, high: U64) -> U64:
    return (low * np.uint64(0x9E3779B97F4A7C15) + high) * np.uint64(0xC2B2AE3D27D4EB4F)


def _digest(work: Work, turn: int) -> str:
    """What a round left, in a form that two rounds can be compared by."""
    folder = work.where(f"digest-{turn}")
    found = FileSystems.match([f"{folder}/*.json"])[0].metadata_list
    texts = []
    for item in sorted(m.path for m in found):
        with FileSystems.open(item) as stream:
            texts.append(stream.read().decode())
    return "\n".join(texts)


def label_slice(number: int, work: Work, turn: int) -> int:
    """The stars of one slice to labels: each node's lowest neighbour is its component's lowest node."""
    table = gathered(files_in(work.where(f"stars-{turn + 1}-large")), number, PAIR)
    left, right = _ordered_pairs(table)
    nodes = np.unique(left)
    lowest = np.minimum(right[np.searchsorted(left, nodes)], nodes)
    write_labels(work, nodes, lowest, number)
    return len(nodes)
