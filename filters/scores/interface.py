"""What a loaded score can do: number one batch of documents, and say which bytes it was made of.

The base class keeps to the languages that a recipe's entry names: kernels see only documents they apply to, and the
rest is null. A kernel is loaded once in a process and never written to afterwards.
"""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Generic, TypeVar

import numpy as np
import pyarrow as pa

from recipes.scores import Entry

E = TypeVar("E", bound=Entry)
Found = tuple[pa.DoubleArray, pa.StringArray | None]
CHUNK = 1 << 20


def score_types(score: Entry) -> dict[str, pa.DataType]:
    """The columns that an entry fills, by name."""
    types = {score.column: pa.float64()}
    return types if score.category_column is None else {**types, score.category_column: pa.string()}


class Scorer(ABC, Generic[E]):
    """A recipe's entry with its file read. `digest` is the sha256 of what was read: it belongs in fingerprints."""

    def __init__(self, entry: E, digest: str) -> None:
        self.entry = entry
        self.digest = digest

    @abstractmethod
    def find(self, batch: pa.RecordBatch, text: pa.LargeStringArray, lang: pa.StringArray) -> Found:
        """Numbers of the rows given (n doubles, null where there is none) and, if the kind has it, categories."""

    def columns(self, batch: pa.RecordBatch, text: pa.LargeStringArray, lang: pa.StringArray) -> dict[str, pa.Array]:
        """Every column of `score_types`, for n documents: `batch` as in documents/ (its `url` or `doc_id` is read by
        the kinds that need it), the text as the recipe's edits left it, and its language."""
        numbers, categories = self._applicable(batch, text, lang)
        columns: dict[str, pa.Array] = {self.entry.column: numbers}
        if self.entry.category_column is not None:
            columns[self.entry.category_column] = categories
        return columns

    def score(self, batch: pa.RecordBatch, text: pa.LargeStringArray, lang: pa.StringArray) -> pa.DoubleArray:
        """The number of each of n documents; null where the score does not apply."""
        return self.columns(batch, text, lang)[self.entry.column]

    def _applicable(self, batch: pa.RecordBatch, text: pa.LargeStringArray, lang: pa.StringArray) -> Found:
        wanted = self.entry.languages
        if wanted is None:
            return self.find(batch, text, lang)
        rows = np.flatnonzero([code in wanted for code in lang.to_pylist()])
        places = np.full(len(lang), -1, np.int64)
        places[rows] = np.arange(len(rows))
        back = pa.array(places, mask=places < 0)
        numbers, categories = self.find(
            batch.take(pa.array(rows)), text.take(pa.array(rows)), lang.take(pa.array(rows))
        )
        return numbers.take(back), None if categories is None else categories.take(back)


class Absent(Scorer[Entry]):
    """A score whose file nobody gave, in a recipe that goes on without it: null for every document."""

    def find(self, batch: pa.RecordBatch, text: pa.LargeStringArray, lang: pa.StringArray) -> Found:
        """Nulls."""
        return pa.nulls(len(lang), pa.float64()), pa.nulls(len(lang), pa.string())


def urls_of(batch: pa.RecordBatch) -> pa.StringArray:
    """The batch's URLs; all null where documents have none."""
    if "url" not in batch.schema.names:
        return pa.nulls(batch.num_rows, pa.string())
    return batch["url"].cast(pa.string())


def digest_of(path: Path) -> str:
    """sha256 of a file, or of the names and sha256 of all files below a folder."""
    if path.is_dir():
        inner = [f"{p.relative_to(path).as_posix()} {digest_of(p)}\n" for p in sorted(path.rglob("*")) if p.is_file()]
        return hashlib.sha256("".join(inner).encode()).hexdigest()
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
