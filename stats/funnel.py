"""The funnel: what went where. Its documents add up to the records that were read."""

from __future__ import annotations

import pyarrow as pa

from stats.run import Run

SCHEMA = pa.schema([("stage", pa.string()), ("fate", pa.string()), ("documents", pa.int64()), ("share", pa.string())])


def funnel(run: Run) -> pa.Table:
    """Rows (stage, fate, documents, share of all pages): read, rejected, filtered in recipe order, duplicates, kept."""
    counted = dict(run.rows("SELECT coalesce(fate, 'undecided'), count(*) FROM fates GROUP BY 1"))
    total = sum(counted.values())
    order = [f"filtered:{step['id']}" for step in run.described["recipe"].get("steps", [])]
    rows = [("read", "pages", total)]
    for stage in ("rejected", "filtered", "duplicate"):
        mine = [f for f in counted if f.startswith(f"{stage}:")]
        mine.sort(key=lambda f: (order.index(f) if f in order else -1, -counted[f], f))
        rows += [(stage, fate.partition(":")[2], counted[fate]) for fate in mine]
    rows += [("undecided", "undecided", counted["undecided"])] if "undecided" in counted else []
    rows.append(("kept", "kept", counted.get("kept", 0)))
    listed = [{"stage": s, "fate": f, "documents": n, "share": f"{n / total:.1%}" if total else ""} for s, f, n in rows]
    listed.append({"stage": "tokens", "fate": "", "documents": _tokens(run), "share": ""})
    return pa.Table.from_pylist(listed, schema=SCHEMA)


def _tokens(run: Run) -> int:
    return int(run.rows("SELECT coalesce(sum(n_tokens), 0) FROM tokens")[0][0])
