"""Kill a run's processes by seed, and see whether every result is, byte for byte, that of the undisturbed run.

python benchmarks/faults.py [--kills 200] [--seed 0] [--each 5] [--stages 0.5] [--folder FOLDER]

`--kills` strikes in all, `--each` of them on one run; `--stages` is the share of them that strike bare stages (a fork
that does what the command does, without Prefect and without an interpreter to start) and not the whole command with its
server, workers and sandboxes. Prints a table of strikes by process and stage, and every seed that failed with the
reason; `--kills N --seed THAT` tries it again. The exit status is 1 if one failed. See docs/faults.md.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.faults.harness import Ground, Trial, campaign, prepare
from tests.faults.scenario import STAGES


def table(trials: list[Trial]) -> list[str]:
    """Strikes by process (rows) and stage (columns)."""
    met = Counter((fault.role, fault.stage) for trial in trials for fault in trial.struck)
    stages = [stage for stage in ("start", *STAGES) if any(at == stage for _, at in met)]
    lines = [f"| process | {' | '.join(stages)} | all |", f"|---|{'---:|' * (len(stages) + 1)}"]
    for role in sorted({role for role, _ in met}):
        row = [met[role, stage] for stage in stages]
        lines.append(f"| {role} | {' | '.join(map(str, row))} | {sum(row)} |")
    return lines


def run(ground: Ground, name: str, kills: int, seed: int, each: int, whole: bool) -> list[Trial]:
    """A campaign, told as it goes."""
    trials = []
    for trial in campaign(ground, seed, kills, each, whole):
        trials.append(trial)
        told = trial.wrong or "as undisturbed"
        strikes = ", ".join(f"{f.signal} {f.role} in {f.stage}" for f in trial.struck)
        print(f"{name} seed {trial.seed}: {trial.starts} starts; {strikes}: {told}", file=sys.stderr, flush=True)
    return trials


def main() -> int:
    """Both campaigns, and the tables."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--kills", type=int, default=200)
    asked.add_argument("--seed", type=int, default=0)
    asked.add_argument("--each", type=int, default=5)
    asked.add_argument("--stages", type=float, default=0.5)
    asked.add_argument("--folder", type=Path)
    given = asked.parse_args()
    began = time.monotonic()
    folder = given.folder or Path(tempfile.mkdtemp(prefix="winnow-faults-"))
    folder.mkdir(parents=True, exist_ok=True)
    ground = prepare(folder)
    light = round(given.kills * given.stages)
    failed = []
    for name, kills, whole in (("command", given.kills - light, True), ("stages", light, False)):
        trials = run(ground, name, kills, given.seed, given.each, whole)
        failed += [f"- {name}, seed {trial.seed}: {trial.wrong}" for trial in trials if trial.wrong]
        strikes = sum(len(trial.struck) for trial in trials)
        right = sum(trial.wrong is None for trial in trials)
        print(f"\n{name}: {strikes} strikes on {len(trials)} runs, {right} of them byte-identical and verified\n")
        print("\n".join(table(trials)))
    print("\n" + ("\n".join(["failed:", *failed]) if failed else "failed: none"))
    print(f"{time.monotonic() - began:.0f} s", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
