"""Which rules a number is asked by, and whether what stands around it and its own check convict it."""

from __future__ import annotations

from collections import defaultdict
from functools import cache

import numpy as np
import re2

from filters.pii import identity, payment, phones
from filters.pii.kinds import Around, Rule
from filters.pii.runs import LONGEST

RULES: tuple[Rule, ...] = (*identity.RULES, *payment.RULES, *phones.RULES)


@cache
def shapes() -> np.ndarray:
    """Bit 1 of [letters and digits, digits]: a rule has this size in one word; bit 2: in several."""
    table = np.zeros((LONGEST + 1, LONGEST + 1), np.uint8)
    for rule in RULES:
        for size, digits in rule.sizes:
            table[size, digits] |= 3
    return table


@cache
def rules_of(kinds: frozenset[str]) -> dict[tuple[int, int], tuple[re2.Set, tuple[Rule, ...]]]:
    """For each size the rules of these kinds that have it, and one set of their patterns."""
    by_size = defaultdict(list)
    for rule in RULES:
        for size in set(rule.sizes) if rule.kind in kinds else ():
            by_size[size].append(rule)
    sets = {}
    for size, rules in by_size.items():
        patterns = re2.Set.FullMatchSet()
        for rule in rules:
            patterns.Add(rule.pattern)
        patterns.Compile()
        sets[size] = patterns, tuple(rules)
    return sets


def stands_alone(around: Around) -> bool:
    """Whether the value is no part of a longer code: nothing joins it to a letter or digit on either side."""
    before, after = around.before[-2:], around.after[:2]
    if before[-1:].isdigit() or after[:1].isdigit():  # a placeholder touches it, where once a value did
        return False
    if before[-1:] == b"-" and (len(before) < 2 or before[0] < 0x80):
        return False
    joined = before[-1:] in (b"_", b".") and before[:1].isalnum() and len(before) == 2
    return not joined and not (after[:1] in (b"-", b"_", b".", b"/") and after[1:].isdigit())


def convicts(rule: Rule, value: str, around: Around) -> bool:
    """Whether a value of the rule's form is one: its cue, what else its company says, and its check."""
    named = rule.cue in around.cues
    if rule.kind == "national_id" and not named:  # any document's name will do, but not beside a telephone's
        named = "national" in around.cues and "phone" not in around.cues
    if rule.cue and not named and not (rule.unmistakable and re2.fullmatch(rule.unmistakable, value)):
        return False
    if "numbered" in around.cues and not named and "card" not in around.cues:
        return False
    if rule.fits is not None and not rule.fits(value, around):
        return False
    return bool(rule.valid(value))


def shorter(value: str) -> str:
    """A number without its last group of digits."""
    at = len(value)
    while at and "0" <= value[at - 1] <= "9":
        at -= 1
    while at and not "0" <= value[at - 1] <= "9":
        at -= 1
    return value[:at]
