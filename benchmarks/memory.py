"""Memory of every process of a run, stage by stage, over crawls of growing size.

python benchmarks/memory.py OUT CRAWL... [-- CRAWL...]   (each group of crawls, divided by `--`, is one run)

A run's process tree is looked at twice a second; what is told is the greatest resident set of one process of each
kind in each stage. `../shared/bench/make_bulk.sh` makes a crawl of 70,000 pages to try it on.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections import defaultdict
from pathlib import Path

import psutil

REPO = Path(__file__).resolve().parents[1]
STAGES = ("plan", "extract", "annotate", "dedup", "decide", "scrub", "tokenize")
KINDS = {"filters.extract.worker": "sandbox", "sdk_worker_main": "worker", "uvicorn": "server", "flows.cli": "command"}
Peaks = dict[tuple[str, str], int]


def kind_of(process: psutil.Process) -> str | None:
    """What a process of the run is for; None for helpers that hold next to nothing."""
    line = " ".join(process.cmdline())
    return next((kind for part, kind in KINDS.items() if part in line), None)


def stage_of(run: Path) -> str:
    """The stage that is going on, from the states in run.json."""
    try:
        done = json.loads((run / "run.json").read_bytes())["stages"]
    except (OSError, ValueError, KeyError):  # not written yet
        return "plan"
    return next((stage for stage in STAGES if stage not in done), "tokenize")


def watch(process: subprocess.Popen[bytes], run: Path) -> Peaks:
    """The greatest resident bytes by (stage, kind) until the command ends."""
    peaks: Peaks = defaultdict(int)
    root = psutil.Process(process.pid)
    while process.poll() is None:
        stage = stage_of(run)
        for one in [root, *root.children(recursive=True)]:
            try:
                kind, held = kind_of(one), one.memory_info().rss
            except psutil.Error:  # it just ended
                continue
            if kind is not None:
                peaks[stage, kind] = max(peaks[stage, kind], held)
        time.sleep(0.5)
    return peaks


def measure(crawls: list[str], out: Path) -> tuple[Peaks, dict[str, float], int]:
    """(peaks, seconds by stage, records) of one run."""
    shutil.rmtree(out, ignore_errors=True)
    command = [sys.executable, "-m", "flows.cli", "run", *crawls, "--out", str(out), "--workers", "2"]
    process = subprocess.Popen(command, cwd=REPO, stdout=subprocess.DEVNULL)
    peaks = watch(process, out)
    if process.returncode != 0:
        raise SystemExit(f"winnow run ended with {process.returncode}")
    events = [json.loads(line) for line in (out / "log" / "events.jsonl").read_text().splitlines()]
    seconds = {event["stage"]: event["seconds"] for event in events}
    return peaks, seconds, events[0]["records"]


def main(out: Path, groups: list[list[str]]) -> None:
    """Print a Markdown table: a row a stage and kind, a column a run."""
    runs = [measure(crawls, out / str(i)) for i, crawls in enumerate(groups)]
    print("| stage | process | " + " | ".join(f"{records:,} records" for *_, records in runs) + " |")
    print("|---|---|" + "---:|" * len(runs))
    for stage in STAGES:
        for kind in ("command", "worker", "sandbox"):
            held = [peaks.get((stage, kind), 0) / 1e6 for peaks, *_ in runs]
            if any(held):
                print(f"| {stage} | {kind} | " + " | ".join(f"{h:,.0f} MB" for h in held) + " |")
        if stage != "plan":
            print(f"| {stage} | seconds | " + " | ".join(f"{s[stage]:,.0f}" for _, s, _ in runs) + " |")


if __name__ == "__main__":
    parts = " ".join(sys.argv[2:]).split(" -- ")
    main(Path(sys.argv[1]), [part.split() for part in parts])
