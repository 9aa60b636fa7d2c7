"""Markdown from data: cells that stay one cell, tables, and sources that are links where they name an address."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from html import escape

SPECIAL = re.compile(r"([\\`*_\[\]])")
ADDRESS = re.compile(r"https?://[^\s,;，；()（）]+[^\s,;，；()（）.:]|arXiv:\d{4}\.\d{4,5}")


def plain(text: object) -> str:
    """Text of which nothing is markup, on one line."""
    escaped = SPECIAL.sub(r"\\\1", escape(str(text), quote=False))
    return escaped.replace("|", "&#124;").replace("\n", "<br>")


def linked(text: object) -> str:
    """The same, with addresses and arXiv numbers as links."""
    made, end = [], 0
    for found in ADDRESS.finditer(str(text)):
        made.append(plain(str(text)[end : found.start()]))
        shown = found.group()
        made.append(f"[{plain(shown)}]({shown.replace('arXiv:', 'https://arxiv.org/abs/')})")
        end = found.end()
    return "".join([*made, plain(str(text)[end:])])


def code(text: object) -> str:
    """Text as code within a line; empty stays empty."""
    shown = escape(str(text), quote=False).replace("|", "&#124;").replace("\n", " ")
    return "<code>" + SPECIAL.sub(r"\\\1", shown) + "</code>" if shown else ""


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of cells that are Markdown already; columns that no row fills are left out."""
    given = [list(row) for row in rows]
    used = [n for n in range(len(header)) if any(row[n] for row in given)]
    lines = [[header[n] for n in used], ["---"] * len(used), *([row[n] for n in used] for row in given)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"
