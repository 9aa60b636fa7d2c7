"""The flow `daily`: what is new in an inbox, into a corpus; a version is published and announced if there is any.

Everything that decides is in pipelines.corpus; here it is put between Prefect's limit and the corpus's own lock, told
to people, and announced. Killed anywhere, the next run goes on where it stopped.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from prefect import flow
from prefect.logging import get_run_logger
from prefect.states import Completed

from flows.deployed.notify import ended
from flows.deployed.parameters import DailyParameters, Made

HOOKS: dict[str, Any] = {
    "on_completion": [ended], "on_failure": [ended], "on_crashed": [ended], "on_cancellation": [ended],
}  # fmt: skip


def chosen(made: Made) -> Any:
    """How runs are made, from what a form says; ValueError or FileNotFoundError in a sentence."""
    from flows.choices import chosen_recipes
    from flows.extend import How

    recipe, others, notices = chosen_recipes(
        made.recipe, made.settings, [], made.files, made.decontaminate, made.opt_outs
    )
    tokenizer = str(Path(made.tokenizer).absolute()) if made.tokenizer else None
    if tokenizer and not Path(tokenizer).is_file():
        raise FileNotFoundError(f"There is no tokenizer file {made.tokenizer}. Give the path of an existing one.")
    return How(recipe, others, notices, made.workers, made.runner, tokenizer)


@flow(name="daily", flow_run_name="{options.corpus}", persist_result=False, **HOOKS)
def daily(options: DailyParameters) -> Any:
    """Take what is new, deduplicate it against the corpus, and publish a version with it."""
    import dataclasses

    from flows.deployed.announce import announce, one_run_of
    from flows.deployed.shown import show_corpus, show_run
    from flows.extend import extended, held

    corpus, patience = Path(options.corpus).absolute(), 60 * options.wait_minutes
    log = get_run_logger()
    how = dataclasses.replace(chosen(options), settle=options.settle_seconds)
    inputs = [named if "=" in named else str(Path(named).absolute()) for named in options.inputs]
    with one_run_of(corpus, patience), held(corpus, patience):
        done = extended(corpus, inputs, how, log.info)
        for told in done.notices:
            log.warning(told)
        for run in done.runs:
            show_run(corpus / run)
        if done.runs:
            show_corpus(corpus, done.version)
        announced = announce(corpus, done.version)
    version = f"version {done.version.manifest.version}" if done.version else "no version"
    if not done.runs:
        return Completed(name="NothingNew", message=f"Nothing is new; {version} stands.")
    told = f"{', '.join(done.runs)} joined; {version}{' is announced' if announced else ''}."
    return Completed(message=told)
