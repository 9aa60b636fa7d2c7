"""The extractors that ship: trafilatura, whose text is the best, and resiliparse, which is ten times faster.

Metadata comes from one shared reading of the parsed page. trafilatura's own metadata search would cost a third
of the time again and looks at today's date; here a date is only what the page's markup says.
"""

from __future__ import annotations

import re
from importlib.metadata import version

import trafilatura
from lxml import html as lxml_html
from resiliparse.extract.html2text import extract_plain_text
from resiliparse.parse.html import HTMLTree
from trafilatura.meta import reset_caches

from filters.extract.interface import Extracted, Extractor
from filters.rights import page_rights
from recipes.model import Extract

DATE_METAS = ("article:published_time", "datepublished", "date", "pubdate", "dc.date", "dcterms.created",
              "publishdate", "publish_date", "og:published_time")  # fmt: skip
ISO_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
RESET_EVERY = 500  # pages; trafilatura's caches would otherwise grow with the corpus


def make_extractor(options: Extract) -> Extractor:
    """The extractor that a recipe's `[extract]` names."""
    if options.extractor == "resiliparse":
        return Resiliparse(options)
    return Trafilatura(options)


class Trafilatura:
    """trafilatura with its own defaults; `focus` favours precision or recall."""

    def __init__(self, options: Extract) -> None:
        self.options = options
        self.name = f"trafilatura {version('trafilatura')} {options.focus}{' fast' if options.fast else ''}"
        self.pages = 0

    def extract(self, html: str) -> Extracted:
        """Text as `trafilatura.extract` gives it for this page."""
        self.pages += 1
        if self.pages % RESET_EVERY == 0:
            reset_caches()
        tree = trafilatura.load_html(html)
        if tree is None:
            return Extracted("")
        metadata = page_metadata(tree)  # before extraction, which takes the tree apart
        text = trafilatura.extract(
            tree,
            include_comments=self.options.comments,
            fast=self.options.fast,
            favor_precision=self.options.focus == "precision",
            favor_recall=self.options.focus == "recall",
        )
        return Extracted(text or "", **metadata)


class Resiliparse:
    """resiliparse's main-content rules; `precision` leaves out lists of links, `recall` takes the whole page."""

    def __init__(self, options: Extract) -> None:
        self.options = options
        self.name = f"resiliparse {version('resiliparse')} {options.focus}"

    def extract(self, html: str) -> Extracted:
        """Plain text of the main content."""
        tree = HTMLTree.parse(html)
        text = extract_plain_text(
            tree,
            main_content=self.options.focus != "recall",
            links=False,
            alt_texts=False,
            comments=self.options.comments,
        )
        parsed = trafilatura.load_html(html)
        return Extracted(text.strip(), **(page_metadata(parsed) if parsed is not None else {}))


def page_metadata(tree: lxml_html.HtmlElement) -> dict[str, str | None]:
    """Columns of DOCUMENTS that the markup states outright: title, author, date, language, rights."""
    metas: dict[str, str] = {}
    for meta in tree.iter("meta"):
        key = (meta.get("property") or meta.get("name") or meta.get("itemprop") or "").strip().lower()
        metas.setdefault(key, (meta.get("content") or "").strip())
    title = metas.get("og:title") or next((t.text_content() for t in tree.iter("title")), "")
    stated = next((metas[name] for name in DATE_METAS if metas.get(name)), "")
    stated = stated or next((t.get("datetime") or "" for t in tree.iter("time")), "")
    found = ISO_DATE.search(stated[:40])
    root = tree if tree.tag == "html" else next(tree.iter("html"), tree)
    return {
        "title": " ".join(title.split())[:1000] or None,
        "author": " ".join(metas.get("author", "").split())[:300] or None,
        "date": found.group() if found else None,
        "html_lang": (root.get("lang") or "").strip()[:40] or None,
        **page_rights(tree),
    }
