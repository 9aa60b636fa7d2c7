"""The explorer over a million documents: how long a moved threshold takes to be answered, from outside.

python benchmarks/explore_speed.py RUN [--rules N] [--moves N]

RUN is a run as benchmarks/report_size.py keeps it (--keep FOLDER). `winnow explore` is started as a user starts it; the
bound of N rules with a number is moved to N places of its slider, and each answer (the figures, by language, and the
chart with its line) is timed over HTTP, to the last byte; examples, which the page asks for after it, by themselves.
"""

from __future__ import annotations

import argparse
import http.client
import re
import statistics
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import psutil

REPO = Path(__file__).resolve().parents[1]
OPTION = re.compile(r'<option value="([^"]+)"')
SLIDER = re.compile(r'id="slider" min="([^"]+)" max="([^"]+)"')
LANG = re.compile(r'name="lang" value="([^"]*)"')


class Client:
    """One connection to the explorer, as a browser keeps it."""

    def __init__(self, url: str) -> None:
        at = urlsplit(url)
        self.path = at.path
        self.connection = http.client.HTTPConnection(at.hostname or "", at.port, timeout=120)

    def get(self, path: str, **asked: str) -> tuple[str, float]:
        """(body, milliseconds)."""
        began = time.perf_counter()
        self.connection.request("GET", f"{self.path}{path}?{urlencode(asked)}")
        body = self.connection.getresponse().read().decode()
        return body, 1000 * (time.perf_counter() - began)


def row(name: str, times: list[float]) -> str:
    """A line of the table."""
    ordered = sorted(times)
    high = ordered[int(0.95 * (len(ordered) - 1))]
    return f"| {name} | {len(times)} | {statistics.median(times):.0f} | {high:.0f} | {ordered[-1]:.0f} |"


def measure(client: Client, rules: int, moves: int) -> list[str]:
    """Lines of the table."""
    page, _ = client.get("")
    chosen, moved, examples = [], [], []
    every = OPTION.findall(page)
    for rule in every[:: max(1, len(every) // rules)]:
        body, took = client.get("rule", rule=rule)
        found = SLIDER.search(body)
        if found is None:
            continue
        chosen.append(took)
        low, high = map(float, found.groups())
        lang = next(iter(LANG.findall(body)), "")
        for i in range(moves):
            value = f"{low + (high - low) * (i + 0.5) / moves:.6g}"
            moved.append(client.get("move", rule=rule, lang=lang, value=value)[1])
        examples.append(client.get("examples", rule=rule, lang=lang, value=value)[1])
    return [row("a threshold moved", moved), row("a rule chosen", chosen), row("examples of a move", examples)]


def main() -> None:
    """Print a Markdown table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("run", type=Path)
    parser.add_argument("--rules", type=int, default=12)
    parser.add_argument("--moves", type=int, default=8)
    given = parser.parse_args()
    began = time.perf_counter()
    command = [sys.executable, "-m", "flows.cli", "explore", str(given.run)]
    with subprocess.Popen(command, cwd=REPO, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        opened = time.perf_counter() - began
        try:
            lines = measure(Client(line.split()[1]), given.rules, given.moves)
            held = psutil.Process(process.pid).memory_info().rss / 1e9
        finally:
            process.terminate()
    print(f"open after {opened:.1f} s, {held:.2f} GB held\n")
    print("| asked | times | median ms | 95 % ms | most ms |\n|---|---:|---:|---:|---:|", *lines, sep="\n")


if __name__ == "__main__":
    main()
