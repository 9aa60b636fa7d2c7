"""Sums for the report: by language, by domain, by kind of personal data, tokens a document, shards.

Each list is bounded, largest first, with what is left out counted. Personal data are counts by kind; a value is
nowhere near.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from filters.catalogue import kind_names
from recipes.scrub import MODEL_KINDS
from stats.papers.figures import Group
from stats.report.rows import TABLE, Held
from stats.report.rules import Bar
from stats.report.strings import MARGIN, shortened, without_personal_data
from stats.rows import FATE, TOKENS
from stats.run import Run
from tokenization.manifest import Manifest, Shard
from tokenization.versions import latest

LANGUAGES, DOMAINS, SHARDS = 20, 20, 40
NAME = 200  # characters
BARS_PER_DECADE = 5


@dataclass(frozen=True)
class Groups:
    """The largest, and how many there are in all."""

    rows: Sequence[Group]
    count: int


def languages(run: Run, held: Held) -> Groups:
    """By detected language, most documents first."""
    return _named(_groups(run, held, "coalesce(lang, 'und')", "documents DESC", LANGUAGES))


def domains(run: Run, held: Held) -> Groups:
    """By registrable domain, most kept documents first, then most documents."""
    if "domain" not in held.columns:
        return Groups([], 0)
    return _named(_groups(run, held, "coalesce(domain, '')", "kept DESC, documents DESC", DOMAINS))


def _named(found: Groups) -> Groups:
    names = without_personal_data([row.name for row in found.rows])
    return Groups(
        [replace(row, name=shortened(name, NAME)) for name, row in zip(names, found.rows, strict=True)], found.count
    )


def _groups(run: Run, held: Held, by: str, order: str, most: int) -> Groups:
    if not held.documents:
        return Groups([], 0)
    rows = run.rows(
        f"""SELECT left({by}, {NAME + MARGIN}) AS name, count(*) AS documents,
            count(*) FILTER ({FATE} = 'kept') AS kept,
            coalesce(sum(text_bytes) FILTER ({FATE} = 'kept'), 0)::BIGINT, coalesce(sum({TOKENS}), 0)::BIGINT
        FROM {TABLE} GROUP BY 1 ORDER BY {order}, name LIMIT {most}"""
    )
    count = run.rows(f"SELECT count(DISTINCT {by}) FROM {TABLE}")[0][0]
    return Groups([Group(*row) for row in rows], count)


@dataclass(frozen=True)
class Kind:
    """A kind of personal data in kept documents: how many documents, how many finds, and what was done."""

    name: str
    documents: int
    found: int
    action: str


def personal(run: Run) -> list[Kind] | None:
    """Kinds that kept documents hold, most finds first; None for a run whose texts were not looked through."""
    if not run.parts("kept"):
        return None
    have = {name for name, *_ in run.rows("DESCRIBE kept")}
    kinds = [kind for kind in (*kind_names(), *MODEL_KINDS) if f"pii_{kind}" in have]
    if not kinds:
        return None
    sums = ", ".join(f"count(*) FILTER (pii_{k} > 0), coalesce(sum(pii_{k}), 0)::BIGINT" for k in kinds)
    (numbers,) = run.rows(f"SELECT {sums} FROM kept ANTI JOIN removals USING (doc_id)")
    policy = run.recipe.scrub.policy
    made = [Kind(k, numbers[2 * i], numbers[2 * i + 1], policy.get(k, "leave")) for i, k in enumerate(kinds)]
    return sorted((kind for kind in made if kind.found), key=lambda kind: (-kind.found, kind.name))


@dataclass(frozen=True)
class Lengths:
    """Tokens of kept documents: `bars` by the tenfold, low and high being log10; and five quantiles."""

    bars: Sequence[Bar]
    quantiles: Sequence[tuple[str, int]]


def lengths(run: Run, held: Held) -> Lengths | None:
    """How long documents are; None for a run without shards."""
    if not held.documents:
        return None
    shares = (0.05, 0.25, 0.5, 0.75, 0.95)
    (found,) = run.rows(f"SELECT quantile_disc({TOKENS}, [{', '.join(map(str, shares))}]) FROM {TABLE}")[0]
    if not found or found[0] is None:
        return None
    rows = run.rows(
        f"""SELECT floor(log10({TOKENS}) * {BARS_PER_DECADE})::INT, count(*) FROM {TABLE}
        WHERE {TOKENS} > 0 GROUP BY 1 ORDER BY 1"""
    )
    bars = [Bar(n / BARS_PER_DECADE, (n + 1) / BARS_PER_DECADE, count, 0) for n, count in rows]
    return Lengths(bars, [(f"{share:.0%}", int(value)) for share, value in zip(shares, found, strict=True)])


@dataclass(frozen=True)
class Shards:
    """The newest manifest, the file it is in, and its largest shards."""

    manifest: Manifest
    file: str
    rows: Sequence[Shard]

    @property
    def bytes(self) -> int:
        """Of all shards."""
        return sum(shard.bytes for shard in self.manifest.shards)


def shards(run: Run) -> Shards | None:
    """None for a run that has no manifest yet."""
    file = latest(run.path)
    if file is None:
        return None
    manifest = Manifest.read(file)
    return Shards(manifest, file.name, manifest.shards[:SHARDS])
