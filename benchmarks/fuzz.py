"""Fuzz one target of tests/fuzz for some minutes, guided by coverage (atheris), from the corpus in tests/fuzz/corpus.

    python benchmarks/fuzz.py pii --minutes 10

Needs the extra `fuzz` (atheris). Prints a Markdown row: target, minutes, tries, and what came of it. A find is written
to runs/fuzz/TARGET/ as `crash-…`, `timeout-…` or `oom-…`: put it into the corpus, mend, and the suite keeps it mended.
Compiled kernels and C libraries are not instrumented: there, coverage guides only the Python around them.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import time
from pathlib import Path

REPO = Path(__file__).resolve().parents[1]
ROOMS = ("pipelines", "filters", "recipes", "tokenization")
LIMITS = ("-timeout=60", "-rss_limit_mb=4000", "-print_final_stats=1", "-use_value_profile=1")


def compiled_modules() -> list[str]:
    """Our modules that numba reads: it cannot take instrumented functions."""
    files = [path for room in ROOMS for path in (REPO / room).rglob("*.py")]
    named = [path for path in files if re.search(r"numba|filters\.compiled", path.read_text(encoding="utf-8"))]
    return [".".join(path.relative_to(REPO).with_suffix("").parts) for path in named]


def fuzz(target: str, arguments: list[str]) -> None:
    """In this process, until libFuzzer ends it."""
    import atheris

    sys.path.insert(0, str(REPO))
    with atheris.instrument_imports(include=list(ROOMS), exclude=compiled_modules()):
        from tests.fuzz.targets import TARGETS
    TARGETS[target](b"")  # what it needs is compiled before the clock of a try runs
    atheris.Setup([sys.argv[0], *arguments], TARGETS[target])
    atheris.Fuzz()


def main() -> None:
    """Run one target in a child, and tell what came of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("target")
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--inside", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.inside is not None:
        fuzz(asked.target, asked.inside)
        return
    seeds, found = REPO / "tests/fuzz/corpus" / asked.target, REPO / "runs/fuzz" / asked.target
    (found / "corpus").mkdir(parents=True, exist_ok=True)
    limits = [*LIMITS, f"-max_total_time={int(asked.minutes * 60)}", f"-artifact_prefix={found}/"]
    command = [sys.executable, __file__, asked.target, "--inside", *limits, str(found / "corpus"), str(seeds)]
    began = time.monotonic()
    with (found / "log").open("w") as log:
        done = subprocess.run(command, stdout=log, stderr=subprocess.STDOUT, check=False)
    told = (found / "log").read_text(errors="replace")
    tries = re.search(r"number_of_executed_units:\s*(\d+)", told)
    came = "clean" if done.returncode == 0 else f"a find, in {found.relative_to(REPO)} (exit {done.returncode})"
    print("| target | minutes | tries | outcome |\n|---|---|---|---|")
    print(f"| {asked.target} | {(time.monotonic() - began) / 60:.1f} | {tries.group(1) if tries else '?'} | {came} |")
    sys.exit(done.returncode != 0)


if __name__ == "__main__":
    main()
