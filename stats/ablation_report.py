"""An ablation on paper: Markdown, and a plot of loss against tokens with a band for each recipe.

Traded away: matplotlib is imported only here, when a plot is drawn; without it there is a sentence and no plot.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from stats.ablation import ALL
from stats.show import harmless

COLUMNS = ("recipe", "documents", "loss", "low", "high", "bits a byte", "to raw", "by seeds, low", "by seeds, high",
           "by documents, low", "by documents, high", "verdict")  # fmt: skip
CORPORA = ("recipe", "documents", "tokens", "text_bytes", "epochs")


def markdown(summary: pa.Table, corpora: Sequence[Mapping[str, Any]], told: Sequence[str]) -> str:
    """The report: what was trained on, then for the greatest budget a table a domain."""
    rows = summary.to_pylist()
    greatest = max(row["tokens"] for row in rows)
    out = ["# Ablation", "", *(f"{line}\n" for line in told), "## Corpora", "", *_table(CORPORA, corpora, {})]
    forms = {field.name: (field.metadata or {}).get(b"format", b"").decode() for field in summary.schema}
    for domain in dict.fromkeys(row["domain"] for row in rows):
        chosen = [row for row in rows if row["domain"] == domain and row["tokens"] == greatest]
        out += ["", f"## {_cell(domain)}", "", *_table(COLUMNS, chosen, forms)]
    return "\n".join(out) + "\n"


def _table(columns: Sequence[str], rows: Sequence[Mapping[str, Any]], forms: Mapping[str, str]) -> list[str]:
    lines = [
        f"| {' | '.join(columns)} |",
        "|" + "|".join("---" if c in ("recipe", "verdict") else "---:" for c in columns) + "|",
    ]
    for row in rows:
        lines.append("| " + " | ".join(_cell(row[c], forms.get(c, "")) for c in columns) + " |")
    return lines


def _cell(value: object, form: str = "") -> str:
    if value is None:
        return ""
    if isinstance(value, int):
        return f"{value:,}"
    return format(value, form or ".2f") if isinstance(value, float) else harmless(str(value)).replace("|", "\\|")


def plot(summary: pa.Table, path: Path) -> None:
    """Loss against tokens for every domain, the band of each recipe over its seeds; ValueError without matplotlib."""
    try:
        from matplotlib.figure import Figure
    except ModuleNotFoundError as error:
        raise ValueError("A plot needs matplotlib. Install it with pip install 'winnow-corpus[classifier]'.") from error
    rows = summary.to_pylist()
    domains = list(dict.fromkeys(row["domain"] for row in rows))
    names = list(dict.fromkeys(row["recipe"] for row in rows))
    figure = Figure(figsize=(4.6 * min(len(domains), 3), 3.6 * -(-len(domains) // 3)), layout="constrained")
    axes = figure.subplots(-(-len(domains) // 3), min(len(domains), 3), squeeze=False).flatten()
    for axis, domain in zip(axes, domains, strict=False):
        for colour, name in enumerate(sorted(names)):
            mine = sorted((r for r in rows if r["domain"] == domain and r["recipe"] == name), key=lambda r: r["tokens"])
            _curve(axis, mine, name, f"C{colour % 10}")
        axis.set_title("held out" if domain == ALL else harmless(domain).replace("$", r"\$"), fontsize=10)
        axis.set_xlabel("tokens trained on")
        axis.set_ylabel("loss, nats a token")
        axis.grid(alpha=0.3)
    for axis in axes[len(domains) :]:
        axis.remove()
    axes[0].legend(fontsize=8)
    figure.savefig(path, dpi=140, metadata={"Software": None})


def _curve(axis: Any, rows: Sequence[Mapping[str, Any]], name: str, colour: str) -> None:
    x, y = [row["tokens"] for row in rows], [row["loss"] for row in rows]
    banded = all(row["low"] is not None for row in rows)
    axis.plot(x, y, marker="o", markersize=3, color=colour, label=harmless(name).replace("$", r"\$"))
    if banded and len(rows) > 1:
        axis.fill_between(x, [row["low"] for row in rows], [row["high"] for row in rows], color=colour, alpha=0.2)
    elif banded:
        axis.errorbar(x, y, yerr=[[y[0] - rows[0]["low"]], [rows[0]["high"] - y[0]]], color=colour, capsize=4)
