"""What Beam and Prefect cost: the extraction of a crawl by Winnow against a bare two-process loop, taking turns.

python benchmarks/orchestration.py [CRAWL.warc.gz] [REPEATS]   (default: ../shared/data/webpages.warc.gz, 3)

The bare loop is FastWARC, our charset decoding and `trafilatura.extract`, pages dealt out to two processes; it
writes nothing. Winnow's figures are the flow's `extract` stage with two workers, start-up of workers included, and
the whole command up to the end of that stage. Both run on the same machine one after the other.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import trafilatura

from filters.charset import decode
from pipelines.sources import Record, plan, read

REPO = Path(__file__).resolve().parents[1]
DEFAULT = REPO.parent / "shared" / "data" / "webpages.warc.gz"


def pages(crawl: str) -> Iterator[str]:
    """Decoded pages."""
    for part in plan([crawl]):
        for item in read(part):
            if isinstance(item, Record):
                yield decode(item.payload, item.charset_header).text


def extracted(html: str) -> int:
    """Characters of main text."""
    return len(trafilatura.extract(html, include_comments=False) or "")


def bare(crawl: str) -> float:
    """Seconds of the loop, with the start of its two processes."""
    began = time.perf_counter()
    with ProcessPoolExecutor(2) as pool:
        sum(pool.map(extracted, pages(crawl), chunksize=8))
    return time.perf_counter() - began


def winnow(crawl: str) -> tuple[float, float]:
    """Seconds of the extract stage, and of the command up to its end."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "flows.cli", "run", crawl, "--out", f"{folder}/run", "--workers", "2"]
        began = time.time()
        subprocess.run(command, cwd=REPO, check=True, stdout=subprocess.DEVNULL)
        events = [json.loads(line) for line in Path(folder, "run", "log", "events.jsonl").read_text().splitlines()]
        done = Path(folder, "run", "log", "counts-extract.json").stat().st_mtime
        return events[0]["seconds"], done - began


def main(crawl: str, repeats: int) -> None:
    """Print a Markdown table of medians, with the least and the greatest."""
    rows: dict[str, list[float]] = {"bare loop": [], "extract stage": [], "command until extracted": []}
    for _ in range(repeats):
        rows["bare loop"].append(bare(crawl))
        stage, whole = winnow(crawl)
        rows["extract stage"].append(stage)
        rows["command until extracted"].append(whole)
    base = statistics.median(rows["bare loop"])
    print("| what | median s | least | greatest | against bare |\n|---|---:|---:|---:|---:|")
    for name, seconds in rows.items():
        middle = statistics.median(seconds)
        print(f"| {name} | {middle:.1f} | {min(seconds):.1f} | {max(seconds):.1f} | {middle / base:.2f} |")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else str(DEFAULT), int(sys.argv[2]) if len(sys.argv) > 2 else 3)
