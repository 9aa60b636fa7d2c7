"""Whether rules drop texts that mention a group of people more often than others of the same language.

Mentions are found on demand, by streaming the texts as extracted through `filters.identity`: as columns of signals/
they would slow every run for a question that few runs are asked. Everything is told by language, English and Chinese,
since lists differ and so do rules. A mention is compared with all other documents of its language.
"""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

from filters.identity import LANGUAGES, groups, mentions
from filters.sql import literal
from stats.diversity import ALERT, FEW, SHARE, STAGES, changed, wilson
from stats.diversity_rules import RULES, changes_of, tallies
from stats.rows import COUNT, table
from stats.run import Run

MENTIONS = pa.schema([
    pa.field("lang", pa.string()), pa.field("axis", pa.string()), pa.field("group", pa.string()),
    *(pa.field(f"documents, {stage}", pa.int64(), metadata=COUNT) for stage in STAGES[:4]),
    *(pa.field(f"share, {stage}", pa.float64(), metadata=SHARE) for stage in STAGES[:4]),
    pa.field("pass", pa.float64(), metadata=SHARE), pa.field("pass_low", pa.float64(), metadata=SHARE),
    pa.field("pass_high", pa.float64(), metadata=SHARE), pa.field("others_pass", pa.float64(), metadata=SHARE),
    pa.field("others_kept", pa.float64(), metadata=SHARE), pa.field("few", pa.bool_()),
    pa.field("alert", pa.bool_())])  # fmt: skip


@dataclass(frozen=True)
class Mentions:
    """`groups` of MENTIONS; `rules` of RULES, where `by` is the language and `group` the group mentioned."""

    groups: pa.Table
    rules: pa.Table


def find_mentions(run: Run, alert: float = ALERT) -> Mentions:
    """Mentions at every stage and by rule; `stats.diversity.prepare` was called before."""
    _scan(run)
    rows: list[tuple[object, ...]] = []
    rules: list[tuple[object, ...]] = []
    for lang in ("en", "zh"):
        rows += _stages(run, lang, alert)
        rules += _rules(run, lang, alert)
    rules.sort(key=lambda row: (not row[-1], -abs(float(row[9] or 0)), str(row[0]), str(row[1]), str(row[2])))  # type: ignore[arg-type]
    return Mentions(table(rows, MENTIONS), table(rules, RULES))


def _scan(run: Run) -> None:
    """The temporary tables `mention` (the list's language, mask, stage, rule, fails) and `identity` (bit, name)."""
    reader = run.connection.sql(
        f"""SELECT d.doc_id, s.lang, d.text FROM documents d
        JOIN (SELECT doc_id, lang FROM signals WHERE lang IN {literal(tuple(LANGUAGES))}) s ON d.doc_id = s.doc_id"""
    ).to_arrow_reader(2048)  # fmt: skip
    ids, masks, langs = [], [], []
    for batch in reader:
        lang = batch["lang"].cast(pa.string())
        masks.append(mentions(batch["text"].cast(pa.large_string()), lang))
        ids.append(batch["doc_id"].cast(pa.string()))
        langs.append(pa.array([LANGUAGES[code] for code in lang.to_pylist()], pa.string()))
    found = pa.table({
        "doc_id": pa.chunked_array(ids, pa.string()), "list": pa.chunked_array(langs, pa.string()),
        "mask": pa.chunked_array(masks, pa.int64()),
    })  # fmt: skip
    run.connection.register("mentioned", found)
    run.rows("""CREATE OR REPLACE TEMP TABLE mention AS
        SELECT m.list, m.mask, s.stage, s.rule, s.fails FROM mentioned m JOIN spread s ON m.doc_id = s.doc_id""")
    run.connection.unregister("mentioned")
    values = ", ".join(f"({1 << i}, {literal(group.id)})" for i, group in enumerate(groups()))
    run.rows(f"CREATE OR REPLACE TEMP TABLE identity AS SELECT * FROM (VALUES {values}) t(bit, name)")


def _counts(run: Run, query: str) -> dict[str, tuple[int, ...]]:
    sums = ", ".join(f"count(*) FILTER (stage >= {i})" for i in range(4))
    return {name: tuple(rest) for name, *rest in run.rows(query.format(sums=sums))}


def _stages(run: Run, lang: str, alert: float) -> list[tuple[object, ...]]:
    """Rows of MENTIONS for one language; none without documents of it."""
    whole = _counts(run, f"SELECT '', {{sums}} FROM mention WHERE list = '{lang}'")[""]
    if not whole[0]:
        return []
    by = _counts(
        run,
        f"""SELECT name, {{sums}} FROM mention JOIN identity ON mask & bit <> 0
        WHERE list = '{lang}' GROUP BY 1""",
    )
    rows: list[tuple[object, ...]] = []
    asked = sum(counts[0] >= FEW for counts in by.values())
    for group in groups():
        counts = by.get(group.id, (0, 0, 0, 0))
        if not counts[0]:
            continue
        others = [all_ - mine for all_, mine in zip(whole, counts, strict=True)]
        step = changed(counts[0], counts[1], whole[0], whole[1], alert, asked)
        shares = [mine / all_ if all_ else None for mine, all_ in zip(counts, whole, strict=True)]
        low, high = wilson(counts[1], counts[0])
        rows.append((lang, group.axis, group.id, *counts, *shares, counts[1] / counts[0], low, high,
                     others[1] / others[0] if others[0] else None, others[3] / others[0] if others[0] else None,
                     step.few, step.alert))  # fmt: skip
    return rows


def _rules(run: Run, lang: str, alert: float) -> list[tuple[object, ...]]:
    """Rows of RULES for one language: each group against all documents of the language."""
    own = f"(SELECT name, stage, rule, fails FROM mention JOIN identity ON mask & bit <> 0 WHERE list = '{lang}')"
    everything = f"(SELECT '' AS name, stage, rule, fails FROM mention WHERE list = '{lang}')"
    found = tallies(run, "name", own)
    found[""] = tallies(run, "name", everything)[""]
    return changes_of(lang, run.recipe, found, alert)
