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

from recipes.scrub import MODEL_KINDS, Scrub

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
MARGIN = 2600  # characters read beyond what is shown: more than the longest token that a rule knows (a JWT)
CUT = 200  # characters before the end of what was read that are not shown: a number with blanks in it may be cut there
SIGNS = "".join(map(chr, range(0x21, 0x7F)))


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


def without_personal_data(texts: Sequence[str], model: Scrub | None = None) -> list[str]:
    """The texts with a placeholder for whatever is found of any kind; what is not recognised stays.

    With `model`, a recipe's `scrub` that names one, names and addresses that it finds too: FileNotFoundError or
    ValueError if it cannot be read or is another than it was.
    """
    from filters.pii import KINDS, find, replaced  # loads kernels: only for who has texts to show
    from filters.pii.ner import find_named, fitted, together

    if not texts:
        return []
    column, kinds = pa.array(texts, pa.large_string()), list(KINDS)
    spans, policy = find(column, kinds), dict.fromkeys((*kinds, *MODEL_KINDS), "placeholder")
    if model is not None and model.ner is not None:
        spans = together(spans, find_named(column, model if model.ner_sha256 else fitted(model)), policy, column)
    return [str(text) for text in replaced(column, spans, policy).to_pylist()]


def whole(text: str, most: int) -> str:
    """What may be shown of a text that was read to `most` characters: no run of signs that goes on beyond them, which
    may be a secret that no rule knows without its end.

    >>> whole("see https://a.example/?token=eyJh", 33), whole("all of it", 10)
    ('see ', 'all of it')
    """
    return text.rstrip(SIGNS) if len(text) >= most else text


def shortened(text: str, most: int = EXCERPT) -> str:
    """One line of at most `most` characters and an ellipsis.

    >>> shortened("a\\n b", 9), shortened("abcd", 2)
    ('a b', 'ab…')
    """
    line = " ".join(text.split())
    return line if len(line) <= most else line[:most] + "…"
