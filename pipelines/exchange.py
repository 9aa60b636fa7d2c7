"""Rows that must meet, by files: a task writes its rows cut by destination, and a destination gathers them.

Beam's GroupByKey holds what passes through it in memory on the embedded runner; this holds one destination at a
time, wherever it runs. A file is Arrow IPC with one record batch a destination, so that gathering reads a slice of
each file and nothing else. `phases` runs tasks in order, each phase after the one before it has ended, in one
pipeline, since starting a pipeline costs more than a phase of a small corpus; between phases only a number goes
through Beam. Files have fixed names and are renamed
when whole: a task that Beam runs twice writes the same file twice.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import apache_beam as beam
import numpy as np
import numpy.typing as npt
import pyarrow as pa
from apache_beam.io.filesystems import FileSystems
from apache_beam.options.pipeline_options import PipelineOptions

from pipelines.parts import make_dirs, replace

RAW = "application/octet-stream"
PACKED = pa.ipc.IpcWriteOptions(compression="lz4")
Phase = tuple[str, Sequence[Any], Callable[[Any], Any]]


def phases(options: PipelineOptions, work: Sequence[Phase]) -> None:
    """Run (name, elements, function) one after another in one Beam pipeline."""
    with beam.Pipeline(options=options) as pipeline:
        after = pipeline | "Begin" >> beam.Create([(0, 0)])
        for name, elements, function in work:
            after = (
                after
                | f"{name}: ended before" >> beam.GroupByKey()
                | f"{name}: elements" >> beam.ParDo(_Elements(list(elements)))
                | f"{name}: spread" >> beam.GroupByKey()
                | name >> beam.ParDo(_Task(function))
            )


class _Elements(beam.DoFn):  # type: ignore[misc]
    """The elements of a phase, each under a key of its own, when all results of the phase before are in one group."""

    def __init__(self, elements: list[Any]) -> None:
        self.elements = elements

    def process(self, _: tuple[int, Iterable[int]]) -> Iterator[tuple[int, Any]]:
        yield from enumerate(self.elements)


class _Task(beam.DoFn):  # type: ignore[misc]
    """The work of a phase on one element; what it returns is on the disk, and only that it ended goes on."""

    def __init__(self, function: Callable[[Any], Any]) -> None:
        self.function = function

    def process(self, keyed: tuple[int, Iterable[Any]]) -> Iterator[tuple[int, int]]:
        for element in keyed[1]:
            self.function(element)
        yield 0, 0


def scatter(path: str, table: pa.Table, destination: npt.NDArray[Any], destinations: int) -> None:
    """Write `table` to `path`, row by row to its `destination` (0 <= d < destinations)."""
    order = np.argsort(destination, kind="stable")
    bounds = np.searchsorted(destination[order], np.arange(destinations + 1))
    table = table.take(pa.array(order)).combine_chunks()
    parent, name = FileSystems.split(path)
    make_dirs(parent)
    temporary = FileSystems.join(parent, f".tmp-{uuid.uuid4().hex}-{name}")
    empty = pa.RecordBatch.from_pylist([], schema=table.schema)
    with (
        FileSystems.create(temporary, mime_type=RAW) as sink,
        pa.ipc.new_file(sink, table.schema, options=PACKED) as out,
    ):
        for low, high in zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True):
            out.write_batch(table.slice(low, high - low).to_batches()[0] if high > low else empty)
    replace(temporary, path)


def gather(paths: Sequence[str], destination: int) -> list[pa.RecordBatch]:
    """The rows of one destination, a batch for each file that has any."""
    batches = [_batch(path, destination) for path in paths]
    return [batch for batch in batches if batch.num_rows]


def gathered(paths: Sequence[str], destination: int, schema: pa.Schema) -> pa.Table:
    """The rows of one destination as one table."""
    return pa.Table.from_batches(gather(paths, destination), schema)


def _batch(path: str, number: int) -> pa.RecordBatch:
    if "://" not in path:
        return pa.ipc.open_file(pa.memory_map(path)).get_batch(number)
    with FileSystems.open(path, mime_type=RAW) as stream:
        return pa.ipc.open_file(stream).get_batch(number)


def files_in(folder: str) -> list[str]:
    """Finished files of a folder, sorted; none if there is no such folder."""
    if not FileSystems.exists(folder):
        return []
    found = FileSystems.match([FileSystems.join(folder, "*.arrow")])[0].metadata_list
    return sorted(m.path for m in found if not FileSystems.split(m.path)[1].startswith("."))
