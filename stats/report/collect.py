"""All that a report tells of a run, asked once. A part that a half-finished run lacks is empty or None."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from stats.funnel import funnel
from stats.report.cost import Cost, cost
from stats.report.duplicates import Duplicates, duplicates
from stats.report.groups import Groups, Kind, Lengths, Shards, domains, languages, lengths, personal, shards
from stats.report.rows import Held, hold
from stats.report.rules import RuleView, rule_views
from stats.run import Run

STRIP = ("kept", "duplicate", "filtered", "removed", "rejected", "undecided", "skipped")


@dataclass(frozen=True)
class Report:
    """The figures of one run. `funnel` are rows of `stats.funnel`; `strip` adds them up by stage, as shares."""

    run: Run
    held: Held
    funnel: Sequence[dict[str, Any]]
    rules: Sequence[RuleView]
    languages: Groups
    domains: Groups
    duplicates: Duplicates
    personal: Sequence[Kind] | None
    lengths: Lengths | None
    shards: Shards | None
    cost: Cost

    @property
    def records(self) -> int:
        """Read from the crawl."""
        return int(self.funnel[0]["documents"])

    def of_stage(self, stage: str) -> int:
        """Records whose fate is of this stage."""
        return sum(row["documents"] for row in self.funnel if row["stage"] == stage)

    @property
    def strip(self) -> list[tuple[str, int, float]]:
        """(stage, records, share of all) of every stage that has any."""
        found = ((stage, self.of_stage(stage)) for stage in STRIP)
        return [(stage, n, n / self.records) for stage, n in found if n]

    @property
    def documents(self) -> int:
        """Extracted from the records."""
        return self.records - self.of_stage("skipped") - self.of_stage("rejected")

    @property
    def tokens(self) -> int | None:
        """In the shards."""
        found: int | None = self.funnel[-1]["tokens"]
        return found


def collect(run: Run) -> Report:
    """Ask a run everything; ValueError in a sentence if a file cannot be read."""
    recipe = run.recipe
    held = hold(run, recipe)
    return Report(
        run=run,
        held=held,
        funnel=funnel(run).to_pylist(),
        rules=rule_views(run, recipe, held) if held.documents else [],
        languages=languages(run, held),
        domains=domains(run, held),
        duplicates=duplicates(run, held),
        personal=personal(run),
        lengths=lengths(run, held),
        shards=shards(run),
        cost=cost(run),
    )
