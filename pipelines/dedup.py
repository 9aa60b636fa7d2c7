"""Job: who repeats whom among the documents of a run that pass its recipe's rules, and in earlier corpora.

Against an index of earlier corpora the same work is done over both, and the outcome is that of one dedup over all of
them with the earlier ones preferred.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from apache_beam.options.pipeline_options import PipelineOptions

from dedup.keys import METHODS
from filters.annotate import final_text
from pipelines import remember
from pipelines.clustering import dedup_once, plan_work
from pipelines.code import made_by
from pipelines.parts import fingerprint, part_path, read_mark, read_rows, read_table, write_part
from pipelines.rank import rank, ranks_mark
from pipelines.schemas import DUPLICATES
from pipelines.sign import sign_part
from recipes.model import Recipe


def deduplicate(
    run: str, indices: Sequence[int], recipe: Recipe, against: str | None, options: PipelineOptions
) -> dict[str, int]:
    """Write duplicates/ for all parts, and the index `against` if one is given; returns duplicates by method."""
    rank(run, indices, recipe)
    marks = [(read_mark(part_path(run, "signals", i)), ranks_mark(run, i, recipe)) for i in indices]
    steps = [s.model_dump() for s in recipe.steps]
    mark = fingerprint("dedup", made_by(), marks, steps, recipe.dedup.model_dump())
    if not recipe.dedup.whole:
        if against is not None:
            raise ValueError(f"{recipe.name} looks for no duplicates: there is nothing to compare with {against}.")
        return _nothing(run, indices, mark)
    documents = [read_rows(part_path(run, "documents", i)) for i in indices]
    sign = partial(sign_part, run=run, recipe=recipe)
    texts = partial(texts_of, run=run, recipe=recipe)
    work = plan_work(run, indices, documents, recipe.dedup, sign, texts, mark, options)
    if against is None:
        return dedup_once(work, options)
    return remember.against(Path(against), work, sum(documents), partial(dedup_once, options=options))


def _nothing(run: str, indices: Sequence[int], mark: str) -> dict[str, int]:
    """A recipe that looks for no duplicates has empty parts."""
    counts = dict.fromkeys(("clusters", *METHODS), 0)
    for index in indices:
        write_part(part_path(run, "duplicates", index), [], DUPLICATES, mark, counts)
    return counts


def texts_of(index: int, rows: npt.NDArray[np.uint32], run: str, recipe: Recipe) -> pa.LargeStringArray:
    """The final texts of rows of one part of documents/."""
    place = pa.array(rows)
    text = read_table(part_path(run, "documents", index), ["text"])["text"].take(place).combine_chunks()
    lang = read_table(part_path(run, "signals", index), ["lang"])["lang"].take(place).combine_chunks()
    return final_text(text, lang, recipe)
