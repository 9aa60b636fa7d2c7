"""Personal data under another policy or other thresholds: how much of each kind the kept documents hold, and what
would be done with it.

Counted from signals/, on the text as it was extracted, so that it is known of documents that were not kept too;
edits and cuts may take some of it away, and kept/ has the exact counts of what was kept.
"""

from __future__ import annotations

import pyarrow as pa

from filters.catalogue import kind_names
from filters.rules import columns_read, first_failing, with_verdicts
from filters.sql import quoted
from recipes.model import Recipe
from stats.rows import COUNT, FATE, RULE, decided_parts, ready, side_by_side, table
from stats.run import Run

SCHEMA = pa.schema([
    pa.field("kind", pa.string()), pa.field("action now", pa.string()), pa.field("then", pa.string()),
    pa.field("documents now", pa.int64(), metadata=COUNT), pa.field("documents then", pa.int64(), metadata=COUNT),
    pa.field("found now, about", pa.int64(), metadata=COUNT),
    pa.field("found then, about", pa.int64(), metadata=COUNT),
    pa.field("replaced now", pa.int64(), metadata=COUNT),
    pa.field("replaced then", pa.int64(), metadata=COUNT)])  # fmt: skip
NOW = f"{FATE} = 'kept'"
THEN = f'"rule then" IS NULL AND ({NOW} OR {RULE} IS NOT NULL)'  # what went by no rule goes still


def personal(run: Run, recipe: Recipe) -> pa.Table:
    """Rows of SCHEMA for kinds that kept documents hold, now or then; ValueError if they were not measured."""
    recipe, _ = ready(run, recipe)
    have = {name for name, *_ in run.rows("DESCRIBE signals")}
    kinds = [kind for kind in kind_names() if f"pii_{kind}" in have]
    parts = decided_parts(run)
    if not kinds or not parts:
        raise ValueError(f"{run.path} has no counts of personal data in signals/. Give the same `winnow run` again.")
    columns = [*columns_read(recipe), *(f"pii_{kind}" for kind in kinds)]
    rows = f'(SELECT *, CAST(({first_failing(recipe)}) AS VARCHAR) AS "rule then" FROM {{source}})'
    source = with_verdicts(recipe, side_by_side(run, columns, parts))
    sums = ", ".join(_sums(quoted(f"pii_{kind}"), side) for kind in kinds for side in (NOW, THEN))
    (numbers,) = run.rows(f"SELECT {sums} FROM {rows.format(source=f'({source})')}")
    made = [_row(run, recipe, kind, numbers[4 * i : 4 * i + 4]) for i, kind in enumerate(kinds)]
    return table([row for row in made if row[3] or row[4]], SCHEMA)


def _sums(column: str, side: str) -> str:
    return f"count(*) FILTER ({column} > 0 AND {side})::BIGINT, coalesce(sum({column}) FILTER ({side}), 0)::BIGINT"


def _row(run: Run, recipe: Recipe, kind: str, numbers: tuple[int, ...]) -> tuple[object, ...]:
    documents_now, found_now, documents_then, found_then = numbers
    now, then = run.recipe.scrub.policy.get(kind, "leave"), recipe.scrub.policy.get(kind, "leave")
    return (
        kind, now, then, documents_now, documents_then, found_now, found_then,
        found_now * (now != "leave"), found_then * (then != "leave"),
    )  # fmt: skip
