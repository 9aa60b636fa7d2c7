"""A run without Prefect and without a fresh interpreter: the stages of `curate`, one after the other, in a fork.

It costs a tenth of the command, so a kill in the middle of a stage can be tried a hundred times. What it leaves out
(server, fork server, workers that are processes, the command line) is for the command's own kills.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
from pathlib import Path

forks = multiprocessing.get_context("forkserver")
forks.set_forkserver_preload(["tests.faults.stages", "flows.curate", "flows.choices", "pipelines.extract",
                              "pipelines.rights", "pipelines.annotate", "pipelines.dedup", "pipelines.decide",
                              "pipelines.scrub", "pipelines.tokenize"])  # fmt: skip


def run_stages(home: str, crawl: str, out: str, part_bytes: int) -> None:
    """The whole of `winnow run CRAWL --out OUT --workers 1`, without reports."""
    os.environ["PREFECT_HOME"] = home
    with Path(os.devnull).open("w") as nothing:
        os.dup2(nothing.fileno(), 2)
    from flows.choices import chosen_recipes
    from flows.curate import do_stage, jobs, make_plan
    from pipelines import run as runs

    chosen, _, notices = chosen_recipes("zh-en-general", [], [], [], [], [])
    with runs.locked(out):
        runs.begin(out, [crawl], chosen, None, part_bytes, (), notices)
        parts = make_plan.fn(out, [crawl], part_bytes)
        for name, job, arguments in jobs(parts, chosen):
            do_stage(name, out, job, arguments)
    sys.exit(0)
