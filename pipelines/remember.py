"""A dedup against an index of earlier corpora, and its own generation added to that index.

The index is held from before the pairs are sought until the generation is published, so two runs against one index
follow each other and each sees what the other added. A run that dies has published nothing, or has published and
finds its generation when it is started again; nothing is added twice.
"""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from dedup.pairs import U64
from pipelines import index as indexes
from pipelines.exchange import Phase, files_in, gathered
from pipelines.index import CLUSTER, Generation, Index, roots_of
from pipelines.parts import fingerprint, part_path, read_mark, read_rows, read_table, write_part
from pipelines.resolve import FATE, generations_of, remembered
from pipelines.schemas import DUPLICATES, SUPERSEDED
from pipelines.signature import NODE_PART
from pipelines.work import INDEXED, Work, ranges_for

Dedup = Callable[..., dict[str, int]]


def against(folder: Path, work: Work, documents: int, dedup: Dedup) -> dict[str, int]:
    """Deduplicate `work` against the index in `folder` and add it there; returns what `dedup` counted."""
    with indexes.held(folder):
        index = indexes.checked(folder, work.dedup)
        place = _place_of(index, work)
        before = index.generations[:place]
        earlier = indexes.earlier(folder, index, place)
        seen = dataclasses.replace(
            work,
            earlier=earlier,
            mark=fingerprint(work.mark, earlier.names),
            ranges=ranges_for(documents + sum(g.documents for g in before)),
        )
        if place < len(index.generations) and index.generations[place].made_by == work.mark:
            whole = read_mark(part_path(work.folder, "superseded", 0)) == seen.mark
            return dedup(seen) if whole else dedup(seen, last=[_superseded_phase(seen)])
        name = f"{len(before) + 1:05d}-{work.mark[:12]}"
        making = folder / f".making-{name}"
        base = sum(g.units for g in before)
        counts = dedup(seen, last=_generation_phases(seen, making, base))
        units = list((making / "units").iterdir())
        generation = Generation(
            name=name, corpus=work.folder, made_by=work.mark, first_unit=base, units=len(units),
            groups=len(work.groups), ranges=seen.ranges, documents=sum(read_rows(str(unit)) for unit in units),
        )  # fmt: skip
        indexes.publish(folder, before, index, making, generation)
        return counts


def _place_of(index: Index, work: Work) -> int:
    """The place of this corpus among the generations: its own if it is there, else after all others.

    A corpus made anew (by other code, from other input) takes its old place if nothing was compared with it since.
    """
    own = next((n for n, g in enumerate(index.generations) if g.corpus == work.folder), len(index.generations))
    if own < len(index.generations) - 1 and index.generations[own].made_by != work.mark:
        raise ValueError(
            f"{work.folder} is in the index already, made by other code or from other input, and later corpora were "
            "compared with it. Leave that run as it is, or start a new index and add the corpora in order."
        )
    return own


def _superseded_phase(work: Work) -> Phase:
    return "Superseded", [0], partial(write_superseded, work=work)


def _generation_phases(work: Work, making: Path, first_unit: int) -> list[Phase]:
    return [
        ("Remember", range(len(work.groups)), partial(remember_group, work=work, making=making, base=first_unit)),
        ("Clusters", [0], partial(remember_clusters, work=work, making=making, base=first_unit)),
        _superseded_phase(work),
    ]


def remember_group(number: int, work: Work, making: Path, base: int) -> int:
    """The units of one group of parts, and its bands as they are."""
    (making / "units").mkdir(parents=True, exist_ok=True)
    (making / "bands").mkdir(parents=True, exist_ok=True)
    known = remembered(work, number)
    nodes, roots = known["node"].to_numpy(), _renumbered(known["root"].to_numpy(), base)
    rows = 0
    for first, path in work.signature_files(number):
        table = read_table(path, ["id", "content", "url", "order", "signed"])
        root = _renumbered(first | np.arange(table.num_rows, dtype=np.uint64), base)
        low, high = np.searchsorted(nodes, (first, first + (np.uint64(1) << NODE_PART)))
        root[(nodes[low:high] - first).astype(np.int64)] = roots[low:high]
        table = table.append_column("root", pa.array(root))
        unit = making / "units" / f"{int(first >> NODE_PART):06d}.parquet"
        write_part(str(unit), table.to_batches(), table.schema, work.mark, {}, random=True)
        rows += table.num_rows
    shutil.copyfile(work.path("bands", number), making / "bands" / f"{number:06d}.arrow")
    return rows


def _renumbered(nodes: U64, base: int) -> U64:
    """This corpus' nodes as the index will number them."""
    return np.where(nodes & INDEXED != 0, nodes, (nodes + (np.uint64(base) << NODE_PART)) | INDEXED)


def remember_clusters(_: int, work: Work, making: Path, base: int) -> int:
    """clusters.parquet: clusters made or enlarged, and roots that were joined to others."""
    rows = 0
    with pq.ParquetWriter(making / "clusters.parquet", CLUSTER) as out:
        for number in range(len(work.sets)):
            table = remembered(work, number)
            nodes, roots = table["node"].to_numpy(), table["root"].to_numpy()
            was = (nodes == roots) | _were_roots(nodes, number, work)
            columns = [
                pa.array(_renumbered(nodes[was], base)), table["size"].filter(pa.array(was)),
                table["lowest"].filter(pa.array(was)), pa.array(_renumbered(roots[was], base)),
            ]  # fmt: skip
            out.write_table(pa.Table.from_arrays(columns, schema=CLUSTER))
            rows += int(was.sum())
    return rows


def _were_roots(nodes: U64, number: int, work: Work) -> npt.NDArray[np.bool_]:
    """Which documents of one set stood for a cluster in the index before."""
    if not work.earlier or not work.is_earlier(number) or not len(nodes):
        return np.zeros(len(nodes), bool)
    stood: npt.NDArray[np.bool_] = roots_of(nodes, work.earlier) == nodes
    return stood


def write_superseded(_: int, work: Work) -> int:
    """superseded/: documents of the index that were kept, and that this corpus shows to repeat one another."""
    tables = [SUPERSEDED.empty_table()]
    for number in range(len(work.groups), len(work.sets)):
        fates = gathered(files_in(work.where("fates")), number, FATE).sort_by("node")
        nodes = fates["node"].to_numpy()
        gone = _were_roots(nodes, number, work) & np.array([m != "kept" for m in fates["method"].to_pylist()], bool)
        rows = fates.filter(pa.array(gone)).drop_columns(["node"]).cast(DUPLICATES)
        tables.append(rows.append_column(SUPERSEDED.field("generation"), generations_of(nodes[gone], work)))
    table = pa.concat_tables(tables)
    write_part(part_path(work.folder, "superseded", 0), table.to_batches(), SUPERSEDED, work.mark, {})
    return table.num_rows
