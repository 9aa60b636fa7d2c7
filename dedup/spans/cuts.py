"""From units that stand elsewhere to the bytes that go: which atoms are cut, as spans, and the text without them.

Where the first copy stays, an atom of a unit that stands here first and elsewhere again is spared when units are
stretches of tokens: so every stretch that is repeated keeps one whole copy. Lines go with the newline after them (the
last ones with the one before them), so that what is left reads as the lines that are left, joined.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dedup.spans.units import Hashes, Truths, Units
from filters.compiled import kernel, step
from filters.edits.kernels import copy, edit, room, skip
from filters.edits.tables import SPACE, flags
from filters.segment import Ints, buffers

LINES, SENTENCES, TOKENS = 0, 1, 2


@dataclass(frozen=True)
class Spans:
    """Byte spans to cut, ordered by text and place: text i of the batch loses [start, end); `unit` is an atom."""

    text: Ints
    start: Ints
    end: Ints
    unit: Ints

    def __len__(self) -> int:
        return len(self.text)


@kernel
def _again(first, hashes, valid, place):  # type: ignore[no-untyped-def]
    """Units that stand before in the same text, at another place; and those that do or stand in it again."""
    again, more = np.zeros(len(hashes), np.bool_), np.zeros(len(hashes), np.bool_)
    for doc in range(len(first) - 1):
        begin, end = first[doc], first[doc + 1]
        order = np.argsort(hashes[begin:end], kind="mergesort")
        earliest = -1
        for o in order:
            k = begin + o
            if not valid[k]:
                continue
            if earliest < 0 or hashes[earliest] != hashes[k]:
                earliest = k
            elif place[earliest] != place[k]:
                again[k] = more[k] = more[earliest] = True
    return again, more


def repeated_within(units: Units, by_line: bool = False) -> tuple[Truths, Truths]:
    """(second and later copies in one text, all copies of what one text has twice), for each unit.

    With `by_line` what one line repeats counts once, as in BFF, which remembers a line when it is through with it.
    """
    place = units.group if by_line else np.arange(len(units.hashes))
    again, more = _again(units.first, units.hashes, units.valid, place)
    return again, more


@kernel
def _atoms(first, gone, spared, width):  # type: ignore[no-untyped-def]
    """For each atom the unit that cuts it, or -1: the last one that begins at or before it and is spared nowhere."""
    by = np.full(len(gone), -1, np.int64)
    for doc in range(len(first) - 1):
        lost, safe = -1, -1  # the last lost and the last spared unit that reaches the atom
        for k in range(first[doc], first[doc + 1]):
            if gone[k]:
                lost = k
            if spared[k]:
                safe = k
            if lost >= 0 and lost + width > k and not (safe >= 0 and safe + width > k):
                by[k] = lost
    return by


def cut_atoms(units: Units, gone: Truths, spared: Truths | None = None) -> Ints:
    """The unit that takes each atom with it, -1 where it stays: a unit in `gone` takes all its atoms."""
    safe = np.zeros(len(gone), np.bool_) if spared is None else spared
    by: Ints = _atoms(units.first, gone, safe, units.width)
    return by


@kernel
def _by_share(first, group, seen, valid, threshold):  # type: ignore[no-untyped-def]
    """Atoms of lines of whose units more than `threshold` are seen, and each text's share of seen units."""
    by = np.full(len(group), -1, np.int64)
    share = np.zeros(len(first) - 1)
    for doc in range(len(first) - 1):
        k, all_seen, all_units = first[doc], 0, 0
        while k < first[doc + 1]:
            stop, found, units, one = k, 0, 0, -1
            while stop < first[doc + 1] and group[stop] == group[k]:
                if valid[stop]:
                    units += 1
                    found += seen[stop]
                    if seen[stop] and one < 0:
                        one = stop
                stop += 1
            if units and found / units > threshold:
                by[k:stop] = one
            all_seen, all_units = all_seen + found, all_units + units
            k = stop
        if all_units:
            share[doc] = all_seen / all_units
    return by, share


def cut_by_share(units: Units, seen: Truths, threshold: float) -> tuple[Ints, npt.NDArray[np.float64]]:
    """(the unit that takes each atom or -1, share of each text's units that were seen): BFF's rule for n-grams."""
    by, share = _by_share(units.first, units.group, seen, units.valid, threshold)
    return by, share


@step
def _lead(data, base, limit, begin, stop, ends, by, span_ends, flags):  # type: ignore[no-untyped-def]
    """Let the spans that lead a text take the blanks after them too."""
    k = begin
    while k < stop and by[k] >= 0:
        k += 1
    for m in range(len(span_ends)):
        if span_ends[m] == ends[k - 1]:
            span_ends[m] = skip(data, base + ends[k - 1], limit, flags, SPACE) - base


@kernel
def _spans(data, bounds, first, starts, ends, by, high, low, kind, flags):  # type: ignore[no-untyped-def]
    most = 0
    for k in range(len(by)):
        most += by[k] >= 0
    text, start, end = np.empty(most, np.int64), np.empty(most, np.int64), np.empty(most, np.int64)
    unit = np.empty(most, np.int64)
    n = 0
    for doc in range(len(first) - 1):
        begin, stop, size = first[doc], first[doc + 1], bounds[doc + 1] - bounds[doc]
        tail = stop  # atoms from here on all go
        while tail > begin and by[tail - 1] >= 0:
            tail -= 1
        previous, n0 = -1, n
        for k in range(begin, stop):
            if by[k] < 0:
                previous = -1
                continue
            if kind == LINES:
                s = ends[k - 1] if k == tail and k > begin else starts[k]
                e = starts[k + 1] if k + 1 < stop else size
            elif kind == SENTENCES:
                s = ends[k - 1] if k > begin else 0
                e = ends[k]
            else:  # with the blanks after a word that goes too
                s, e = ends[k - 1] if k > begin and by[k - 1] >= 0 else starts[k], ends[k]
            if previous >= 0 and high[by[k]] == high[by[k - 1]] and low[by[k]] == low[by[k - 1]]:
                end[previous] = e
                continue
            previous = n
            text[n], start[n], end[n], unit[n] = doc, s, e, by[k]
            n += 1
        if kind == SENTENCES and n > n0 and start[n0] == 0:
            _lead(data, bounds[doc], bounds[doc + 1], begin, stop, ends, by, end[n0:n], flags)
    return text[:n], start[:n], end[:n], unit[:n]


def spans(text: pa.LargeStringArray, units: Units, by: Ints, owners: tuple[Hashes, Hashes], kind: int) -> Spans:
    """Atoms that go, as spans; neighbours whose units have the same owner (128 bits: high, low) are one span."""
    found = _spans(*buffers(text), units.first, units.starts, units.ends, by, *owners, kind, flags())
    return Spans(*found)


@kernel
def _without(data, bounds, texts, starts, ends):  # type: ignore[no-untyped-def]
    out, offsets = room(bounds)
    o, k = 0, 0
    for doc in range(len(bounds) - 1):
        at, end = bounds[doc], bounds[doc + 1]
        while k < len(texts) and texts[k] == doc:
            start = bounds[doc] + starts[k]
            if start > at:
                o = copy(data, at, start, out, o)
            at = max(at, bounds[doc] + ends[k])
            k += 1
        if at < end:
            o = copy(data, at, end, out, o)
        offsets[doc + 1] = o
    return out, offsets


def without(text: pa.LargeStringArray, texts: Ints, starts: Ints, ends: Ints) -> pa.LargeStringArray:
    """`text` without these spans: bytes of text texts[k], ordered by (text, start); they may overlap.

    ValueError if a span does not lie in its text, or cuts a character of UTF-8 in two.
    """
    if not len(texts):
        return text
    data, bounds = buffers(text)
    sizes = (bounds[1:] - bounds[:-1])[texts]
    if ((starts < 0) | (starts > ends) | (ends > sizes)).any():
        raise ValueError("A span to cut does not lie within its text.")
    for at in (starts, ends):
        inside = at < sizes
        if ((data[(bounds[texts] + at)[inside]] & 0xC0) == 0x80).any():
            raise ValueError("A span to cut begins or ends within a character.")
    return edit(text, _without, *(np.ascontiguousarray(a, np.int64) for a in (texts, starts, ends)))
