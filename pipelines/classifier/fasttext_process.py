"""Trains one fastText model in a process of its own: `python -I fasttext_process.py JOB.json`.

fastText 0.9.3 writes its starting weights in ten blocks, one a thread, whatever the number of threads
(https://github.com/facebookresearch/fastText/issues/1061). With one thread, which alone gives the same model twice,
nine tenths stay as the memory was: old numbers, or NaN. A fresh process whose allocator hands out nothing but zeros
starts all of them at 0 and so is repeatable; `train.py` starts it so.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import fasttext


def main(job: str) -> None:
    """Train as the job says; a fault ends the process with its sentence on stderr."""
    options = json.loads(Path(job).read_text())
    out = options.pop("out")
    try:
        fasttext.train_supervised(verbose=0, **options).save_model(out)
    except RuntimeError as error:
        sys.exit(f"fastText could not train: {str(error).rstrip('.')}. A smaller --lr keeps it from diverging.")


if __name__ == "__main__":
    main(sys.argv[1])
