"""`winnow report` and `winnow explore`: a run as a page to read, and as a page to ask."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.markup import escape

from flows.commands.terminal import RunFolder, console


def report(
    run: RunFolder,
    lang: Annotated[Literal["en", "zh"], typer.Option(help="The language it opens in; both are in it.")] = "en",
    out: Annotated[Path | None, typer.Option(help="The file to write; RUN/report.html without it.")] = None,
) -> None:
    """Write the report of a run: one page, for a browser, that asks nobody for anything."""
    from stats.report.write import write_report
    from stats.run import open_run

    with open_run(run) as opened:
        path = write_report(opened, lang, out)
    console.print(f"report: {escape(str(path))}", soft_wrap=True)
