"""What an extractor is: one method from HTML to text and columns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from recipes.model import Extract


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
    license_hits: list[dict[str, Any]] | None = None


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a page gave no document: a reason id (`extract.timeout`...) and a sentence."""

    reason: str
    detail: str


class Extractor(Protocol):
    """Anything that turns HTML into text."""

    @property
    def name(self) -> str:
        """What a document's row says of its extractor."""
        ...

    def extract(self, html: str) -> Extracted:
        """Main text and metadata of one page; text is "" when nothing was found."""
        ...


def extractor_name(options: Extract) -> str:
    """What a document's row says of its extractor: the library, its version, and the choices that shape its text."""
    from importlib.metadata import version  # here: no sandbox asks for its own name

    fast = " fast" if options.fast and options.extractor == "trafilatura" else ""
    return f"{options.extractor} {version(options.extractor)} {options.focus}{fast}"


def make_extractor(options: Extract) -> Extractor:
    """The extractor that a recipe's `[extract]` names."""
    from filters.extract import libraries  # here: the process that only feeds sandboxes needs none of them

    return libraries.Resiliparse(options) if options.extractor == "resiliparse" else libraries.Trafilatura(options)
