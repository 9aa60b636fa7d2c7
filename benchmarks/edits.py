"""Speed of every edit on real text, one core: English, then Chinese. Best of three, after one call that compiles.

python benchmarks/edits.py [GOLD_TEXT.jsonl.gz] [EDIT ...]     (default: ../shared/data/gold_text.jsonl.gz, all edits)
"""

from __future__ import annotations

import gzip
import json
import sys
import time
from pathlib import Path

import pyarrow as pa

from filters.edits import EDITS
from filters.edits.kernels import Kernel

DEFAULT = Path(__file__).resolve().parents[2] / "shared" / "data" / "gold_text.jsonl.gz"
BYTES = 20_000_000  # of each language; real texts are repeated up to it


def best(kernel: Kernel, text: pa.LargeStringArray) -> float:
    """Least seconds of three calls, after one that compiles."""
    kernel(text)
    times = []
    for _ in range(3):
        began = time.perf_counter()
        kernel(text)
        times.append(time.perf_counter() - began)
    return min(times)


def corpus(rows: list[dict[str, str]], language: str) -> tuple[pa.LargeStringArray, float]:
    """Texts of one language, repeated to about BYTES, and their size in MB."""
    texts = [r["text"] for r in rows if (r.get("lang_guess") or "").startswith(language) and r.get("text")]
    size = sum(len(t.encode()) for t in texts)
    times = max(1, BYTES // size)
    return pa.array(texts * times, pa.large_string()), times * size / 1e6


def main(path: str, names: list[str]) -> None:
    """Print a Markdown table."""
    rows = [json.loads(line) for line in gzip.decompress(Path(path).read_bytes()).splitlines()]
    print("| edit | English MB/s | Chinese MB/s |\n|---|---:|---:|")
    english, chinese = corpus(rows, "en"), corpus(rows, "zh")
    for name in names:
        rates = [megabytes / best(EDITS[name].kernel, text) for text, megabytes in (english, chinese)]
        print(f"| {name} | {rates[0]:,.0f} | {rates[1]:,.0f} |", flush=True)
    print(f"\n{len(english[0])} English texts, {english[1]:.1f} MB; {len(chinese[0])} Chinese, {chinese[1]:.1f} MB")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else str(DEFAULT), sys.argv[2:] or list(EDITS))
