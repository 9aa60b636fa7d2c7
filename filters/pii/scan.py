"""Finding spans: one RE2 Set asks of a whole text which kinds can be there at all; only those are searched.

Where spans overlap, the kind that comes first in KINDS wins: those with checksums come before those that only
look like numbers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

import re2

from filters.pii.kinds import KINDS, Kind

AROUND = 64


@dataclass(frozen=True, slots=True)
class Span:
    """Characters [start, end) of a text hold personal data of this kind."""

    start: int
    end: int
    kind: str


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


def find(text: str, kinds: Sequence[str]) -> list[Span]:
    """Spans of the given kinds, in order, none overlapping another."""
    names = tuple(name for name in KINDS if name in kinds)
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
