"""A document as blocks, written once and printed as Markdown and as HTML.

Blocks hold plain strings; whoever prints them escapes them, so that no text of a page is ever markup. The HTML is one
file without script, without a request to anywhere (its policy forbids them), readable in light and dark.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from stats.papers.safe import hypertext, markdown

CSS = """
:root{color-scheme:light dark;--ink:#1d2329;--soft:#5a6672;--line:#dfe3e8;--page:#fff;--band:#f5f7f9;--bar:#9cc3e6;
--mark:#8a4b00;--markback:#fff3df}
@media(prefers-color-scheme:dark){:root{--ink:#e4e8ec;--soft:#9aa6b2;--line:#343c45;--page:#14181c;--band:#1b2127;
--bar:#2f5f8a;--mark:#ffc46b;--markback:#3a2c12}}
*{box-sizing:border-box}body{margin:0;background:var(--page);color:var(--ink);
font:16px/1.6 system-ui,"Segoe UI","Noto Sans","Noto Sans CJK SC","PingFang SC","Microsoft YaHei",sans-serif}
main{max-width:60rem;margin:0 auto;padding:2rem 1.25rem 4rem}h1{line-height:1.2;margin:0 0 .5rem}
h2{margin:2.25rem 0 .5rem;padding-top:.75rem;border-top:1px solid var(--line);font-size:1.25rem}
h3{margin:1.5rem 0 .25rem}
p{margin:.5rem 0}.wide{overflow-x:auto;margin:.75rem 0}table{border-collapse:collapse;width:100%;font-size:.92rem}
caption{text-align:left;color:var(--soft);padding:.25rem 0}
th,td{padding:.3rem .6rem;border-bottom:1px solid var(--line);text-align:left;vertical-align:top}
td{overflow-wrap:anywhere}td:first-child{overflow-wrap:break-word;min-width:6.5em}
th{background:var(--band);font-weight:600}td.n,th.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
td.s{background:linear-gradient(to right,var(--bar) var(--w),transparent var(--w)) no-repeat left bottom/100% 3px}
.blank{color:var(--mark);background:var(--markback);padding:0 .2rem;border-radius:3px}
@media print{main{max-width:none;padding:0}h2{break-after:avoid}tr{break-inside:avoid}}
"""
POLICY = "default-src 'none'; style-src 'unsafe-inline'"


@dataclass(frozen=True)
class Blank:
    """What nobody stated; printed so that nobody takes it for a statement."""

    text: str


@dataclass(frozen=True)
class Share:
    """A share, 0 to 1, printed in percent and, in HTML, as a bar; None where there is nothing to divide by."""

    value: float | None


Cell = str | int | float | Share | Blank | None


@dataclass(frozen=True)
class Heading:
    """A heading; level 2 or 3."""

    text: str
    level: int = 2


@dataclass(frozen=True)
class Text:
    """A paragraph of plain sentences."""

    text: str | Blank


@dataclass(frozen=True)
class Items:
    """A list."""

    items: Sequence[str | Blank]


@dataclass(frozen=True)
class Grid:
    """A table; `caption` says what it shows."""

    header: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    caption: str = ""


Block = Heading | Text | Items | Grid


@dataclass
class Page:
    """One document; `lang` is en or zh-CN."""

    title: str
    lang: str
    blocks: list[Block] = field(default_factory=list)

    def markdown(self) -> str:
        """The document in GitHub-flavoured Markdown."""
        return "\n\n".join([f"# {markdown(self.title)}", *map(_markdown, self.blocks)]) + "\n"

    def html(self) -> str:
        """The document as one file of HTML5."""
        body = "\n".join(map(_html, self.blocks))
        title = hypertext(self.title)
        return (
            f'<!doctype html>\n<html lang="{self.lang}">\n<head>\n<meta charset="utf-8">\n'
            f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
            '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
            f"<title>{title}</title>\n<style>{CSS}</style>\n</head>\n<body>\n<main>\n<h1>{title}</h1>\n{body}\n"
            "</main>\n</body>\n</html>\n"
        )


def shown(cell: Cell) -> str:
    """A cell as text: thousands apart, shares in percent.

    >>> shown(1234567), shown(Share(0.1234)), shown(None), shown(Share(None))
    ('1,234,567', '12.3%', '', '')
    """
    match cell:
        case None | Share(None):
            return ""
        case Share(value):
            return f"{value:.1%}"
        case Blank(text):
            return text
        case int():
            return f"{cell:,}"
        case float():
            return f"{cell:,.3g}" if abs(cell) < 100 else f"{cell:,.0f}"
    return str(cell)


def is_number(cell: Cell) -> bool:
    """Whether a cell is set to the right."""
    return isinstance(cell, int | float | Share)


def _markdown(block: Block) -> str:
    match block:
        case Heading():
            return f"{'#' * block.level} {markdown(block.text)}"
        case Text():
            return _words(block.text)
        case Items():
            return "\n".join(f"* {_words(item)}" for item in block.items)
    rows = [[_words(shown(cell)) if not isinstance(cell, Blank) else _words(cell) for cell in r] for r in block.rows]
    right = _right(block)
    head = [
        "| " + " | ".join(map(markdown, block.header)) + " |",
        f"|{'|'.join('---:' if r else '---' for r in right)}|",
    ]
    table = "\n".join([*head, *("| " + " | ".join(row) + " |" for row in rows)])
    return f"{markdown(block.caption)}\n\n{table}" if block.caption else table


def _words(text: str | Blank) -> str:
    return f"**{markdown(text.text)}**" if isinstance(text, Blank) else markdown(text)


def _right(grid: Grid) -> list[bool]:
    return [
        all(is_number(r[i]) or r[i] is None for r in grid.rows) and bool(grid.rows) for i in range(len(grid.header))
    ]


def _html(block: Block) -> str:
    match block:
        case Heading():
            return f"<h{block.level}>{hypertext(block.text)}</h{block.level}>"
        case Text():
            return f"<p>{_marked(block.text)}</p>"
        case Items():
            return f"<ul>{''.join(f'<li>{_marked(item)}</li>' for item in block.items)}</ul>"
    return "".join(_table(block))


def _marked(text: str | Blank) -> str:
    return f'<span class="blank">{hypertext(text.text)}</span>' if isinstance(text, Blank) else hypertext(text)


def _table(grid: Grid) -> Iterator[str]:
    right = _right(grid)
    yield '<div class="wide"><table>'
    if grid.caption:
        yield f"<caption>{hypertext(grid.caption)}</caption>"
    cells = (
        f'<th scope="col"{" class=n" if r else ""}>{hypertext(h)}</th>' for h, r in zip(grid.header, right, strict=True)
    )
    yield f"<thead><tr>{''.join(cells)}</tr></thead><tbody>"
    for row in grid.rows:
        yield f"<tr>{''.join(_cell(cell, r) for cell, r in zip(row, right, strict=True))}</tr>"
    yield "</tbody></table></div>"


def _cell(cell: Cell, right: bool) -> str:
    if isinstance(cell, Share) and cell.value is not None:
        return f'<td class="n s" style="--w:{min(max(cell.value, 0), 1):.1%}">{shown(cell)}</td>'
    return (
        f"<td{' class=n' if right else ''}>{_marked(cell) if isinstance(cell, Blank) else hypertext(shown(cell))}</td>"
    )
