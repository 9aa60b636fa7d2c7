"""Shards: the seeded order, batches that keep every row, ids that are mapped and not copied."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tokenization import shards as module
from tokenization.manifest import dtype_for
from tokenization.shards import batches, schema_for, shard_counts, shard_mark, token_lists, write_shard
from tokenization.shuffle import in_sample, order_keys, shard_count, shard_of

IDS = [f"{i:032x}" for i in range(2000)]


def table(lengths: list[int], dtype: str = "uint16") -> pa.Table:
    """A document of each length; ids count on from one document to the next."""
    offsets = np.concatenate(([0], np.cumsum(lengths)))
    ids = np.arange(offsets[-1]) % 65_521
    lists = token_lists(ids, offsets, dtype)  # type: ignore[arg-type]
    return pa.table([pa.array([str(i) for i in range(len(lengths))]), lists], schema=schema_for(dtype))  # type: ignore[arg-type]


def write(path: Path, rows: pa.Table, form: str = "arrow", dtype: str = "uint16") -> Path:
    with pa.OSFile(str(path), "wb") as sink:
        write_shard(sink, rows, form, dtype, "the mark")  # type: ignore[arg-type]
    return path


def test_shards_in_order_are_the_shuffled_order() -> None:
    keys = order_keys(IDS, 3)
    shards = shard_of(np.sort(keys), 7)
    assert (np.diff(shards) >= 0).all()
    assert np.bincount(shards, minlength=7).min() > len(IDS) / 7 * 0.7
    assert (order_keys(IDS[::-1], 3)[::-1] == keys).all()
    assert (order_keys(IDS, 4) != keys).all()
    assert shard_of(np.array([2**64 - 1], np.uint64), 10_000).tolist() == [9_999]
    assert [shard_count(b, 100) for b in (0, 1, 100, 101, 1000)] == [1, 1, 1, 2, 10]


def test_the_training_sample_is_no_run_of_shards() -> None:
    chosen = in_sample(IDS, 0, 0.25)
    assert 0.2 < chosen.mean() < 0.3
    assert set(shard_of(order_keys(IDS, 0)[chosen], 4).tolist()) == {0, 1, 2, 3}
    assert in_sample(IDS, 0, 1.0).all()
    assert in_sample(IDS, 0, 5.0).all()


@settings(max_examples=50, deadline=None)
@given(lengths=st.lists(st.integers(1, 60), max_size=40))
def test_batches_keep_every_row_once(lengths: list[int]) -> None:
    rows = table(lengths)
    real, module.BATCH_TOKENS = module.BATCH_TOKENS, 64
    try:
        made = list(batches(rows))
    finally:
        module.BATCH_TOKENS = real
    assert pa.Table.from_batches(made, rows.schema).equals(rows)
    assert all(batch.num_rows for batch in made)
    sizes = [batch["tokens"].flatten().__len__() for batch in made]
    assert all(size < 64 + 60 for size in sizes)
    assert len(made) <= sum(lengths) // 64 + 1


@pytest.mark.parametrize("dtype", ["uint16", "uint32"])
def test_ids_are_mapped_and_not_copied(dtype: str, tmp_path: Path) -> None:
    rows = table([700_000, 500_000, 3, 900_000], dtype)
    path = write(tmp_path / "shard.arrow", rows, dtype=dtype)
    before = pa.total_allocated_bytes()
    source = pa.memory_map(str(path))
    reader = pa.ipc.open_file(source)
    held = [reader.get_batch(i) for i in range(reader.num_record_batches)]
    views = [batch["tokens"].flatten().to_numpy(zero_copy_only=True) for batch in held]
    assert pa.total_allocated_bytes() - before < 100_000  # two million ids, none of them on the heap
    start = source.read_buffer(source.size()).address  # the map itself
    for view in views:
        assert start <= view.ctypes.data <= start + path.stat().st_size
        assert view.dtype == dtype
    assert (np.concatenate(views) == np.arange(2_100_003) % 65_521).all()
    assert [batch.num_rows for batch in held] == [2, 2]
    assert path.stat().st_size < 2_100_003 * np.dtype(dtype).itemsize + 10_000  # each id once, nothing compressed


@pytest.mark.parametrize("form", ["arrow", "parquet"])
@pytest.mark.parametrize("lengths", [[5, 1, 9], []])
def test_a_shard_tells_its_mark_and_counts(form: str, lengths: list[int], tmp_path: Path) -> None:
    path = write(tmp_path / f"shard.{form}", table(lengths), form)
    assert shard_mark(str(path)) == "the mark"
    assert shard_counts(str(path)) == (len(lengths), sum(lengths))
    again = write(tmp_path / f"again.{form}", table(lengths), form)
    assert again.read_bytes() == path.read_bytes()
    path.write_bytes(path.read_bytes()[:-20])
    assert shard_mark(str(path)) == ""
    assert shard_mark(str(tmp_path / f"none.{form}")) == ""


def test_ids_that_do_not_fit_are_refused() -> None:
    assert (dtype_for(65_536), dtype_for(65_537)) == ("uint16", "uint32")
    assert token_lists(np.array([65_535]), np.array([0, 1]), "uint16").to_pylist() == [[65_535]]
    with pytest.raises(ValueError, match="65536 does not fit into uint16"):
        token_lists(np.array([65_536]), np.array([0, 1]), "uint16")
