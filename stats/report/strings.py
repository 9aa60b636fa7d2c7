"""Crawled strings for the report: without personal data, of bounded length, and with nothing hidden in them.

Markup is escaped by the template engine. What is left to do here is what escaping does not see: personal data in an
excerpt, and characters that show nothing but turn the direction of writing, hide text or end it. They are shown by
their code, so that a reader sees what the page tried.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from unicodedata import category

import pyarrow as pa
from markupsafe import Markup

UNSEEN = ("Cc", "Cf", "Co", "Cs", "Zl", "Zp")


def _ranges() -> str:
    """A character class of what shows nothing, written in ranges: one by one it would take seconds to compile."""
    hidden = [category(chr(code)) in UNSEEN for code in range(0x110000)]
    starts = [code for code, one in enumerate(hidden) if one and not (code and hidden[code - 1])]
    ends = [code for code, one in enumerate(hidden) if one and hidden[code + 1 : code + 2] != [True]]
    return "".join(f"\\U{start:08X}-\\U{end:08X}" for start, end in zip(starts, ends, strict=True))


HIDDEN = re.compile(f"[{_ranges()}]")
EXCERPT = 240  # characters of a text that is shown
WINDOW = 1200  # characters of a text that are read
URL = 160
MARGIN = 200  # characters read beyond what is shown, so that no number is cut before it was looked at


def visible(text: object) -> Markup:
    """A string as HTML in which every control and format character stands as its code point.

    >>> visible("a<b\\u202e\\0")
    Markup('a&lt;b<i class="u">U+202E</i><i class="u">U+0000</i>')
    """
    return Markup("").join(_pieces(str(text)))


def _pieces(text: str) -> Iterator[Markup]:
    last = 0
    for found in HIDDEN.finditer(text):
        yield Markup.escape(text[last : found.start()])
        yield Markup('<i class="u">U+{:04X}</i>').format(ord(found.group()))
        last = found.end()
    yield Markup.escape(text[last:])


def without_personal_data(texts: Sequence[str]) -> list[str]:
    """The texts with a placeholder for whatever is found of any kind; what is not recognised stays."""
    from filters.pii import KINDS, scrub  # loads kernels: only for who has texts to show

    if not texts:
        return []
    clean = scrub(pa.array(texts, pa.large_string()), dict.fromkeys(KINDS, "placeholder")).text
    return [str(text) for text in clean.to_pylist()]


def shortened(text: str, most: int = EXCERPT) -> str:
    """One line of at most `most` characters and an ellipsis.

    >>> shortened("a\\n b", 9), shortened("abcd", 2)
    ('a b', 'ab…')
    """
    line = " ".join(text.split())
    return line if len(line) <= most else line[:most] + "…"
