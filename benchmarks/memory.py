"""Memory of every process of a run, stage by stage, over crawls of growing size.

python benchmarks/memory.py OUT [--part-bytes=N] CRAWL... [-- CRAWL...]...   (each group, divided by `--`, is one run)

A run's process tree is looked at twice a second; what is told is the greatest resident set of one process of each
kind in each stage. Crawls of one kind of pages in growing numbers, as `winnow sample` makes them, show whether a
process grows with the corpus: give three or more, since two points lie on every line. Parts grow with a file too, up
to 16 MiB, and a stage holds one part at a time: `--part-bytes` keeps them equal, to tell the two apart. Each run's
figures are kept in OUT/N.json as soon as it is done, and a run that has them is not done again.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import psutil

REPO = Path(__file__).resolve().parents[1]
STAGES = ("plan", "extract", "rights", "annotate", "dedup", "decide", "scrub", "tokenize")
KINDS = {"filters.extract.worker": "sandbox", "sdk_worker_main": "worker", "flows.cli": "command"}
SERVER = "winnow-prefect"  # a fork of the command that goes by a name of its own
Peaks = dict[tuple[str, str], int]
Run = dict[str, Any]


def kind_of(process: psutil.Process) -> str | None:
    """What a process of the run is for; None for helpers that hold next to nothing."""
    if process.name() == SERVER:
        return "server"
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


def measure(given: list[str], out: Path) -> Run:
    """Peaks, seconds by stage and records of one run over the `given` crawls and options."""
    kept = out.with_suffix(".json")
    if kept.exists():
        return json.loads(kept.read_bytes())
    shutil.rmtree(out, ignore_errors=True)
    command = [sys.executable, "-m", "flows.cli", "run", *given, "--out", str(out), "--workers", "2"]
    process = subprocess.Popen(command, cwd=REPO, stdout=subprocess.DEVNULL)
    peaks = watch(process, out.absolute())
    if process.returncode != 0:
        raise SystemExit(f"winnow run ended with {process.returncode}")
    events = [json.loads(line) for line in (out / "log" / "events.jsonl").read_text().splitlines()]
    told = {
        "records": events[0]["records"],
        "seconds": {event["stage"]: event["seconds"] for event in events},
        "peaks": {f"{stage} {kind}": held for (stage, kind), held in peaks.items()},
    }
    kept.write_text(json.dumps(told, indent=1))
    return told


def table(runs: list[Run]) -> str:
    """Markdown: a row a stage and kind of process, a column a run, and how the last compares with the first."""
    lines = ["| stage | process | " + " | ".join(f"{run['records']:,} records" for run in runs) + " | last / first |"]
    lines.append("|---|---|" + "---:|" * (len(runs) + 1))
    for stage in STAGES:
        for kind in ("command", "worker", "sandbox", "server"):
            held = [run["peaks"].get(f"{stage} {kind}", 0) / 1e6 for run in runs]
            if all(held):
                cells = " | ".join(f"{h:,.0f} MB" for h in held)
                lines.append(f"| {stage} | {kind} | {cells} | {held[-1] / held[0]:.2f} |")
        if stage != "plan":
            cells = " | ".join(f"{run['seconds'][stage]:,.0f}" for run in runs)
            lines.append(f"| {stage} | seconds | {cells} | |")
    return "\n".join(lines)


def main(out: Path, words: list[str]) -> None:
    """Do the runs that are not done yet and print the table."""
    options = [word for word in words if word.startswith("--part-bytes=")]
    groups = " ".join(word for word in words if word not in options).split(" -- ")
    out.mkdir(parents=True, exist_ok=True)
    print(table([measure([*group.split(), *options], out / str(i)) for i, group in enumerate(groups)]))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
