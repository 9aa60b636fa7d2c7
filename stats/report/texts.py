"""Excerpts of a few documents, read from the parts that hold them and cleaned for a person to read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from filters.sql import literal
from stats.report.rows import TABLE, Held
from stats.report.strings import CUT, MARGIN, URL, WINDOW, shortened, whole, without_personal_data
from stats.rows import PART
from stats.run import Run

WITHHELD = (
    "Not shown: the model that this run finds names with (scrub.ner) cannot be read here. "
    "不显示：此处读不到本次运行用来找人名的模型（scrub.ner）。"
)


@dataclass(frozen=True)
class Page:
    """A document as it may be shown: personal data replaced; `text` is the beginning, on many lines."""

    doc_id: str
    url: str
    title: str
    text: str
    withheld: bool = False  # `text` only says so

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
    sizes = (URL + MARGIN, URL + MARGIN, characters + MARGIN)
    rows = run.rows(
        "SELECT doc_id, left(coalesce(url, ''), {}), left(coalesce(title, ''), {}), left(text, {}) ".format(*sizes)
        + f"FROM {run.files(files)} WHERE doc_id IN {literal(wanted)}"
    )
    read = [text for row in rows for text in row[1:]]
    clean = _cleaned(run, [whole(text, size) for text, size in zip(read, sizes * len(rows), strict=True)])
    withheld = clean is None
    if clean is None:  # of a page without its words, the address is left
        urls = without_personal_data([whole(url, sizes[0]) for url in read[::3]])
        clean = [said for url in urls for said in (url, "", WITHHELD)]
    else:
        cut = [len(text) >= size for text, size in zip(read, sizes * len(rows), strict=True)]
        clean = [f"{text[:-CUT]}…" if torn else text for text, torn in zip(clean, cut, strict=True)]
    return {
        row[0]: Page(
            row[0], shortened(clean[3 * i], URL), shortened(clean[3 * i + 1], URL), clean[3 * i + 2][:characters],
            withheld,
        )
        for i, row in enumerate(rows)
    }  # fmt: skip


def _cleaned(run: Run, texts: Sequence[str]) -> list[str] | None:
    """Without personal data; None for want of the model that the run finds names with."""
    try:
        return without_personal_data(texts, run.recipe.scrub)
    except (OSError, ValueError):
        return None
