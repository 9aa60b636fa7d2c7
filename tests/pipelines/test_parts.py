"""One part in, one part out: whole files only, and equal work gives equal bytes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest

from pipelines.parts import fingerprint, part_path, read_counts, read_mark, read_part, write_part

SCHEMA = pa.schema([pa.field("doc_id", pa.string(), nullable=False), pa.field("text", pa.large_string())])


def batches(rows: int) -> Iterator[pa.RecordBatch]:
    yield pa.RecordBatch.from_pylist([{"doc_id": f"{i:032x}", "text": "字" * i} for i in range(rows)], SCHEMA)


def test_a_part_comes_back_with_its_counts(tmp_path: Path) -> None:
    path = part_path(str(tmp_path), "documents", 3)
    counts = {"documents": 0}
    assert write_part(path, batches(5), SCHEMA, "mark", counts) == 5
    assert read_counts(path, "mark") == {"documents": 0}
    assert read_counts(path, "other") is None
    assert read_mark(path) == "mark"
    assert pa.Table.from_batches(list(read_part(path))).schema.equals(SCHEMA)
    assert [b.num_rows for b in read_part(path, batch_rows=2)] == [2, 2, 1]


def test_equal_work_gives_equal_bytes(tmp_path: Path) -> None:
    digests = set()
    for name in ("a", "b"):
        path = part_path(str(tmp_path / name), "documents", 0)
        write_part(path, batches(100), SCHEMA, "mark", {"n": 1})
        digests.add(hashlib.sha256(Path(path).read_bytes()).hexdigest())
    assert len(digests) == 1


def test_a_part_that_fails_midway_leaves_nothing_under_its_name(tmp_path: Path) -> None:
    def broken() -> Iterator[pa.RecordBatch]:
        yield from batches(2)
        raise RuntimeError("the page that broke the part")

    path = part_path(str(tmp_path), "documents", 0)
    with pytest.raises(RuntimeError):
        write_part(path, broken(), SCHEMA, "mark", {})
    assert not Path(path).exists()
    assert read_counts(path, "mark") is None


def test_a_damaged_part_counts_as_missing(tmp_path: Path) -> None:
    path = part_path(str(tmp_path), "documents", 0)
    write_part(path, batches(10), SCHEMA, "mark", {"n": 10})
    whole = Path(path).read_bytes()
    Path(path).write_bytes(whole[: len(whole) // 2])
    assert read_counts(path, "mark") is None
    assert read_mark(path) == ""


def test_before_commit_runs_before_the_part_is_visible(tmp_path: Path) -> None:
    path = part_path(str(tmp_path), "documents", 0)
    seen: list[bool] = []
    write_part(path, batches(1), SCHEMA, "m", {}, before_commit=lambda: seen.append(Path(path).exists()))
    assert seen == [False]
    assert Path(path).exists()


def test_fingerprint_sees_every_ingredient() -> None:
    assert fingerprint("a", 1) == fingerprint("a", 1)
    assert len({fingerprint("a", 1), fingerprint("a", 2), fingerprint("b", 1), fingerprint(["a"], 1)}) == 4
