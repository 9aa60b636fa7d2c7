"""What a training tells while it runs: train.jsonl, the terminal, TensorBoard events, and curves.png.

train.jsonl has a line a step and is the record; a resumed training cuts it where it begins, so no step is in it twice.
The events are its figures for TensorBoard (`tensorboard --logdir OUT/tensorboard`), with what a lost process wrote
past its checkpoint purged. curves.png is drawn at every checkpoint. Only the first rank speaks.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from training.options import TrainOptions


class Log:
    """The log of one training from step `first` on."""

    def __init__(self, options: TrainOptions, speaks: bool, first: int) -> None:
        self.out, self.steps, self.speaks = Path(options.out), options.steps, speaks
        self.path, self.events = self.out / "train.jsonl", None
        self.draws = options.curves and speaks
        if not speaks:
            return
        self.out.mkdir(parents=True, exist_ok=True)
        lines = self.path.read_text().splitlines(keepends=True) if first and self.path.is_file() else []
        temporary = self.path.with_suffix(".tmp")  # steps after the checkpoint are about to be done again
        temporary.write_text("".join(lines[:first]))
        temporary.replace(self.path)
        if self.draws:
            self.events = _events(self.out / "tensorboard", first)

    def say(self, line: str) -> None:
        """A line on the terminal, at once."""
        if self.speaks:
            print(line, flush=True)

    def step(self, step: int, figures: Mapping[str, float], held_out: Mapping[str, float]) -> None:
        """One step's figures, and losses on what was held out, by label and "" for all, where they were measured."""
        if not self.speaks:
            return
        row: dict[str, Any] = {"step": step, **figures}
        if held_out:
            row["held_out"] = held_out[""]
            row |= {"held_out_by": by} if (by := {k: v for k, v in held_out.items() if k}) else {}
        with self.path.open("a") as stream:
            stream.write(json.dumps(row, ensure_ascii=False) + "\n")
        if self.events is not None:
            for name, value in figures.items():
                self.events.add_scalar(f"train/{name}", value, step)
            for name, value in held_out.items():
                self.events.add_scalar(f"held_out/{name or 'all'}", value, step)
        if step % 10 == 0 or step + 1 == self.steps or held_out:
            self.say(_line(step, figures, held_out))

    def drawn(self) -> None:
        """Draw the curves as they are now, and flush the events."""
        if self.events is not None:
            from training.curves import draw

            self.events.flush()
            draw(self.path, self.out / "curves.png")

    def close(self) -> None:
        """Nothing more will be told."""
        if self.events is not None:
            self.events.close()


def _line(step: int, figures: Mapping[str, float], held_out: Mapping[str, float]) -> str:
    mfu = f"  MFU {figures['mfu']:.1%}" if "mfu" in figures else ""
    line = f"step {step:5d}  loss {figures['loss']:.4f}  {figures['tokens_per_s']:,.0f} tokens/s{mfu}"
    if held_out:
        line += f"  held out {held_out['']:.4f}"
        line += "".join(f"  {name} {value:.4f}" for name, value in list(held_out.items())[:MOST] if name)
    return line


MOST = 9  # labels that the terminal has room for; train.jsonl has all


def _events(folder: Path, first: int) -> Any:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ModuleNotFoundError as error:
        raise ValueError(f"{error}: curves need TensorBoard and matplotlib: pip install 'winnow-corpus[train]', or say "
                         "--no-curves.") from error  # fmt: skip
    if not first:
        for stale in folder.glob("events.out.tfevents.*") if folder.is_dir() else []:
            stale.unlink()  # of the training that is started over
    return SummaryWriter(str(folder), purge_step=first)  # type: ignore[no-untyped-call]
