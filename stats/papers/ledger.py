"""top_domains.csv and source_ledger.csv: who the text is from, ranked, and by what right.

`top_domains.csv` streams, a line a registrable domain with a kept page. `source_ledger.csv` has for each source of the
run what Article 7 of China's Interim Measures for generative AI and TC260-003 5.1 ask to have on file; what nobody
stated is marked. Cells that a spreadsheet would take for a formula begin with an apostrophe.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from stats.papers.art53 import listed_domains
from stats.papers.facts import Facts, told
from stats.papers.figures import NONE, Figures
from stats.papers.page import Blank
from stats.papers.safe import csv_text

DOMAINS = (
    "rank",
    "domain",
    "documents",
    "kept",
    "bytes",
    "tokens",
    "share_of_bytes",
    "cumulative_share",
    "top_10_percent",
)
LEDGER = ("source", "kind", "description", "link", "licence", "legal_basis", "record", "personal_information", "origin",
          "collected_from", "collected_to", "generator")  # fmt: skip


def top_domains_csv(figures: Figures) -> Iterable[str]:
    """Lines of top_domains.csv. Pages without an address are one line, without a rank."""
    return csv_text(DOMAINS, _domains(figures))


def _domains(figures: Figures) -> Iterator[tuple[object, ...]]:
    total, sofar, rank = figures.total.bytes or 1, 0, 0
    top = listed_domains(figures.domains, False)
    for group in figures.domains_by_size():
        sofar += group.bytes
        rank += group.name != NONE
        place = rank if group.name != NONE else None
        yield (place, group.name, group.documents, group.kept, group.bytes, group.tokens,
               round(group.bytes / total, 8), round(sofar / total, 8), bool(place and place <= top))  # fmt: skip


def source_ledger_csv(figures: Figures, facts: Facts) -> Iterable[str]:
    """Lines of source_ledger.csv."""
    header = (*LEDGER, "documents", "kept", "bytes", "tokens", "first_month", "last_month")
    return csv_text(header, _sources(figures, facts))


def _sources(figures: Figures, facts: Facts) -> Iterator[tuple[object, ...]]:
    months = {
        source: (first, last)
        for source, first, last in figures.run.rows(
            "SELECT source, min(month), max(month) FROM paper WHERE month <> '' GROUP BY 1"
        )
    }
    for group in figures.sources:
        stated = facts.of_source(group.name)
        cells = [told(stated, key, False, f"sources.{key}") for key in LEDGER[1:]]
        span = months.get(group.name, (None, None))
        yield (group.name, *(cell.text if isinstance(cell, Blank) else cell for cell in cells),
               group.documents, group.kept, group.bytes, group.tokens, *span)  # fmt: skip
