"""The report of a run of a million documents: its size, the time to make it, and the time a browser takes to open it.

python benchmarks/report_size.py RUN... [--documents N] [--per-part N] [--keep FOLDER] [--repeats N]

Each RUN is a small finished run, made with `--measure-for all`; the large one is made of them as benchmarks/what_if.py
does, with the rest of a finished run beside it: kept texts with counts of personal data, a manifest, a stage log.
Opening is timed in headless Chromium (wanted: a `chromium` on the path, and playwright), from the call to the load
event, with every console message and request counted.
"""

from __future__ import annotations

import argparse
import json
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from what_if import make  # the script beside this one

from filters.pii import KINDS
from pipelines.parts import write_part
from pipelines.schemas import KEPT
from tokenization.manifest import Count, Manifest, Shard, TokenizerInfo, Totals

REPO = Path(__file__).resolve().parents[1]
SCHEMA = pa.schema([*KEPT, *(pa.field(f"pii_{kind}", pa.int32(), nullable=False) for kind in KINDS)])


def complete(folder: Path) -> None:
    """What a finished run has beside what `make` writes."""
    chance = np.random.default_rng(1)
    text_bytes = 0
    for path in sorted((folder / "documents").glob("part-*.parquet")):
        decisions = pq.read_table(folder / "decisions" / path.name, columns=["fate"])
        lang = pq.read_table(folder / "signals" / path.name, columns=["lang"])["lang"]
        pages = pq.read_table(path, columns=["doc_id", "url", "source", "text"]).append_column("lang", lang)
        pages = pages.filter(pc.equal(decisions["fate"], "kept"))
        for kind in KINDS:
            pages = pages.append_column(f"pii_{kind}", pa.array(chance.poisson(0.02, pages.num_rows).astype(np.int32)))
        size = pc.sum(pc.binary_length(pages["text"])).as_py() or 0
        counts = {"documents": pages.num_rows, "text_bytes": size}
        write_part(
            str(folder / "kept" / path.name),
            pages.select(SCHEMA.names).cast(SCHEMA).to_batches(),
            SCHEMA,
            "kept",
            counts,
        )
        text_bytes += size
    write_manifest(folder, text_bytes)
    (folder / "log").mkdir(exist_ok=True)
    events = [{"stage": s, "seconds": 100.0, "cpu_seconds": 190.0, "peak_bytes": 2_000_000_000}
              for s in ("extract", "annotate", "dedup", "decide", "scrub", "tokenize")]  # fmt: skip
    (folder / "log" / "events.jsonl").write_text("".join(json.dumps(event) + "\n" for event in events))


def write_manifest(folder: Path, text_bytes: int) -> None:
    """A manifest of the shards that are there; its hashes are made up."""
    shards, documents, tokens = [], 0, 0
    for path in sorted((folder / "tokens").iterdir()):
        with pa.memory_map(str(path)) as source:
            reader = pa.ipc.open_file(source)
            batches = [reader.get_batch(i) for i in range(reader.num_record_batches)]
            n, t = (
                sum(b.num_rows for b in batches),
                sum(pc.sum(pc.list_value_length(b["tokens"])).as_py() for b in batches),
            )
        shards.append(
            Shard(path=f"tokens/{path.name}", bytes=path.stat().st_size, sha256="0" * 64, documents=n, tokens=t)
        )
        documents, tokens = documents + n, tokens + t
    info = TokenizerInfo(name="made", file="tokenizer.json", sha256="0" * 64, vocab_size=16_384, end_of_text=0)
    both = {"all": Count(documents=documents, tokens=tokens)}
    made = Manifest(recipe="made", recipe_hash="0" * 64, tokenizer=info, dtype="uint16", format="arrow", seed=0,
                    shards=tuple(shards), sources=both, languages=both,
                    totals=Totals(documents=documents, tokens=tokens, text_bytes=text_bytes))  # fmt: skip
    (folder / "manifest.json").write_bytes(made.as_bytes())


def made(folder: Path) -> tuple[float, float, float]:
    """(seconds, processor seconds, greatest memory in GB) of `winnow report`, a process of its own."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "flows.cli", "report", str(folder)], cwd=REPO, check=True, capture_output=True
    )
    seconds = time.perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return seconds, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, after.ru_maxrss / 1e6


def opened(report: Path, repeats: int) -> tuple[list[float], int, int]:
    """(seconds of each opening, console messages, requests beside the page itself)."""
    from playwright.sync_api import sync_playwright

    times, messages, requests = [], 0, 0
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for _ in range(repeats):
            page = browser.new_page()
            seen: list[str] = []
            page.on("console", lambda message, seen=seen: seen.append(message.text))
            asked: list[str] = []
            page.on("request", lambda request, asked=asked: asked.append(request.url))
            began = time.perf_counter()
            page.goto(report.as_uri(), wait_until="load")
            page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
            times.append(time.perf_counter() - began)
            messages, requests = messages + len(seen), requests + len(asked) - 1
            page.close()
        browser.close()
    return times, messages, requests


def main() -> None:
    """Make the run, unless it is there, and print a Markdown table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("runs", nargs="*", type=Path)
    parser.add_argument("--documents", type=int, default=1_000_000)
    parser.add_argument("--per-part", type=int, default=500)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--keep", type=Path, help="make the run here, or take the one that is here")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = given.keep or Path(temporary) / "run"
        if not (folder / "run.json").exists():
            make(given.runs, folder, given.documents, given.per_part)
        if not (folder / "manifest.json").exists():
            complete(folder)
        found = [made(folder) for _ in range(given.repeats)]
        seconds, processor, memory = (statistics.median(one[i] for one in found) for i in range(3))
        times, messages, requests = opened(folder / "report.html", given.repeats)
        size = (folder / "report.html").stat().st_size / 1e6
        print(
            "| size MB | made in s | processor s | memory GB | opened and painted in s | console messages | requests |"
        )
        print("|---:|---:|---:|---:|---:|---:|---:|")
        print(f"| {size:.2f} | {seconds:.1f} | {processor:.1f} | {memory:.2f} | {statistics.median(times):.2f} "
              f"| {messages} | {requests} |")  # fmt: skip


if __name__ == "__main__":
    main()
