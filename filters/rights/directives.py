"""Robots metas and X-Robots-Tag: directives that refuse machine learning, to everyone or to a crawler by name.

`noai` and `noml` refuse it; `noimageai` is about pictures, and a text is none. A name before a colon scopes the
directives after it to that crawler (https://developers.google.com/search/docs/crawling-indexing/robots-meta-tag):
in a header to the end of its line, in a meta that one directive, which is how `page_rights` writes them.
"""

from __future__ import annotations

import re
from collections.abc import Collection

REFUSING = ("noai", "noml")
INDEXING = ("noindex", "none")
VALUED = frozenset(("unavailable_after", "max-snippet", "max-image-preview", "max-video-preview"))
NAME = re.compile(r"[a-z][a-z0-9_.-]*")  # a crawler's token; the half of a date after a comma is none


def scoped(line: str) -> list[tuple[str, str]]:
    """(crawler or "", directive) of one line of X-Robots-Tag, in lower case.

    >>> scoped("gptbot: noai, noindex"), scoped("noindex, max-snippet: 3")
    ([('gptbot', 'noai'), ('gptbot', 'noindex')], [('', 'noindex'), ('', 'max-snippet')])
    """
    found, crawler = [], ""
    for part in line.lower().split(","):
        name, mark, rest = part.strip().partition(":")
        if mark and not NAME.fullmatch(name.strip()):
            name = part  # names nobody, so the scope stays
        elif mark and name.strip() not in VALUED:
            crawler, name = name.strip(), rest
        found += [(crawler, word) for word in name.split()]
    return found


def refusal(robots: str | None, tag: str | None, agents: Collection[str]) -> tuple[str, str] | None:
    """(where, what): the first directive that refuses learning to everyone or to one of `agents` (in lower case)."""
    return _said(robots, tag, agents, REFUSING)


def index_refusal(robots: str | None, tag: str | None, agents: Collection[str]) -> tuple[str, str] | None:
    """The same for `noindex` and `none`: a wish not to be listed, which a recipe may honour by choice."""
    return _said(robots, tag, agents, INDEXING)


def _said(
    robots: str | None, tag: str | None, agents: Collection[str], words: tuple[str, ...]
) -> tuple[str, str] | None:
    lines = [("robots", part) for part in (robots or "").split(",")]
    lines += [("x-robots-tag", line) for line in (tag or "").split(";")]
    for where, line in lines:
        for crawler, word in scoped(line):
            if word in words and (not crawler or crawler in agents):
                return where, f"{crawler}: {word}" if crawler else word
    return None
