"""Job: `documents/` in, `signals/` out, row for row: every measurement that a rule of any recipe may ask for.

The job moves batches; what a signal is, and how it is measured, `filters.annotate` knows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pyarrow as pa
from apache_beam.options.pipeline_options import PipelineOptions

from filters.annotate import annotate as measure
from filters.annotate import signals_schema
from filters.language import model_hash
from pipelines.code import made_by
from pipelines.mapping import map_parts
from pipelines.parts import fingerprint, part_path, read_counts, read_mark, read_part, write_part
from recipes.model import Recipe


def annotate(run: str, indices: Sequence[int], recipe: Recipe, options: PipelineOptions) -> dict[str, int]:
    """Measure every document of the run; returns {"documents": n}."""
    return map_parts(run, "annotate", indices, annotate_part, options, recipe=recipe)


def annotate_part(index: int, run: str, recipe: Recipe) -> dict[str, int]:
    """Make one part of signals/, unless it is there already."""
    documents, signals = part_path(run, "documents", index), part_path(run, "signals", index)
    steps = [step.model_dump() for step in recipe.steps]
    mark = fingerprint("annotate", made_by(), read_mark(documents), steps, model_hash())
    done = read_counts(signals, mark)
    if done is not None:
        return done
    counts = {"documents": 0}

    def batches() -> Iterator[pa.RecordBatch]:
        for batch in read_part(documents):
            counts["documents"] += batch.num_rows
            yield measure(batch, recipe)

    write_part(signals, batches(), signals_schema(recipe), mark, counts)
    return counts
