"""A run opened for questions: DuckDB with a view for each dataset, read-only, and shut off from everything else.

Views over datasets that are not there yet are empty and have the right columns, so a half-finished run can be
asked as well. After the views are made, DuckDB may read the run's folder and nothing besides, and its
configuration is locked: a query can neither open another file nor load an extension. What is asked is the run as it
lay when it was opened; parts that are finished later are seen by the next opening.
"""

from __future__ import annotations

import glob
import json
import re
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import ValidationError

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
from recipes.model import Recipe
from stats.shards import ShardRows, requests_in_effect, shard_files

MEMORY = "2GB"  # what a question may hold; past it DuckDB spills to a temporary folder
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


@dataclass
class Run:
    """An opened run. `damaged` has a sentence for each file that cannot be read and is in no view."""

    path: Path
    described: dict[str, Any]
    connection: duckdb.DuckDBPyConnection
    spill: tempfile.TemporaryDirectory[str]
    damaged: list[str] = field(default_factory=list)

    def __enter__(self) -> Run:
        return self

    def __exit__(self, *_: object) -> None:
        self.connection.close()
        self.spill.cleanup()

    @cached_property
    def recipe(self) -> Recipe:
        """The resolved recipe; ValueError if this version cannot read it."""
        try:
            return Recipe.model_validate(self.described.get("recipe"))
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"])) or "recipe"
            raise ValueError(
                f"{self.path / 'run.json'} has a recipe that this version cannot read: {where}: {first['msg']}. "
                "Ask it with the version that made it, or run again into another folder."
            ) from error

    def rows(self, query: str, *arguments: object) -> list[tuple[Any, ...]]:
        """All rows of a query of ours; ValueError in a sentence if a file cannot be read."""
        try:
            found: list[tuple[Any, ...]] = self.connection.execute(query, list(arguments)).fetchall()
        except duckdb.Error as error:
            raise ValueError(self.told(error)) from error
        return found

    def table(self, query: str) -> pa.Table:
        """The result of a query of ours as a table; ValueError as for `rows`."""
        try:
            return self.connection.sql(query).to_arrow_table()
        except duckdb.Error as error:
            raise ValueError(self.told(error)) from error

    def parts(self, dataset: str) -> list[Path]:
        """The finished parts of a dataset, in order."""
        return sorted((self.path / dataset).glob("part-*.parquet"))

    def asks_for(self, dataset: str) -> bool:
        """Whether every part of the run must have this dataset: cuts/ and contamination/ are made for who asks, and a
        run that was made before there were rights has none of them."""
        if dataset in ("policies", "rights"):
            return "rights" in self.described["stages"]
        asked = {"cuts": self.recipe.dedup.part, "contamination": self.recipe.decontaminate, "removed": None}
        return dataset not in asked or asked[dataset] is not None

    @cached_property
    def threads(self) -> int:
        """How many threads a question may use."""
        return int(self.rows("SELECT current_setting('threads')")[0][0])

    @staticmethod
    def files(paths: Sequence[Path]) -> str:
        """SQL for the rows of these parts; their names are taken as they stand."""
        return f"read_parquet([{', '.join(literal(glob.escape(str(path))) for path in paths)}])"

    def told(self, error: duckdb.Error) -> str:
        """A query's fault in one sentence: the file that cannot be read, if that is why, else DuckDB's own words."""
        if isinstance(error, duckdb.IOException | duckdb.InvalidInputException):
            faults = (_fault(path) for dataset in DATASETS for path in self.parts(dataset))
            if fault := next(filter(None, faults), None):
                return fault
        return sentence(error)

    def sound(self) -> None:
        """ValueError if a file was left out: an answer over the rest would be wrong and look right."""
        if self.damaged:
            raise ValueError(self.damaged[0])


def sentence(error: duckdb.Error) -> str:
    """What DuckDB did not like, in one line, with its suggestion if it has one.

    >>> sentence(duckdb.BinderException('Binder Error: no "x"!\\nCandidate bindings: "y"\\n\\nLINE 1: x'))
    'Binder Error: no "x"! Candidate bindings: "y".'
    """
    text = str(error).strip()
    if ours := re.search(r"failed: \w+: (.+?)\.?\. Detail: Python exception", text):  # raised while a shard was read
        return f"{ours.group(1)}."
    lines = [line.strip() for line in text.splitlines()]
    hints = [line for line in lines[1:] if line.startswith(("Did you mean", "Candidate bindings"))]
    line = " ".join([lines[0], *hints[:1]])
    return line if line.endswith((".", "!", "?")) else f"{line}."


def open_run(path: str | Path) -> Run:
    """Open a run's folder; FileNotFoundError or ValueError in one sentence."""
    folder = Path(path).resolve()
    described = _described(path, folder / "run.json")
    spill = tempfile.TemporaryDirectory(prefix="winnow-")
    connection = duckdb.connect(config={"memory_limit": MEMORY, "temp_directory": spill.name})
    run = Run(folder, described, connection, spill)
    try:
        for name in DATASETS:
            _view(run, name)
        _removals(run)
        connection.register("shard_rows", ShardRows(shard_files(folder)))
        connection.execute("CREATE VIEW tokens AS SELECT * FROM shard_rows")
        connection.execute(FATES)
        _failing(run)
        _lock(connection, folder)
    except BaseException:
        run.__exit__()
        raise
    return run


def _described(path: str | Path, file: Path) -> dict[str, Any]:
    if not file.is_file():
        raise FileNotFoundError(f"{path} holds no run: there is no run.json in it. Name a folder made by `winnow run`.")
    try:
        described = json.loads(file.read_bytes())
    except ValueError as error:
        raise ValueError(f"{file} is damaged ({error}); run again into the same folder.") from error
    if not isinstance(described, dict) or not {"recipe", "parts", "stages"} <= described.keys():
        raise ValueError(f"{file} is no description of a run. Name a folder made by `winnow run`.")
    return described


def _lock(connection: duckdb.DuckDBPyConnection, folder: Path) -> None:
    """Only this folder, no extension, and no way back. The order matters: the last line forbids all others."""
    # A view's files are matched as patterns, so a folder with * or [ in its name is allowed in both spellings.
    allowed = ", ".join(literal(f"{spelling}/") for spelling in (str(folder), glob.escape(str(folder))))
    connection.execute("SET autoinstall_known_extensions = false")
    connection.execute("SET autoload_known_extensions = false")
    connection.execute(f"SET allowed_directories = [{allowed}]")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")


def _view(run: Run, name: str) -> None:
    """A view over the finished parts; those that cannot even be opened are noted and left out."""
    files = run.parts(name)
    if files and not _readable(run, name, files):
        found = [(path, _fault(path)) for path in files]
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
    found = [(path, _fault(path)) for path in requests_in_effect(run.path)]
    run.damaged += [fault for _, fault in found if fault]
    files = [path for path, fault in found if not fault]
    run.connection.register("no_removals", REMOVALS.empty_table())
    source = run.files(files) if files else "no_removals"
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


def _fault(path: Path) -> str | None:
    try:
        pq.read_metadata(path)
    except (pa.ArrowException, OSError) as error:
        return f"{path} cannot be read ({str(error).splitlines()[0]}). Delete it and run again."
    return None


def _schema(run: Run, name: str) -> pa.Schema:
    if name == "signals":
        from filters.annotate import signals_schema  # only for a run without signals: it loads every kernel

        return signals_schema(run.recipe)
    if name == "kept":
        return pa.schema([*KEPT, *(pa.field(f"pii_{kind}", pa.int32()) for kind in KINDS)])
    schemas = {"documents": DOCUMENTS, "rejects": REJECTS, "policies": POLICIES, "rights": RIGHTS, "removed": REMOVED,
               "duplicates": DUPLICATES, "decisions": DECISIONS, "personal": PERSONAL}  # fmt: skip
    return schemas.get(name, CUTS)


def footers(run: Run, dataset: str) -> Iterator[tuple[Path, str, dict[str, int], int]]:
    """(path, fingerprint, counts, rows) of each part of a dataset, from its footer; ValueError if one is unreadable."""
    for path in run.parts(dataset):
        if fault := _fault(path):
            raise ValueError(fault)
        metadata = pq.read_metadata(path)
        marks = metadata.metadata or {}
        counts = json.loads(marks.get(b"winnow.counts", b"{}"))
        yield path, marks.get(b"winnow.fingerprint", b"").decode(), counts, metadata.num_rows
