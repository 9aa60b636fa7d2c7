"""Speed of every edit on real text: English, then Chinese. Least processor time of three, after one that compiles.

python benchmarks/edits.py [EDIT ...]     (all edits, over ../shared/data; processor time, so one core's work)
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

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
CHINESE = ("gold_text", "langid_udhr", "toxicity")  # the second and third are short: ten of them make one text
BYTES = 20_000_000  # of each language; real texts are repeated up to it


def best(kernel: Kernel, text: pa.LargeStringArray) -> float:
    """Least processor seconds of three calls, after one that compiles."""
    kernel(text)
    times = []
    for _ in range(3):
        began = time.process_time()
        kernel(text)
        times.append(time.process_time() - began)
    return min(times)


def repeated(texts: list[str]) -> tuple[pa.LargeStringArray, float]:
    """The texts, again and again up to about BYTES, and their size in MB."""
    size = sum(len(t.encode()) for t in texts)
    times = max(1, BYTES // size)
    return pa.array(texts * times, pa.large_string()), times * size / 1e6


def corpora(data: Path) -> list[tuple[pa.LargeStringArray, float]]:
    """English pages; and Chinese ones with, since they are few, short Chinese texts ten to a page."""
    rows = {
        name: [json.loads(line) for line in gzip.decompress((data / f"{name}.jsonl.gz").read_bytes()).splitlines()]
        for name in CHINESE
    }
    english = [r["text"] for r in rows["gold_text"] if (r.get("lang_guess") or "").startswith("en") and r.get("text")]
    texts = [r.get("text") or "" for name in CHINESE for r in rows[name]]
    han = [t for t in texts if sum("\u4e00" <= c <= "\u9fff" for c in t) > 20]
    return [repeated(english), repeated(["\n".join(han[i : i + 10]) for i in range(0, len(han), 10)])]


def main(data: Path, names: list[str]) -> None:
    """Print a Markdown table."""
    (english, english_mb), (chinese, chinese_mb) = corpora(data)
    print("| edit | English MB/s | Chinese MB/s |\n|---|---:|---:|")
    for name in names:
        kernel = EDITS[name].kernel
        print(f"| {name} | {english_mb / best(kernel, english):,.0f} | {chinese_mb / best(kernel, chinese):,.0f} |")
    print(f"\n{len(english)} English texts, {english_mb:.1f} MB; {len(chinese)} Chinese, {chinese_mb:.1f} MB")


if __name__ == "__main__":
    main(DATA, sys.argv[1:] or list(EDITS))
