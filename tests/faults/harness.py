"""Kills by seed: a run is struck again and again until it ends well, and must then be, byte for byte, the run that
nothing has struck.

A seed says which process (of those in `processes.MARKS`, the command itself, the workers), with which signal, and when:
in which stage, after how many new files of it, and how much later still. A run that was killed is started again; one
that goes on is waited for. Four things fail a seed: bytes that differ, a process left behind, an end without a sentence,
and a wait that takes too long, since a run that hangs is as lost as a wrong one.

Traded away: a moment is a condition that is asked for every few milliseconds, so the same seed strikes at about, not
exactly, the same instruction.
"""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import psutil

from pipelines.sample import write_sample
from stats.run import open_run
from stats.verify import verify
from tests.faults.processes import left_behind, of_run
from tests.faults.scenario import STAGES, Fault, scenario
from tests.faults.stages import forks, run_stages

REPO = Path(__file__).resolve().parents[2]
PART = 20_000  # bytes: three parts
ENDS, DIES, MOST = 3000.0, 60.0, 12  # seconds for a whole run and for a killed one's processes; starts of one run
STILL = 150.0  # seconds in which no process of a run uses a tenth of a second: nothing in it waits for longer


@dataclass
class Trial:
    """What came of a seed; `wrong` is why it failed, if it did."""

    seed: int
    struck: list[Fault] = field(default_factory=list)
    starts: int = 0
    wrong: str | None = None


@dataclass(frozen=True)
class Ground:
    """A crawl, and what every run of it must come to."""

    folder: Path
    crawl: Path
    digests: Mapping[str, str]


def prepare(folder: Path, pages: int = 40) -> Ground:
    """Write a crawl and make its undisturbed run, by the command."""
    crawl = write_sample(folder / "crawl.warc.gz", pages, seed=5).warc
    subprocess.run(_command(crawl, folder / "undisturbed"), cwd=REPO, env=_environment(folder / "home"), check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=ENDS)  # fmt: skip
    return Ground(folder, crawl, digests(folder / "undisturbed"))


def digests(run: Path) -> dict[str, str]:
    """sha256 of every file that is part of the result; strays count, since none may be left."""
    files = [p for p in run.rglob("*") if p.is_file() and "log" not in p.parts]
    kept = [p for p in files if p.name not in (".lock", "report.html")]
    return {str(p.relative_to(run)): hashlib.sha256(p.read_bytes()).hexdigest() for p in kept}


def attempt(ground: Ground, seed: int, count: int, whole: bool) -> Trial:
    """Strike a run `count` times (fewer if it ends first), start it again until it ends well, and judge it."""
    trial = Trial(seed)
    out, home = ground.folder / f"run-{seed}", ground.folder / f"home-{seed}"
    waiting = scenario(seed, count, whole)
    try:
        while trial.starts < MOST:
            trial.starts += 1
            with _Started(ground, out, home, whole) as run:
                ended = _strike(run, waiting, trial)
            if behind := left_behind(str(home), DIES):
                raise AssertionError(f"left behind: {', '.join(behind)}")
            if ended:
                trial.wrong = judge(ground, out)
                return trial
        trial.wrong = f"not ended after {MOST} starts"
    except AssertionError as error:
        trial.wrong = str(error)
        left_behind(str(home), 0)
    return trial


def judge(ground: Ground, out: Path) -> str | None:
    """What is wrong with a finished run."""
    found = digests(out)
    if differ := {name for name in found.keys() | ground.digests if found.get(name) != ground.digests.get(name)}:
        return f"differs: {', '.join(sorted(differ)[:4])}"
    with open_run(out) as run:
        return "; ".join(map(str, verify(run))) or None


class _Started:
    """One start of the run, by the command or as bare stages; ended for certain when the block is left."""

    def __init__(self, ground: Ground, out: Path, home: Path, whole: bool) -> None:
        self.out, self.home, self.end = out, str(home), time.monotonic() + ENDS
        self.glanced = self.still = time.monotonic()
        self.used, self.events = 0.0, len(self.logged())
        self.told = ground.folder / f"{out.name}.told"
        if whole:
            with self.told.open("wb") as told:
                self.process: subprocess.Popen[bytes] | None = subprocess.Popen(
                    _command(ground.crawl, out), cwd=REPO, env=_environment(home), stdout=subprocess.DEVNULL, stderr=told)  # fmt: skip
            self.pid = self.process.pid
        else:
            self.process = None
            self.fork = forks.Process(target=run_stages, args=(self.home, str(ground.crawl), str(out), PART))
            self.fork.start()
            assert self.fork.pid is not None
            self.pid = self.fork.pid

    def __enter__(self) -> _Started:
        return self

    def __exit__(self, *_: object) -> None:
        if self.status() is None:
            os.kill(self.pid, signal.SIGKILL)
        if self.process:
            self.process.wait()
        else:
            self.fork.join()

    def status(self) -> int | None:
        """The exit status, None while it runs; AssertionError if it has run for too long."""
        status = self.process.poll() if self.process else self.fork.exitcode
        if status is None and time.monotonic() > self.glanced + 5:
            self._glance()
        return status

    def _glance(self) -> None:
        """AssertionError if nothing has happened for too long; on a busy machine a run may take its time."""
        self.glanced = time.monotonic()
        used = 0.0
        for process in (psutil.Process(self.pid), *(one for _, one in of_run(self.home))):
            with suppress(psutil.Error):
                used += sum(process.cpu_times()[:2])
        if abs(used - self.used) > 0.1:
            self.used, self.still = used, self.glanced
        if self.glanced > min(self.end, self.still + STILL):
            raise AssertionError(f"hangs in {self.stage()}: {self.glanced - self.still:.0f} s without work")

    def logged(self) -> list[str]:
        """The stage log's lines."""
        log = self.out / "log" / "events.jsonl"
        return log.read_text().splitlines() if log.is_file() else []

    def stage(self) -> str:
        """Which stage is at work, by what this start has logged."""
        done = [json.loads(line)["stage"] for line in self.logged()[self.events :] if line.endswith("}")]
        if not done:
            return "extract" if (self.out / "run.json").is_file() and self.is_planned() else "start"
        return STAGES[min(STAGES.index(done[-1]) + 1, len(STAGES) - 1)]

    def is_planned(self) -> bool:
        """Whether the run's folder is locked, hence past what comes before the first stage."""
        with suppress(OSError, psutil.Error):
            return any(file.path == str(self.out / ".lock") for file in psutil.Process(self.pid).open_files())
        return False

    def files(self) -> int:
        """How many files lie in the folder."""
        return sum(1 for path in self.out.rglob("*") if path.suffix in (".parquet", ".arrow", ".json"))

    def victim(self, role: str) -> int | None:
        """A living process of this role."""
        if role == "command":
            return self.pid
        found = sorted(process.pid for one, process in of_run(self.home) if one == role)
        return found[-1] if found else None


def _strike(run: _Started, waiting: list[Fault], trial: Trial) -> bool:
    """Strike until nothing waits or the command is gone; returns whether the run has ended well."""
    killed = False
    while waiting and run.status() is None:
        if (stage := _strike_once(run, waiting[0])) is not None:
            trial.struck.append(replace(waiting.pop(0), stage=stage))
            if trial.struck[-1].role == "command":
                killed = True
                break
        elif run.status() is None:
            waiting.pop(0)  # nobody of that role came while the stage lasted
    while (status := run.status()) is None:
        time.sleep(0.05)
    if status == 0:
        return True
    if status in (2, 1) and run.process:
        told = run.told.read_text().strip().splitlines()
        assert told and told[-1].startswith("winnow: ") and "Traceback" not in told, f"status {status}: {told[-3:]}"
        return False
    assert killed and status in (-9, -15, 143), f"status {status} after {trial.struck[-1:]}"
    return False


def _strike_once(run: _Started, fault: Fault) -> str | None:
    """Wait for the moment and the process, and send the signal; the stage it met, None if they did not come."""
    order = ("start", *STAGES)
    while order.index(run.stage()) < order.index(fault.stage):
        if run.status() is not None:
            return None
        time.sleep(0.02)
    before, end = run.files(), time.monotonic() + 5
    while run.files() < before + fault.files and run.stage() == fault.stage and time.monotonic() < end:
        time.sleep(0.01)
    time.sleep(fault.delay)
    while (pid := run.victim(fault.role)) is None:
        if run.status() is not None or order.index(run.stage()) > order.index(fault.stage):
            return None
        time.sleep(0.02)
    stage = run.stage()
    return stage if run.status() is None and _send(pid, fault) else None


def _send(pid: int, fault: Fault) -> bool:
    try:
        os.kill(pid, getattr(signal, f"SIG{fault.signal}"))
        if fault.signal == "STOP":
            time.sleep(0.1 + fault.delay / 2)
            os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


def _command(crawl: Path, out: Path) -> list[str]:
    how = ["--out", str(out), "--workers", "2", "--part-bytes", str(PART)]
    return [sys.executable, "-m", "flows.cli", "run", str(crawl), *how]


def _environment(home: Path) -> dict[str, str]:
    return {**os.environ, "PREFECT_HOME": str(home), "COLUMNS": "200", "PYTHONPATH": str(REPO)}


def campaign(ground: Ground, seed: int, kills: int, each: int, whole: bool) -> Iterator[Trial]:
    """Trials of neighbouring seeds until so many strikes have met a process."""
    done = 0
    while done < kills:
        trial = attempt(ground, seed, min(each, kills - done), whole)
        done += len(trial.struck)
        seed += 1
        yield trial
