"""A run opened for questions: DuckDB with a view for each dataset, read-only, and shut off from everything else.

Views over datasets that are not there yet are empty and have the right columns, so a half-finished run can be
asked as well. After the views are made, DuckDB may read the run's folder and nothing besides, and its
configuration is locked: a query can neither open another file nor load an extension.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from pipelines.schemas import DECISIONS, DOCUMENTS, DUPLICATES, KEPT, REJECTS

SCHEMAS = {
    "documents": DOCUMENTS,
    "rejects": REJECTS,
    "signals": pa.schema([("doc_id", pa.string()), ("lang", pa.string())]),
    "duplicates": DUPLICATES,
    "decisions": DECISIONS,
    "kept": pa.schema(KEPT),
}
FATES = """
CREATE VIEW fates AS
SELECT d.doc_id, d.url, d.source, d."offset", c.fate, c.rule, c.value, c.threshold
FROM documents d LEFT JOIN decisions c ON d.doc_id = c.doc_id
UNION ALL
SELECT doc_id, url, source, "offset", 'rejected:' || reason, NULL, NULL, NULL FROM rejects
"""


@dataclass
class Run:
    """An opened run."""

    path: Path
    described: dict[str, Any]
    connection: duckdb.DuckDBPyConnection

    def __enter__(self) -> Run:
        return self

    def __exit__(self, *_: object) -> None:
        self.connection.close()

    def rows(self, query: str, *arguments: object) -> list[tuple[Any, ...]]:
        """All rows of a query of ours."""
        found: list[tuple[Any, ...]] = self.connection.execute(query, list(arguments)).fetchall()
        return found

    def parts(self, dataset: str) -> list[Path]:
        """The finished parts of a dataset, in order."""
        return sorted((self.path / dataset).glob("part-*.parquet"))


def open_run(path: str | Path) -> Run:
    """Open a run's folder; FileNotFoundError or ValueError in one sentence."""
    folder = Path(path).absolute()
    file = folder / "run.json"
    if not file.is_file():
        raise FileNotFoundError(f"{path} holds no run: there is no run.json in it. Name a folder made by `winnow run`.")
    try:
        described = json.loads(file.read_bytes())
    except ValueError as error:
        raise ValueError(f"{file} is damaged ({error}); run again into the same folder.") from error
    connection = duckdb.connect(config={"threads": 2})
    for name, schema in SCHEMAS.items():
        _view(connection, folder, name, schema)
    _tokens_view(connection, folder)
    connection.execute(FATES)
    connection.execute("SET autoinstall_known_extensions = false; SET autoload_known_extensions = false")
    connection.execute(f"SET allowed_directories = ['{_quoted(folder)}/']")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")
    return Run(folder, described, connection)


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")


def _view(connection: duckdb.DuckDBPyConnection, folder: Path, name: str, schema: pa.Schema) -> None:
    if any((folder / name).glob("part-*.parquet")):
        pattern = f"{_quoted(folder)}/{name}/part-*.parquet"
        connection.execute(f"CREATE VIEW {name} AS SELECT * FROM read_parquet('{pattern}')")
    else:
        connection.register(f"no_{name}", schema.empty_table())
        connection.execute(f"CREATE VIEW {name} AS SELECT * FROM no_{name}")


def _tokens_view(connection: duckdb.DuckDBPyConnection, folder: Path) -> None:
    """doc_id, shard and number of tokens; only the doc_ids and list offsets of the shards are read."""
    tables = [token_counts(path) for path in sorted((folder / "tokens").glob("shard-*.*")) if path.suffix != ".tmp"]
    empty = pa.schema([("doc_id", pa.string()), ("shard", pa.string()), ("n_tokens", pa.int64())]).empty_table()
    connection.register("shard_rows", pa.concat_tables([empty, *tables]))
    connection.execute("CREATE VIEW tokens AS SELECT * FROM shard_rows")


def token_counts(path: Path) -> pa.Table:
    """(doc_id, shard, n_tokens) of one shard; ValueError if it cannot be read."""
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    try:
        if path.suffix == ".parquet":
            table = pq.read_table(path)
        else:
            with pa.memory_map(str(path)) as source:
                table = pa.ipc.open_file(source).read_all()
    except (pa.ArrowInvalid, OSError) as error:
        raise ValueError(f"{path} cannot be read ({error}). Delete it and run again.") from error
    sizes = pc.list_value_length(table["tokens"]).cast(pa.int64())
    shard = pa.array([path.name] * table.num_rows, pa.string())
    return pa.table({"doc_id": table["doc_id"], "shard": shard, "n_tokens": sizes})
