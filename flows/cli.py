"""The command line, `winnow`: run, sample, ask, verify, train.

Commands only parse, call and print; each imports what it needs when it is called, so that `winnow --help`
answers at once. Whatever goes wrong is told in one sentence, with exit status 1 for "the run is not right"
and 2 for "the command could not be done". `WINNOW_DEBUG=1` shows the traceback.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from flows import settings
from flows.faults import sentence

app = typer.Typer(no_args_is_help=True, add_completion=False, help="From web crawl to training shards.")
console = Console()
errors = Console(stderr=True)

RunFolder = Annotated[str, typer.Argument(help="A folder made by `winnow run`.", metavar="RUN")]


@app.command()
def run(
    inputs: Annotated[list[str], typer.Argument(help="Files, folders, globs; NAME=PATH names a source.")],
    out: Annotated[str, typer.Option(help="The run folder to write.")],
    recipe: Annotated[str, typer.Option(help="A shipped recipe's name, or a .toml file.")] = "zh-en-general",
    workers: Annotated[int, typer.Option(min=1, help="Processes on this machine.")] = os.cpu_count() or 1,
    runner: Annotated[str, typer.Option(help="embedded, or any Beam runner's name.")] = "embedded",
    tokenizer: Annotated[str | None, typer.Option(help="tokenizer.json, .tiktoken or SentencePiece .model.")] = None,
    set_: Annotated[list[str] | None, typer.Option("--set", help="RULE=VALUE: another threshold.")] = None,
    part_bytes: Annotated[
        int | None, typer.Option(min=1024, help="Input bytes a part, as they lie in the file.")
    ] = None,
    beam: Annotated[list[str] | None, typer.Option(help="A flag for the Beam runner, as --beam=--flag=value.")] = None,
) -> None:
    """Curate a crawl: extract, annotate, dedup, decide, scrub, tokenize."""
    from flows.server import own_server

    settings.apply()
    with own_server():  # first of all: it starts while everything below is imported
        from filters.rules import check, set_thresholds
        from recipes.load import load

        chosen = set_thresholds(load(recipe), set_ or [])
        check(chosen)
        if tokenizer is not None and not Path(tokenizer).is_file():
            raise FileNotFoundError(f"There is no tokenizer file {tokenizer}. Give the path of an existing one.")
        from flows.progress import shown
        from flows.quiet import chatter_logged
        from pipelines.run import locked

        with locked(out), chatter_logged(out) as terminal, shown(out, terminal):
            from flows.curate import curate, start_sandboxes

            start_sandboxes(chosen, workers, runner, beam or [])
            curate(
                [_absolute(i) for i in inputs],
                chosen,
                out,
                workers=workers,
                runner=runner,
                tokenizer=tokenizer,
                part_bytes=part_bytes,
                flags=beam or [],
            )
    funnel(out)


def _absolute(named: str) -> str:
    """An input as run.json keeps it: findable from any folder. `NAME=PATH` keeps its name."""
    if "://" in named:
        return named
    name, mark, path = named.partition("=")
    if mark and not Path(named).exists():
        return f"{name}={Path(path).absolute()}"
    return str(Path(named).absolute())


@app.command()
def funnel(run: RunFolder) -> None:
    """What went where: the run's funnel, and where its report and manifest are."""
    from stats.funnel import funnel as count
    from stats.run import open_run
    from stats.show import table

    with open_run(run) as opened:
        console.print(table(count(opened), title=f"Funnel of {run}"))
    for name in ("manifest.json", "report.html"):
        if (Path(run) / name).exists():
            console.print(f"{name.partition('.')[0]}: {escape(str(Path(run) / name))}", soft_wrap=True)


@app.command()
def sample(
    out: Annotated[Path, typer.Argument(help="The file to write, ending in .warc.gz.")],
    pages: Annotated[int, typer.Option(min=1, help="How many records.")] = 2000,
    seed: Annotated[int, typer.Option(help="Same seed, same bytes.")] = 0,
) -> None:
    """Write a synthetic crawl with known truth beside it."""
    from pipelines.sample import write_sample

    made = write_sample(out, pages, seed)
    console.print(f"crawl: {made.warc}\ntruth: {made.truth}\nrecords: {made.records:,}", soft_wrap=True)


@app.command()
def sql(
    run: RunFolder,
    query: Annotated[str, typer.Argument(help="SQL over documents, rejects, signals, decisions, fates...")],
    format: Annotated[str, typer.Option(help="table, csv, json; piped also arrow, parquet.")] = "table",
) -> None:
    """Ask DuckDB about a run: read-only, and nothing outside the run can be read."""
    from stats.run import open_run
    from stats.show import write
    from stats.sql import query as ask

    with open_run(run) as opened:
        write(ask(opened, query), format, console)


@app.command(name="what-if")
def what_if(
    run: RunFolder,
    recipe: Annotated[str | None, typer.Option(help="Another recipe's rules; without it, the run's own.")] = None,
    set_: Annotated[list[str] | None, typer.Option("--set", help="RULE=VALUE: another threshold.")] = None,
) -> None:
    """What would be kept under other thresholds, from the run's measurements, without running again."""
    from filters.rules import set_thresholds
    from recipes.load import load
    from stats.run import open_run
    from stats.show import table
    from stats.what_if import what_if as ask

    if recipe is None and not set_:
        raise ValueError("Nothing would change: give --set RULE=VALUE, or --recipe NAME.")
    with open_run(run) as opened:
        answer = ask(opened, set_thresholds(load(recipe) if recipe else opened.recipe, set_ or []))
    console.print(table(answer.fates, title="Fates"), table(answer.languages, title="Kept"))
    for title, pages in (("would come in", answer.comes_in), ("would go out", answer.goes_out)):
        for page in pages:
            console.print(f"{title}: {escape(page)}", soft_wrap=True)


@app.command()
def explain(
    run: RunFolder,
    page: Annotated[str, typer.Argument(help="A URL or a doc_id.", metavar="URL|DOC_ID")],
) -> None:
    """What became of one page, and why."""
    from stats.explain import explain as find
    from stats.run import open_run

    with open_run(run) as opened:
        for explanation in find(opened, page):
            console.print(escape(explanation.text()), soft_wrap=True)


@app.command()
def verify(run: RunFolder) -> None:
    """Prove that every record has one fate, that the counts add up, and that every hash holds."""
    from stats.run import open_run
    from stats.verify import verify as prove

    with open_run(run) as opened:
        problems = list(prove(opened))
    for problem in problems:
        console.print(escape(str(problem)), soft_wrap=True)
    if problems:
        raise typer.Exit(1)
    console.print(f"{run}: every record has one fate, the counts add up, and every hash holds.", soft_wrap=True)


@app.command()
def recipes(name: Annotated[str | None, typer.Argument(help="Show this one whole.")] = None) -> None:
    """List the recipes that ship, or show one with its sources and evidence."""
    from flows.show_recipe import listing, one

    console.print(listing() if name is None else one(name))


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True}, add_help_option=False)
def train(context: typer.Context) -> None:
    """Train a small transformer on a manifest: `winnow train --help` lists its options."""
    from training.__main__ import main as start

    raise typer.Exit(start(context.args))


def main() -> None:
    """Entry point: run the command, and tell any fault in one sentence."""
    try:
        app(standalone_mode=True)
    except (Exception, KeyboardInterrupt) as error:
        if os.environ.get("WINNOW_DEBUG"):
            raise
        errors.print(f"winnow: {escape(sentence(error))}", soft_wrap=True, highlight=False)
        sys.exit(2)


if __name__ == "__main__":
    main()
