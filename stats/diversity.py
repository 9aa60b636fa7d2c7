"""Who is in the corpus, and at which stage of the curation each group's share of it changed.

A document stands at five stages, each within the one before: documents, those that pass the rules, those that no
duplicate takes away, those kept, those in the shards. For each way to group documents (language, registrable domain,
top-level domain, year, a measured signal) every group's share at every stage, how it changed, and whether by more than
chance: a group of three documents may lose two without an alarm. How even the groups are is the effective number,
exp(entropy) (Hill 1973, doi:10.2307/1934352, order 1), with the share of the largest 1, 10 and 1,000.

What was removed by request came as far as `after dedup`, whatever came first.
Everything is sums in DuckDB over one temporary table of a row a document; texts are not read. The share at the stage
`tokens` is of tokens, the others' of documents; a longer text is no loss, so that stage raises no alarm.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import pyarrow as pa
import pyarrow.compute as pc

from filters.rules import all_failing, with_verdicts
from filters.sql import literal, quoted
from stats.intervals import FEW, Change, changed
from stats.rows import COUNT, table
from stats.run import Run

BY = ("lang", "domain", "tld", "year")
STAGES = ("documents", "pass the rules", "after dedup", "kept", "tokens")
NONE, OTHER = "(none)", "(other)"
ALERT = 0.1
MOST = 1000  # groups of one kind that are told apart; the rest are (other)
BINS = 10  # of a number, with equally many documents in each
SHARE, CHANGE = {"format": ".2%"}, {"format": "+.1%"}
GROUPS = pa.schema([
    pa.field("by", pa.string()), pa.field("group", pa.string()), pa.field("stage", pa.string()),
    pa.field("documents", pa.int64(), metadata=COUNT), pa.field("bytes", pa.int64(), metadata=COUNT),
    pa.field("tokens", pa.int64(), metadata=COUNT), pa.field("share", pa.float64(), metadata=SHARE),
    pa.field("change", pa.float64(), metadata=CHANGE), pa.field("change_low", pa.float64(), metadata=CHANGE),
    pa.field("change_high", pa.float64(), metadata=CHANGE), pa.field("few", pa.bool_()),
    pa.field("alert", pa.bool_())])  # fmt: skip
EVENNESS = pa.schema([
    pa.field("by", pa.string()), pa.field("stage", pa.string()), pa.field("groups", pa.int64(), metadata=COUNT),
    pa.field("effective", pa.float64(), metadata={"format": ",.2f"}), pa.field("top_1", pa.float64(), metadata=SHARE),
    pa.field("top_10", pa.float64(), metadata=SHARE), pa.field("top_1000", pa.float64(), metadata=SHARE)])  # fmt: skip
SPREAD = """
CREATE OR REPLACE TEMP TABLE spread AS
SELECT s.doc_id, s.bytes, s.fails, c.rule, t.n_tokens AS tokens, {columns},
    CASE WHEN c.fate = 'kept' THEN CASE WHEN t.n_tokens IS NULL THEN 3 ELSE 4 END
         WHEN starts_with(c.fate, 'duplicate:') THEN 1 WHEN c.fate IN {by_rules} THEN 0 ELSE 2 END AS stage
FROM (SELECT doc_id, lang, domain, text_bytes AS bytes, {signals} {fails} AS fails FROM ({verdicts})) s
JOIN (SELECT doc_id, fate, rule FROM fates WHERE fate IS NOT NULL) c ON s.doc_id = c.doc_id
LEFT JOIN (SELECT doc_id, "date", crawled FROM documents) d ON s.doc_id = d.doc_id
LEFT JOIN tokens t ON s.doc_id = t.doc_id"""
COLUMNS = {
    "lang": "s.lang",
    "domain": "s.domain",
    "tld": "nullif(regexp_extract(s.domain, '[.]([a-z][a-z0-9-]*)$', 1), '')",
    "year": "nullif(regexp_extract(d.\"date\", '^(1[89]|20)[0-9][0-9]'), '')",
}


@dataclass(frozen=True)
class Spread:
    """`groups` of GROUPS, `evenness` of EVENNESS; `by` are the kinds of groups, in order."""

    by: tuple[str, ...]
    groups: pa.Table
    evenness: pa.Table


def spread(run: Run, by: Sequence[str] = BY, alert: float = ALERT) -> Spread:
    """Shares at every stage; `prepare` was called with the same `by`.

    `alert` is the relative change of a share (0.1: a tenth) above which a group is alarmed.
    """
    rows: list[tuple[object, ...]] = []
    even: list[tuple[object, ...]] = []
    for name in by:
        counts = _counts(run, name)
        rows += _groups(name, counts, alert)
        even += _evenness(run, name)
    return Spread(tuple(by), table(rows, GROUPS), table(even, EVENNESS))


def prepare(run: Run, by: Sequence[str]) -> None:
    """The temporary table `spread`: doc_id, stage reached (0 to 4), rule, fails, bytes, tokens, a column each of `by`.

    ValueError with the remedy for a signal that was not measured, and for a run without decisions.
    """
    run.sound()
    have = {name: str(kind) for name, kind, *_ in run.rows("DESCRIBE signals")}
    if lacking := [name for name in ("lang", "domain", "text_bytes") if name not in have]:
        raise ValueError(
            f"{run.path} has no measurement {lacking[0]}: an earlier version made it. Give its `winnow run` again; "
            "only annotate and what follows from it is done again."
        )
    unknown = [name for name in by if name not in COLUMNS and name not in have]
    if unknown:
        from filters.thresholds import nearest

        raise ValueError(
            f"--by {unknown[0]}: this run has no such signal.{nearest(unknown[0], [*BY, *have])} "
            f"There are {', '.join(BY)}, and every column of signals/."
        )
    signals = [name for name in by if name not in COLUMNS]
    columns = [f"{COLUMNS[name]} AS {quoted(f'by {name}')}" for name in by if name in COLUMNS]
    columns += [f"s.{quoted(name)} AS {quoted(f'by {name}')}" for name in signals]
    fates = tuple(f"filtered:{step.id}" for step in run.recipe.steps) or ("",)
    run.rows(SPREAD.format(
        columns=", ".join(columns), by_rules=literal(fates), fails=all_failing(run.recipe),
        verdicts=with_verdicts(run.recipe), signals="".join(f"{quoted(name)}, " for name in signals),
    ))  # fmt: skip
    if not run.rows("SELECT count(*) FROM spread")[0][0]:
        raise ValueError(f"{run.path} has no document with a fate yet. Give its `winnow run` again.")
    for name in signals:
        if have[name] not in ("VARCHAR", "BOOLEAN"):
            _bin(run, name)


def _bin(run: Run, name: str) -> None:
    """A number becomes the name of its tenth of the documents."""
    column = quoted(f"by {name}")
    marks = [f"{i / BINS:g}" for i in range(BINS + 1)]
    bounds = run.rows(f"SELECT quantile_disc({column}, [{', '.join(marks)}]) FROM spread")[0][0]
    edges = sorted({float(edge) for edge in bounds or []})
    arms = [
        f"WHEN {column} {'<=' if i == len(edges) - 2 else '<'} {high!r} THEN {literal(f'{low:.4g} to {high:.4g}')}"
        for i, (low, high) in enumerate(pairwise(edges))
    ]
    case = f"CASE {' '.join(arms)} END" if arms else f"CAST({column} AS VARCHAR)"
    run.rows(f"CREATE OR REPLACE TEMP TABLE spread AS SELECT * REPLACE ({case} AS {column}) FROM spread")


@dataclass(frozen=True)
class Counts:
    """One group: documents, bytes at stages 0 to 3, tokens at the last two."""

    name: str
    documents: tuple[int, ...]
    bytes: tuple[int, ...]
    tokens: int


def _counts(run: Run, name: str) -> list[Counts]:
    """Every group's counts, the largest first, those beyond MOST as one; all are in the temporary table `spread_by`."""
    sums = ", ".join(
        f"count(*) FILTER (stage >= {i})::BIGINT AS d{i}, coalesce(sum(bytes) FILTER (stage >= {i}), 0)::BIGINT AS b{i}"
        for i in range(5)
    )
    run.rows(f"""CREATE OR REPLACE TEMP TABLE spread_by AS
        SELECT coalesce(CAST({quoted(f"by {name}")} AS VARCHAR), '{NONE}') AS name, {sums},
               coalesce(sum(tokens) FILTER (stage = 4), 0)::BIGINT AS t FROM spread GROUP BY 1""")
    listed = ", ".join(f"sum(d{i})::BIGINT, sum(b{i})::BIGINT" for i in range(5))
    found = run.rows(f"""SELECT CASE WHEN place <= {MOST} THEN name ELSE '{OTHER}' END, {listed}, sum(t)::BIGINT
        FROM (SELECT *, row_number() OVER (ORDER BY d0 DESC, name) AS place FROM spread_by)
        GROUP BY 1 ORDER BY min(place)""")
    return [Counts(name, tuple(rest[0:10:2]), tuple(rest[1:10:2]), rest[-1]) for name, *rest in found]


def wide(groups: pa.Table, by: str, most: int) -> pa.Table:
    """GROUPS of one kind as a row a group: its share at each stage, and where it was alarmed; the first `most`."""
    rows = groups.filter(pc.equal(groups["by"], by)).to_pylist()
    out = []
    for first in range(0, min(len(rows), most * len(STAGES)), len(STAGES)):
        five = rows[first : first + len(STAGES)]
        alarmed = ", ".join(one["stage"] for one in five if one["alert"]) or ("few" if five[0]["few"] else "")
        out.append((five[0]["group"], five[0]["documents"], *(one["share"] for one in five), alarmed))
    return table(out, pa.schema([
        pa.field(by, pa.string()), pa.field("count", pa.int64(), metadata=COUNT),
        *(pa.field(stage, pa.float64(), metadata=SHARE) for stage in STAGES),
        pa.field("alert", pa.string())]))  # fmt: skip


def _groups(by: str, counts: list[Counts], alert: float) -> list[tuple[object, ...]]:
    """Rows of GROUPS."""
    rows: list[tuple[object, ...]] = []
    totals = [sum(one.documents[i] for one in counts) for i in range(5)]
    tokens = sum(one.tokens for one in counts)
    asked = sum(one.documents[0] >= FEW for one in counts)
    for one in counts:
        for i, stage in enumerate(STAGES):
            last = i == 4
            part, whole = (one.tokens, tokens) if last else (one.documents[i], totals[i])
            share = part / whole if whole else None
            if i == 0:
                step = Change(None, None, None, one.documents[0] < FEW, False)
            elif last:
                before = one.documents[3] / totals[3] if totals[3] else 0
                moved = share / before - 1 if share is not None and before else None
                step = Change(moved, None, None, one.documents[3] < FEW, False)
            else:
                step = changed(one.documents[i - 1], one.documents[i], totals[i - 1], totals[i], alert, asked)
            rows.append((by, one.name, stage, one.documents[i], one.bytes[i], one.tokens if i >= 3 else None, share,
                         step.change, step.low, step.high, step.few, step.alert))  # fmt: skip
    return rows


def _evenness(run: Run, by: str) -> list[tuple[object, ...]]:
    """Rows of EVENNESS, over all groups of `spread_by`."""
    rows: list[tuple[object, ...]] = []
    for i, stage in enumerate(STAGES):
        column = "t" if i == 4 else f"d{i}"
        found = run.rows(f"""SELECT count(*), exp(-sum(p * ln(p))), sum(p) FILTER (place <= 1),
            sum(p) FILTER (place <= 10), sum(p) FILTER (place <= 1000) FROM (
            SELECT {column} / sum({column}) OVER () AS p, row_number() OVER (ORDER BY {column} DESC) AS place
            FROM spread_by WHERE {column} > 0)""")
        rows.append((by, stage, *found[0]))
    return rows
