"""What the cards say of diversity and bias: the alarms of `stats.diversity`, and mentions, in a few lines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from filters.identity import groups
from stats.diversity import ALERT, BY, STAGES, prepare, spread
from stats.diversity_rules import rule_changes
from stats.mentions import find_mentions
from stats.papers.safe import short
from stats.run import Run

MOST = 30
Changed = tuple[str, str, str, float, float]  # by, group, stage, share before, share after
Dropping = tuple[str, str, str, int, int, float]  # by, group, rule, came, dropped, relative change of the share
Mentioned = tuple[str, str, int, int, float, float | None]  # language, group, documents, kept, share kept, others'


@dataclass(frozen=True)
class Changes:
    """The alarms, the largest changes first; `groups` is all of diversity.parquet; `effective` domains by stage."""

    alert: float
    rows: Sequence[Changed]
    rules: Sequence[Dropping]
    mentions: Sequence[Mentioned]
    effective: dict[str, float]
    groups: pa.Table


def changes(run: Run, by: Sequence[str] = BY, alert: float = ALERT, with_mentions: bool = True) -> Changes:
    """Ask a run; `with_mentions` reads all texts once."""
    prepare(run, by)
    found = spread(run, by, alert)
    rows: list[tuple[float, Changed]] = []
    before = 0.0
    for row in found.groups.to_pylist():
        if row["alert"]:
            rows.append((-abs(row["change"]), (row["by"], short(row["group"]), row["stage"], before, row["share"])))
        before = row["share"] or 0.0
    rows.sort(key=lambda one: (one[0], one[1]))
    rules = [
        (row["by"], short(row["group"]), row["rule"], row["came"], row["dropped"], row["change"])
        for row in rule_changes(run, by, alert).to_pylist()
        if row["alert"]
    ]
    effective = {row["stage"]: row["effective"] for row in found.evenness.to_pylist() if row["by"] == "domain"}
    mentioned = _mentioned(run, alert) if with_mentions else []
    return Changes(alert, [row for _, row in rows[:MOST]], rules[:MOST], mentioned, effective, found.groups)


def _mentioned(run: Run, alert: float) -> list[Mentioned]:
    table = find_mentions(run, alert).groups
    return [
        (row["lang"], row["group"], row[f"documents, {STAGES[0]}"], row[f"documents, {STAGES[3]}"],
         row[f"documents, {STAGES[3]}"] / row[f"documents, {STAGES[0]}"], row["others_kept"])
        for row in table.to_pylist()
    ]  # fmt: skip


def group_name(group: str, zh: bool) -> str:
    """A group of people as the list names it, in one language."""
    return next((one.zh_name for one in groups() if one.id == group), group) if zh else group.replace("_", " ")
