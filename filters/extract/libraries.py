"""The extractors that ship: trafilatura, whose text is the best, and resiliparse, which is ten times faster.

Metadata comes from one shared reading of the parsed page. trafilatura's own metadata search would cost a third
of the time again and looks at today's date; here a date is only what the page's markup says.

A tree handed to `trafilatura.extract` is copied first, which costs 5 % of the whole; so it is handed the HTML, and
its own parsing is watched for the tree. And lxml asks a Python method for the class of every element it touches,
700,000 times in 170 pages; the same table of classes is asked in C here. Neither changes a character of the text.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import trafilatura
from lxml import etree
from lxml import html as lxml_html
from resiliparse.extract.html2text import extract_plain_text
from resiliparse.parse.html import HTMLTree
from trafilatura import core
from trafilatura.meta import reset_caches
from trafilatura.utils import HTML_PARSER

from filters.extract.interface import Extracted, extractor_name
from filters.rights.page import page_rights

if TYPE_CHECKING:  # importing pydantic would double the time that a sandbox takes to start
    from recipes.model import Extract

DATE_METAS = ("article:published_time", "datepublished", "date", "pubdate", "dc.date", "dcterms.created",
              "publishdate", "publish_date", "og:published_time")  # fmt: skip
ISO_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
RESET_EVERY = 500  # pages; trafilatura's caches would otherwise grow with the corpus


class Trafilatura:
    """trafilatura with its own defaults; `focus` favours precision or recall."""

    def __init__(self, options: Extract) -> None:
        self.options = options
        self.pages = 0
        use_fast_classes()

    @property
    def name(self) -> str:
        """Library, version, choices."""
        return extractor_name(self.options)

    def extract(self, html: str) -> Extracted:
        """Text as `trafilatura.extract` gives it for this page."""
        self.pages += 1
        if self.pages % RESET_EVERY == 0:
            reset_caches()
        found: dict[str, Any] = {}

        def look(tree: lxml_html.HtmlElement) -> None:
            found.update(page_metadata(tree))  # before extraction, which takes the tree apart

        with Watched(look):
            text = trafilatura.extract(
                html,
                include_comments=self.options.comments,
                fast=self.options.fast,
                favor_precision=self.options.focus == "precision",
                favor_recall=self.options.focus == "recall",
            )
        return Extracted(text or "", **found)


class Watched:
    """While it is entered, `look` sees each tree that `trafilatura.extract` parses, before anything is done to it."""

    def __init__(self, look: Callable[[lxml_html.HtmlElement], None]) -> None:
        self.look, self.load = look, core.load_html

    def __enter__(self) -> None:
        core.load_html = self._load

    def __exit__(self, *_: object) -> None:
        core.load_html = self.load

    def _load(self, *arguments: Any) -> lxml_html.HtmlElement | None:
        tree = self.load(*arguments)
        if tree is not None:
            self.look(tree)
        return tree


def use_fast_classes() -> None:
    """Let trafilatura's parser, and lxml's own for HTML, find the classes of elements by a table in C.

    They are the classes of `lxml.html.HtmlElementClassLookup`. Its lower-casing is not needed: libxml2's HTML parser
    gives names in lower case.
    """
    others = etree.ElementDefaultClassLookup(
        element=lxml_html.HtmlElement,
        comment=lxml_html.HtmlComment,
        pi=lxml_html.HtmlProcessingInstruction,
        entity=lxml_html.HtmlEntity,
    )
    lookup = etree.ElementNamespaceClassLookup(others)
    lookup.get_namespace(None).update(lxml_html.HtmlElementClassLookup._default_element_classes)
    for parser in (HTML_PARSER, lxml_html.html_parser):
        parser.set_element_class_lookup(lookup)


class Resiliparse:
    """resiliparse's main-content rules; `precision` leaves out lists of links, `recall` takes the whole page."""

    def __init__(self, options: Extract) -> None:
        self.options = options

    @property
    def name(self) -> str:
        """Library, version, choices."""
        return extractor_name(self.options)

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


def page_metadata(tree: lxml_html.HtmlElement) -> dict[str, Any]:
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
