"""The views over a run's datasets, as questions see them.

A dataset without parts is an empty view with the right columns, so a half-finished run can be asked as well; parts that
cannot be opened are noted in `Run.damaged` and left out.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import pyarrow as pa

from filters.pii import KINDS
from filters.rules import all_failing, with_verdicts
from filters.sql import literal
from pipelines.schemas import (
    CUTS,
    DECISIONS,
    DOCUMENTS,
    DUPLICATES,
    KEPT,
    PERSONAL,
    POLICIES,
    REJECTS,
    REMOVALS,
    REMOVED,
    RIGHTS,
)
from stats.faults import fault, sentence
from stats.shards import ShardRows, requests_in_effect, shard_files

if TYPE_CHECKING:
    from stats.run import Run

DATASETS = (
    "documents",
    "rejects",
    "policies",
    "rights",
    "signals",
    "duplicates",
    "cuts",
    "contamination",
    "removed",
    "decisions",
    "personal",
    "kept",
)
FATES = """
CREATE VIEW fates AS
SELECT d.doc_id, d.url, d.source, d."offset", coalesce('removed:' || g.request, c.fate) AS fate,
       CASE WHEN g.request IS NULL THEN c.rule END AS rule, CASE WHEN g.request IS NULL THEN c.value END AS value,
       CASE WHEN g.request IS NULL THEN c.threshold END AS threshold
FROM documents d LEFT JOIN decisions c ON d.doc_id = c.doc_id
     LEFT JOIN removals g ON d.doc_id = g.doc_id
UNION ALL
SELECT doc_id, url, source, "offset", 'rejected:' || reason, NULL, NULL, NULL FROM rejects
"""


def make_views(run: Run) -> None:
    """A view for each dataset, and `removals`, `tokens`, `fates` and `failing`."""
    for name in DATASETS:
        _view(run, name)
    _removals(run)
    run.connection.register("shard_rows", ShardRows(shard_files(run.path)))
    run.connection.execute("CREATE VIEW tokens AS SELECT * FROM shard_rows")
    run.connection.execute(FATES)
    _failing(run)


def _view(run: Run, name: str) -> None:
    """A view over the finished parts; those that cannot even be opened are noted and left out."""
    files = run.parts(name)
    if files and not _readable(run, name, files):
        found = [(path, fault(path)) for path in files]
        run.damaged += [fault for _, fault in found if fault]
        files = [path for path, fault in found if not fault]
        if files and not _readable(run, name, files):  # sound footers, and yet DuckDB does not take them
            raise ValueError(f"{run.path / name} cannot be read. Delete it and run again.")
    if not files:
        run.connection.register(f"no_{name}", _schema(run, name).empty_table())
        run.connection.execute(f"CREATE VIEW {name} AS SELECT * FROM no_{name}")


def _removals(run: Run) -> None:
    """The view `removals`: requests that the newest manifest obeys, and the documents that each took out of it."""
    columns = ", ".join(name for name in REMOVALS.names if not name.startswith("signed"))
    found = [(path, fault(path)) for path in requests_in_effect(run.path)]
    run.damaged += [fault for _, fault in found if fault]
    run.requests = [path for path, fault in found if not fault]
    run.connection.register("no_removals", REMOVALS.empty_table())
    source = run.files(run.requests) if run.requests else "no_removals"
    run.connection.execute(f"CREATE VIEW removals AS SELECT {columns} FROM {source}")


def _failing(run: Run) -> None:
    """The view `failing`: a row for every rule that a document fails, first or not; asked only when it is read."""
    try:
        recipe = run.recipe
        listed = f"SELECT doc_id, unnest({all_failing(recipe)}) AS rule FROM ({with_verdicts(recipe)})"
        run.connection.execute(f"CREATE VIEW failing AS {listed}")
    except (ValueError, duckdb.Error) as error:  # only who asks for it need know: the other views are sound
        told = sentence(error) if isinstance(error, duckdb.Error) else str(error)
        run.connection.execute(f"CREATE VIEW failing AS SELECT '' AS doc_id, error({literal(told)}) AS rule")


def _readable(run: Run, name: str, files: list[Path]) -> bool:
    try:
        run.connection.execute(f"CREATE VIEW {name} AS SELECT * FROM {run.files(files)}")
    except duckdb.Error:  # whose fault it is, the caller finds out file by file
        return False
    return True


def _schema(run: Run, name: str) -> pa.Schema:
    if name == "signals":
        from filters.annotate import signals_schema  # only for a run without signals: it loads every kernel

        return signals_schema(run.recipe)
    if name == "kept":
        return pa.schema([*KEPT, *(pa.field(f"pii_{kind}", pa.int32()) for kind in KINDS)])
    schemas = {"documents": DOCUMENTS, "rejects": REJECTS, "policies": POLICIES, "rights": RIGHTS, "removed": REMOVED,
               "duplicates": DUPLICATES, "decisions": DECISIONS, "personal": PERSONAL}  # fmt: skip
    return schemas.get(name, CUTS)
