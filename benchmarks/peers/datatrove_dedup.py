"""datatrove's four MinHash stages as FineWeb ran them (14 x 8, 64 bits, 5 words); run by its own interpreter.

python datatrove_dedup.py FOLDER_OF_PARQUET OUT    (columns id, text; two files, two workers)

Prints `STAGE name wall seconds` for each stage and `STAGE minhash wall seconds` for all of them.
"""

from __future__ import annotations

import shutil
import sys
import time

from datatrove.executor import LocalPipelineExecutor
from datatrove.pipeline.dedup import MinhashDedupBuckets, MinhashDedupCluster, MinhashDedupFilter, MinhashDedupSignature
from datatrove.pipeline.dedup.minhash import MinhashConfig
from datatrove.pipeline.readers import ParquetReader
from datatrove.pipeline.writers import JsonlWriter
from datatrove.utils.hashing import HashConfig


def timed(name: str, steps: list[object], out: str, tasks: int = 2, workers: int = 2) -> float:
    start = time.time()
    LocalPipelineExecutor(steps, tasks=tasks, workers=workers, logging_dir=f"{out}/log-{name}").run()
    print(f"STAGE {name} wall {time.time() - start:.1f}", flush=True)
    return time.time() - start


def main(source: str, out: str) -> None:
    shutil.rmtree(out, ignore_errors=True)
    text = ParquetReader(source, text_key="text", id_key="id")
    config = MinhashConfig(hash_config=HashConfig(precision=64), num_buckets=14, hashes_per_bucket=8, n_grams=5)
    total = timed("signatures", [text, MinhashDedupSignature(output_folder=f"{out}/s", config=config)], out)
    buckets = MinhashDedupBuckets(input_folder=f"{out}/s", output_folder=f"{out}/b", config=config)
    total += timed("buckets", [buckets], out, tasks=14)
    cluster = MinhashDedupCluster(input_folder=f"{out}/b", output_folder=f"{out}/r", config=config)
    total += timed("cluster", [cluster], out, tasks=1, workers=1)
    kept = JsonlWriter(f"{out}/kept")
    total += timed("filter", [text, MinhashDedupFilter(input_folder=f"{out}/r"), kept], out)
    print(f"STAGE minhash wall {total:.1f}")


if __name__ == "__main__":
    main(*sys.argv[1:])
