"""A run opened for questions: DuckDB with a view for each dataset, read-only, and shut off from everything else.

Views over datasets that are not there yet are empty and have the right columns, so a half-finished run can be
asked as well. After the views are made, DuckDB may read the run's folder and nothing besides, and its
configuration is locked: a query can neither open another file nor load an extension. What is asked is the run as it
lay when it was opened; parts that are finished later are seen by the next opening.
"""

from __future__ import annotations

import glob
import json
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

from filters.sql import literal
from pipelines.mirror import copy_of
from recipes.model import Recipe
from stats.faults import fault, sentence
from stats.views import DATASETS, make_views

MEMORY = "2GB"  # what a question may hold; past it DuckDB spills to a temporary folder


@dataclass
class Run:
    """An opened run. `damaged` has a sentence for each file that cannot be read and is in no view; `requests` are the
    files of the removals that its views obey."""

    path: Path
    described: dict[str, Any]
    connection: duckdb.DuckDBPyConnection
    spill: tempfile.TemporaryDirectory[str]
    damaged: list[str] = field(default_factory=list)
    requests: list[Path] = field(default_factory=list)

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
            faults = (fault(path) for dataset in DATASETS for path in self.parts(dataset))
            if found := next(filter(None, faults), None):
                return found
        return sentence(error)

    def sound(self) -> None:
        """ValueError if a file was left out: an answer over the rest would be wrong and look right."""
        if self.damaged:
            raise ValueError(self.damaged[0])


def open_run(path: str | Path) -> Run:
    """Open a run's folder, or the copy of a run on a store; FileNotFoundError or ValueError in one sentence."""
    folder = Path(copy_of(str(path))).resolve()
    described = _described(path, folder / "run.json")
    spill = tempfile.TemporaryDirectory(prefix="winnow-")
    connection = duckdb.connect(config={"memory_limit": MEMORY, "temp_directory": spill.name})
    run = Run(folder, described, connection, spill)
    try:
        make_views(run)
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
    except (ValueError, RecursionError) as error:
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


def footers(run: Run, dataset: str) -> Iterator[tuple[Path, str, dict[str, int], int]]:
    """(path, fingerprint, counts, rows) of each part of a dataset, from its footer; ValueError if one is unreadable."""
    for path in run.parts(dataset):
        if told := fault(path):
            raise ValueError(told)
        metadata = pq.read_metadata(path)
        marks = metadata.metadata or {}
        counts = json.loads(marks.get(b"winnow.counts", b"{}"))
        yield path, marks.get(b"winnow.fingerprint", b"").decode(), counts, metadata.num_rows
