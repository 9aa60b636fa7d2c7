"""The report at the end of a run: made for people, so that a report which cannot be made fails no run, but says so.

What went wrong is a line of the stage log; the command line reads it there, since by then the run's own standard error
is the log of Beam's workers.
"""

from __future__ import annotations

import json
import time
from pathlib import Path

from flows.cost import metered
from flows.faults import sentence
from pipelines.run import log_event


def make_report(run: str) -> str | None:
    """Write report.html; returns what went wrong, in a sentence. A run in an object store has none."""
    if "://" in run:
        return None
    from stats.report.write import NAME, write_report
    from stats.run import open_run

    began, told = time.monotonic(), None
    with metered() as cost:
        try:
            with open_run(run) as opened:
                write_report(opened)
        except Exception as error:  # noqa: BLE001 - whatever it is, the data are made and sound
            Path(run, NAME).unlink(missing_ok=True)  # that of an earlier attempt would be taken for this one's
            told = f"{NAME} was not made: {sentence(error)} The data are whole; `winnow report {run}` tries again."
    seconds = round(time.monotonic() - began, 3)
    log_event(run, {"stage": "report", "seconds": seconds, **cost.as_event(), "fault": told})
    return told


def fault_of(run: str) -> str | None:
    """What the newest report of a run met with, from the stage log."""
    log = Path(run, "log", "events.jsonl")
    if "://" in run or not log.is_file():
        return None
    last = json.loads(log.read_text().splitlines()[-1])
    fault: str | None = last.get("fault")
    return fault
