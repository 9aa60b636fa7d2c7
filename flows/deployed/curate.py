"""The flow `curate` as a deployment: one crawl into one run folder, by what a form says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from prefect import flow
from prefect.states import Completed

from flows.deployed.daily import HOOKS, chosen
from flows.deployed.parameters import CurateParameters


@flow(name="curate", flow_run_name="{options.out}", persist_result=False, **HOOKS)
def curate(options: CurateParameters) -> Any:
    """Curate a crawl: extract, rights, annotate, dedup, decide, scrub, tokenize."""
    from flows.curate import curate as stages
    from flows.deployed.shown import show_run
    from flows.extend import held
    from flows.quiet import chatter_logged

    out = Path(options.out).absolute()
    how = chosen(options)
    with held(out), chatter_logged(str(out)):
        counts = stages.fn(
            [named if "=" in named or "://" in named else str(Path(named).absolute()) for named in options.inputs],
            how.recipe, str(out), how.others, how.notices, how.workers, how.runner, how.tokenizer,
            against=_absolute(options.against), register=_absolute(options.removals),
        )  # fmt: skip
    show_run(out)
    return Completed(message=f"{counts['tokenize']['documents']:,} documents kept; {out / 'manifest.json'}")


def _absolute(path: str | None) -> str | None:
    return str(Path(path).absolute()) if path else None
