"""Job: `signals/`, `ranks/`, `duplicates/`, `cuts/` and `contamination/` in, `decisions/` out: one fate a document.

What was asked to be removed (`removed/`, written here first) goes before all else, with no rule. The rules are the
recipe's, compiled to SQL by `filters.rules`; DuckDB evaluates that SQL over one part. The first failing rule names the
fate; a document that passes all rules may still be a duplicate, or lose so much to cuts/ or contamination/ that it goes
with the fate given there; what is left is kept. Nothing here knows what a rule means.
"""

from __future__ import annotations

from collections.abc import Sequence

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
from apache_beam.options.pipeline_options import PipelineOptions

from filters.rules import columns_read, failing_threshold, failing_value, first_failing
from pipelines.code import made_by
from pipelines.cut_rows import cut_marks, read_cuts
from pipelines.mapping import map_parts
from pipelines.parts import fingerprint, part_path, read_counts, read_mark, read_table, write_part
from pipelines.rank import ranks_mark, with_ranks
from pipelines.removal.obey import marked, obey, removed_of
from pipelines.schemas import CUTS, DECISIONS, REMOVED
from recipes.model import Recipe

FATES = """
SELECT doc_id,
       CASE WHEN request IS NOT NULL THEN 'removed:' || request
            WHEN rule IS NOT NULL THEN 'filtered:' || rule
            WHEN method IS NOT NULL AND method <> 'kept' THEN 'duplicate:' || method
            WHEN lost IS NOT NULL THEN lost
            ELSE 'kept' END AS fate,
       CASE WHEN request IS NULL THEN rule END AS rule,
       CASE WHEN request IS NOT NULL THEN NULL
            WHEN rule IS NOT NULL THEN value WHEN method <> 'kept' THEN CAST(similarity AS VARCHAR)
            ELSE left_value END AS value,
       CASE WHEN request IS NOT NULL THEN NULL
            WHEN rule IS NOT NULL THEN threshold WHEN method <> 'kept' THEN NULL ELSE left_threshold END AS threshold
FROM (SELECT s.doc_id, s.row_number, s.rule, s.value, s.threshold, d.method, d.similarity,
             g.fate AS lost, g.value AS left_value, g.threshold AS left_threshold,
             w.request
      FROM (SELECT doc_id, row_number, ({rule}) AS rule, CAST(({value}) AS VARCHAR) AS value,
                   CAST(({threshold}) AS VARCHAR) AS threshold FROM signals) s
           LEFT JOIN duplicates d ON s.doc_id = d.doc_id
           LEFT JOIN removed w ON s.doc_id = w.doc_id
           LEFT JOIN (SELECT doc_id, fate, value, threshold FROM cuts WHERE fate IS NOT NULL
                      QUALIFY row_number() OVER (PARTITION BY doc_id ORDER BY place) = 1) g ON s.doc_id = g.doc_id)
ORDER BY row_number
"""


def decide(
    run: str, indices: Sequence[int], recipe: Recipe, register: str | None, options: PipelineOptions
) -> dict[str, int]:
    """Decide every document of the run; returns how many met each fate.

    What the run's own requests and those of `register` mean is looked for first, and removed.
    """
    obey(run, indices, recipe, register)
    return map_parts(run, "decide", indices, decide_part, options, recipe=recipe)


def decide_part(index: int, run: str, recipe: Recipe) -> dict[str, int]:
    """Make one part of decisions/, unless it is there already."""
    signals, duplicates = part_path(run, "signals", index), part_path(run, "duplicates", index)
    steps = [step.model_dump() for step in recipe.steps]
    gone, gone_mark = removed_of(run, index)
    plain = fingerprint(
        "decide", made_by(), read_mark(signals), ranks_mark(run, index, recipe), read_mark(duplicates),
        cut_marks(run, index), steps,
    )  # fmt: skip
    mark = marked(plain, gone_mark)
    path = part_path(run, "decisions", index)
    done = read_counts(path, mark)
    if done is not None:
        return done
    measured = with_ranks(run, index, read_table(signals, columns_read(recipe)), recipe)
    decisions = fates(measured, read_table(duplicates), recipe, read_cuts(run, index), gone)
    tally = pc.value_counts(decisions["fate"])
    counts = {str(item["values"]): int(item["counts"].as_py()) for item in tally}
    write_part(path, decisions.to_batches(), DECISIONS, mark, counts)
    return counts


def fates(
    signals: pa.Table, duplicates: pa.Table, recipe: Recipe, cuts: pa.Table | None = None,
    removed: pa.Table | None = None,
) -> pa.Table:  # fmt: skip
    """One row of DECISIONS for each row of `signals`, in its order; of several rows of `cuts` the first counts."""
    removed = REMOVED.empty_table() if removed is None else removed
    cuts = CUTS.empty_table() if cuts is None else cuts
    numbered = signals.append_column("row_number", pa.array(range(signals.num_rows), pa.int64()))
    query = FATES.format(rule=first_failing(recipe), value=failing_value(recipe), threshold=failing_threshold(recipe))
    with duckdb.connect(config={"threads": 1}) as connection:
        connection.register("signals", numbered)
        connection.register("duplicates", duplicates)
        connection.register("removed", removed)
        connection.register("cuts", cuts.append_column("place", pa.array(range(cuts.num_rows), pa.int64())))
        return connection.sql(query).to_arrow_table().cast(DECISIONS)
