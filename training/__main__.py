"""`python -m training MANIFEST --out DIR ...`, also `torchrun -m training ...`: options straight from TrainOptions."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, NoReturn

from pydantic import ValidationError

if TYPE_CHECKING:
    from training.options import TrainOptions


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse, train, and say how the loss stands to the unigram entropy; ValueError or OSError in a sentence."""
    options = parsed(arguments)
    try:
        from training.loop import train  # after parsing: importing PyTorch takes seconds
    except ModuleNotFoundError as error:
        raise ValueError(
            f"{error}: training needs PyTorch. Install it with pip install 'winnow-corpus[train]'."
        ) from error

    result = train(options)
    if os.environ.get("RANK", "0") != "0" or result.stopped:
        return 0
    if not result.losses:
        print(f"{options.out} has its {options.steps} steps already; --no-resume starts over.", flush=True)
        return 0
    held_out = list(result.held_out.values())
    what, loss = ("held-out loss", held_out[-1]) if held_out else ("loss", result.losses[-1])
    relation = "below" if loss < result.entropy else "not yet below"
    print(f"{what} {loss:.4f}, {relation} the unigram entropy {result.entropy:.4f}; {options.out}", flush=True)
    return 0


def parsed(arguments: Sequence[str] | None) -> TrainOptions:
    """TrainOptions from a command line; `--help` and unknown options end the process, as argparse does."""
    from training.options import FLAGS, TrainOptions

    parser = argparse.ArgumentParser(prog="winnow train", description="Train a small transformer on a manifest.")
    for name, field in TrainOptions.model_fields.items():
        help_ = field.description if field.is_required() else f"{field.description} (default {field.default})"
        flag = f"--{FLAGS.get(name, name).replace('_', '-')}"
        if name == "manifest":
            parser.add_argument(name, help=help_)
        elif field.annotation is bool:
            parser.add_argument(flag, action=argparse.BooleanOptionalAction, default=None, help=help_, dest=name)
        else:
            parser.add_argument(flag, required=field.is_required(), help=help_, dest=name)
    given = {k: v for k, v in vars(parser.parse_args(arguments)).items() if v is not None}
    try:
        return TrainOptions.model_validate(given)
    except ValidationError as error:
        first = error.errors()[0]
        where = "".join(f"--{part}: ".replace("_", "-") for part in first["loc"])
        raise ValueError(f"{where}{first['msg'].removeprefix('Value error, ')}.") from error


def leave(status: int) -> NoReturn:
    """End the process. Under torchrun at once, without taking the interpreter down first.

    PyTorch 2.13 keeps gloo's threads after the process group is destroyed. One of them that still gives back a finished
    collective asks for the interpreter's lock; while the interpreter shuts down that is fatal to the whole process.
    """
    if int(os.environ.get("WORLD_SIZE", 1)) > 1:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)
    sys.exit(status)


if __name__ == "__main__":
    try:
        leave(main())
    except (ValueError, OSError) as fault:
        print(f"winnow train: {fault}", file=sys.stderr)
        leave(2)
