"""eu_art53_summary: the public summary of training content that Article 53(1)(d) of Regulation (EU) 2024/1689 asks
for, in the order and with the fields of the Commission's template (C(2025) 5235 of 24 July 2025, adopted as
C(2025) 8311).

What is counted is counted in the run; the rest is the provider's to state, and stands as a marked blank in the document
and as null with its path in the JSON. A run is one part of a training; where it is not all, model.training_tokens says
how much all is. The domains of the largest tenth are in the JSON in full, and in top_domains.csv.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil
from typing import Any

from stats.papers.facts import Facts
from stats.papers.figures import NONE, Figures
from stats.papers.names import REPLACED
from stats.papers.page import Blank, Block, Cell, Grid, Heading, Page, Text, shown
from stats.papers.statements import SourceKind

BANDS = ((10**9, "less than 1 billion tokens"), (10**13, "1 billion to 10 trillion tokens"))
TOP_BAND = "more than 10 trillion tokens"
SHOWN = 100  # domains in the document
KINDS: dict[SourceKind, tuple[str, str]] = {
    "public_dataset": ("2.1", "Publicly available datasets"),
    "licensed": ("2.2.1", "Private datasets licensed by rightsholders"),
    "third_party": ("2.2.2", "Private datasets obtained from other third parties"),
    "crawled": ("2.3", "Data crawled and scraped from online sources"),
    "user": ("2.4", "User data"),
    "synthetic": ("2.5", "Synthetic data"),
    "other": ("2.6", "Other sources of data"),
}


def size_band(tokens: int) -> str:
    """The template's band for text.

    >>> size_band(999_999_999), size_band(10**9), size_band(10**13 + 1)
    ('less than 1 billion tokens', '1 billion to 10 trillion tokens', 'more than 10 trillion tokens')
    """
    if tokens < BANDS[0][0]:
        return BANDS[0][1]
    return BANDS[1][1] if tokens <= BANDS[1][0] else TOP_BAND


def listed_domains(domains: int, sme: bool) -> int:
    """How many of the largest domains are to be listed: 10 %; of an SME 5 % or 1,000, whichever is less.

    >>> listed_domains(363, False), listed_domains(363, True), listed_domains(50_000, True)
    (37, 19, 1000)
    """
    return min(ceil(domains / 20), 1000) if sme else ceil(domains / 10)


def month_year(month: str) -> str:
    """YYYY-MM as the template writes it.

    >>> month_year("2026-01")
    '01/2026'
    """
    year, _, number = month.partition("-")
    return f"{number}/{year}"


def top_domains(figures: Figures, facts: Facts) -> list[str]:
    """The domains to be listed, most kept bytes first."""
    wanted = listed_domains(figures.domains, bool(facts.provider.sme))
    found: list[str] = []
    for group in figures.domains_by_size():
        if len(found) >= wanted:
            break
        if group.name != NONE:
            found.append(group.name)
    return found


Field = tuple[str, str, str | int | bool | None, str]  # number, name, value, path of the fact that states it


def fields(figures: Figures, facts: Facts) -> Iterator[Field]:
    """Every field but the sources: its number, its name, its value or None, and who states it."""
    tokens = facts.model.training_tokens or figures.manifest.totals.tokens
    kept = [group for group in figures.languages if group.kept]
    total = sum(group.tokens for group in kept) or 1
    stated = [("1.1", "Provider, name", "provider.name"), ("1.1", "Provider, contact", "provider.contact"),
              ("1.1", "Authorised representative", "provider.representative"),
              ("1.2", "Versioned model name", "model.name"), ("1.2", "Model dependencies", "model.dependencies"),
              ("1.2", "Date of placement on the Union market", "model.placed_on_market")]  # fmt: skip
    yield from (_stated(facts, *one) for one in stated)
    yield "1.3", "Modality", "text", ""
    yield "1.3", "Training data size", size_band(tokens), ""
    yield "1.3", "Tokens of this run", figures.manifest.totals.tokens, ""
    yield "1.3", "Types of content", "web pages (main text)", ""
    yield (
        "1.3",
        "Latest date of data collection",
        month_year(figures.months[1]) if figures.months else None,
        "the crawl",
    )
    yield _stated(facts, "1.3", "Continuously trained on newer data", "model.continuous")
    languages = ", ".join(f"{group.name} {group.tokens / total:.1%}" for group in kept[:40])
    yield "1.3", "Languages, by tokens", languages, ""
    yield _stated(facts, "3.1", "Signatory of the code of practice", "legal.code_of_practice")
    yield _stated(facts, "3.1", "Measures before collection for reservations of rights", "legal.opt_out_measures")
    yield "3.1", "Documents that reserve themselves (robots meta, X-Robots-Tag, TDMRep)", figures.reserved[0], ""
    yield "3.1", "Of these, kept", figures.reserved[1], ""
    yield _stated(facts, "3.2", "Measures against illegal content", "legal.illegal_content")
    rules = [step.id for step in figures.recipe.steps if step.kind != "edit"]
    yield "3.2", "Rules of the recipe", ", ".join(rules), ""
    dropped = sum(count for fate, count in figures.fates.items() if fate.startswith("filtered:"))
    yield "3.2", "Documents that a rule dropped", dropped, ""
    yield _stated(facts, "3.3", "Legal basis for personal data", "legal.personal_data_basis")
    yield "3.3", "Personal data replaced", sum(
        count for kind, count in figures.pii.items() if figures.policy(kind) in REPLACED
    ), ""  # fmt: skip


def _stated(facts: Facts, number: str, name: str, path: str) -> Field:
    value = facts.get(path)
    return number, name, None if value is None else value if isinstance(value, bool) else str(facts.said(path)), path


def sources(figures: Figures, facts: Facts) -> Iterator[dict[str, Any]]:
    """Every source of the run in the template's terms; what is not stated is null."""
    for group in figures.sources:
        stated = facts.of_source(group.name)
        section, title = KINDS[stated.kind] if stated.kind else ("2", "not stated (sources.kind)")
        yield {
            "section": section, "kind": title, "name": group.name, "description": stated.description,
            "link": stated.link, "licence": stated.licence,
            "period": _period(figures, stated.collected_from, stated.collected_to),
            "generator": stated.generator, "documents": group.kept, "bytes": group.bytes, "tokens": group.tokens,
        }  # fmt: skip


def _period(figures: Figures, first: str | None, last: str | None) -> str | None:
    months = figures.months or (None, None)
    span = [month_year(month) for month in (first or months[0], last or months[1]) if month]
    return " to ".join(dict.fromkeys(span)) or None


def summary_json(figures: Figures, facts: Facts) -> dict[str, Any]:
    """The whole summary for machines; a field that nobody stated has value null and the path of its fact."""
    crawlers = facts.collection.crawlers
    return {
        "template": "Article 53(1)(d) of Regulation (EU) 2024/1689, C(2025) 5235 and C(2025) 8311",
        "fields": [
            {"section": number, "name": name, "value": value} | ({"to_be_stated": path} if value is None else {})
            for number, name, value, path in fields(figures, facts)
        ],
        "sources": list(sources(figures, facts)),
        "crawled": {
            "crawlers": [one.model_dump() for one in crawlers] if crawlers else None,
            **{key: getattr(facts.collection, key) for key in ("robots", "captchas", "paywalls", "consent")},
            "period": _period(figures, None, None),
            "domains": figures.domains,
            "share_listed": "5 % or 1,000 (SME)" if facts.provider.sme else "10 %",
            "top_domains": top_domains(figures, facts),
        },
    }


def summary_page(figures: Figures, facts: Facts) -> Page:
    """The whole summary for people."""
    told = list(fields(figures, facts))
    blocks: list[Block] = []
    for number, title in (
        ("1", "General information"),
        ("2", "List of data sources"),
        ("3", "Data processing aspects"),
    ):
        blocks.append(Heading(f"{number}. {title}"))
        if number == "2":
            blocks += _source_blocks(figures, facts)
            continue
        rows = [
            (section, name, _value(facts, value, path)) for section, name, value, path in told if section[0] == number
        ]
        blocks.append(Grid(("section", "field", "value"), rows))
    return Page("Public summary of training content", "en", blocks)


def _value(facts: Facts, value: str | int | bool | None, path: str) -> Cell:
    if value is None:
        return facts.said(path) if "." in path else Blank(f"[to be stated: {path} says nothing of it]")
    return ("yes" if value else "no") if isinstance(value, bool) else value


def _source_blocks(figures: Figures, facts: Facts) -> list[Block]:
    rows: list[list[Cell]] = []
    for one in sources(figures, facts):
        blank = Blank(f"[to be stated: sources, name = {one['name']}]")
        cells: list[Cell] = [one["section"], one["kind"], one["name"], one["period"]]
        rows.append(
            [*cells, one["link"] or blank, one["licence"] or blank, one["documents"], one["bytes"], one["tokens"]]
        )
    c = facts.collection
    crawler = "; ".join(f"{x.name} ({x.operator or '?'}): {x.purpose or '?'}" for x in c.crawlers or ())
    behaviour = [(key, facts.said(f"collection.{key}")) for key in ("robots", "captchas", "paywalls")]
    domains = top_domains(figures, facts)
    return [
        Grid(("section", "kind", "source", "period", "link", "licence", "documents", "bytes", "tokens"), rows),
        Heading("2.3 Crawlers and domains", 3),
        Grid(("field", "value"), [("crawlers", crawler or facts.said("collection.crawlers")), *behaviour]),
        Text(f"{figures.domains:,} domains have a kept page; the {len(domains):,} largest by bytes of kept text are to "
             f"be listed. Here are {min(len(domains), SHOWN)}; all are in eu_art53_summary.json and top_domains.csv."),
        Text(", ".join(domains[:SHOWN]) or shown(None)),
    ]  # fmt: skip
