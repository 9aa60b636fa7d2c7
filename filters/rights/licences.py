"""Licences that a parsed page names: every hit with where and how it is said, none chosen. `spdx` names them.

Looked at: `rel=license` on links, RDFa (`cc:license`, `dct:license`, `xhv:license`), microdata, JSON-LD `license`,
Dublin Core metas, plain links to Creative Commons (footers' badges), and "licensed under" in the text, as
C4Corpus does (Habernal et al., LREC 2016, 3.2) and more. Whether a hit speaks of the page or of one picture on it is
told by where it stands. It runs in the sandbox: hits, scripts, JSON nodes and ancestors are bounded, texts are cut.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    from lxml import html as lxml_html

MOST = 50  # hits of one page
LONGEST = 500  # characters of a URL or a statement
ANCESTORS = 60
SCRIPTS, SCRIPT_CHARS, NODES = 10, 200_000, 2_000
CC_HREF = re.compile(r"(?i)\s*(?:https?:)?//(?:www\.)?creativecommons\.org/")
SCHEME = re.compile(r"(?i)\s*([a-z][a-z0-9+.-]*):")
RDFA = frozenset(
    ("cc:license", "dct:license", "dcterms:license", "dc:license", "xhv:license", "schema:license", "license",
     "http://creativecommons.org/ns#license", "http://purl.org/dc/terms/license",
     "http://www.w3.org/1999/xhtml/vocab#license", "https://schema.org/license", "http://schema.org/license")
)  # fmt: skip
METAS = frozenset(("dcterms.license", "dcterms.rights", "dc.rights", "dc.license", "dc.rights.license", "license"))
# Things on a page that have licences of their own.
PARTS = frozenset(("figure", "figcaption", "blockquote", "table", "li", "picture"))
PART_TYPES = ("imageobject", "videoobject", "audioobject", "mediaobject", "3dmodel", "softwaresourcecode", "dataset")
UNDER = r"(?:\b(?:licen[sc]ed|available|distributed|released)\s+under|采用|遵循|使用)"
SAID = re.compile(  # on at most LONGEST characters
    rf"(?i){UNDER}[^.。\n]{{0,60}}?"
    r"(creative\s+commons(?:[^.。\n]|\.(?=\d)){0,120}|知识共享[^。\n]{0,60}"
    r"|\bCC[ -]BY[A-Za-z -]{0,9}(?:\s*\d\.\d)?|\bCC0\b)"
)
V = r",?(?:\s+version|\s+v\.?)?\s?"
LATER = r"(\+|-or-later|,?\s+or\s+(?:\(at\s+your\s+option\)\s+)?(?:any\s+)?later)?"
NAMES = (  # (how a licence is named in prose, SPDX id)
    (rf"apache(?:\s+software)?\s+licen[sc]e{V}2\.0|apache[ -]2\.0", "Apache-2.0"),
    (r"mit(?:\s+licen[sc]e|\s*许可)", "MIT"),
    (rf"mozilla\s+public\s+licen[sc]e{V}2\.0|mpl[ -]2\.0", "MPL-2.0"),
    (r"bsd[ -]3[ -]clause|3[ -]clause\s+bsd", "BSD-3-Clause"),
    (r"bsd[ -]2[ -]clause|2[ -]clause\s+bsd", "BSD-2-Clause"),
    (rf"gnu\s+general\s+public\s+licen[sc]e{V}3(?:\.0)?{LATER}|gpl[ -]?v?3(?:\.0)?{LATER}", "GPL-3.0"),
    (rf"gnu\s+general\s+public\s+licen[sc]e{V}2(?:\.0)?{LATER}|gpl[ -]?v?2(?:\.0)?{LATER}", "GPL-2.0"),
    (rf"gnu\s+lesser\s+general\s+public\s+licen[sc]e{V}3(?:\.0)?{LATER}|lgpl[ -]?v?3(?:\.0)?{LATER}", "LGPL-3.0"),
    (rf"gnu\s+affero\s+general\s+public\s+licen[sc]e{V}3(?:\.0)?{LATER}|agpl[ -]?v?3(?:\.0)?{LATER}", "AGPL-3.0"),
)
NAMED = re.compile(rf"(?i){UNDER}\s*(?:the\s+)?(?:terms\s+of\s+the\s+)?({'|'.join(name for name, _ in NAMES)})")
CUES = ("icensed under", "icenced under", "vailable under", "istributed under", "eleased under", "知识共享", "CC BY",
        "CC-BY", "CC0", "MIT Licen", "MIT许可", "MIT 许可", "Apache Licen", "Apache 2.0",
        "General Public Licen")  # fmt: skip
CLAUSE = re.compile(r"(?i)[.。\n;；,，]|\bbut\b|但|而是")
NOT = re.compile(r"(?i)\b(?:not|nor|neither|never|no longer)\b|n['’]t\b|未|不|并非|没有")
Hit = dict[str, Any]  # url, said, how, scope (page | element), place (head | body | footer)


def page_licences(tree: lxml_html.HtmlElement) -> list[Hit]:
    """At most 50 hits, in the order: links and attributes, metas, JSON-LD, text."""
    hits: list[Hit] = []
    for hit in _all(tree):
        if hit not in hits:
            hits.append(hit)
        if len(hits) == MOST:
            break
    return hits


def _all(tree: lxml_html.HtmlElement) -> Iterator[Hit]:
    yield from _links(tree)
    yield from _properties(tree)
    for meta in tree.iter("meta"):
        if (meta.get("name") or meta.get("property") or "").strip().lower() in METAS and meta.get("content"):
            yield _hit(meta.get("content"), "meta", "page", "head")
    yield from _json_ld(tree)
    yield from _statements(tree)


def _links(tree: lxml_html.HtmlElement) -> Iterator[Hit]:
    for element in tree.iter("a", "link", "area"):
        href, rel = element.get("href") or "", (element.get("rel") or "").lower().split()
        if (scheme := SCHEME.match(href)) and scheme.group(1).lower() not in ("http", "https"):
            continue  # javascript: leads nowhere
        if "license" in rel or "licence" in rel:
            how = "link" if element.tag == "link" else "rel-license"
            yield _hit(href, how, *_where(element))
        elif RDFA.intersection(rel) or (element.get("property") or "").lower() in RDFA:
            yield _hit(href, "rdfa", *_where(element))
        elif CC_HREF.match(href) and _names_one(href):
            scope, place = _where(element)  # in the running text it can be about anything
            yield _hit(href, "cc-link", "element" if place == "body" else scope, place)


def _properties(tree: lxml_html.HtmlElement) -> Iterator[Hit]:
    """RDFa and microdata on elements that are no links."""
    for element in tree.xpath("//*[@property or @itemprop or @rel]"):
        if not isinstance(element.tag, str) or element.tag in ("meta", "a", "area", "link"):
            continue
        said = f"{element.get('property') or ''} {element.get('rel') or ''}".lower().split()
        itemprop = (element.get("itemprop") or "").lower().split()
        value = element.get("resource") or element.get("href") or element.get("content")
        value = value or element.get("src") or (element.text or "")[:LONGEST]
        if RDFA.intersection(said):
            yield _hit(value, "rdfa", *_where(element))
        elif "license" in itemprop:
            yield _hit(value, "microdata", *_where(element))


def _json_ld(tree: lxml_html.HtmlElement) -> Iterator[Hit]:
    scripts = 0
    for script in tree.iter("script"):
        if (script.get("type") or "").partition(";")[0].strip().lower() != "application/ld+json" or not script.text:
            continue
        scripts += 1
        if scripts > SCRIPTS or len(script.text) > SCRIPT_CHARS or "license" not in script.text:
            continue
        try:
            data = orjson.loads(script.text.encode("utf-8", "replace"))
        except orjson.JSONDecodeError:  # a page's own fault, and a frequent one
            continue
        place = _where(script)[1]
        for value, scope in _stated(data):
            yield _hit(value, "json-ld", scope, place)


def _stated(data: Any) -> Iterator[tuple[str, str]]:
    """(licence, scope) of every `license` in JSON-LD, with a stack of its own: nesting is the page's choice."""
    waiting: list[tuple[Any, str]] = [(data, "page")]
    for _ in range(NODES):
        if not waiting:
            return
        node, scope = waiting.pop()
        if isinstance(node, list):
            waiting += [(item, scope) for item in reversed(node[:NODES])]
        elif isinstance(node, dict):
            kinds = node.get("@type")
            kinds = [k.lower() for k in (kinds if isinstance(kinds, list) else [kinds]) if isinstance(k, str)]
            own = "element" if any(kind in PART_TYPES for kind in kinds) else scope
            stated = node.get("license")
            for one in stated if isinstance(stated, list) else [stated]:
                value = (one.get("@id") or one.get("url")) if isinstance(one, dict) else one
                if isinstance(value, str) and value.strip():
                    yield value, own
            for key, value in node.items():
                if key != "license" and isinstance(value, dict | list):
                    waiting.append((value, own if key in ("@graph", "mainEntity", "mainEntityOfPage") else "element"))


def _statements(tree: lxml_html.HtmlElement) -> Iterator[Hit]:
    """Sentences such as "This work is licensed under ..." in the texts of elements."""
    whole = tree.xpath("string()")  # in C, so that the many pages that say nothing cost nothing
    if not any(cue in whole for cue in CUES):
        return
    for looked, (text, element) in enumerate(_blocks(tree)):
        if looked == 10 * MOST:
            return
        cue = min((at for at in (text.find(cue) for cue in CUES) if at >= 0), default=-1)
        if cue < 0:
            continue
        text = text[max(cue - 60, 0) : cue + LONGEST]
        for pattern in (SAID, NAMED):
            if said := _first_said(pattern, text):
                scope, place = _where(element)
                # Prose about a program names its licence as prose about itself would; a footer speaks of the page.
                scope = "element" if pattern is NAMED and place == "body" else scope
                yield {"url": None, "said": said, "how": "text", "scope": scope, "place": place}
                break


def _first_said(pattern: re.Pattern[str], text: str) -> str | None:
    """What the first match that is not denied names."""
    found = pattern.search(text)
    for _ in range(MOST):
        if found is None or not (denied(text[: found.start()]) or denied(text[found.start() : found.start(1)])):
            break
        found = pattern.search(text, found.start() + 1)
    return " ".join(found.group(1).split()) if found and not denied(text[: found.start()]) else None


def denied(before: str) -> bool:
    """Whether a statement is denied by the words before it, in its own clause.

    >>> denied("This page is not "), denied("It is not free, but "), denied("本文未")
    (True, False, True)
    """
    return bool(NOT.search(CLAUSE.split(before[-60:])[-1]))


def _blocks(tree: lxml_html.HtmlElement) -> Iterator[tuple[str, lxml_html.HtmlElement]]:
    """Elements whose own text, or a link's in it, has a cue: a sentence is often cut in two by a link."""
    for element in tree.iter("p", "footer", "small", "div", "span", "li", "section", "address", "td"):
        children = element[:50]
        own = [element.text or "", *(child.tail or "" for child in children), *(child.text or "" for child in children)]
        if any(cue in piece for piece in own for cue in CUES):
            pieces, size = list[str](), 0
            for piece in element.itertext():
                pieces.append(piece[: 20 * LONGEST])
                size += len(piece)
                if size > 20 * LONGEST or len(pieces) > MOST:
                    break
            yield "".join(pieces), element


def _where(element: lxml_html.HtmlElement) -> tuple[str, str]:
    """(scope, place): page or element, and head, footer or body."""
    part = about = False
    place = "body"
    at: lxml_html.HtmlElement | None = element
    for _ in range(ANCESTORS):
        if at is None:
            break
        tag = at.tag if isinstance(at.tag, str) else ""
        if tag == "head":
            place = "head"
        elif tag == "footer" or "footer" in f"{at.get('class') or ''} {at.get('id') or ''}"[:200].lower():
            place = "footer"
        part = part or tag in PARTS
        about = about or bool((at.get("about") or "").strip("# "))
        at = at.getparent()
    return ("element" if about or (part and place == "body") else "page"), place


def _names_one(href: str) -> bool:
    return "/licenses/" in href or "/publicdomain/" in href


def _hit(value: str, how: str, scope: str, place: str) -> Hit:
    value = " ".join(value.split())[:LONGEST]
    is_url = value.startswith(("http://", "https://", "//", "/")) or ("." in value and " " not in value)
    return {"url": value if is_url else None, "said": None if is_url else value or None, "how": how, "scope": scope,
            "place": place}  # fmt: skip
