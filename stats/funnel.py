"""The funnel: what went where. Its lines add up to the records that were read."""

from __future__ import annotations

from collections import Counter

import pyarrow as pa

from stats.run import Run, footers

COUNT, SHARE = {"format": ","}, {"format": ".1%"}
SCHEMA = pa.schema(
    [
        pa.field("stage", pa.string()),
        pa.field("fate", pa.string()),
        pa.field("documents", pa.int64(), metadata=COUNT),
        pa.field("share", pa.float64(), metadata=SHARE),
        pa.field("bytes", pa.int64(), metadata=COUNT),
        pa.field("tokens", pa.int64(), metadata=COUNT),
    ]
)
# A row of a Parquet input has no bytes of its own in the file; its length is given as 1.
FATES = """
SELECT coalesce(f.fate, 'undecided'), count(*),
       sum(coalesce(d.length, r.length)) FILTER (NOT list_contains(?::VARCHAR[], f.source))
FROM fates f LEFT JOIN (SELECT doc_id, length FROM documents) d ON f.doc_id = d.doc_id
     LEFT JOIN (SELECT doc_id, length FROM rejects) r ON f.doc_id = r.doc_id
GROUP BY 1
"""
Row = tuple[str, str, int, int | None, int | None]


def funnel(run: Run) -> pa.Table:
    """What became of the records that were read, as a table of SCHEMA.

    Lines: read; skipped by record type; rejected by reason; filtered by rule, in the recipe's order; duplicates by
    method; removed by request; undecided, in a run that is not finished; kept. `documents` counts records, `share` is
    of all records (0 to 1), `bytes` are bytes of the records in the crawl's files as they lie there (compressed, if
    they are), `tokens` are what the shards hold. ValueError in a sentence if a file cannot be read.
    """
    run.sound()
    tables = [part["source"] for part in run.described["parts"] if part["kind"] == "parquet"]
    found = {fate: (count, size) for fate, count, size in run.rows(FATES, tables)}
    skipped: Counter[str] = Counter()
    for _, _, counts, _ in footers(run, "documents"):
        skipped.update({key: n for key, n in counts.items() if key.startswith("skipped.")})
    total = sum(count for count, _ in found.values()) + sum(skipped.values())
    rows: list[Row] = [("read", "records", total, _sum([size for _, size in found.values()]), None)]
    rows += [("skipped", key.removeprefix("skipped."), n, None, None) for key, n in sorted(skipped.items())]
    order = [step.id for step in run.recipe.steps]
    for stage in ("rejected", "filtered", "duplicate", "removed"):
        mine = [(fate.partition(":")[2], *of) for fate, of in found.items() if fate.startswith(f"{stage}:")]
        mine.sort(key=lambda line: (order.index(line[0]) if line[0] in order else len(order), -line[1], line[0]))
        rows += [(stage, *line, None) for line in mine]
    if "undecided" in found:
        rows.append(("undecided", "undecided", *found["undecided"], None))
    tokens = run.rows("SELECT sum(n_tokens) FROM tokens")[0][0]
    rows.append(("kept", "kept", *found.get("kept", (0, None)), tokens))
    lines = [(s, f, n, n / total if total else None, b, t) for s, f, n, b, t in rows]
    return pa.Table.from_arrays(
        [pa.array(column, kind.type) for column, kind in zip(zip(*lines, strict=True), SCHEMA, strict=True)],
        schema=SCHEMA,
    )


def _sum(sizes: list[int | None]) -> int | None:
    known = [size for size in sizes if size is not None]
    return sum(known) if known else None
