"""The same measurements under many recipes: what each keeps, and how far they agree.

One pass over the run gives each document a bit for every recipe and adds up the patterns of bits; all tables come
from these sums. Agreement is about rules alone. Duplicates were looked for once, among what the run's own recipe
passes, so what another recipe keeps is *at most* what is said.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pyarrow as pa

from filters.rules import columns_read, fails, with_verdicts
from filters.samplers import verdict_column, whole_run
from filters.sql import quoted
from recipes.model import Recipe
from stats.patterns import Bits, patterns
from stats.rows import COUNT, FATE, RULE, SHARE, SUMS, Rates, Sums, decided_parts, ready, side_by_side, table
from stats.run import Run

KEYS = f"lang, coalesce({RULE} IS NULL AND {FATE} <> 'kept', false) AS repeated, {SUMS}"
RECIPE_SCHEMA = pa.schema([
    pa.field("recipe", pa.string()), pa.field("pass its rules", pa.int64(), metadata=COUNT),
    pa.field("share", pa.float64(), metadata=SHARE), pa.field("kept, at most", pa.int64(), metadata=COUNT),
    pa.field("bytes of text", pa.int64(), metadata=COUNT),
    pa.field("tokens, about", pa.int64(), metadata=COUNT)])  # fmt: skip
LANGUAGE_SCHEMA = pa.schema([pa.field("language", pa.string()), *RECIPE_SCHEMA])
PAIR_SCHEMA = pa.schema([
    pa.field("a", pa.string()), pa.field("b", pa.string()),
    pa.field("both pass", pa.int64(), metadata=COUNT), pa.field("only a", pa.int64(), metadata=COUNT),
    pa.field("only b", pa.int64(), metadata=COUNT), pa.field("neither", pa.int64(), metadata=COUNT),
    pa.field("alike", pa.float64(), metadata=SHARE), pa.field("jaccard", pa.float64(), metadata={"format": ".3f"}),
    pa.field("kappa", pa.float64(), metadata={"format": ".3f"})])  # fmt: skip
Row = tuple[object, ...]


@dataclass(frozen=True)
class Comparison:
    """What each recipe keeps, the same by language, and how alike each pair decides.

    `alike` is the share of documents that both pass or both drop; Jaccard is of the sets that pass (both of either);
    kappa is Cohen's (1960), agreement beyond what chance gives. None where one is not defined, because neither
    passes anything, or both cannot but agree.
    """

    names: list[str]
    recipes: pa.Table
    languages: pa.Table
    pairs: pa.Table
    notices: list[str]


@dataclass(frozen=True)
class Decided:
    """Documents alike in language and in which recipes pass them: `bits` has a column for every recipe."""

    bits: Bits
    langs: list[str | None]
    repeated: np.ndarray[tuple[int], np.dtype[np.bool_]]
    sums: list[Sums]

    def kept(self, number: int, lang: str | None = None, every: bool = True) -> list[tuple[str | None, Sums]]:
        """(language, sums) of what recipe `number` keeps, of one language unless `every`."""
        chosen = self.bits[:, number].astype(bool) & ~self.repeated
        return [(self.langs[i], self.sums[i]) for i in np.flatnonzero(chosen) if every or self.langs[i] == lang]


def compare(run: Run, recipes: Mapping[str, Recipe]) -> Comparison:
    """The run under these recipes, by the names they go by; ValueError if it did not measure what one needs."""
    prepared = [ready(run, recipe) for recipe in recipes.values()]
    found = _decided(run, [recipe for recipe, _ in prepared])
    rates = Rates(zip(found.langs, found.sums, strict=True))
    names = list(recipes)
    return Comparison(
        names,
        table([_row(found, rates, i, name) for i, name in enumerate(names)], RECIPE_SCHEMA),
        table(_by_language(found, rates, names), LANGUAGE_SCHEMA),
        table(_pairs(found, names), PAIR_SCHEMA),
        [notice for _, notices in prepared for notice in notices],
    )


def _decided(run: Run, recipes: Sequence[Recipe]) -> Decided:
    parts = decided_parts(run)
    if not parts:
        return Decided(np.zeros((0, len(recipes)), np.int64), [], np.zeros(0, bool), [])
    tests, source = tests_of(run, recipes, parts)
    bits, rest = patterns(run, tests, KEYS, source)
    lang, repeated, *sums = (column.to_pylist() for column in rest.columns)
    return Decided(bits, lang, np.array(repeated, bool), [Sums(*one) for one in zip(*sums, strict=True)])


def tests_of(run: Run, recipes: Sequence[Recipe], parts: Sequence[str]) -> tuple[list[str], str]:
    """SQL of each recipe's test, and of the rows that they are asked of."""
    source = side_by_side(run, [name for recipe in recipes for name in columns_read(recipe)], parts)
    tests = []
    for number, recipe in enumerate(recipes):
        test = passes(recipe)
        if ranked := whole_run(recipe):  # its verdicts go before another recipe's, of the same name, come
            verdicts, name = ", ".join(quoted(verdict_column(step)) for step in ranked), quoted(f"passes {number}")
            source = f"(SELECT * EXCLUDE ({verdicts}), {test} AS {name} FROM ({with_verdicts(recipe, source)}))"
            test = name
        tests.append(test)
    return tests, source


def passes(recipe: Recipe) -> str:
    """SQL that is true for a document which no step of the recipe drops."""
    tests = [f"({fails(*placed)})" for placed in recipe.placed()]
    return f"(NOT coalesce({' OR '.join(tests)}, false))" if tests else "true"


def _row(found: Decided, rates: Rates, number: int, name: str, lang: str | None = None, every: bool = True) -> Row:
    """A row of RECIPE_SCHEMA; of one language unless `every`."""
    rows = [i for i, code in enumerate(found.langs) if every or code == lang]
    documents = sum(found.sums[i].documents for i in rows)
    passing = sum(found.sums[i].documents for i in rows if found.bits[i, number])
    kept = found.kept(number, lang, every)
    total = sum((sums for _, sums in kept), Sums())
    tokens = round(sum(rates.tokens(code, sums) for code, sums in kept))
    return (name, passing, passing / documents if documents else None, total.documents, total.bytes, tokens)


def _by_language(found: Decided, rates: Rates, names: Sequence[str]) -> list[Row]:
    """Rows of LANGUAGE_SCHEMA for languages of which a recipe keeps something, that of most documents first."""
    sizes: dict[str | None, int] = {}
    for lang, sums in zip(found.langs, found.sums, strict=True):
        sizes[lang] = sizes.get(lang, 0) + sums.documents
    rows = []
    for lang in sorted(sizes, key=lambda code: (-sizes[code], code or "")):
        of_lang = [_row(found, rates, i, name, lang, every=False) for i, name in enumerate(names)]
        if any(row[3] for row in of_lang):
            rows += [(lang or "unknown", *row) for row in of_lang]
    return rows


def _pairs(found: Decided, names: Sequence[str]) -> list[Row]:
    """Rows of PAIR_SCHEMA, every pair once."""
    documents = np.array([sums.documents for sums in found.sums], np.int64)
    both = (found.bits * documents[:, None]).T @ found.bits
    whole = int(documents.sum())
    rows: list[Row] = []
    for a, b in combinations(range(len(names)), 2):
        common, in_a, in_b = int(both[a, b]), int(both[a, a]), int(both[b, b])
        neither = whole - in_a - in_b + common
        alike = (common + neither) / whole if whole else None
        either = whole - neither
        rows.append((names[a], names[b], common, in_a - common, in_b - common, neither, alike,
                     common / either if either else None, _kappa(common, in_a, in_b, whole)))  # fmt: skip
    return rows


def _kappa(common: int, in_a: int, in_b: int, whole: int) -> float | None:
    """Cohen's kappa of two yes-or-no judges."""
    if not whole:
        return None
    observed = (whole - in_a - in_b + 2 * common) / whole
    chance = (in_a * in_b + (whole - in_a) * (whole - in_b)) / whole**2
    return (observed - chance) / (1 - chance) if chance < 1 else None


def matrix(answer: Comparison, measure: str) -> pa.Table:
    """The pairs' `alike`, `jaccard` or `kappa` as a square: a row a recipe, and a column for each by its number."""
    values = {(row["a"], row["b"]): row[measure] for row in answer.pairs.to_pylist()}
    form = PAIR_SCHEMA.field(measure).metadata
    numbers = [pa.field(str(i), pa.float64(), metadata=form) for i in range(1, len(answer.names) + 1)]
    rows = [
        (f"{i} {a}", *(1.0 if a == b else values.get((a, b), values.get((b, a))) for b in answer.names))
        for i, a in enumerate(answer.names, 1)
    ]
    return table(rows, pa.schema([pa.field("recipe", pa.string()), *numbers]))
