"""One question in SQL to one table, with DuckDB's faults told in a sentence.

What may be asked is decided by DuckDB's own parser, not by looking for words: one statement, and it must be a SELECT
(WITH, FROM, DESCRIBE, SUMMARIZE and SHOW are), or the EXPLAIN of one. EXPLAIN ANALYZE runs what it explains, so its
inner statement is held to the same rule.
"""

from __future__ import annotations

import re

import duckdb
import pyarrow as pa

from stats.run import Run

EXPLAIN = re.compile(r"\s*explain\s+(analyze\s+)?(\([^)]*\)\s*)?", re.IGNORECASE)


def query(run: Run, sql: str) -> pa.Table:
    """The result of a read-only query; ValueError says what DuckDB did not like. Columns of one name get a number."""
    run.sound()
    try:
        statements = run.connection.extract_statements(sql)
        if len(statements) != 1:
            raise ValueError(f"{len(statements)} statements were given. Give one SQL statement.")
        kind = _kind(run, sql)
        if kind != "SELECT":
            raise ValueError(f"Only SELECT may be asked, not {kind}: a run is read-only.")
        return _distinct(run.connection.sql(statements[0].query).to_arrow_table())
    except duckdb.Error as error:
        raise ValueError(run.told(error)) from error


def _kind(run: Run, sql: str) -> str:
    """The kind of the one statement in `sql`, or of the one that it explains."""
    kind = str(run.connection.extract_statements(sql)[0].type.name)
    if kind != "EXPLAIN":
        return kind
    inner = EXPLAIN.match(sql)
    explained = run.connection.extract_statements(sql[inner.end() :]) if inner else []
    return str(explained[0].type.name) if len(explained) == 1 else kind


def _distinct(table: pa.Table) -> pa.Table:
    """`a, a` becomes `a, a_1`, as two columns of one name are one column to JSON and to a data frame."""
    names: list[str] = []
    for name in table.column_names:
        number, free = 0, name
        while free in names:
            number += 1
            free = f"{name}_{number}"
        names.append(free)
    return table.rename_columns(names)
