"""What the run cost, from its stage log: time, processor time, memory, bytes; and an estimate of the energy.

Energy is processor seconds times the watts of one busy logical core, plus the memory that was held, times what the
building adds: the factors are those that Cloud Carbon Footprint publishes for AWS, averages over many machines. The
figure is good for its order of magnitude, and to compare runs on one machine.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from stats.run import Run

WATTS = 3.5  # of a busy vCPU
WATTS_PER_GB = 0.392
OVERHEAD = 1.135  # power usage effectiveness
SOURCE = "https://www.cloudcarbonfootprint.org/docs/methodology/"
MOST_LINES = 20_000  # of the log, the newest
FOLDERS = ("documents", "signals", "kept", "tokens")


@dataclass
class Stage:
    """One stage over all attempts that the log knows; None where no attempt recorded it."""

    name: str
    attempts: int = 0
    seconds: float = 0.0
    cpu_seconds: float | None = None
    peak_bytes: int | None = None

    @property
    def watt_hours(self) -> float | None:
        """The estimate; None if the processor time was not recorded."""
        if self.cpu_seconds is None:
            return None
        memory = (self.peak_bytes or 0) / 1e9 * WATTS_PER_GB * self.seconds
        return (self.cpu_seconds * WATTS + memory) * OVERHEAD / 3600


@dataclass(frozen=True)
class Cost:
    """`read` are bytes of the crawl that the plan covers; `held` bytes of the run's datasets on disk."""

    stages: list[Stage] = field(default_factory=list)
    read: int | None = None
    held: dict[str, int] = field(default_factory=dict)

    def _sum(self, name: str) -> float | None:
        known = [value for stage in self.stages if (value := getattr(stage, name)) is not None]
        return sum(known) if known else None

    @property
    def seconds(self) -> float | None:
        """Of all stages, one after another."""
        return self._sum("seconds")

    @property
    def cpu_seconds(self) -> float | None:
        """Of all stages that recorded it."""
        return self._sum("cpu_seconds")

    @property
    def watt_hours(self) -> float | None:
        """Of all stages that recorded what it needs."""
        return self._sum("watt_hours")

    @property
    def peak_bytes(self) -> int | None:
        """The greatest of any stage."""
        return max((stage.peak_bytes for stage in self.stages if stage.peak_bytes), default=None)


def cost(run: Run) -> Cost:
    """The cost of a run as far as its log and its files tell."""
    stages: dict[str, Stage] = {}
    for event in _events(run.path / "log" / "events.jsonl"):
        stage = stages.setdefault(event["stage"], Stage(event["stage"]))
        stage.attempts += 1
        stage.seconds += event["seconds"]
        if isinstance(event.get("cpu_seconds"), int | float):
            stage.cpu_seconds = (stage.cpu_seconds or 0.0) + event["cpu_seconds"]
        if isinstance(event.get("peak_bytes"), int):
            stage.peak_bytes = max(stage.peak_bytes or 0, event["peak_bytes"])
    return Cost(list(stages.values()), _read(run), {name: _size(run.path / name) for name in FOLDERS})


def _events(file: Path) -> Iterator[dict[str, Any]]:
    """Whole lines about a stage; a line that was cut off by a full disk or a kill tells nothing."""
    if not file.is_file():
        return
    with file.open("rb") as stream:
        for line in stream.readlines()[-MOST_LINES:]:
            try:
                event = json.loads(line)
            except ValueError:
                continue
            if isinstance(event, dict) and isinstance(event.get("seconds"), int | float) and "stage" in event:
                yield event


def _read(run: Run) -> int | None:
    """Bytes of the files' parts; a table's rows have no bytes of their own."""
    spans = [part["end"] - part["start"] for part in run.described["parts"] if part["kind"] in ("warc", "jsonl")]
    known = [span for span in spans if span > 0]
    return sum(known) if known and len(known) == len(run.described["parts"]) else None


def _size(folder: Path) -> int:
    return sum(item.stat().st_size for item in folder.iterdir() if item.is_file()) if folder.is_dir() else 0
