"""A page for each shipped recipe and language, from what `winnow recipes NAME` shows.

The terminal's tables are asked for their cells, so that page and command cannot say different things. Traded away: as
on the terminal, notes and sources of single steps are in English on both pages.
"""

from __future__ import annotations

from functools import cache

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from docs.generate.markdown import linked, plain, table
from flows.recipe_words import heading
from flows.show_recipe import Fitted, one
from recipes.load import available, load

OTHER = ("[中文](NAME.zh-CN.md)", "[English](NAME.md)")


@cache
def recipe_pages() -> dict[str, str]:
    """Path under docs/ and Markdown of every recipe's pages, in both languages."""
    pages = {}
    for name in available():
        for zh in (False, True):
            pages[f"recipes/{name}{'.zh-CN' if zh else ''}.md"] = _page(name, zh)
    return pages


def _page(name: str, zh: bool) -> str:
    body, extends = _shown(one(name, zh)), load(name).extends
    if extends:
        told = f"{heading('extends', zh)} {plain(extends)}"
        body = body.replace(told, f"{heading('extends', zh)} [{extends}]({extends}{'.zh-CN' if zh else ''}.md)", 1)
    return "\n".join((f"# {name}\n", OTHER[zh].replace("NAME", name) + "\n", body))


def _shown(part: RenderableType) -> str:
    """A renderable of the terminal as Markdown: text, headings, tables, and groups of them."""
    if isinstance(part, Group):
        return "\n".join(_shown(inner) for inner in part.renderables)
    if isinstance(part, Fitted):
        return _shown(part.make(True))
    if isinstance(part, Table):
        return _table(part)
    assert isinstance(part, Text), f"{type(part).__name__} has no Markdown"
    if part.plain.startswith("\n") and part.style == "bold":
        return f"\n## {plain(part.plain.strip())}\n"
    return "\n".join(linked(line.strip()) + "  " for line in part.plain.splitlines()) + "\n"


def _table(shown: Table) -> str:
    rows = list(zip(*([_cell(cell) for cell in column.cells] for column in shown.columns), strict=True))
    if not shown.show_header and all(row[0].strip() == "-" for row in rows):  # a list, as the terminal draws it
        return "\n" + "\n".join(f"- {row[1]}" for row in rows) + "\n"
    header = [_cell(column.header) if shown.show_header else "&nbsp;" for column in shown.columns]
    return "\n" + table(header, rows)


def _cell(cell: RenderableType) -> str:
    return linked((cell.plain if isinstance(cell, Text) else str(cell)).strip())
