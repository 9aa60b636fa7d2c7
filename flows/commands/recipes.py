"""`winnow recipes`: what ships, and what one recipe says of itself."""

from __future__ import annotations

from typing import Annotated

import typer

from flows.commands.terminal import console


def recipes(name: Annotated[str | None, typer.Argument(help="Show this one whole.")] = None) -> None:
    """List the recipes that ship, or show one with its sources and evidence."""
    from flows.show_recipe import listing, one

    console.print(listing() if name is None else one(name))
