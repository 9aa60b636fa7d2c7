"""`winnow recipes`: what ships, and what one recipe says of itself."""

from __future__ import annotations

from typing import Annotated

import typer

from flows.commands.terminal import console


def recipes(
    name: Annotated[str | None, typer.Argument(help="Show this one whole.")] = None,
    zh: Annotated[bool, typer.Option("--zh", help="In Chinese. 用中文显示。")] = False,
) -> None:
    """List the recipes that ship, or show one with its steps, sources, evidence and needs."""
    from flows.show_recipe import listing, one

    console.print(listing(zh) if name is None else one(name, zh))
