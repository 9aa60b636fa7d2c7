"""The questions to a run: funnel, sql, explain, verify, what-if."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from flows.commands.terminal import RunFolder, Settings, console


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


def what_if(
    run: RunFolder,
    recipe: Annotated[str | None, typer.Option(help="Another recipe's rules; without it, the run's own.")] = None,
    set_: Settings = None,
) -> None:
    """What would be kept under other thresholds, from the run's measurements, without running again."""
    from filters.thresholds import set_thresholds
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
