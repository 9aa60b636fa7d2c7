"""MinHash signatures of real texts on one core, beside datasketch and rensa: the same texts, by turns, in one process.

pip install rensa==0.5.0
python benchmarks/minhash.py [TEXTS.parquet|GOLD.jsonl.gz ...] [--documents 3000] [--turns 5]

128 permutations over word 5-grams. Text in: ours takes an Arrow array; for the others the texts are Python strings
already, cut by one compiled regular expression on the lowered text and joined by slices. datasketch: `MinHash.bulk`,
the call its documentation names for many sets (the generator of `update_batch` on copies), with its default SHA-1 and
with xxhash, the faster hash its documentation advises to bring. rensa: `digest_matrix_from_token_sets`, its documented
call for bulk work. Shingles ready: every peer gets the shingles it likes best (bytes, strings, and 64-bit hashes in
one flat array), ours the hashes. rensa's "rho" samples token positions; its other sketches are no 128 permutations
either (Fast Similarity Sketching), so their time grows less with the length of a text. Seconds are the process's own,
the median of the turns; `wall` is the median by the clock. rensa is held to one thread.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import re
import statistics
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

os.environ.setdefault("RAYON_NUM_THREADS", "1")

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import xxhash
from datasketch import MinHash

from dedup.shingles import shingles
from dedup.signatures import signatures, signatures_of

try:
    from rensa import RMinHash
except ImportError as error:
    raise SystemExit("This compares with rensa: pip install rensa==0.5.0") from error

DEFAULT = Path(__file__).resolve().parents[2] / "shared" / "data" / "bulk_real" / "gold_text.jsonl.gz"
PERMUTATIONS, NGRAM = 128, 5
WORDS = re.compile(r"\w+").findall


def read(path: Path) -> list[str]:
    """The texts of a Parquet file (column text) or of JSON lines."""
    if path.suffix == ".parquet":
        return [t or "" for t in pq.read_table(path, columns=["text"])["text"].to_pylist()]
    return [json.loads(line).get("text") or "" for line in gzip.decompress(path.read_bytes()).splitlines()]


def cut(text: str) -> list[str]:
    """Shingles as a Python program makes them."""
    words = WORDS(text.lower())
    return [" ".join(words[k : k + NGRAM]) for k in range(max(1, len(words) - NGRAM + 1))] if words else []


def cut_bytes(text: str) -> list[bytes]:
    """Shingles as bytes: encoded once, joined by slices."""
    words = [w.encode() for w in WORDS(text.lower())]
    return [b" ".join(words[k : k + NGRAM]) for k in range(max(1, len(words) - NGRAM + 1))] if words else []


def works(texts: list[str]) -> dict[str, tuple[str, Callable[[], object]]]:
    """What is timed: name -> (group, call)."""
    array = pa.array(texts, pa.large_string())
    hashes, first = shingles(array, NGRAM)
    ready, ready_bytes = [cut(t) for t in texts], [cut_bytes(t) for t in texts]
    lists = [hashes[low:high] for low, high in pairwise(first)]
    flat, offsets = hashes.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15), first.astype(np.uint64)
    kinds = {"num_perm": PERMUTATIONS}
    hash32 = xxhash.xxh32_intdigest
    return {
        "Winnow": ("text", lambda: signatures(array, NGRAM, "word", PERMUTATIONS)),
        "Winnow, legacy": ("text", lambda: signatures(array, NGRAM, "word", PERMUTATIONS, scheme="legacy")),
        "datasketch bulk, SHA-1": ("text", lambda: MinHash.bulk((cut_bytes(t) for t in texts), **kinds)),
        "datasketch bulk, xxhash": (
            "text",
            lambda: MinHash.bulk((cut_bytes(t) for t in texts), hashfunc=hash32, **kinds),
        ),
        "rensa, strings": (
            "text",
            lambda: RMinHash.digest_matrix_from_token_sets([cut(t) for t in texts], PERMUTATIONS, 1),
        ),
        "rensa rho, strings": (
            "text",
            lambda: RMinHash.digest_matrix_from_token_sets_rho([cut(t) for t in texts], PERMUTATIONS, 1),
        ),
        "Winnow, hashes": ("ready", lambda: signatures_of(hashes, first, PERMUTATIONS)),
        "datasketch bulk, bytes, SHA-1 ": ("ready", lambda: MinHash.bulk(ready_bytes, **kinds)),
        "datasketch bulk, hashes": ("ready", lambda: MinHash.bulk(lists, hashfunc=int, **kinds)),
        "rensa, strings ": ("ready", lambda: RMinHash.digest_matrix_from_token_sets(ready, PERMUTATIONS, 1)),
        "rensa, bytes": ("ready", lambda: RMinHash.digest_matrix_from_token_byte_sets(ready_bytes, PERMUTATIONS, 1)),
        "rensa, flat hashes": (
            "ready",
            lambda: RMinHash.digest_matrix_from_flat_token_hashes(flat, offsets, PERMUTATIONS, 1),
        ),
        "rensa rho, flat hashes": (
            "ready",
            lambda: RMinHash.digest_matrix_from_flat_token_hashes_rho(flat, offsets, PERMUTATIONS, 1),
        ),
    }


def measure(texts: list[str], turns: int) -> dict[str, tuple[str, float, float]]:
    """name -> (group, median CPU seconds, median wall seconds), one call of each in every turn."""
    todo = works(texts)
    for _, work in list(todo.values())[:2]:
        work()  # compiles
    cpu: dict[str, list[float]] = {name: [] for name in todo}
    wall: dict[str, list[float]] = {name: [] for name in todo}
    for _ in range(turns):
        for name, (_, work) in todo.items():
            began, clock = time.process_time(), time.perf_counter()
            work()
            cpu[name].append(time.process_time() - began)
            wall[name].append(time.perf_counter() - clock)
    return {n: (g, statistics.median(cpu[n]), statistics.median(wall[n])) for n, (g, _) in todo.items()}


def main() -> None:
    """Print Markdown tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="*", type=Path, default=[DEFAULT])
    parser.add_argument("--documents", type=int, default=3000)
    parser.add_argument("--turns", type=int, default=5)
    given = parser.parse_args()
    for file in given.files:
        all_texts = read(file)
        texts = all_texts[:: max(1, len(all_texts) // given.documents)]
        hashes, first = shingles(pa.array(texts, pa.large_string()), NGRAM)
        size = sum(len(t.encode()) for t in texts) / 1e6
        print(
            f"\n{file.name}: {len(texts):,} documents, {size:.1f} MB, {len(hashes):,} shingles "
            f"({len(hashes) / len(texts):.0f} a document, median {np.median(np.diff(first)):.0f})"
        )
        found = measure(texts, given.turns)
        for group, ours, title in (("text", "Winnow", "text in"), ("ready", "Winnow, hashes", "shingles ready")):
            print(
                f"\n| {title} | documents/s | MB/s | ns a shingle | wall/CPU | Winnow is faster by |\n|---|"
                + "---:|" * 5
            )
            base = found[ours][1]
            for name, (_, cpu, wall) in [(n, f) for n, f in found.items() if f[0] == group]:
                rates = f"{len(texts) / cpu:,.0f} | {size / cpu:.1f} | {cpu / len(hashes) * 1e9:.1f} | {wall / cpu:.2f}"
                print(f"| {name.strip()} | {rates} | {cpu / base:.1f} |")


if __name__ == "__main__":
    main()
