"""One batch of texts being looked through: what stands at the places that compiled code names, and after cue words.

Each place is cut out with up to 64 bytes before it and 32 after, and asked by the rules whose shape it has.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import re2

from filters.pii import anchors, cued, network, payment, phones, runs
from filters.pii import secrets as tokens
from filters.pii.context import AFTER, BEFORE, cues, last_cues, line_after, masked
from filters.pii.convict import convicts, rules_of, shapes, shorter, stands_alone
from filters.pii.kinds import KINDS, Around

NAMES = tuple(KINDS)
RANK = {name: rank for rank, name in enumerate(NAMES)}
ETHEREUM = re2.compile(rb"0x[0-9A-Fa-f]{40}")
BECH32 = re2.compile(rb"(?:bc1|BC1)[0-9A-Za-z]{11,71}")


PHONES = frozenset(("phone", "cn_mobile", "cn_landline", "hk_mobile", "tw_mobile"))
LINKED = 6  # bytes at most between numbers that one cue word introduces
GAPS, JOINTS = (b" ", b"-", b".", b"/"), (b"-", b".", b"_", b"/", b":")


class Found(NamedTuple):
    """A span in bytes of the whole buffer, by the kind's rank."""

    row: int
    start: int
    end: int
    rank: int
    country: str | None


class Search:
    """One batch of texts being looked through for some kinds."""

    def __init__(self, raw: memoryview, bounds: np.ndarray, kinds: frozenset[str]) -> None:
        self.raw, self.bounds, self.kinds = raw, bounds, kinds
        self.edges = bounds.tolist()
        self.by_size = rules_of(kinds)
        self.row, self.phone_end = -1, -BEFORE

    def placed(self, data: np.ndarray) -> Iterator[Found]:
        """What stands at the places that the compiled pass names."""
        tables = (runs.CLASSES, shapes(), runs.SINGLE, runs.PHONING, payment.iban_lengths())
        room = int(self.bounds[-1] - self.bounds[0]) // 256 + 1024
        out = np.empty((room, 4), np.int64)
        count = anchors.places(data, self.bounds, tables, runs.HEX, out)
        if count > room:
            out = np.empty((count, 4), np.int64)
            anchors.places(data, self.bounds, tables, runs.HEX, out)
        columns = (out[:count, k].tolist() for k in range(4))
        for row, start, end, what in zip(*columns, strict=True):
            yield from self._at(row, start, end, what)

    def _at(self, row: int, start: int, end: int, what: int) -> Iterator[Found]:
        lo, hi, place = self.edges[row], self.edges[row + 1], what & 0xFF
        if row != self.row:
            self.row, self.phone_end = row, lo - BEFORE
        if place in (anchors.WORD, anchors.APART, anchors.GLUED):
            yield from self._numbers(row, lo, hi, start, end, what)
        elif place == anchors.PHONE:
            yield from self._phone(row, lo, hi, start, end)
        elif place in (anchors.EMAIL, anchors.OBFUSCATED):
            yield from self._email(row, lo, hi, start, end, place)
        elif place == anchors.SECRET:
            yield from self._token(row, lo, hi, start, end)
        elif place == anchors.PEM:
            if "private_key" in self.kinds:
                length = tokens.private_key(bytes(self.raw[start : min(hi, start + tokens.PEM_LONGEST)]))
                if length:
                    yield self._span(row, start, start + length, "private_key")
        elif place == anchors.PLATE:
            length = cued.chinese_plate(bytes(self.raw[start : min(hi, start + 24)])) if "plate" in self.kinds else 0
            if length:
                yield self._span(row, start, start + length, "plate", "CN")
        elif place == anchors.IBAN:
            yield from self._iban(row, lo, hi, start, end)
        else:
            name, valid = {anchors.IPV4: ("ipv4", network.ipv4), anchors.IPV6: ("ipv6", network.ipv6),
                           anchors.MAC: ("mac", network.mac)}[place]  # fmt: skip
            if name in self.kinds and valid(self._text(start, end), self._around(lo, hi, start, end, False)):
                yield self._span(row, start, end, name)

    def _span(self, row: int, start: int, end: int, kind: str, country: str | None = None) -> Found:
        return Found(row, start, end, RANK[kind], country or KINDS[kind].country)

    def _text(self, start: int, end: int) -> str:
        return bytes(self.raw[start:end]).decode()

    def _around(self, lo: int, hi: int, start: int, end: int, near: bool = True) -> Around:
        before = masked(bytes(self.raw[max(lo, start - BEFORE) : start]))
        after = masked(bytes(self.raw[end : min(hi, end + AFTER)]))
        return Around(before, after, cues(before, after) if near else last_cues(before))

    def _numbers(self, row: int, lo: int, hi: int, start: int, end: int, what: int) -> Iterator[Found]:
        patterns, rules = self.by_size.get((what >> 8 & 0xFF, what >> 16 & 0xFF), (None, ()))
        value = bytes(self.raw[start:end])
        places = patterns.Match(value) if patterns else None
        if not places:
            return
        around, text = self._around(lo, hi, start, end), value.decode()
        if not stands_alone(around):
            return
        for rule in (rules[place] for place in places):
            if what & 0xFF == anchors.GLUED and not {"phone", rule.cue} & around.cues:
                continue
            if convicts(rule, text, around):
                yield self._span(row, start, end, rule.kind, rule.country)

    def _phone(self, row: int, lo: int, hi: int, start: int, end: int) -> Iterator[Found]:
        if start < self.phone_end or not self.kinds & PHONES:
            return
        first = self._first(lo, start, end)
        value = self._text(first, end)
        around = self._around(lo, hi, first, end, False)
        linked = first - self.phone_end <= LINKED
        if around.before[-1:].isdigit():
            return
        promising = linked or "phone" in around.cues or value[0] in "+＋(" or value[:2] == "00"
        if not (promising or phones.PUNCTUATED.match(value) or line_after(around.after)):
            return
        inner = first == start and not linked and around.before[-2:-1].isdigit() and around.before[-1:] in GAPS
        while len(value) >= 5:
            stop = first + len(value.encode())
            rest = bytes(self.raw[stop : min(hi, stop + 24)])
            more = rest[:1] in JOINTS and rest[1:2].isdigit()
            hit = None if more else phones.phone(value, around._replace(after=rest), linked)
            if hit and not (inner and not phones.PUNCTUATED.fullmatch(value)):
                stop += phones.extension(rest)
                self.phone_end = stop
                kind = phones.kind_of(value, *hit)
                yield self._span(row, first, stop, kind if kind in self.kinds else "phone", hit[1])
                return
            value = shorter(value)

    def _first(self, lo: int, start: int, end: int) -> int:
        """Where a number begins that has its first digit at `start`: at a plus, or a parenthesis that it closes."""
        before = bytes(self.raw[max(lo, start - 5) : start])
        closed = b")" in bytes(self.raw[start:end])
        opened = before.endswith(b"(") and closed
        before = before[: len(before) - opened]
        plus = 1 if before.endswith(b"+") else 3 if before.endswith("＋".encode()) else 0
        opened |= plus > 0 and closed and before[:-plus].endswith(b"(")
        return start - plus - opened

    def _email(self, row: int, lo: int, hi: int, start: int, end: int, place: int) -> Iterator[Found]:
        if "email" not in self.kinds:
            return
        if place == anchors.OBFUSCATED:
            left = max(lo, start - 64)
            if self.raw[start] | 32 == 0x64 and b" at " not in bytes(self.raw[left:start]).lower():
                return  # a lone dot
            spelt = network.spelt_email(bytes(self.raw[left : min(hi, end + 96)]), start - left)
            if spelt:
                yield self._span(row, left + spelt[0], left + spelt[1], "email")
            return
        sides = network.email(bytes(self.raw[max(lo, start - 96) : start]), bytes(self.raw[end : min(hi, end + 255)]))
        if sides:
            yield self._span(row, start - sides[0], end + sides[1], "email")

    def _token(self, row: int, lo: int, hi: int, start: int, end: int) -> Iterator[Found]:
        left = max(lo, start - tokens.NEAR)
        window = masked(bytes(self.raw[left : min(hi, end + tokens.LONG)]))
        if "secret" in self.kinds:
            for s, e in tokens.secrets(window, start - left, end - left):
                yield self._span(row, left + s, left + e, "secret")
        value = bytes(self.raw[start:end])
        ethereum = "ethereum" in self.kinds and len(value) == 42 and ETHEREUM.fullmatch(value)
        if ethereum and "hash" not in self._around(lo, hi, start, end).cues:
            yield self._span(row, start, end, "ethereum")
        if "bitcoin" in self.kinds and BECH32.fullmatch(value) and payment.is_bitcoin(value.decode()):
            yield self._span(row, start, end, "bitcoin")

    def _iban(self, row: int, lo: int, hi: int, start: int, end: int) -> Iterator[Found]:
        joined = bytes(self.raw[max(lo, start - 2) : start])
        apart = not (joined[-1:] in (b"-", b"_", b".") and joined[:-1].isalnum())
        rest = bytes(self.raw[end : min(hi, end + 2)])
        more = rest[:1] in (b"-", b"_", b".") and rest[1:].isdigit()
        if "iban" not in self.kinds or not apart or more:
            return
        value = self._text(start, end)
        if payment.iban(value):
            yield self._span(row, start, end, "iban", value[:2].upper())

    def _chinese(self, row: int, at: int) -> bool:
        around = bytes(self.raw[max(self.edges[row], at - BEFORE) : min(self.edges[row + 1], at + BEFORE)])
        return any(0xE3 <= b <= 0xE9 for b in around)

    def after_cues(self) -> Iterator[Found]:
        """Values that a word before them gives away."""
        if not self.kinds & {entry.kind for entry in cued.TABLE}:
            return
        words, introduced = cued.automaton(self.kinds)
        first, last = self.edges[0], self.edges[-1]
        for word, begin, end in words.find_matches_as_indexes(bytes(self.raw[first:last])):
            start, at = first + begin, first + end
            row = bisect_right(self.edges, start) - 1
            patterns, places = introduced[word]
            window = masked(bytes(self.raw[at : min(self.edges[row + 1], at + cued.REACH)]))
            hits = patterns.Match(window)
            if not hits or at > self.edges[row + 1] or self._inside_word(row, start):
                continue
            for place in (places[hit] for hit in hits):
                if cued.TABLE[place].kind == "wechat" and end - begin < 4 and not self._chinese(row, start):
                    continue  # wx and vx are other things elsewhere
                hit = cued.value_after(place, window)
                if hit:
                    yield self._span(row, at + hit[0], at + hit[1], cued.TABLE[place].kind, hit[2])

    def _inside_word(self, row: int, at: int) -> bool:
        """Whether an ASCII word goes on at this byte, or a placeholder begins before it."""
        before = bytes(self.raw[at - 1 : at]) if at > self.edges[row] else b""
        return before == b"<" or (self.raw[at] < 0x80 and (before.isalnum() or before == b">"))
