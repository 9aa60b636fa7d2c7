"""Finding spans: one RE2 Set asks of a whole text which kinds can be there at all; only those are searched.

Where spans overlap, the kind that comes first in KINDS wins: those with checksums come before those that only
look like numbers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

import pyarrow as pa
import re2

from filters.pii.kinds import KINDS, Kind

AROUND = 64


SPANS = pa.schema([
    pa.field("row", pa.int32(), nullable=False), pa.field("start", pa.int64(), nullable=False),
    pa.field("end", pa.int64(), nullable=False), pa.field("kind", pa.string(), nullable=False),
    pa.field("country", pa.string())])  # fmt: skip


@dataclass(frozen=True, slots=True)
class Span:
    """Characters [start, end) of a text hold personal data of this kind."""

    start: int
    end: int
    kind: str


def find(text: pa.LargeStringArray, kinds: Sequence[str]) -> pa.RecordBatch:
    """Rows of SPANS."""
    rows = []
    for row, value in enumerate(text.to_pylist()):
        for span in find_one(value or "", kinds):
            start = len((value or "")[: span.start].encode())
            rows.append((row, start, start + len((value or "")[span.start : span.end].encode()), span.kind, None))
    columns = list(zip(*rows, strict=True)) or [()] * 5
    return pa.RecordBatch.from_arrays([pa.array(c, f.type) for c, f in zip(columns, SPANS, strict=True)], schema=SPANS)


@cache
def _prefilter(kinds: tuple[str, ...]) -> re2.Set:
    patterns = re2.Set.SearchSet()
    for name in kinds:
        patterns.Add(KINDS[name].pattern)
    patterns.Compile()
    return patterns


@cache
def _pattern(kind: str) -> re2._Regexp:
    return re2.compile(KINDS[kind].pattern)


def find_one(text: str, kinds: Sequence[str]) -> list[Span]:
    """Spans of the given kinds, in order, none overlapping another."""
    names = tuple(kinds)
    taken: list[Span] = []
    for place in sorted(_prefilter(names).Match(text) or ()) if text and names else ():
        kind = KINDS[names[place]]
        taken += [span for span in _candidates(text, kind) if not any(_overlap(span, other) for other in taken)]
    return sorted(taken, key=lambda span: span.start)


def _candidates(text: str, kind: Kind) -> Iterator[Span]:
    for match in _pattern(kind.name).finditer(text):
        start, end = match.span(1)
        before, after = text[max(start - AROUND, 0) : start], text[end : end + AROUND]
        if kind.valid(match.group(1), before, after):
            yield Span(start, end, kind.name)


def _overlap(a: Span, b: Span) -> bool:
    return a.start < b.end and b.start < a.end
