"""Time and memory of `winnow diversity` and `winnow papers` over a million documents.

    python benchmarks/papers.py RUN OUT [MILLIONS]

Multiplies a finished run into OUT, each document again under other ids and domains (Zipf), until there are so many, and
asks that one. Texts are those of RUN, so that mentions and samples are those of its pages.
"""

from __future__ import annotations

import json
import resource
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.ipc
import pyarrow.parquet as pq

from tokenization.manifest import Manifest, Shard, file_sha256
from tokenization.shards import write_shard

DATASETS = ("documents", "signals", "decisions", "kept", "rejects", "duplicates")


def multiplied(run: Path, out: Path, documents: int) -> int:
    """Write OUT; returns how many documents it has."""
    whole = {
        name: pa.concat_tables([pq.read_table(p) for p in sorted((run / name).glob("part-*"))]) for name in DATASETS
    }
    copies = -(-documents // whole["documents"].num_rows)
    draw = np.random.default_rng(1)
    shards = []
    tokens = pa.concat_tables([pa.ipc.open_file(str(p)).read_all() for p in sorted((run / "tokens").glob("*.arrow"))])
    for folder in (*DATASETS, "tokens"):
        (out / folder).mkdir(parents=True)
    for copy in range(copies):
        for name, table in whole.items():
            table = _again(table, copy)
            if "domain" in table.column_names:
                names = np.char.add(
                    np.char.add("d", np.minimum(draw.zipf(1.3, table.num_rows), 10**6).astype(str)), ".example"
                )
                table = table.set_column(table.column_names.index("domain"), "domain", pa.array(names, pa.string()))
            _part(out / name / f"part-{copy:05d}.parquet", table)
        path = out / "tokens" / f"shard-{copy:05d}.arrow"
        with pa.OSFile(str(path), "wb") as sink:
            write_shard(sink, _again(tokens, copy), "arrow", "uint16", "m")
        count = pc.sum(pc.list_value_length(tokens["tokens"])).as_py()
        shards.append(Shard(path=f"tokens/{path.name}", bytes=path.stat().st_size, sha256=file_sha256(path),
                            documents=tokens.num_rows, tokens=count))  # fmt: skip
    old = Manifest.read(run / "manifest.json")
    told = {"shards": tuple(shards), "totals": old.totals.model_copy(update={
        "documents": old.totals.documents * copies, "tokens": sum(s.tokens for s in shards)})}  # fmt: skip
    (out / "manifest.json").write_bytes(old.model_copy(update=told).as_bytes())
    shutil.copy(run / "run.json", out)
    shutil.copy(run / "tokenizer.json", out)
    return copies * whole["documents"].num_rows


def _again(table: pa.Table, copy: int) -> pa.Table:
    ids = pc.binary_join_element_wise(f"{copy:08x}", pc.utf8_slice_codeunits(table["doc_id"], 8), "")
    return table.set_column(table.column_names.index("doc_id"), "doc_id", ids)


def _part(path: Path, table: pa.Table) -> None:
    with pq.ParquetWriter(path, table.schema, compression="zstd") as sink:
        sink.write_table(table)
        sink.add_key_value_metadata({"winnow.fingerprint": "m", "winnow.counts": json.dumps({})})


def main() -> None:
    """Make OUT unless it is there, then time the commands."""
    run, out = Path(sys.argv[1]), Path(sys.argv[2])
    if not out.exists():
        print(f"documents: {multiplied(run, out, int(float(sys.argv[3] if len(sys.argv) > 3 else 1) * 10**6)):,}")
    for command in (
        ["diversity", out, "--format", "csv"], ["diversity", out, "--mentions", "--format", "csv"],
        ["papers", out, "--no-mentions"], ["papers", out, "--only", "tc260"],
    ):  # fmt: skip
        began = time.monotonic()
        subprocess.run([sys.executable, "-m", "flows.cli", *map(str, command)], check=True, stdout=subprocess.DEVNULL)
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024**2
        print(f"winnow {' '.join(map(str, command))}: {time.monotonic() - began:.1f} s, {peak:.2f} GiB at most so far")


if __name__ == "__main__":
    main()
