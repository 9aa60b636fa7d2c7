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
import pyarrow as pa
import pyarrow.parquet as pq

from dedup.pairs import U64
from pipelines import index as indexes
from pipelines.exchange import Phase, files_in, gathered
from pipelines.index import CLUSTER, Generation, Index, roots_of
from pipelines.parts import fingerprint, part_path, read_table, write_part
from pipelines.resolve import FATE, remembered
from pipelines.schemas import DUPLICATES
from pipelines.signature import NODE_PART
from pipelines.work import INDEXED, Work

Dedup = Callable[..., dict[str, int]]


def against(folder: Path, work: Work, documents: int, dedup: Dedup) -> dict[str, int]:
    """Deduplicate `work` against the index in `folder` and add it there; returns what `dedup` counted."""
    with indexes.held(folder):
        index = indexes.checked(folder, work.dedup)
        own = next((n for n, g in enumerate(index.generations) if g.made_by == work.mark), None)
        _refuse_another(index, work, own)
        earlier = indexes.earlier(folder, index, own)
        mark = fingerprint(work.mark, earlier.names)
        name = f"{len(earlier.names) + 1:05d}-{work.mark[:12]}"
        seen = dataclasses.replace(work, earlier=earlier, mark=mark)
        if own is not None:
            return dedup(seen)
        making = folder / f".making-{name}"
        counts = dedup(seen, last=_generation_phases(seen, making, index.units))
        units = 1 + max(part for group in work.groups for part in group)
        generation = Generation(
            name=name, corpus=work.folder, made_by=work.mark, first_unit=index.units, units=units,
            ranges=work.ranges, documents=documents,
        )  # fmt: skip
        indexes.publish(folder, index, making, generation)
        return counts


def _refuse_another(index: Index, work: Work, own: int | None) -> None:
    """A corpus that is in the index already would be told to repeat itself."""
    if own is None and any(g.corpus == work.folder for g in index.generations):
        raise ValueError(
            f"{work.folder} is in the index already, made by other code or from other input. Choose another --out, or "
            "start a new index."
        )


def _generation_phases(work: Work, making: Path, first_unit: int) -> list[Phase]:
    return [
        ("Remember", range(len(work.groups)), partial(remember_group, work=work, making=making, base=first_unit)),
        ("Clusters", [0], partial(remember_clusters, work=work, making=making, base=first_unit)),
    ]


def remember_group(number: int, work: Work, making: Path, base: int) -> int:
    """The units of one group of parts, and its bands as they are."""
    (making / "units").mkdir(parents=True, exist_ok=True)
    (making / "bands").mkdir(parents=True, exist_ok=True)
    known = pa.concat_tables(list(remembered(work, number)))
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
    """clusters.parquet: clusters made or enlarged, and roots that were joined; and superseded/ beside the run."""
    rows, gone = 0, []
    with pq.ParquetWriter(making / "clusters.parquet", CLUSTER) as out:
        for number in range(len(work.sets)):
            for table in remembered(work, number):
                nodes, roots = table["node"].to_numpy(), table["root"].to_numpy()
                own = nodes == roots
                was = own.copy()
                if work.earlier and work.is_earlier(number) and len(nodes):
                    was |= roots_of(nodes, work.earlier) == nodes  # a root that was joined to another
                columns = [
                    pa.array(_renumbered(nodes[was], base)), table["size"].filter(pa.array(was)),
                    table["lowest"].filter(pa.array(was)), pa.array(_renumbered(roots[was], base)),
                ]  # fmt: skip
                out.write_table(pa.Table.from_arrays(columns, schema=CLUSTER))
                gone.append(nodes[was & ~own])
                rows += int(was.sum())
    _write_superseded(np.concatenate(gone) if gone else np.empty(0, np.uint64), work)
    return rows


def _write_superseded(nodes: U64, work: Work) -> None:
    """Documents of the index that were kept, and that this corpus shows to repeat one another."""
    tables = [FATE.empty_table()]
    for number in range(len(work.groups), len(work.sets)):
        fates = gathered(files_in(work.where("fates")), number, FATE)
        tables.append(fates.filter(pa.array(np.isin(fates["node"].to_numpy(), nodes))))
    rows = pa.concat_tables(tables).sort_by("node").drop_columns(["node"]).cast(DUPLICATES)
    write_part(part_path(work.folder, "superseded", 0), rows.to_batches(), DUPLICATES, work.mark, {})
