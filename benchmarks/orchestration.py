"""What Beam and Prefect cost: the extraction of a crawl by Winnow against a bare two-process loop, taking turns.

python benchmarks/orchestration.py [--together] [CRAWL.warc.gz] [TURNS]   (../shared/data/webpages.warc.gz, 3)

Commands against each other, all timed from outside: `benchmarks/bare_loop.py` with its imports and its two
processes; `winnow run --workers 2` up to the end of its stage `extract`, with Prefect's server and everything else
it starts; and between them `benchmarks/own_loop.py`, Winnow's own extraction without Beam and Prefect. The last line
is what those two cost: Winnow less its own loop, as a share of the bare loop. Told are seconds by the clock and
seconds of processor of the whole process tree. The turns alternate which goes first. For comparison the table has
the loop without its command's imports, and the stage without its command's start-up.

A machine that does other things makes the same turn cost half as many processor seconds again, so turns one after
the other say little there. With `--together` both commands run at the same time, under the same disturbance: then
the ratio of processor seconds is the figure that means something, and the clock means nothing.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import psutil

REPO = Path(__file__).resolve().parents[1]
DEFAULT = REPO.parent / "shared" / "data" / "webpages.warc.gz"
WORKERS = "2"
# Whoever installs Winnow has its modules compiled; where this is set, every start would compile them once more.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
Figures = dict[str, float]


def processor_seconds(root: psutil.Process) -> float:
    """User and system seconds of a living process and all below it, those included that have ended."""
    total = 0.0
    for one in [root, *root.children(recursive=True)]:
        with suppress(psutil.Error):  # it just ended; its parent has its seconds
            total += sum(one.cpu_times()[:4])
    return total


def loop(script: str, crawl: str) -> Figures:
    """One turn of a loop that prints what it did."""
    command = [sys.executable, f"benchmarks/{script}", crawl, WORKERS]
    began = time.perf_counter()
    with subprocess.Popen(command, cwd=REPO, stdout=subprocess.PIPE) as process:
        said = process.stdout.read() if process.stdout else b""
        _, status, used = os.wait4(process.pid, 0)  # of this child and its children alone
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise SystemExit(f"{script} ended with {process.returncode}")
    return {"wall": time.perf_counter() - began, "cpu": used.ru_utime + used.ru_stime, **json.loads(said)}


def bare(crawl: str) -> Figures:
    """One turn of the bare loop."""
    return loop("bare_loop.py", crawl)


def own(crawl: str) -> Figures:
    """One turn of Winnow's extraction without Beam and Prefect."""
    return loop("own_loop.py", crawl)


def winnow(crawl: str) -> Figures:
    """One turn of the command; it is stopped when its pages are extracted."""
    with tempfile.TemporaryDirectory() as folder:
        events = Path(folder, "run", "log", "events.jsonl")
        command = [sys.executable, "-m", "flows.cli", "run", crawl, "--out", f"{folder}/run", "--workers", WORKERS]
        began = time.perf_counter()
        with subprocess.Popen(command, cwd=REPO, stdout=subprocess.DEVNULL) as process:
            while not (events.exists() and events.read_bytes().endswith(b"\n")):
                if process.poll() is not None:
                    raise SystemExit(f"winnow run ended with {process.returncode}")
                time.sleep(0.02)
            wall, cpu = time.perf_counter() - began, processor_seconds(psutil.Process(process.pid))
            process.kill()
        event = json.loads(events.read_text().splitlines()[0])
        time.sleep(1)  # the server and the sandboxes see their pipes close, and go
    return {"wall": wall, "cpu": cpu, **event}


def table(loops: list[Figures], owns: list[Figures], runs: list[Figures]) -> str:
    """A Markdown table of medians; the ratios are between medians. Below it, what Beam and Prefect cost."""
    rows = {
        "bare loop, the command": (loops, "wall", "cpu", loops),
        "Winnow's extraction, no Beam, no Prefect": (owns, "wall", "cpu", loops),
        "`winnow run` until extracted": (runs, "wall", "cpu", loops),
        "bare loop without its imports": (loops, "seconds", None, loops),
        "stage `extract` without start-up": (runs, "seconds", None, loops),
    }
    lines = ["| what | wall s | least | greatest | wall ratio | CPU s | least | greatest | CPU ratio |"]
    lines.append("|---|" + "---:|" * 8)
    for name, (turns, wall, cpu, base) in rows.items():
        cells = [*_cells([t[wall] for t in turns], [t[wall] for t in base])]
        cells += _cells([t[cpu] for t in turns], [t[cpu] for t in base]) if cpu else [""] * 4
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    cost = {}
    for unit in ("wall", "cpu"):
        more = [(r[unit] - o[unit]) / b[unit] for b, o, r in zip(loops, owns, runs, strict=True)]
        cost[unit] = f"{statistics.median(more):+.1%} ({min(more):+.1%} to {max(more):+.1%})"
    told = f"Beam and Prefect, turn by turn: {cost['cpu']} of the bare loop's processor, {cost['wall']} of its time"
    return "\n".join([*lines, "", told])


def _cells(seconds: list[float], base: list[float]) -> list[str]:
    middle = statistics.median(seconds)
    ratio = middle / statistics.median(base)
    return [f"{middle:.1f}", f"{min(seconds):.1f}", f"{max(seconds):.1f}", f"{ratio:.2f}"]


def main(crawl: str, turns: int, together: bool) -> None:
    """Print what each turn took, then the table."""
    taken: dict[str, list[Figures]] = defaultdict(list)
    for turn in range(turns):
        order = (bare, own, winnow) if turn % 2 == 0 else (winnow, own, bare)
        with ThreadPoolExecutor(len(order) if together else 1) as commands:
            for what, figures in zip(order, commands.map(lambda one: one(crawl), order), strict=True):
                taken[what.__name__].append(figures)
                print(f"{what.__name__}: {figures['wall']:.1f} s, {figures['cpu']:.1f} s of processor", flush=True)
    documents, pages = taken["winnow"][0]["records"], taken["bare"][0]["pages"]
    how = "together" if together else "in turn"
    print(f"\n{pages:,} pages by the loop, {documents:,} records by Winnow, {turns} turns, {how}\n")
    print(table(taken["bare"], taken["own"], taken["winnow"]))


if __name__ == "__main__":
    words = [word for word in sys.argv[1:] if word != "--together"]
    path = str(Path(words[0]).absolute()) if words else str(DEFAULT)
    main(path, int(words[1]) if len(words) > 1 else 3, "--together" in sys.argv)
