"""curves.png: loss by step, on what is trained and what is held out, and the learning rate below.

Drawn from train.jsonl alone, so it can be drawn again: `python -m training.curves OUT`.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure


def draw(log: Path, target: Path) -> None:
    """Write the picture of a log to `target`, whole or not at all."""
    rows = [json.loads(line) for line in log.read_text().splitlines()]
    figure = Figure(figsize=(8, 6), layout="constrained")
    FigureCanvasAgg(figure)  # no window, whatever the machine has
    top, bottom = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    steps = [row["step"] for row in rows]
    top.plot(steps, [row["loss"] for row in rows], lw=0.8, color="0.6", label="loss")
    held = [row for row in rows if "held_out" in row]
    if held:
        top.plot([r["step"] for r in held], [r["held_out"] for r in held], "k.-", label="held out")
    for name in sorted({name for row in held for name in row.get("held_out_by", {})})[:8]:
        points = [(r["step"], r["held_out_by"][name]) for r in held if name in r.get("held_out_by", {})]
        label = name.replace("$", r"\$")  # a source's name is no formula
        top.plot(*zip(*points, strict=True), ".-", lw=0.8, label=label)
    top.set_ylabel("nats a token")
    if rows:
        top.legend(fontsize="small")
    bottom.plot(steps, [row["lr"] for row in rows], color="0.3")
    bottom.set_ylabel("learning rate")
    bottom.set_xlabel("step")
    temporary = target.with_suffix(".tmp")
    figure.savefig(temporary, format="png", dpi=120)
    temporary.replace(target)


if __name__ == "__main__":
    draw(Path(sys.argv[1]) / "train.jsonl", Path(sys.argv[1]) / "curves.png")
