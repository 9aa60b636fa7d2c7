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
    from contextlib import nullcontext

    from pipelines import run as runs
    from pipelines.mirror import copy_of, publish
    from stats.report.write import NAME, write_report
    from stats.run import open_run

    # A removal deletes the run's own report: one that was read before and written after would quote what went.
    named, run = run, copy_of(run)
    folder = Path(run)
    own = (folder / runs.NAME).is_file() and (out is None or out.resolve() == (folder / NAME).resolve())
    with runs.locked(run) if own else nullcontext(), open_run(run) as opened:
        path = write_report(opened, lang, out)
    told = str(path)
    if own and run != named:
        publish(named, NAME)
        told = f"{named.rstrip('/')}/{NAME}"
    console.print(f"report: {escape(told)}", soft_wrap=True)


def explore(
    run: RunFolder,
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port on 127.0.0.1; any free one without it.")] = 0,
) -> None:
    """Open a run as a page on this machine: move thresholds, look at documents, save a recipe. Ctrl-C ends it."""
    import secrets
    import socket

    import uvicorn

    from stats.explore.app import application
    from stats.explore.engine import Engine
    from stats.run import open_run

    with open_run(run) as opened, socket.socket() as listening:
        engine = Engine(opened)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind(("127.0.0.1", port))
            listening.listen()  # before the address is told: who is faster than the server waits, and is not refused
        except OSError as error:
            raise ValueError(f"--port {port} cannot be used ({error.strerror}). Give another, or none.") from error
        chosen, token = listening.getsockname()[1], secrets.token_urlsafe(24)
        app = application(engine, token, chosen, Path.cwd())
        console.print(f"explore: http://127.0.0.1:{chosen}/{token}/", soft_wrap=True, highlight=False)
        config = uvicorn.Config(app, log_level="warning", access_log=False, server_header=False)
        uvicorn.Server(config).run(sockets=[listening])
