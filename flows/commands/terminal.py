"""What all commands print on, and the argument that most of them begin with."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console

console = Console()
errors = Console(stderr=True)

RunFolder = Annotated[str, typer.Argument(help="A folder made by `winnow run`.", metavar="RUN")]
Settings = Annotated[list[str] | None, typer.Option("--set", help="RULE=VALUE: another threshold.")]
