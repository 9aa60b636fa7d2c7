"""Which rule of a recipe changes which group's share, asked of the temporary table that `stats.diversity` makes.

Two views of each rule and group. As it ran: of the documents that came as far as the rule, how many it dropped, and
what that did to the group's share. Alone: of all documents, how many fail the rule, whether or not another dropped them
first. A rule that reads a list of words or a classifier's score says so, since those are what drops texts for whom they
mention (Dodge et al. 2021, arXiv:2104.08758 5.3).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import pyarrow as pa

from filters.sql import quoted
from recipes.model import Recipe
from recipes.steps import Rule
from stats.diversity import ALERT, CHANGE, MOST, NONE, SHARE
from stats.intervals import FEW, changed, wilson
from stats.rows import COUNT, table
from stats.run import Run

LISTS = {"words": "word list", "url_list": "address list", "url_words": "words in the address"}
RULES = pa.schema([
    pa.field("by", pa.string()), pa.field("group", pa.string()), pa.field("rule", pa.string()),
    pa.field("reads", pa.string()), pa.field("came", pa.int64(), metadata=COUNT),
    pa.field("dropped", pa.int64(), metadata=COUNT), pa.field("dropped_share", pa.float64(), metadata=SHARE),
    pa.field("dropped_of_all", pa.float64(), metadata=SHARE),
    pa.field("times", pa.float64(), metadata={"format": ".2f"}), pa.field("change", pa.float64(), metadata=CHANGE),
    pa.field("change_low", pa.float64(), metadata=CHANGE), pa.field("change_high", pa.float64(), metadata=CHANGE),
    pa.field("fail", pa.int64(), metadata=COUNT), pa.field("change_alone", pa.float64(), metadata=CHANGE),
    pa.field("drops_more", pa.bool_()), pa.field("few", pa.bool_()), pa.field("alert", pa.bool_())])  # fmt: skip


@dataclass(frozen=True)
class Tally:
    """Documents of one group: all, dropped first by each rule, failing each rule."""

    documents: int
    dropped: dict[str, int]
    fail: dict[str, int]


def reads(recipe: Recipe, rule_id: str) -> str:
    """What a rule looks at, as far as it is a list or a model; its signal's name else."""
    kinds = {score.column: score.kind for score in recipe.scores}
    step = next((step for step in recipe.steps if step.id == rule_id), None)
    signal = step.signal if isinstance(step, Rule) else None
    if signal in kinds:
        return f"{LISTS.get(kinds[signal], f'{kinds[signal]} score')} {signal.removeprefix('score_')}"
    return signal or "chance"


def rule_changes(run: Run, by: Sequence[str], alert: float = ALERT) -> pa.Table:
    """RULES for each kind of group, what changes most first; `stats.diversity.prepare` was called before."""
    rows: list[tuple[object, ...]] = []
    for name in by:
        rows += changes_of(name, run.recipe, tallies(run, quoted(f"by {name}")), alert)
    return table(rows, RULES)


def tallies(run: Run, column: str, source: str = "spread") -> dict[str, Tally]:
    """The tallies of each group of a column; "" is all documents. Groups beyond MOST are left out of all but ""."""
    name = f"coalesce(CAST({column} AS VARCHAR), '{NONE}')"
    sizes = dict(run.rows(f"SELECT {name}, count(*) FROM {source} GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT {MOST}"))
    dropped = run.rows(f"SELECT {name}, rule, count(*) FROM {source} WHERE stage = 0 GROUP BY ALL")
    fail = run.rows(f"""SELECT name, failed, count(*) FROM (SELECT {name} AS name, unnest(fails) AS failed FROM {source}
        WHERE len(fails) > 0) GROUP BY ALL""")
    out = {group: Tally(size, {}, {}) for group, size in sizes.items()}
    out[""] = Tally(run.rows(f"SELECT count(*) FROM {source}")[0][0], defaultdict(int), defaultdict(int))
    for kind, found in (("dropped", dropped), ("fail", fail)):
        for group, rule, count in found:
            getattr(out[""], kind)[rule] += count
            if group in out:
                getattr(out[group], kind)[rule] = count
    return out


def drops_more(dropped: int, came: int, gone: int, whole: int, alert: float, asked: int) -> bool:
    """Whether a rule drops a group at a rate above that of all by more than `alert`, and not by chance.

    A rule that drops few documents hardly moves a share, and may still drop one group twice as often as others. The
    interval is Wilson's, widened for `asked` groups; fewer than FEW documents say nothing.
    """
    if came < FEW or not gone:
        return False
    least, _ = wilson(dropped, came, NormalDist().inv_cdf(1 - 0.025 / max(asked, 1)))
    return least > gone / whole * (1 + alert)


def changes_of(by: str, recipe: Recipe, groups: dict[str, Tally], alert: float) -> list[tuple[object, ...]]:
    """Rows of RULES for every rule that dropped or would drop a document of a group of FEW or more."""
    whole = groups[""]
    big = {group: tally for group, tally in groups.items() if group and tally.documents >= FEW}
    rules = [step.id for step in recipe.steps if whole.fail.get(step.id, 0) or whole.dropped.get(step.id, 0)]
    rows: list[tuple[object, ...]] = []
    came = {group: tally.documents for group, tally in groups.items()}
    for rule in rules:
        gone, left = whole.dropped.get(rule, 0), came[""]
        for group, tally in big.items():
            dropped, fail, mine = tally.dropped.get(rule, 0), tally.fail.get(rule, 0), came[group]
            step = changed(mine, mine - dropped, left, left - gone, alert, len(big))
            alone = changed(tally.documents, tally.documents - fail, whole.documents,
                            whole.documents - whole.fail.get(rule, 0), alert)  # fmt: skip
            more = drops_more(dropped, mine, gone, left, alert, len(big))
            rows.append((by, group, rule, reads(recipe, rule), mine, dropped, dropped / mine if mine else None,
                         gone / left if left else None, dropped / mine / (gone / left) if mine and gone else None,
                         step.change, step.low, step.high, fail, alone.change, more, step.few, step.alert))  # fmt: skip
        for group, tally in groups.items():
            came[group] -= tally.dropped.get(rule, 0)
    return sorted(rows, key=first)


def first(row: Sequence[object]) -> tuple[object, ...]:
    """Orders rows of RULES: what is marked, then what changes a share most, then by name."""
    return not (row[-1] or row[-3]), -abs(float(str(row[9] or 0))), *map(str, row[:3])
