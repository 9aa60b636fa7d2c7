"""What an extractor is: one method from HTML to text and columns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Extracted:
    """Main text ("" when there is none) and what the page says of itself."""

    text: str
    title: str | None = None
    author: str | None = None
    date: str | None = None
    html_lang: str | None = None
    license: str | None = None
    robots: str | None = None
    tdm_reservation: str | None = None
    tdm_policy: str | None = None


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a page gave no document: a reason id (`extract.timeout`...) and a sentence."""

    reason: str
    detail: str


class Extractor(Protocol):
    """Anything that turns HTML into text."""

    name: str

    def extract(self, html: str) -> Extracted:
        """Main text and metadata of one page; text is "" when nothing was found."""
        ...
