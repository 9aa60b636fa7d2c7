"""`python -m training MANIFEST --out DIR ...`, also under torchrun: options straight from TrainOptions."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from pydantic import ValidationError


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse, train, and say whether the loss fell below the unigram entropy."""
    from training.options import TrainOptions

    parser = argparse.ArgumentParser(prog="winnow train", description="Train a small transformer on a manifest.")
    for name, field in TrainOptions.model_fields.items():
        help_ = f"{field.description} (default {field.default})" if not field.is_required() else field.description
        if name == "manifest":
            parser.add_argument(name, help=help_)
        elif field.annotation is bool:
            parser.add_argument(f"--{name}", action=argparse.BooleanOptionalAction, default=None, help=help_)
        else:
            parser.add_argument(f"--{name.replace('_', '-')}", required=field.is_required(), help=help_)
    given = {k: v for k, v in vars(parser.parse_args(arguments)).items() if v is not None}
    try:
        options = TrainOptions.model_validate(given)
    except ValidationError as error:
        first = error.errors()[0]
        raise ValueError(f"--{'.'.join(map(str, first['loc']))}: {first['msg']}.") from error
    from training.loop import say, train

    result = train(options)
    if result.losses:
        relation = "below" if result.losses[-1] < result.entropy else "not yet below"
        say(f"loss {result.losses[-1]:.4f}, {relation} the unigram entropy {result.entropy:.4f}; {options.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
