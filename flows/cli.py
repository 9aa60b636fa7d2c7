"""The command line, `winnow`: run, sample, ask, verify, train.

Commands only parse, call and print; each imports what it needs when it is called, so that `winnow --help`
answers at once. Whatever goes wrong is told in one sentence, with exit status 1 for "the run is not right"
and 2 for "the command could not be done". `WINNOW_DEBUG=1` shows the traceback.
"""

from __future__ import annotations

import logging
import os
import sys

import typer
from rich.markup import escape

from flows.commands import (
    ablate,
    ask,
    chat,
    classifier,
    corpus,
    dedup,
    diversity,
    export,
    papers,
    plan,
    recipes,
    report,
    run,
    serve,
    takedown,
    tokenizer,
    trace,
)
from flows.commands.terminal import errors
from flows.faults import sentence

app = typer.Typer(no_args_is_help=True, add_completion=False, help="From web crawl to training shards.")
for command in (
    run.run,
    ask.funnel,
    run.sample,
    ask.sql,
    ask.what_if,
    ask.compare,
    ask.contamination,
    ask.explain,
    ask.verify,
    recipes.recipes,
    plan.plan,
    dedup.dedup,
    dedup.index,
    diversity.diversity,
    papers.papers,
    papers.sheet,
    report.report,
    report.explore,
    trace.trace,
    trace.versions,
    takedown.remove,
    takedown.erase,
    export.export,
    chat.chat,
    ablate.ablate,
    serve.serve,
):
    app.command()(command)
app.add_typer(classifier.app, name="classifier")
app.add_typer(corpus.app, name="corpus")
app.add_typer(tokenizer.app, name="tokenizer")


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True}, add_help_option=False)
def train(context: typer.Context) -> None:
    """Train a small transformer on a manifest: `winnow train --help` lists its options."""
    from training.__main__ import main as start

    raise typer.Exit(start(context.args))


def main() -> None:
    """Entry point: run the command, and tell any fault in one sentence."""
    logging.getLogger().setLevel(logging.ERROR)  # Beam warns of a missing Google client while it is imported
    try:
        app(standalone_mode=True)
    except (Exception, KeyboardInterrupt) as error:
        if os.environ.get("WINNOW_DEBUG"):
            raise
        errors.print(f"winnow: {escape(sentence(error))}", soft_wrap=True, highlight=False)
        sys.exit(2)


if __name__ == "__main__":
    main()
