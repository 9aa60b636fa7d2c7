"""Excerpts of a few documents, read from the parts that hold them and cleaned for a person to read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from filters.sql import literal
from stats.report.rows import TABLE, Held
from stats.report.strings import MARGIN, URL, WINDOW, shortened, without_personal_data
from stats.rows import PART
from stats.run import Run


@dataclass(frozen=True)
class Page:
    """A document as it may be shown: personal data replaced; `text` is the beginning, on many lines."""

    doc_id: str
    url: str
    title: str
    text: str

    @property
    def excerpt(self) -> str:
        """One line of the text."""
        return shortened(self.text)


def pages(run: Run, held: Held, ids: Iterable[str], characters: int = WINDOW) -> Mapping[str, Page]:
    """The documents of these ids that the table holds, by id; at most `characters` of each text."""
    wanted = tuple(dict.fromkeys(ids))
    if not wanted:
        return {}
    found = run.rows(f"SELECT DISTINCT {PART} FROM {TABLE} WHERE doc_id IN {literal(wanted)}")
    files = [run.path / "documents" / held.parts[number] for (number,) in sorted(found)]
    if not files:
        return {}
    rows = run.rows(
        f"SELECT doc_id, left(coalesce(url, ''), {URL + MARGIN}), left(coalesce(title, ''), {URL + MARGIN}), "
        f"left(text, {characters + MARGIN}) FROM {run.files(files)} WHERE doc_id IN {literal(wanted)}"
    )
    clean = without_personal_data([text for row in rows for text in row[1:]])
    return {
        row[0]: Page(
            row[0], shortened(clean[3 * i], URL), shortened(clean[3 * i + 1], URL),
            clean[3 * i + 2][: None if len(row[3]) <= characters else -MARGIN],
        )
        for i, row in enumerate(rows)
    }  # fmt: skip
