"""Which rules of a recipe do the same work: how many documents fail both of a pair, and how many fail one alone.

A decision names only the first rule that a document fails. Here all are asked, of every document, in one pass.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from filters.rules import columns_read, fails, with_verdicts
from recipes.model import Recipe
from stats.patterns import patterns
from stats.rows import COUNT, SHARE, decided_parts, ready, side_by_side, table
from stats.run import Run

RULE_SCHEMA = pa.schema([
    pa.field("rule", pa.string()), pa.field("fail it", pa.int64(), metadata=COUNT),
    pa.field("fail it first", pa.int64(), metadata=COUNT),
    pa.field("fail no other", pa.int64(), metadata=COUNT)])  # fmt: skip
PAIR_SCHEMA = pa.schema([
    pa.field("a", pa.string()), pa.field("b", pa.string()), pa.field("fail both", pa.int64(), metadata=COUNT),
    pa.field("share of a", pa.float64(), metadata=SHARE),
    pa.field("share of b", pa.float64(), metadata=SHARE)])  # fmt: skip


@dataclass(frozen=True)
class Overlap:
    """Rules in the recipe's order, and pairs with a document that fails both, those with most first.

    `fail no other` is what would come through if the rule alone were left out; `share of a` is how many of those
    that fail a fail b as well (0 to 1).
    """

    rules: pa.Table
    pairs: pa.Table
    notices: list[str]


def overlap(run: Run, recipe: Recipe) -> Overlap:
    """Every rule and sampler of `recipe` asked of the whole run; ValueError if it did not measure what they need."""
    recipe, notices = ready(run, recipe)
    placed, parts = recipe.placed(), decided_parts(run)
    names = [step.id for step, _ in placed]
    bits, documents = np.zeros((0, len(placed)), np.int64), np.zeros(0, np.int64)
    if parts:
        source = f"({with_verdicts(recipe, side_by_side(run, columns_read(recipe), parts))})"
        bits, rest = patterns(run, [fails(*one) for one in placed], "count(*)", source)
        documents = rest.column(0).to_numpy()
    both = (bits * documents[:, None]).T @ bits
    failed = bits.sum(axis=1)
    alone = bits[failed == 1].T @ documents[failed == 1]
    earlier = np.cumsum(bits, axis=1)
    first = ((bits == 1) & (earlier == 1)).T @ documents
    rules = [(name, int(both[i, i]), int(first[i]), int(alone[i])) for i, name in enumerate(names)]
    pairs = [
        (names[a], names[b], int(both[a, b]), both[a, b] / both[a, a], both[a, b] / both[b, b])
        for a, b in zip(*np.nonzero(np.triu(both, 1)), strict=True)
    ]
    pairs.sort(key=lambda row: (-row[2], row[0], row[1]))
    return Overlap(table(rules, RULE_SCHEMA), table(pairs, PAIR_SCHEMA), notices)
