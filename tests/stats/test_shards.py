"""A shard is read whole, whatever number of record batches it has."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from stats.shards import shard_batches


@pytest.mark.parametrize("batches", [0, 1, 3])
def test_every_batch_of_a_shard_is_read(batches: int, tmp_path: Path) -> None:
    schema = pa.schema([("doc_id", pa.string()), ("tokens", pa.large_list(pa.uint16()))])
    made = [pa.record_batch([[f"d{n}"], [[n, n + 1]]], schema=schema) for n in range(batches)]
    with pa.ipc.new_file(str(tmp_path / "shard-00000.arrow"), schema) as sink:
        for batch in made:
            sink.write_batch(batch)
    read = list(shard_batches(tmp_path / "shard-00000.arrow"))
    assert [batch["doc_id"].to_pylist() for batch in read] == [[f"d{n}"] for n in range(batches)]
    assert [batch["tokens"].to_pylist() for batch in read] == [[[n, n + 1]] for n in range(batches)]
