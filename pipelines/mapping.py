"""The Beam shape that all map-only jobs share: part references in, counts out.

An element is a small reference; the function that is mapped opens the part, streams it and commits the
result. So memory depends on one part and not on the corpus, and a lost worker loses one part's work.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions

from pipelines.options import fitting
from pipelines.parts import make_dirs, replace


def map_parts(
    run: str,
    job: str,
    references: Sequence[Any],
    work: Callable[..., Mapping[str, int]],
    options: PipelineOptions,
    **arguments: Any,
) -> dict[str, int]:
    """Call `work(reference, run=run, **arguments)` for every reference; returns the summed counts.

    The sums travel through a small file, since on a remote runner a pipeline returns nothing to its caller.
    """
    folder = f"{run}/log"
    make_dirs(folder)
    path = f"{folder}/counts-{job}.json"
    with beam.Pipeline(options=fitting(options, len(references))) as pipeline:
        _ = (
            pipeline
            | "References" >> beam.Create(list(references))
            | "Spread" >> beam.Reshuffle()
            | job >> beam.Map(work, run=run, **arguments)
            | "Sum" >> beam.CombineGlobally(sum_counts)
            | "Report" >> beam.Map(write_counts, path=path)
        )
    return read_counts_file(path)


def sum_counts(items: Any) -> dict[str, int]:
    """Add dictionaries key by key.

    >>> sum_counts([{"kept": 1}, {"kept": 2, "dropped": 1}])
    {'dropped': 1, 'kept': 3}
    """
    total: Counter[str] = Counter()
    for item in items:
        total.update(item)
    return dict(sorted(total.items()))


def write_counts(counts: Mapping[str, int], path: str) -> None:
    """Write summed counts where the caller looks for them."""
    from apache_beam.io.filesystems import FileSystems

    temporary = f"{path}.tmp"
    with FileSystems.create(temporary, mime_type="application/octet-stream") as sink:
        sink.write(json.dumps(dict(counts), sort_keys=True).encode())
    replace(temporary, path)


def read_counts_file(path: str) -> dict[str, int]:
    """Read what `write_counts` wrote."""
    from apache_beam.io.filesystems import FileSystems

    with FileSystems.open(path, mime_type="application/octet-stream") as stream:
        counts: dict[str, int] = json.loads(stream.read())
    return counts
