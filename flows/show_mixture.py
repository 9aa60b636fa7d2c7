"""A recipe's published mixture on the terminal: its rows as they were printed, budget, rehydration, what is off.

Figures that no row has get no column; a figure whose evidence differs from its row's carries its own letter.
Traded away: nothing is normalised here, so a table that sums to 101 is shown to.
"""

from __future__ import annotations

from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from flows import recipe_words as words
from flows.recipe_words import heading

FIGURES = ("weight", "copies", "multiplier", "tokens", "trained_tokens", "size", "documents", "epochs")


def mixture_shown(mixture: Any, zh: bool) -> RenderableType:
    """The table, or each of its variants with the one that counts marked, and what goes with them."""
    parts: list[RenderableType] = []
    for name, variant in mixture.variants.items():
        mark = words.COUNTS[zh] if name == mixture.variant else ""
        parts += [Text(f"{name}{mark}"), _table(variant.sources, zh)]
    if mixture.sources:
        parts.append(_table(mixture.sources, zh))
    lines = [f"{row.name}: {words.OFF[zh]} ({row.default_off})" for row in mixture.rows if row.default_off]
    if mixture.plan is not None:
        lines.append(words.BUDGET[zh].format(_budget(mixture.plan, zh), mixture.plan.evidence))
    if mixture.instruction_fraction:
        lines.append(words.INSTRUCTIONS[zh].format(mixture.instruction_fraction))
    for band in mixture.rehydrate:
        to = f"-{band.max}" if band.max is not None else "+"
        lines.append(words.REHYDRATE[zh].format(f"{band.min}{to}", band.copies, band.evidence))
    lines += [line for line in (mixture.note, mixture.source) if line]
    return Group(*parts, *(Text(f"  {line}") for line in lines))


def _table(rows: Any, zh: bool) -> Table:
    figures = [figure for figure in FIGURES if any(getattr(row, figure) is not None for row in rows)]
    named = (words.FIGURES[figure][zh] for figure in figures)
    table = Table(heading("mixed", zh), *named, heading("evidence", zh))
    for column in table.columns:
        column.overflow = "fold"
    for row in rows:
        table.add_row(Text(row.name), *(Text(_figure(row, figure)) for figure in figures), row.evidence)
    return table


def _figure(row: Any, figure: str) -> str:
    """One figure as text, with its own evidence where that is not the row's."""
    value = getattr(row, figure)
    if value is None:
        return ""
    text = value if isinstance(value, str) else billions(value) if "tokens" in figure else f"{value:,.10g}"
    own = row.evidence_of.get(figure, row.evidence)
    return f"{text} {own}" if own != row.evidence else text


def _budget(plan: Any, zh: bool) -> str:
    if plan.tokens is not None:
        return f"{billions(plan.tokens)} {words.TOKENS[zh]}"
    return words.PER_PARAMETER[zh].format(plan.tokens_per_param)


def billions(tokens: float) -> str:
    """Tokens as people write them.

    >>> billions(410_000_000_000), billions(2_810_000_000_000), billions(100_000_000)
    ('410 B', '2,810 B', '0.1 B')
    """
    return f"{tokens / 1e9:,.10g} B"
