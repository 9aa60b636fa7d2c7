"""`winnow dedup` and `winnow index`: texts without their duplicates, and what earlier corpora are remembered by."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from flows import settings
from flows.commands.terminal import console


def dedup(
    inputs: Annotated[list[str], typer.Argument(help="Parquet or JSONL: files, folders, globs; NAME=PATH.")],
    out: Annotated[str, typer.Option(help="The folder to write: duplicates/, kept/, dedup.json.")],
    recipe: Annotated[str, typer.Option(help="Whose [dedup] to use: a name, or a .toml file.")] = "fineweb",
    against: Annotated[
        str | None, typer.Option(help="An index of earlier corpora: look for duplicates there too, and add this one.")
    ] = None,
    workers: Annotated[int, typer.Option(min=1, help="Workers on this machine.")] = os.cpu_count() or 1,
    runner: Annotated[str, typer.Option(help="embedded, or any Beam runner's name.")] = "embedded",
) -> None:
    """Find the duplicates among texts, and write those that stay."""
    settings.apply()
    began = time.monotonic()
    from pipelines.options import beam_options
    from pipelines.run import locked
    from pipelines.texts import dedup_texts
    from recipes.load import load

    chosen = load(recipe)
    place = str(Path(against).absolute()) if against else None
    with locked(out):
        options = beam_options(workers, runner, threads=True)
        told = dedup_texts(inputs, str(Path(out).absolute()), chosen, place, options)
    table = Table("what", "count", box=None)
    for name, count in told.items():
        table.add_row(name, f"{count:,}")
    console.print(table)
    console.print(f"kept: {escape(out)}/kept\nwho repeats whom: {escape(out)}/duplicates", soft_wrap=True)
    console.print(f"{time.monotonic() - began:.1f} s")


def index(folder: Annotated[Path, typer.Argument(help="The index's folder.")]) -> None:
    """Show what an index of earlier corpora holds."""
    from pipelines.index import load

    found = load(folder)
    if found is None:
        raise FileNotFoundError(f"{folder} is no index yet; `winnow run --against {folder}` begins one.")
    table = Table("generation", "corpus", "documents", "bytes", box=None)
    for generation in found.generations:
        size = sum(f.stat().st_size for f in (folder / generation.name).rglob("*") if f.is_file())
        table.add_row(generation.name, escape(generation.corpus), f"{generation.documents:,}", f"{size:,}")
    console.print(table)
    console.print(f"keys: {escape(str(found.keys))}", soft_wrap=True, highlight=False)
