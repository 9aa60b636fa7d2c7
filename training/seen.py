"""Which documents a step of a training saw, on which rank: `python -m training.seen OUT MANIFEST STEP`.

Nothing is recorded for it. What a step sees follows from the options, the manifest and the step's number, and which
rank had which row from how many ranks there were; all of that is in the checkpoint. One JSON object a sequence.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tokenization.manifest import Manifest, file_sha256
from tokenization.plan import Layout
from tokenization.sequences import ORDER
from training import checkpoint
from training.data import Sequences
from training.dataset import local_manifest


def seen(out: Path, manifest: str, step: int) -> Iterator[dict[str, Any]]:
    """Step, rank, sequence and doc_ids of each row of a step; ValueError in a sentence if there is no such step."""
    state = checkpoint.read(out / "checkpoint.pt")
    if not 0 <= step < state["step"]:
        raise ValueError(f"{out} has the steps 0 to {state['step'] - 1}, not {step}.")
    file, root = local_manifest(manifest, out / "cache")
    if file_sha256(file) != state["manifest"]:
        raise ValueError(f"{out} was not trained on {manifest}. Name the manifest that it was trained on.")
    if state.get("order") != ORDER:
        raise ValueError(f"{out} was made by a version of Winnow that orders data another way, so its steps are not "
                         "known here.")  # fmt: skip
    options = state["options"]
    data = Sequences(Manifest.read(file), root, Layout.of(options), out / "cache")
    ranks = next((n for start, n in reversed(state["teams"]) if start <= step), 1)
    places = np.arange(step * options["batch"], (step + 1) * options["batch"])
    for row, number in enumerate(data.plan.numbers_at(places).tolist()):
        yield {"step": step, "rank": row % ranks, "sequence": number, "documents": data.doc_ids(number)}


def main(arguments: Sequence[str] | None = None) -> int:
    """Print what a step saw."""
    parser = argparse.ArgumentParser(prog="python -m training.seen", description="Which documents a step saw.")
    parser.add_argument("out", type=Path, help="a training's --out")
    parser.add_argument("manifest", help="the manifest that it was trained on")
    parser.add_argument("step", type=int, help="the step, from 0")
    given = parser.parse_args(arguments)
    for row in seen(given.out, given.manifest, given.step):
        print(json.dumps(row))
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (ValueError, OSError) as fault:
        print(f"training.seen: {fault}", file=sys.stderr)
        sys.exit(2)
