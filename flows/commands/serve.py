"""`winnow serve`: the deployments on one machine, until Ctrl-C."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from flows.commands.terminal import console


def serve(
    home: Annotated[Path, typer.Option(help="The folder with inbox, corpus, requests, models.")] = Path("runs/serve"),
    port: Annotated[int, typer.Option(min=0, max=65535, help="Of Prefect's server on loopback; 0 for any.")] = 4200,
    recipe: Annotated[str, typer.Option(help="A shipped recipe's name, or a .toml file.")] = "zh-en-general",
    workers: Annotated[int, typer.Option(min=1, help="Processes of each run.")] = 1,
    every: Annotated[
        float | None, typer.Option(min=1, help="Seconds from one look into the inbox to the next; else 03:15 UTC.")
    ] = None,
    settle: Annotated[float, typer.Option(min=0, help="Leave files that changed within so many seconds.")] = 60,
    steps: Annotated[int, typer.Option(min=1, help="Of the training that a new version starts.")] = 120,
) -> None:
    """Serve the deployments: Prefect's server, a worker, schedules; WINNOW_NOTIFY says who is told how runs end."""
    from flows.choices import checked
    from flows.deployed.document import Plan
    from flows.deployed.notify import targets
    from flows.deployed.serve import serve as start

    checked(recipe)  # a recipe that cannot be read is told now, not by every run
    targets()
    start(Plan(home, recipe, workers, steps, settle, every), port, lambda told: console.print(told, soft_wrap=True))
