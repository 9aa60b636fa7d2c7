"""One question in SQL to one table, with DuckDB's faults told in a sentence."""

from __future__ import annotations

import duckdb
import pyarrow as pa

from stats.run import Run


def query(run: Run, sql: str) -> pa.Table:
    """The result of a read-only query; ValueError says what DuckDB did not like."""
    try:
        statements = run.connection.extract_statements(sql)
        if len(statements) != 1:
            raise ValueError("Give one SQL statement.")
        kind = statements[0].type.name
        if kind not in ("SELECT", "EXPLAIN"):
            raise ValueError(f"Only SELECT may be asked, not {kind}: a run is read-only.")
        return run.connection.sql(statements[0].query).to_arrow_table()
    except duckdb.Error as error:
        raise ValueError(str(error).strip().splitlines()[0]) from error
