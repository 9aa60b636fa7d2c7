"""Whether rules drop texts that mention a group of people more often than others of the same language.

Mentions are found on demand, by streaming the texts as extracted through `filters.identity`: as columns of signals/
they would slow every run for a question that few runs are asked. Everything is told by language, English and Chinese,
since lists differ and so do rules. A mention is compared with all other documents of its language.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.parquet as pq

from filters.identity import LANGUAGES, groups, mentions
from filters.sql import literal
from stats.diversity import ALERT, SHARE, STAGES
from stats.diversity_rules import RULES, changes_of, first, tallies
from stats.intervals import FEW, changed, wilson
from stats.rows import COUNT, decided_parts, table
from stats.run import Run

BATCH = 1024  # texts at a time
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
    return Mentions(table(rows, MENTIONS), table(sorted(rules, key=first), RULES))


def _scan(run: Run) -> None:
    """The temporary tables `mention` (the list's language, mask, stage, rule, fails) and `identity` (bit, name)."""
    found: dict[str, list[pa.Array]] = {"doc_id": [], "list": [], "mask": []}
    for part in decided_parts(run):
        for doc_id, lang, text in _texts(run, part):
            masks = mentions(text, lang)
            some = masks.is_valid()
            codes = pa.array([LANGUAGES.get(code or "") for code in lang.to_pylist()], pa.string())
            for name, column in (("doc_id", doc_id), ("list", codes), ("mask", masks)):
                found[name].append(column.filter(some))
    kinds = {"doc_id": pa.string(), "list": pa.string(), "mask": pa.int64()}
    whole = pa.table({name: pa.chunked_array(found[name], kind) for name, kind in kinds.items()})
    run.connection.register("mentioned", whole)
    run.rows("""CREATE OR REPLACE TEMP TABLE mention AS
        SELECT m.list, m.mask, s.stage, s.rule, s.fails FROM mentioned m JOIN spread s ON m.doc_id = s.doc_id""")
    run.connection.unregister("mentioned")
    values = ", ".join(f"({1 << i}, {literal(group.id)})" for i, group in enumerate(groups()))
    run.rows(f"CREATE OR REPLACE TEMP TABLE identity AS SELECT * FROM (VALUES {values}) t(bit, name)")


def _texts(run: Run, part: str) -> Iterator[tuple[pa.StringArray, pa.StringArray, pa.LargeStringArray]]:
    """(doc_id, language, text) of a part in batches; ValueError if signals/ is not row for row beside documents/."""
    signals = pq.read_table(run.path / "signals" / part, columns=["doc_id", "lang"])
    done = 0
    for batch in pq.ParquetFile(run.path / "documents" / part).iter_batches(BATCH, columns=["doc_id", "text"]):
        beside = signals.slice(done, batch.num_rows)
        done += batch.num_rows
        if not beside["doc_id"].combine_chunks().equals(batch["doc_id"]):
            raise ValueError(
                f"{run.path / 'signals' / part} is not row for row beside documents/. Delete it and run again."
            )
        lang = beside["lang"].combine_chunks()
        yield batch["doc_id"], lang, batch["text"].cast(pa.large_string())


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
