"""What would be kept under other thresholds, from the measurements that a run already has.

The rules of the other recipe are the same SQL that the run's own decisions came from, over the same columns. Two
things a run cannot know without more work, and they are said, not guessed: a document that was dropped by a rule has
not been compared with others, so one that would pass now counts as kept *at most*; and duplicates stay duplicates
even where the rule would now drop the copy that was kept. Tokens of documents that come in are an estimate: the
mean of the kept documents of their language.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from filters.rules import bound_text, failing_value, first_failing, name_of
from filters.thresholds import check, nearest
from recipes.model import Recipe
from stats.run import Run
from stats.show import harmless

EXAMPLES = 5
COUNT, SIGNED = {"format": ","}, {"format": "+,"}
THEN = """
CREATE OR REPLACE TEMP TABLE then_and_now AS
SELECT s.doc_id, s.lang, c.fate AS now, s.then_value,
       CASE WHEN s.then_rule IS NOT NULL THEN 'filtered:' || s.then_rule
            WHEN c.fate LIKE 'duplicate:%' THEN c.fate ELSE 'kept' END AS "then"
FROM (SELECT doc_id, lang, CAST(({rule}) AS VARCHAR) AS then_rule, CAST(({value}) AS VARCHAR) AS then_value
      FROM signals) s JOIN decisions c ON s.doc_id = c.doc_id
"""
FATES = """
SELECT fate, CAST(sum(n) AS BIGINT), CAST(sum(t) AS BIGINT)
FROM (SELECT now AS fate, 1 AS n, 0 AS t FROM then_and_now
      UNION ALL SELECT "then", 0, 1 FROM then_and_now)
GROUP BY 1 ORDER BY fate <> 'kept', abs(sum(t) - sum(n)) DESC, 1
"""
LANGUAGES = """
WITH known AS (SELECT a.doc_id, a.lang, n_tokens FROM then_and_now a JOIN tokens USING (doc_id)),
     mean AS (SELECT lang, avg(n_tokens) AS each FROM known GROUP BY 1)
SELECT coalesce(a.lang, 'unknown'), count(*) FILTER (now = 'kept'), count(*) FILTER ("then" = 'kept'),
       CAST(coalesce(sum(k.n_tokens), 0) AS BIGINT),
       CAST(round(coalesce(sum(coalesce(k.n_tokens, m.each)) FILTER ("then" = 'kept'), 0)) AS BIGINT)
FROM then_and_now a LEFT JOIN known k ON a.doc_id = k.doc_id LEFT JOIN mean m ON a.lang = m.lang
GROUP BY 1 HAVING bool_or(now = 'kept' OR "then" = 'kept') ORDER BY 3 DESC, 1
"""
MOVED = """
SELECT a.doc_id, d.url, a.now, a."then", a.then_value, c.value, c.threshold
FROM then_and_now a JOIN documents d ON a.doc_id = d.doc_id JOIN decisions c ON a.doc_id = c.doc_id
WHERE {side} ORDER BY a.doc_id LIMIT {most}
"""
FATE_SCHEMA = pa.schema([
    pa.field("fate", pa.string()), pa.field("now", pa.int64(), metadata=COUNT),
    pa.field("then", pa.int64(), metadata=COUNT), pa.field("change", pa.int64(), metadata=SIGNED)])  # fmt: skip
LANGUAGE_SCHEMA = pa.schema([
    pa.field("language", pa.string()), pa.field("kept now", pa.int64(), metadata=COUNT),
    pa.field("kept then, at most", pa.int64(), metadata=COUNT), pa.field("tokens now", pa.int64(), metadata=COUNT),
    pa.field("tokens then, about", pa.int64(), metadata=COUNT)])  # fmt: skip


@dataclass(frozen=True)
class WhatIf:
    """The answer: fates now and then, kept documents by language, and sentences on documents that change sides."""

    fates: pa.Table
    languages: pa.Table
    comes_in: list[str]
    goes_out: list[str]


def what_if(run: Run, recipe: Recipe) -> WhatIf:
    """What `recipe`'s rules would make of the run; ValueError if the run did not measure what they need."""
    run.sound()
    check(recipe)
    _measured(run, recipe)
    run.rows(THEN.format(rule=first_failing(recipe), value=failing_value(recipe)))
    fates = [(fate, now, then, then - now) for fate, now, then in run.rows(FATES)]
    bounds = {rule.id: bound_text(rule) for rule, _ in recipe.placed()}
    return WhatIf(
        _table(fates, FATE_SCHEMA),
        _table(run.rows(LANGUAGES), LANGUAGE_SCHEMA),
        [
            f"{_page(url, doc_id)}: was {now}, {value} against {bound}"
            for doc_id, url, now, _, _, value, bound in _moved(run, """now <> 'kept' AND "then" = 'kept'""")
        ],
        [
            f"{_page(url, doc_id)}: would be {then}, {value} against {bounds[then.partition(':')[2]]}"
            for doc_id, url, _, then, value, _, _ in _moved(run, """now = 'kept' AND "then" <> 'kept'""")
        ],
    )


def _measured(run: Run, recipe: Recipe) -> None:
    """Refuse a recipe whose rules read columns that the run has not got."""
    have = [name for name, *_ in run.rows("DESCRIBE signals")]
    for placed in recipe.placed():
        wanted = name_of(*placed)[1:-1]
        if wanted not in have:
            raise ValueError(
                f"This run has no measurement {wanted}, which {recipe.name}'s rule {placed[0].id} reads."
                f"{nearest(wanted, have)} Run the crawl with that recipe instead."
            )


def _moved(run: Run, side: str) -> list[tuple[str, ...]]:
    return run.rows(MOVED.format(side=side, most=EXAMPLES))


def _page(url: str | None, doc_id: str) -> str:
    return harmless(url[:200]) if url else doc_id


def _table(rows: Sequence[tuple[object, ...]], schema: pa.Schema) -> pa.Table:
    columns = list(zip(*rows, strict=True)) or [()] * len(schema)
    arrays = [pa.array(column, field.type) for column, field in zip(columns, schema, strict=True)]
    return pa.Table.from_arrays(arrays, schema=schema)
