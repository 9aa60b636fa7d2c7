"""Live progress of a run: one line a stage, with records a second and the time still to go.

It watches the run's folder from outside: parts that have their final name are done, and the plan in run.json
says how many records each holds. So it shows the same for every runner, and costs the jobs nothing.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

WATCHED = {
    "extract": "documents",
    "rights": "rights",
    "annotate": "signals",
    "dedup": "duplicates",
    "cuts": "cuts",
    "decide": "decisions",
    "scrub": "kept",
}


@contextmanager
def shown(run: str, console: Console) -> Iterator[None]:
    """Show progress of `run` while the block runs; silent when the console is not a terminal."""
    if "://" in run:
        yield
        return
    stop = threading.Event()
    columns = (
        TextColumn("{task.description:9}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        watcher = threading.Thread(target=_watch, args=(Path(run), progress, stop), daemon=True)
        watcher.start()
        try:
            yield
        finally:
            stop.set()
            watcher.join(timeout=5)


def _watch(run: Path, progress: Progress, stop: threading.Event) -> None:
    tasks: dict[str, tuple[TaskID, float]] = {}
    while not stop.wait(0.5):
        sizes = part_records(run)
        if not sizes:
            continue
        for stage, dataset in WATCHED.items():
            done = finished(run / dataset, sizes)
            if done == 0 and stage not in tasks:
                continue
            if stage not in tasks:
                tasks[stage] = (
                    progress.add_task(stage, total=sum(sizes.values()), rate=""),
                    time.monotonic(),
                )
            task, began = tasks[stage]
            if not progress.tasks[task].finished:
                rate = done / max(time.monotonic() - began, 0.5)
                progress.update(task, completed=done, rate=f"{rate:,.0f} records/s")


def part_records(run: Path) -> dict[str, int]:
    """Records in each part by the part's file name, from run.json; empty before there is a plan."""
    try:
        parts = json.loads((run / "run.json").read_bytes())["parts"]
    except (OSError, ValueError, KeyError):  # not written yet
        return {}
    return {f"part-{p['index']:05d}.parquet": max(p["records"], 1) for p in parts}


def finished(folder: Path, sizes: dict[str, int]) -> int:
    """Records in the parts of `folder` that have their final name."""
    if not folder.is_dir():
        return 0
    return sum(sizes.get(item.name, 0) for item in folder.iterdir())
