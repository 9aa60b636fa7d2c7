"""From nothing to a second daily run: how long the walk of docs/operations.md takes, step by step.

    python benchmarks/every_day.py [--pages 80] [--recipe zh-en-general]

prints a Markdown table: seconds since `winnow serve` was started, and processor seconds of all that it started, at each
step. `--every` is how often the inbox is looked into, so a step waits up to that long for its turn.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import psutil

REQUEST = 'reason = "asked"\nurls = ["https://site10.winnow-sample.org/en/10"]\n'


class Walk:
    """The served home, and the table so far."""

    def __init__(self, home: Path, every: int, recipe: str) -> None:
        self.home, self.began = home, time.monotonic()
        self.spent: dict[int, float] = {}
        options = f"--port 0 --every {every} --settle 0 --steps 2".split()
        command = [sys.executable, "-m", "flows.cli", "serve", "--home", str(home), "--recipe", recipe, *options]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        lines = []
        for line in self.process.stdout:
            lines.append(line)
            if line.startswith("Ctrl-C"):
                break
        self.api = next(line.split()[1] for line in lines if line.startswith("look:")) + "/api"
        print("| step | seconds | of a processor |\n|---|---:|---:|")
        self.tell("served")

    def tell(self, step: str) -> None:
        """Print a line."""
        self.look()
        print(f"| {step} | {time.monotonic() - self.began:.0f} | {sum(self.spent.values()):.0f} |", flush=True)

    def look(self) -> None:
        """Note what every process has spent by now; those that have ended keep what was seen last."""
        for one in [psutil.Process(self.process.pid), *psutil.Process(self.process.pid).children(recursive=True)]:
            try:
                times = one.cpu_times()
            except psutil.NoSuchProcess:
                continue
            self.spent[one.pid] = times.user + times.system

    def until(self, step: str, flow: str, ended: Callable[[str], bool]) -> None:
        """Wait for a completed run of a flow whose message is what is waited for."""
        asked = {"flows": {"name": {"any_": [flow]}}, "flow_runs": {"state": {"type": {"any_": ["COMPLETED"]}}}}
        while True:
            self.look()
            runs = httpx.post(f"{self.api}/flow_runs/filter", json=asked, timeout=60, trust_env=False).json()
            if any(ended(run["state"]["message"] or "") for run in runs):
                break
            time.sleep(0.5)
        self.tell(step)

    def drop(self, name: str, pages: int) -> None:
        """Make a crawl and move it into the inbox."""
        made = self.home / name
        sample = [sys.executable, "-m", "flows.cli", "sample", str(made), "--pages", str(pages), "--seed", "1"]
        subprocess.run(sample, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        made.rename(self.home / "inbox" / name)
        self.tell(f"{name}: {pages} pages in the inbox")


def main() -> None:
    """Go the walk."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pages", type=int, default=80)
    parser.add_argument("--every", type=int, default=20)
    parser.add_argument("--recipe", default="zh-en-general")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        os.environ["PYTHONPATH"] = os.pathsep.join([str(Path(__file__).parents[1]), os.environ.get("PYTHONPATH", "")])
        walk = Walk(Path(place, "serve"), given.every, given.recipe)
        try:
            walk.drop("day-1.warc.gz", given.pages)
            walk.until("first daily run: version 1", "daily", lambda told: "runs/0001" in told)
            (walk.home / "requests" / "a.toml").write_text(REQUEST)
            found = httpx.get(f"{walk.api}/deployments/name/takedown/requests", trust_env=False).json()["id"]
            httpx.post(f"{walk.api}/deployments/{found}/create_flow_run", json={}, trust_env=False).raise_for_status()
            walk.until("takedown: version 2", "takedown", lambda told: "were obeyed" in told)
            walk.drop("day-2.warc.gz", given.pages + 10)
            walk.until("second daily run: version 3", "daily", lambda told: "runs/0002" in told)
            walk.until("a training started by a publication has ended", "train", lambda told: "nats" in told)
        finally:
            walk.process.send_signal(signal.SIGINT)
            walk.process.wait()
    print(f"| ended by Ctrl-C | {time.monotonic() - walk.began:.0f} | |")


if __name__ == "__main__":
    main()
