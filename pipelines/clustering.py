"""One dedup from parts to parts: signatures, pairs, components, clusters, duplicates/. Whose texts is not its matter.

Nothing is moved but keys, signatures of candidates and numbers, and all of it by files (`pipelines.exchange`): memory
is one group of parts, one range of keys or one slice of clusters a worker, whatever the size of the corpus. The
working files go when the parts of duplicates/ are written.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from apache_beam.io.filesystems import FileSystems
from apache_beam.options.pipeline_options import DirectOptions, PipelineOptions

from dedup.keys import METHODS
from pipelines.candidates import attach, judge, pair_range, sign_group
from pipelines.connect import EDGES_IN_MEMORY, connect, connect_by_stars, edges_found
from pipelines.exchange import Phase, phases
from pipelines.parts import part_path, read_counts
from pipelines.resolve import rank_members, send_members, write_set
from pipelines.work import CLUSTER_DOCUMENTS, Work, grouped, ranges_for
from recipes.dedup import Dedup

FEW_COLUMNS = 20  # of 2,000,000 documents: forty million edges if all were copies, and a tenth of that in truth
Texts = Callable[[int, npt.NDArray[np.uint32]], pa.LargeStringArray]


def plan_work(
    folder: str, parts: Sequence[int], documents: Sequence[int], dedup: Dedup, sign: Callable[[int], str],
    texts: Texts, mark: str, options: PipelineOptions,
) -> Work:  # fmt: skip
    """How one dedup is cut up: the same for the same corpus, whoever works on it."""
    workers = options.view_as(DirectOptions).direct_num_workers
    groups = grouped(parts, documents, workers)
    slices = max(4, sum(documents) // CLUSTER_DOCUMENTS + 1)
    return Work(folder, dedup, sign, texts, groups, ranges_for(sum(documents)), slices, mark)


def dedup_once(work: Work, options: PipelineOptions, last: Sequence[Phase] = ()) -> dict[str, int]:
    """Do it, unless duplicates/ is there already; `last` are phases to add before the working files go."""
    done = finished(work)
    clear(work)  # also what is left of an attempt that died when all was written
    if done is not None and not last:
        return done
    columns = range(len(work.columns) * work.ranges)
    minhash = work.dedup.minhash
    first: list[Phase] = [
        ("Sign", range(len(work.groups)), partial(sign_group, work=work)),
        ("Pair", columns, partial(pair_range, work=work)),
    ]
    if minhash and minhash.verify is not None:
        first += [
            ("Attach", range(len(work.sets)), partial(attach, work=work)),
            ("Judge", range(len(work.sets)), partial(judge, work=work)),
        ]
    rest: list[Phase] = [
        ("Send", range(len(work.sets)), partial(send_members, work=work)),
        ("Rank", range(work.destinations), partial(rank_members, work=work)),
        ("Write", range(len(work.groups)), partial(write_set, work=work)),
        *last,
    ]
    if work.ranges == 1 and len(work.columns) <= FEW_COLUMNS:  # then edges are few: all in one pipeline
        phases(options, [*first, ("Connect", [0], partial(connect, work=work)), *rest])
    else:
        phases(options, first)
        if edges_found(work) <= EDGES_IN_MEMORY:
            connect(0, work)
        else:
            connect_by_stars(work, options)
        phases(options, rest)
    clear(work)
    done = finished(work)
    assert done is not None
    return done


def clear(work: Work) -> None:
    """Remove this dedup's working files."""
    folder = FileSystems.join(work.folder, "exchange")
    if FileSystems.exists(folder):
        FileSystems.delete([folder])


def finished(work: Work) -> dict[str, int] | None:
    """The counts of a dedup whose parts are all written, else None."""
    parts = [index for group in work.groups for index in group]
    counts = [read_counts(part_path(work.folder, "duplicates", i), work.mark) for i in parts]
    if any(count is None for count in counts):
        return None
    return {key: sum((count or {}).get(key, 0) for count in counts) for key in ("clusters", *METHODS)}
