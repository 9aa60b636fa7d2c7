"""Speed of the kernels on real text, one core: language, signals, signatures, personal data. Best of three.

python benchmarks/kernels.py [GOLD_TEXT.jsonl.gz]     (default: ../shared/data/bulk_real/gold_text.jsonl.gz)
"""

from __future__ import annotations

import gzip
import json
import sys
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pyarrow as pa
from datasketch import MinHash

from dedup.shingles import shingles
from dedup.signatures import signatures
from filters.language import identify
from filters.pii import KINDS, scrub
from filters.segment import TextView
from filters.signals import SIGNALS, measure

DEFAULT = Path(__file__).resolve().parents[2] / "shared" / "data" / "bulk_real" / "gold_text.jsonl.gz"


def best(work: Callable[[], object]) -> float:
    """Least seconds of three calls, after one that compiles."""
    work()
    times = []
    for _ in range(3):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return min(times)


def datasketch_signatures(hashes: object, first: object) -> None:
    """datasketch's own bulk update over the same ready shingle hashes."""
    for low, high in pairwise(first):  # type: ignore[call-overload]
        MinHash(num_perm=128, hashfunc=int).update_batch(hashes[low:high])  # type: ignore[index]


def main(path: str) -> None:
    """Print a Markdown table."""
    texts = [json.loads(line).get("text") or "" for line in gzip.decompress(Path(path).read_bytes()).splitlines()]
    text = pa.array(texts, pa.large_string())
    megabytes = sum(len(t.encode()) for t in texts) / 1e6
    lang, _ = identify(text)
    hashes, first = shingles(text, 5)
    few = 200
    policy = dict.fromkeys(KINDS, "placeholder")
    rows = [
        ("language", best(lambda: identify(text)), len(texts)),
        (f"signals ({len(SIGNALS)})", best(lambda: measure(TextView(text, lang), list(SIGNALS))), len(texts)),
        ("signatures, 128, words 5", best(lambda: signatures(text, 5, "word", 128)), len(texts)),
        ("datasketch, hashes ready", best(lambda: datasketch_signatures(hashes, first[: few + 1])), few),
        (f"scrubbing ({len(KINDS)} kinds)", best(lambda: scrub(text, policy)), len(texts)),
    ]
    print(f"{len(texts)} documents, {megabytes:.1f} MB\n\n| kernel | documents/s | MB/s |\n|---|---:|---:|")
    for name, seconds, count in rows:
        rate = f"{megabytes / seconds:.1f}" if count == len(texts) else ""
        print(f"| {name} | {count / seconds:,.0f} | {rate} |")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else str(DEFAULT))
