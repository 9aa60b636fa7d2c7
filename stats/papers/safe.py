"""Crawled strings made harmless for each form that a paper is written in.

A domain, a licence address or a source's name was chosen by whoever wrote the page. In Markdown it could become a link
or a heading, in HTML a script, in a spreadsheet a formula, in any of them a turn of the writing direction. What can be
done here is done once, and every writer of papers goes through it.
"""

from __future__ import annotations

import csv
import html
import io
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from unicodedata import category

from stats.show import UNSAFE, harmless

LONGEST = 300  # characters of one crawled string in a document that a person reads
# Where text stands makes the difference: some signs are markup anywhere, some at the start of a line only.
ANYWHERE = re.compile(r"([\\`*{}\[\]<>#|~&@$]|(?<![^\W_])_|_(?![^\W_])|:(?=//)|(?<=www)\.)", re.IGNORECASE)
AT_START = re.compile(r"^(\d{0,9})([.)+-](?=\s|$)|[-=](?=[-=]*$))")
STEERING = re.compile(
    "[" + re.escape("".join(c for c in map(chr, range(0x110000)) if c not in "\n\t" and category(c) in UNSAFE)) + "]"
)
FORMULA = ("=", "+", "-", "@", "\t", "\r")  # OWASP, CSV Injection


def line(value: object) -> str:
    """One line without controls.

    >>> line("a\\nb\\u202ec")
    'a b�c'
    """
    return harmless(" ".join(str(value).split()))


def short(value: object) -> str:
    """A crawled string as one line of at most 300 characters."""
    text = line(value)
    return text if len(text) <= LONGEST else text[:LONGEST] + "…"


def markdown(value: object) -> str:
    """A string as plain text in Markdown: nothing in it is markup, and no address becomes a link.

    >>> markdown("[x](http://a.b) | <i>"), markdown("1. www.a.b"), markdown("- x")
    ('\\\\[x\\\\](http\\\\://a.b) \\\\| \\\\<i\\\\>', '1\\\\. www\\\\.a.b', '\\\\- x')
    """
    text = ANYWHERE.sub(r"\\\1", line(value))
    return AT_START.sub(r"\1\\\2", text)


def hypertext(value: object) -> str:
    """A string as text or as an attribute of HTML."""
    return html.escape(line(value), quote=True)


def block(text: str) -> str:
    """A text of many lines: its line ends and tabs stay, other controls do not."""
    return STEERING.sub("\N{REPLACEMENT CHARACTER}", text)


def csv_text(header: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterable[str]:
    """RFC 4180 lines; what a spreadsheet would take for a formula begins with an apostrophe.

    >>> list(csv_text(["a"], [["=1+1"], [-2]]))
    ['a\\n', "'=1+1\\n", '-2\\n']
    """
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(header)
    yield _taken(buffer)
    for row in rows:
        writer.writerow([_cell(value) for value in row])
        yield _taken(buffer)


def _taken(buffer: io.StringIO) -> str:
    text = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return text


def _cell(value: object) -> object:
    if not isinstance(value, str):
        return "" if value is None else value
    text = short(value)
    return f"'{text}" if text.startswith(FORMULA) else text


def cleaned(value: Any) -> Any:
    """A JSON value whose strings steer nothing; keys are ours, or a source's name."""
    if isinstance(value, str):
        return block(value)
    if isinstance(value, Mapping):
        return {block(str(key)): cleaned(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [cleaned(item) for item in value]
    return value


def json_bytes(value: Any) -> bytes:
    """JSON for a file: harmless strings, keys in the order given, the same bytes for the same value."""
    return (json.dumps(cleaned(value), indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()
