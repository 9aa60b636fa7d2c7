"""The flow `curate`: one crawl in, one run folder with shards and a manifest out.

Each stage is a Prefect task that starts one Beam job and leaves an artifact with what it counted. A stage's
result is its dataset: a part that bears the wanted fingerprint is not made again, whoever asks, so a retry,
a restart after SIGKILL and a second call all go on where the work stopped. Prefect's own result cache is
off, since it would call a stage done after someone deleted its files. A stage's job is imported when its turn
comes: together they take as long to import as Beam and Prefect, and a crawl need not wait for that.
"""

from __future__ import annotations

import pkgutil
import time
from collections.abc import Sequence
from typing import Any

from flows import faults, settings

settings.apply()

import pipelines.beam  # noqa: E402, F401, I001 - before Beam, so that it comes without pandas
from apache_beam.io.filesystems import FileSystems  # noqa: E402
from apache_beam.options.pipeline_options import PipelineOptions  # noqa: E402
from prefect import flow, task  # noqa: E402
from prefect.artifacts import create_markdown_artifact, create_table_artifact  # noqa: E402
from prefect.tasks import exponential_backoff  # noqa: E402

from flows.cost import metered  # noqa: E402
from flows.report import make_report  # noqa: E402
from flows.stopping import answer_again  # noqa: E402
from pipelines import run as runs  # noqa: E402
from pipelines.options import beam_options, sandboxes_shared  # noqa: E402
from pipelines.sources import Part, plan  # noqa: E402
from recipes.model import Recipe  # noqa: E402

STAGES = ("plan", "extract", "rights", "annotate", "dedup", "cuts", "decide", "scrub", "tokenize")


def is_passing(_task: Any, _run: Any, state: Any) -> bool:
    """Whether a failed stage is worth another try: wrong input and a full disk stay so, a lost worker may not."""
    fault = state.result(raise_on_failure=False)
    return faults.is_passing(fault)


# Many runs that lost the same disk or server do not all come back at the same moment: hence the jitter.
stage = task(
    retries=2, retry_delay_seconds=exponential_backoff(1), retry_jitter_factor=0.5, retry_condition_fn=is_passing,
    cache_policy=None,
)  # fmt: skip


@stage(task_run_name="{name}")
def run_stage(name: str, run: str, job: str, arguments: Sequence[Any]) -> dict[str, int]:
    """Do one stage, and leave its counts as an artifact."""
    counts = do_stage(name, run, job, arguments)
    rows = [{"what": key, "count": value} for key, value in counts.items()]
    create_table_artifact(key=f"winnow-{name}", table=rows, description=f"{name} of {run}")
    return counts


def do_stage(name: str, run: str, job: str, arguments: Sequence[Any]) -> dict[str, int]:
    """Run one job ("module:function") and write its counts into run.json."""
    began = time.monotonic()
    with metered() as cost:
        counts: dict[str, int] = pkgutil.resolve_name(job)(run, *arguments)
    runs.log_event(run, {"stage": name, "seconds": round(time.monotonic() - began, 3), **cost.as_event(), **counts})
    runs.finish_stage(run, name, counts)
    return counts


@stage(task_run_name="plan")
def make_plan(run: str, inputs: Sequence[str], part_bytes: int | None, follow_links: bool = False) -> list[Part]:
    """Cut the inputs into parts and record the plan in run.json."""
    parts = plan(inputs, part_bytes, follow_links)
    described = runs.load(run)
    described["parts"] = [part.as_dict() for part in parts]
    runs.save(run, described)
    runs.drop_strays(run, len(parts))
    runs.finish_stage(run, "plan", {"parts": len(parts), "records": sum(max(p.records, 0) for p in parts)})
    return parts


@task(task_run_name="report", cache_policy=None)
def report(run: str) -> None:
    """Write report.html for people; that it could not be made is told, and fails nothing."""
    if fault := make_report(run):
        create_markdown_artifact(key="winnow-report", markdown=fault)


def start_sandboxes(recipe: Recipe, workers: int, runner: str = "embedded", flags: Sequence[str] = ()) -> None:
    """Let extractors import their libraries while Prefect's server is still starting; needed only for speed."""
    from pipelines.extract import sandboxes

    shared = sandboxes_shared(beam_options(workers, runner, flags, threads=True))
    if shared:
        sandboxes(recipe.extract, shared)


@flow(name="curate", flow_run_name="{out}", validate_parameters=False, persist_result=False)
def curate(
    inputs: Sequence[str],
    recipe: Recipe,
    out: str,
    others: Sequence[Recipe] = (),
    notices: Sequence[str] = (),
    workers: int = 1,
    runner: str = "embedded",
    tokenizer: str | None = None,
    part_bytes: int | None = None,
    against: str | None = None,
    register: str | None = None,
    flags: Sequence[str] = (),
    follow_links: bool = False,
) -> dict[str, dict[str, int]]:
    """Curate `inputs` by `recipe` into the run folder `out`; returns each stage's counts."""
    answer_again()
    FileSystems.set_options(beam_options(workers, runner, flags))  # inputs on a store are read before any pipeline is
    runs.begin(out, inputs, recipe, tokenizer, part_bytes, others, notices, against)
    parts = make_plan(out, inputs, part_bytes, follow_links)
    stages = jobs(parts, recipe, others, workers, runner, tokenizer, against, register, flags)
    counts = {name: run_stage(name, out, job, given) for name, job, given in stages}
    create_markdown_artifact(key="winnow-fates", markdown=fates_markdown(counts["decide"]))
    report(out)
    return counts


def jobs(
    parts: Sequence[Part],
    recipe: Recipe,
    others: Sequence[Recipe] = (),
    workers: int = 1,
    runner: str = "embedded",
    tokenizer: str | None = None,
    against: str | None = None,
    register: str | None = None,
    flags: Sequence[str] = (),
) -> list[tuple[str, str, Sequence[Any]]]:
    """(name, job, what it is called with after the run) of every stage behind the plan, in order."""
    options = beam_options(workers, runner, flags)
    threads = beam_options(workers, runner, flags, threads=True)
    alone = beam_options(1, runner, flags)  # jobs so light that starting workers would cost more than they save
    indices = [part.index for part in parts]
    plan_of_work: list[tuple[str, str, Sequence[Any], PipelineOptions]] = [
        ("extract", "pipelines.extract:extract", (parts, recipe), threads),
        ("rights", "pipelines.rights:rights", (indices, recipe), threads),
        ("annotate", "pipelines.annotate:annotate", (indices, recipe, others), options),
        ("dedup", "pipelines.dedup:deduplicate", (indices, recipe, against), threads),
        *([("cuts", "pipelines.cuts:cut", (indices, recipe), options)] if recipe.dedup.part else []),
        ("decontaminate", "pipelines.decontaminate:decontaminate", (indices, recipe), threads),
        ("decide", "pipelines.decide:decide", (indices, recipe, register), alone),
        ("scrub", "pipelines.scrub:scrub", (indices, recipe), options),
        ("tokenize", "pipelines.tokenize:tokenize", (indices, recipe, tokenizer, register), options),
    ]
    skipped = "decontaminate" if recipe.decontaminate is None else None
    return [(name, job, [*given, how]) for name, job, given, how in plan_of_work if name != skipped]


def fates_markdown(decided: dict[str, int]) -> str:
    """A Markdown table of fates, most frequent first."""
    total = sum(decided.values()) or 1
    lines = ["| fate | documents | share |", "|---|---:|---:|"]
    for fate, count in sorted(decided.items(), key=lambda item: (-item[1], item[0])):
        lines.append(f"| {fate} | {count:,} | {count / total:.2%} |")
    return "\n".join(lines)
