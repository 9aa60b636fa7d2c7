"""What share of a training each label has, at sampling time: the shards stay as they are.

`language:zh=0.3` gives documents of that label 30 % of the sequences; a document belongs to the first entry that names
it, and what no entry names shares the rest. Which label comes at a place is a pattern of PERIOD places, shuffled anew
each period, in which every label has its exact quota: so shares hold at every step to within one period, and both ways
of asking are arithmetic. A label's own sequences come in an order of their own, each once in each of its epochs.

Traded away: shares are rounded to 1/PERIOD.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from tokenization.permutation import Numbers
from tokenization.shards import LABELS

PERIOD = 4096
REST = "rest"


@dataclass(frozen=True)
class Entry:
    """Documents whose `column` is `value` get `share` of the sequences."""

    column: str
    value: str
    share: float

    @property
    def name(self) -> str:
        """As it is written."""
        return f"{self.column}:{self.value}"


def parse(text: str) -> tuple[Entry, ...]:
    """Entries of `language:zh=0.3,source:wiki.jsonl=0.1`; ValueError in a sentence if they make no mixture.

    >>> parse("language:zh=0.25")
    (Entry(column='language', value='zh', share=0.25),)
    """
    entries = []
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        name, equals, share = part.rpartition("=")
        column, colon, value = name.partition(":")
        try:
            weight = float(share)
        except ValueError:
            weight = -1.0
        if not (equals and colon and value and column in LABELS and 0 < weight <= 1):
            raise ValueError(f"{part!r} is no share of a label: write language:zh=0.3 or source:NAME=0.1, above 0")
        entries.append(Entry(column, value, weight))
    if len({entry.name for entry in entries}) < len(entries):
        raise ValueError(f"{text!r} names a label twice")
    if sum(entry.share for entry in entries) > 1 + 1e-9:
        raise ValueError(f"{text!r} adds up to {sum(entry.share for entry in entries):g}, more than 1")
    return tuple(entries)


def quotas(shares: Sequence[float]) -> tuple[int, ...]:
    """Places of a period for each share, by largest remainder; a share above 0 has one at least.

    >>> quotas([0.3, 0.7]), sum(quotas([1 / 3, 1 / 3, 1 / 3]))
    ((1229, 2867), 4096)
    """
    exact = np.array(shares) * PERIOD
    whole = np.maximum(np.floor(exact + 1e-6), np.array(shares) > 0).astype(np.int64)
    for index in np.argsort(whole - exact, kind="stable")[: max(0, PERIOD - int(whole.sum()))]:
        whole[index] += 1
    while whole.sum() > PERIOD:  # the ones that were given to small shares
        whole[np.argmax(whole)] -= 1
    return tuple(whole.tolist())


@lru_cache(maxsize=8)
def pattern(seed: int, period: int, shares: tuple[int, ...]) -> tuple[Numbers, Numbers]:
    """(group, how many of this group came before) at each place of a period, for quotas `shares`."""
    groups = np.repeat(np.arange(len(shares)), shares)
    if len(shares) > 1:
        np.random.default_rng((seed, period)).shuffle(groups)
    before = np.empty(PERIOD, np.int64)
    for group, quota in enumerate(shares):
        before[groups == group] = np.arange(quota)
    return groups, before
