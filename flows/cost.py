"""What a stage costs: processor seconds and the most memory held, of this process and all that it started.

The stage log gets two numbers a stage, whatever its length. Memory is looked at twice a second, so a shorter peak is
missed; pages that processes share are counted for each, so it is an upper bound. Processor time of a process that
ended is known through the one that waited for it; one that nobody waited for is lost.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import psutil

EVERY = 0.5  # seconds between two looks at memory


@dataclass
class Cost:
    """`cpu_seconds` of all processes; `peak_bytes`: the greatest sum of their resident memory that was seen."""

    cpu_seconds: float = 0.0
    peak_bytes: int = 0

    def as_event(self) -> dict[str, float | int]:
        """For the stage log."""
        return {"cpu_seconds": round(self.cpu_seconds, 3), "peak_bytes": self.peak_bytes}


@contextmanager
def metered() -> Iterator[Cost]:
    """Yields a Cost that is right once the block has ended."""
    cost, stop = Cost(), threading.Event()
    before, _ = _now()
    watcher = threading.Thread(target=_watch, args=(cost, stop), daemon=True)
    watcher.start()
    try:
        yield cost
    finally:
        stop.set()
        watcher.join()
        after, held = _now()
        cost.cpu_seconds, cost.peak_bytes = max(0.0, after - before), max(cost.peak_bytes, held)


def _watch(cost: Cost, stop: threading.Event) -> None:
    while not stop.wait(EVERY):
        cost.peak_bytes = max(cost.peak_bytes, _now()[1])


def _now() -> tuple[float, int]:
    """(processor seconds so far, bytes resident) of this process and its descendants."""
    me = psutil.Process()
    seconds, held = 0.0, 0
    for process in (me, *me.children(recursive=True)):
        with suppress(psutil.NoSuchProcess, psutil.AccessDenied):  # it ended while it was looked at
            times = process.cpu_times()
            seconds += times.user + times.system
            seconds += getattr(times, "children_user", 0.0) + getattr(times, "children_system", 0.0)
            held += process.memory_info().rss
    return seconds, held
