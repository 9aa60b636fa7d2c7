"""Are exports what other trainers' own readers read? Each library reads a whole export and gives a digest of its ids.

    python benchmarks/export_readers.py MANIFEST [--streaming-python /path/to/env/bin/python]

megatron-core and datasets are in the extra `dev`. mosaicml-streaming wants NumPy below 2.2 and transformers below 5, so
it is read in an environment of its own: `python -m venv ENV && ENV/bin/pip install mosaicml-streaming==0.13.0`, and
`--streaming-python ENV/bin/python`. Prints a Markdown table: format, reader, seconds and MB/s of writing, whether the
ids are the manifest's.
"""

from __future__ import annotations

import argparse
import hashlib
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from tokenization.exports.run import ExportOptions, export
from tokenization.exports.source import Source

STREAMING = """
import hashlib, sys, numpy as np
from streaming import StreamingDataset
digest = hashlib.sha256()
for sample in StreamingDataset(local=sys.argv[1], batch_size=1, shuffle=False):
    digest.update(np.asarray(sample["tokens"], np.int64).tobytes())
print("digest", digest.hexdigest())
"""


def digest(parts: Iterable[object]) -> str:
    """sha256 of ids as int64, one after another."""
    found = hashlib.sha256()
    for part in parts:
        found.update(np.asarray(part, np.int64).tobytes())
    return found.hexdigest()


def read_megatron(folder: Path) -> str:
    from megatron.core.datasets.indexed_dataset import IndexedDataset

    read = IndexedDataset(str(folder / "corpus"))
    return digest(read[i] for i in range(len(read)))


def read_datasets(folder: Path) -> str:
    import datasets

    with tempfile.TemporaryDirectory() as cache:
        read = datasets.load_dataset(str(folder), split="train", cache_dir=cache).with_format("numpy")
        return digest(row["input_ids"] for row in read)


def read_numpy(folder: Path) -> str:
    return digest(np.array_split(np.load(folder / "tokens.npy", mmap_mode="r"), 64))


def read_nanogpt(folder: Path, dtype: str) -> str:
    return digest(np.memmap(folder / f"{name}.bin", dtype=dtype, mode="r") for name in ("train", "val"))


def read_streaming(folder: Path, python: str) -> str:
    done = subprocess.run([python, "-c", STREAMING, str(folder)], capture_output=True, text=True, check=True)
    return next(line.split()[1] for line in done.stdout.splitlines() if line.startswith("digest"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("manifest", type=Path)
    parser.add_argument("--streaming-python")
    given = parser.parse_args()
    source = Source(given.manifest)
    wanted = digest(rows.ids for rows in source.rows())
    size = source.manifest.totals.tokens * np.dtype(source.manifest.dtype).itemsize
    readers = {
        "megatron": ("megatron-core IndexedDataset", read_megatron),
        "datasets": ("datasets.load_dataset", read_datasets),
        "npy": ("numpy.load", read_numpy),
        "nanogpt": ("numpy.memmap, as nanoGPT", lambda folder: read_nanogpt(folder, source.manifest.dtype)),
        "mds": ("mosaicml-streaming StreamingDataset", lambda folder: read_streaming(folder, given.streaming_python)),
    }
    if given.streaming_python is None:
        del readers["mds"]
        print("mds is left out: give --streaming-python.", file=sys.stderr)
    print(f"{source.manifest.totals.documents:,} documents, {source.manifest.totals.tokens:,} tokens, {size:,} bytes\n")
    print("| format | reader | writing, s | MB/s of ids | same ids |\n|---|---|---:|---:|---|")
    with tempfile.TemporaryDirectory(dir=given.manifest.parent) as folder:
        for to, (name, read) in readers.items():
            out = Path(folder, to)
            began = time.perf_counter()
            export(ExportOptions.model_validate({"manifest": str(given.manifest), "to": to, "out": str(out)}))
            seconds = time.perf_counter() - began
            same = "yes" if read(out) == wanted else "NO"
            print(f"| {to} | {name} | {seconds:.2f} | {size / seconds / 1e6:,.0f} | {same} |", flush=True)


if __name__ == "__main__":
    main()
