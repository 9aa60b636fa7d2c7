"""A corpus of plain-text pages, extended by the jobs themselves without Prefect."""

from __future__ import annotations

from pathlib import Path

from pipelines.corpus.extend import Begun, begin, finish, nothing_kept
from tests.pipelines.removal_runs import RECIPE, make_run


def extend(corpus: Path, *inputs: Path) -> Begun:
    """Take what is new, make its run, and join it."""
    begun = begin(corpus, [str(path) for path in inputs], RECIPE)
    if begun.work is not None:
        work = begun.work
        try:
            make_run(Path(work.out), Path(work.inputs), Path(work.register), against=work.against,
                     tokenizer=work.tokenizer)  # fmt: skip
            empty = False
        except ValueError:
            empty = nothing_kept(work)
            assert empty
        finish(corpus, work, empty)
    return begun
