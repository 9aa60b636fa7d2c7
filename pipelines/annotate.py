"""Job: `documents/` and `rights/` in, `signals/` out, row for row: every measurement that a rule may ask for.

The job moves batches; what a signal is, and how it is measured, `filters.annotate` knows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pyarrow as pa
from apache_beam.options.pipeline_options import PipelineOptions

from filters.annotate import Annotator, named_columns
from filters.columns import RIGHTS_SIGNALS
from filters.language import model_hash
from filters.scores import load
from pipelines.code import made_by, model_libraries
from pipelines.mapping import map_parts
from pipelines.parts import fingerprint, part_path, read_counts, read_mark, read_part, write_part
from recipes.model import Recipe


def annotate(
    run: str, indices: Sequence[int], recipe: Recipe, others: Sequence[Recipe], options: PipelineOptions
) -> dict[str, int]:
    """Measure every document of the run, for `recipe` and for the rules of `others` too; returns {"documents": n}."""
    recipes = (recipe, *others)
    return map_parts(run, "annotate", indices, annotate_part, options, recipes=recipes)


def annotate_part(index: int, run: str, recipes: Sequence[Recipe]) -> dict[str, int]:
    """Make one part of signals/, unless it is there already."""
    documents, signals = part_path(run, "documents", index), part_path(run, "signals", index)
    rights = part_path(run, "rights", index)
    wanted = [[step.model_dump() for step in recipe.steps] for recipe in recipes]
    scorers = {score.id: load(score) for recipe in recipes for score in recipe.scores}
    scored = [(score_id, one.digest) for score_id, one in scorers.items()]
    scrub = recipes[0].scrub
    model = [scrub.ner_sha256, scrub.labels, model_libraries()] if named_columns(recipes) else []
    made_from = (read_mark(documents), read_mark(rights))
    mark = fingerprint("annotate", made_by(), *made_from, wanted, scored, model_hash(), *model)
    done = read_counts(signals, mark)
    if done is not None:
        return done
    counts = {"documents": 0}
    measure = Annotator(recipes, scorers)

    def batches() -> Iterator[pa.RecordBatch]:
        columns = ["doc_id", *RIGHTS_SIGNALS.values()]
        for batch, said in zip(read_part(documents), read_part(rights, columns), strict=True):
            counts["documents"] += batch.num_rows
            yield measure(batch, said)

    write_part(signals, batches(), measure.schema, mark, counts)
    return counts
