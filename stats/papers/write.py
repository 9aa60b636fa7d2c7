"""All papers of a run, in one folder: each file whole, under a temporary name first, equal bytes for equal work.

There is no clock in any of them but a time that FACTS.toml states. A sheet that reviewers have begun to fill is never
written over. Traded away: figures are asked again for every call, which takes seconds a million documents.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pyarrow.parquet as pq

from pipelines.removal.samples import PAPERS as PLACE
from pipelines.removal.samples import SHEET, TECH
from stats.diversity import ALERT, BY
from stats.papers import art53, assessment
from stats.papers.bias import Changes, changes
from stats.papers.card import card
from stats.papers.croissant import croissant
from stats.papers.datasheet import datasheet
from stats.papers.facts import Facts
from stats.papers.figures import Figures, figures
from stats.papers.ledger import source_ledger_csv, top_domains_csv
from stats.papers.page import Page
from stats.papers.provenance import provenance
from stats.papers.safe import json_bytes
from stats.papers.samples import ITEMS, write_sheet, write_tech
from stats.papers.sheet import Manual, Technical, check_keywords, read_sheet
from stats.papers.spdx import spdx
from stats.run import Run

FOLDER = PLACE
__all__ = ["FOLDER", "PAPERS", "SHEET", "TECH", "Choice", "Papers", "put", "put_lines", "write_report"]
PAPERS = ("datacard", "datasheet", "croissant", "spdx", "eu", "domains", "ledger", "prov", "diversity", "tc260")


@dataclass(frozen=True)
class Choice:
    """What to write: `by` and `alert` as for `stats.diversity`, `mentions` reads all texts, `seed` draws samples."""

    only: Sequence[str] = PAPERS
    by: Sequence[str] = BY
    alert: float = ALERT
    mentions: bool = True
    seed: int = 0
    items: int = ITEMS
    keywords: str | None = None


class Papers:
    """Writers of the papers of one run; what several of them want is asked once."""

    def __init__(self, run: Run, facts: Facts, folder: Path, choice: Choice) -> None:
        self.run, self.facts, self.folder, self.choice = run, facts, folder, choice

    @cached_property
    def figures(self) -> Figures:
        """The run's numbers."""
        return figures(self.run)

    @cached_property
    def changes(self) -> Changes:
        """Diversity and bias."""
        return changes(self.run, self.choice.by, self.choice.alert, self.choice.mentions)

    def write(self) -> list[Path]:
        """Write what was chosen; ValueError or FileNotFoundError in a sentence. Returns the files."""
        if unknown := [name for name in self.choice.only if name not in PAPERS]:
            raise ValueError(f"--only {unknown[0]}: there are {', '.join(PAPERS)}.")
        self._sources_known()
        self.folder.mkdir(parents=True, exist_ok=True)
        done = []
        for name in PAPERS:
            if name in self.choice.only:
                done += list(getattr(self, f"_{name}")())
        return done

    def _sources_known(self) -> None:
        known = {group.name for group in self.figures.sources}
        for source in self.facts.sources:
            if source.name not in known:
                raise ValueError(
                    f"FACTS.toml states the source {source.name!r}, which this run has not. "
                    f"It has: {', '.join(sorted(known)[:10])}."
                )

    def _datacard(self) -> Iterator[Path]:
        for suffix, zh in (("", False), (".zh-CN", True)):
            page = card(self.figures, self.facts, self.changes, zh)
            yield self._page(f"DATACARD{suffix}.md", page)
            yield put(self.folder / f"DATACARD{suffix}.html", page.html().encode())

    def _datasheet(self) -> Iterator[Path]:
        yield self._page("DATASHEET.md", datasheet(self.figures, self.facts, self.changes))

    def _croissant(self) -> Iterator[Path]:
        yield put(self.folder / "croissant.json", croissant(self.figures, self.facts, self.changes))

    def _spdx(self) -> Iterator[Path]:
        yield put(self.folder / "spdx.json", spdx(self.figures, self.facts, self.changes))

    def _eu(self) -> Iterator[Path]:
        told = art53.summary_json(self.figures, self.facts)
        yield put(self.folder / "eu_art53_summary.json", json_bytes(told))
        yield self._page("eu_art53_summary.md", art53.summary_page(self.figures, self.facts))

    def _domains(self) -> Iterator[Path]:
        yield put_lines(self.folder / "top_domains.csv", top_domains_csv(self.figures))

    def _ledger(self) -> Iterator[Path]:
        yield put_lines(self.folder / "source_ledger.csv", source_ledger_csv(self.figures, self.facts))

    def _prov(self) -> Iterator[Path]:
        yield put(self.folder / "prov.json", provenance(self.figures, self.facts))

    def _diversity(self) -> Iterator[Path]:
        buffer = io.BytesIO()
        pq.write_table(self.changes.groups, buffer, compression="zstd")
        yield put(self.folder / "diversity.parquet", buffer.getvalue())

    def _tc260(self) -> Iterator[Path]:
        sheet, tech = self.folder / SHEET, self.folder / TECH
        fresh, drawn = _temporary(sheet), _temporary(tech)
        write_sheet(self.figures, fresh, self.choice.seed, self.choice.items)
        if _keeps(sheet, fresh):
            fresh.unlink()
        else:
            fresh.replace(sheet)
        write_tech(self.figures, drawn, self.choice.seed)
        drawn.replace(tech)
        found = check_keywords(tech, self.choice.keywords) if self.choice.keywords else None
        yield from (sheet, tech, *write_report(self.folder, read_sheet(sheet), found))

    def _page(self, name: str, page: Page) -> Path:
        return put(self.folder / name, page.markdown().encode())


def _keeps(sheet: Path, fresh: Path) -> bool:
    """Whether the sheet that lies there has verdicts and is of the same sample; ValueError if it is of another."""
    if not sheet.is_file():
        return False
    there = read_sheet(sheet)
    if not there.whole.reviewed:
        return False
    if there.header != read_sheet(fresh).header:
        fresh.unlink()
        raise ValueError(
            f"{sheet} holds {there.whole.reviewed:,} verdicts on another sample, and is not written over. Move it "
            "away, or write these papers elsewhere with --out."
        )
    return True


def write_report(folder: Path, manual: Manual, technical: Technical | None) -> Iterator[Path]:
    """tc260_report.md (Chinese), tc260_report.en.md and source_blacklist.csv."""
    for name, zh in (("tc260_report.md", True), ("tc260_report.en.md", False)):
        yield put(folder / name, assessment.report(manual, technical, zh).markdown().encode())
    yield put_lines(folder / "source_blacklist.csv", assessment.blacklist_csv(manual))


def _temporary(path: Path) -> Path:
    return path.with_name(f".tmp-{path.name}")


def put(path: Path, content: bytes) -> Path:
    """Write a file whole."""
    temporary = _temporary(path)
    temporary.write_bytes(content)
    temporary.replace(path)
    return path


def put_lines(path: Path, lines: Iterable[str]) -> Path:
    """Write a file whole, line by line."""
    temporary = _temporary(path)
    with temporary.open("w", encoding="utf-8", newline="") as sink:
        sink.writelines(lines)
    temporary.replace(path)
    return path
