"""The tokenise job beside the bare engine on the same Parquet files, and beside datatrove's DocumentTokenizer.

python benchmarks/encoders_job.py TOKENIZER DATA WORK [--datatrove PYTHON] [--turns 3] [--least 1000]

Bare: the library alone over the text column, read batch by batch. Job: encode_part over all parts and write_one_shard
over all shards, that is reading, encoding, `encoded/`, the shuffle, the shards and their hashes. Both in one process;
processor time, by turns, medians; loading and compiling are before the clock. datatrove 0.10 (TOKENIZER must be a
tokenizer.json with DeepSeek's end-of-text) has the same texts in one task; its time on ten documents is taken off.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import statistics
import subprocess
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import xxhash
from encoder_texts import texts

from pipelines import shuffle
from pipelines.parts import part_path, write_part
from pipelines.schemas import KEPT
from pipelines.shuffle import encode_part, write_one_shard
from recipes.model import Tokens
from tokenization.load import load
from tokenization.manifest import file_sha256

PARTS, SHARDS = 4, 2
PEER = Path(__file__).parent / "peers" / "datatrove_tokens.py"


def write_kept(run: Path, text: pa.LargeStringArray) -> None:
    """kept/ of a run, in four parts, the texts in a shuffled order."""
    text = text.take(pa.array(np.random.default_rng(0).permutation(len(text))))
    ids = pa.array([xxhash.xxh3_128_hexdigest(str(i).encode()) for i in range(len(text))])
    given = {"doc_id": ids, "text": text, "source": pa.array(["all"] * len(text))}
    schema = pa.schema(list(KEPT))
    columns = [given[f.name].cast(f.type) if f.name in given else pa.nulls(len(text), f.type) for f in schema]
    table = pa.table(columns, schema=schema)
    for i in range(PARTS):
        start, stop = i * len(text) // PARTS, (i + 1) * len(text) // PARTS
        part = table.slice(start, stop - start).combine_chunks()
        write_part(part_path(str(run), "kept", i), part.to_batches(), schema, f"mark {i}", {})


def bare(run: Path, file: str) -> float:
    """Processor seconds of reading the text and giving it to the library, whose cache of words is empty at first."""
    tokenizer = load(file)
    began = time.process_time()
    for i in range(PARTS):
        with pq.ParquetFile(part_path(str(run), "kept", i)) as file:
            for batch in file.iter_batches(columns=["text"], batch_size=2048):
                tokenizer.fast.encode(batch["text"])
    return time.process_time() - began


def job(run: Path, file: str, seed: int) -> tuple[float, int]:
    """Processor seconds of the whole job, and its tokens; the library's cache of words is empty at first."""
    shuffle._loaded.cache_clear()
    shuffle._loaded(file, file_sha256(file))
    for name in ("encoded", "tokens"):
        shutil.rmtree(run / name, ignore_errors=True)
    tokens, indices = Tokens(seed=seed), tuple(range(PARTS))
    began = time.process_time()
    counts = [encode_part(i, str(run), file, tokens, SHARDS) for i in indices]
    size = shuffle._loaded(file, file_sha256(file)).vocab_size
    for number in range(SHARDS):
        write_one_shard(number, str(run), indices, size, tokens, SHARDS, "mark")
    return time.process_time() - began, sum(count["tokens"] for count in counts)


def datatrove(python: str, file: str, run: Path, limit: int) -> tuple[float, int]:
    """Processor seconds of datatrove, and the tokens it wrote (four bytes each)."""
    command = [python, str(PEER), str(Path(file).absolute()), str(run / "texts"), str(run / "peer"), str(limit)]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    spent, size = re.search(r"cpu ([\d.]+)", done.stdout), re.search(r"BYTES (\d+)", done.stdout)
    assert spent and size, done.stdout[-500:]
    return float(spent[1]), int(size[1]) // 4


def main() -> None:
    """The table."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("tokenizer")
    options.add_argument("data", type=Path)
    options.add_argument("work", type=Path)
    options.add_argument("--datatrove", help="the interpreter of an environment that has it")
    options.add_argument("--turns", type=int, default=3)
    options.add_argument("--least", type=int, default=1000, help="bytes; shorter texts are left out, as crawls do")
    given = options.parse_args()
    text = texts(given.data)
    text = text.filter(pc.greater_equal(pc.binary_length(text), given.least))
    size = pc.sum(pc.binary_length(text)).as_py()
    shutil.rmtree(given.work, ignore_errors=True)
    write_kept(given.work, text)
    tokenizer = load(given.tokenizer)
    job(given.work, given.tokenizer, 999)  # compiles
    turns = [(bare(given.work, given.tokenizer), job(given.work, given.tokenizer, turn)) for turn in range(given.turns)]
    alone, whole = statistics.median(t[0] for t in turns), statistics.median(t[1][0] for t in turns)
    print(f"{len(text):,} texts, {size:,} bytes, {turns[0][1][1]:,} tokens; {tokenizer.engine}\n")
    print("| what | processor seconds | MB/s a core | of the bare engine |\n|---|---:|---:|---:|")
    print(f"| bare engine on the Parquet text | {alone:.2f} | {size / alone / 1e6:.1f} | 1 |")
    print(f"| tokenise job | {whole:.2f} | {size / whole / 1e6:.1f} | {alone / whole:.2f} |")
    if given.datatrove:
        (given.work / "texts").mkdir()
        ids = pa.array([str(i) for i in range(len(text))])
        pq.write_table(pa.table({"id": ids, "text": text.cast(pa.string())}), given.work / "texts" / "all.parquet")
        start, _ = datatrove(given.datatrove, given.tokenizer, given.work, 10)
        all_of_it, tokens = datatrove(given.datatrove, given.tokenizer, given.work, -1)
        spent = all_of_it - start
        print(f"| datatrove's DocumentTokenizer | {spent:.2f} | {size / spent / 1e6:.1f} | {alone / spent:.3f} |\n")
        print(f"The job is {spent / whole:.0f} times as fast as datatrove, which wrote {tokens:,} tokens.")


if __name__ == "__main__":
    main()
