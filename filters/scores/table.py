"""Numbers worked out elsewhere, joined to documents by `doc_id` or URL.

Keys are held as sorted 64-bit hashes with their numbers, 16 bytes a row, so that ten million rows take 160 MB in each
worker. Traded away: two keys in 10^19 pairs share a hash.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from filters.scores.hashes import find_rows, hash_rows
from filters.scores.interface import Found, Scorer, urls_of
from filters.scores.lists import is_jsonl, rows
from recipes.scores import Table

BATCH = 100_000


class TableScorer(Scorer[Table]):
    """Refuses a file that gives one key two different numbers; a row without a key or a number is passed over."""

    def __init__(self, entry: Table, path: Path | None, digest: str) -> None:
        super().__init__(entry, digest)
        parts = [(hash_rows(keys), values) for keys, values in _batches(Path(path or "."), entry.key, entry.value)]
        keys = np.concatenate([np.zeros(0, np.uint64), *(part[0] for part in parts)])
        values = np.concatenate([np.zeros(0), *(part[1] for part in parts)])
        order = np.argsort(keys, kind="stable")
        keys, values = keys[order], values[order]
        same = keys[1:] == keys[:-1]
        if (same & (values[1:] != values[:-1])).any():
            raise ValueError(f"{int(same.sum())} rows repeat a {entry.key}, with another {entry.value}.")
        first = np.concatenate([np.ones(min(len(keys), 1), np.bool_), ~same])
        self.keys, self.values = keys[first], values[first]

    def find(self, batch: pa.RecordBatch, text: pa.LargeStringArray, lang: pa.StringArray) -> Found:
        """The number of each document's row; null where there is none."""
        names = urls_of(batch) if self.entry.key == "url" else batch["doc_id"]
        places = find_rows(names, self.keys)
        missing = (places < 0) | names.is_null().to_numpy(zero_copy_only=False)
        if not len(self.keys):
            return pa.nulls(len(names), pa.float64()), None
        return pa.array(self.values[np.where(missing, 0, places)], mask=missing), None


def _batches(path: Path, key: str, value: str) -> Iterator[tuple[pa.LargeStringArray, np.ndarray]]:
    if is_jsonl(path):
        found = rows(path, key, value)
        while some := list(islice(found, BATCH)):
            yield _clean(pa.array([row[0] for row in some], pa.large_string()), pa.array([row[1] for row in some]))
        return
    file = pq.ParquetFile(path)
    lacking = [name for name in (key, value) if name not in file.schema_arrow.names]
    if lacking:
        raise ValueError(f"there is no column {lacking[0]!r}; there are: {', '.join(file.schema_arrow.names[:10])}.")
    for batch in file.iter_batches(columns=[key, value], batch_size=BATCH):
        yield _clean(batch[key].cast(pa.large_string()), batch[value])


def _clean(keys: pa.LargeStringArray, values: pa.Array) -> tuple[pa.LargeStringArray, np.ndarray]:
    numbers = values.cast(pa.float64()).to_numpy(zero_copy_only=False)
    good = keys.is_valid().to_numpy(zero_copy_only=False) & ~np.isnan(numbers)
    return keys.filter(pa.array(good)), numbers[good]
