"""Measuring against the length of a document: does the work stay linear? CPU time, best of three, after compiling.

python benchmarks/document_length.py [GOLD_TEXT.jsonl.gz ...] [--megabytes 10]

Documents are cut from real pages' texts put one after another (the Chinese ones, being few, many times over), so each
row does the same kind of text. `FineWeb` measures what that recipe's rules read, `all recipes` what those of every
shipped recipe read, on each recipe's version of the text. Every row measures about `--megabytes` in all, so MB/s down
a column should not fall.
CPU time, because what else the machine does would show in the clock.
"""

from __future__ import annotations

import argparse
import gzip
import json
import time
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa

from filters.annotate import annotate
from filters.language import identify
from pipelines.schemas import DOCUMENTS
from recipes.load import available, load
from recipes.model import Recipe
from recipes.resolve import resolve

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
DEFAULT = [DATA / "gold_text.jsonl.gz", DATA / "bulk_real" / "gold_text.jsonl.gz"]
SIZES = ((10_000, "10 kB"), (100_000, "100 kB"), (1_000_000, "1 MB"), (10_000_000, "10 MB"))


def stream(paths: Sequence[Path], lang: str, size: int) -> tuple[str, float]:
    """At least `size` bytes of the different texts in one language, one after another, again from the start where
    they end; and how often the whole occurs in that size. A text that says everything twice costs more to count.
    """
    lines = [line for path in paths for line in gzip.decompress(path.read_bytes()).splitlines()]
    texts = list(dict.fromkeys(json.loads(line).get("text") or "" for line in lines))
    codes = identify(pa.array(texts, pa.large_string()))[0].to_pylist()
    whole = "\n".join(text for text, code in zip(texts, codes, strict=True) if code == lang)
    if not whole:
        raise ValueError(f"{paths[0]} holds no text in {lang!r}.")
    own = len(whole.encode())
    return whole * (size // own + 1), max(size / own, 1.0)


def documents(texts: Sequence[str]) -> pa.RecordBatch:
    """Texts as DOCUMENTS."""
    given = {
        "doc_id": pa.array([f"{i:032x}" for i in range(len(texts))]),
        "text": pa.array(texts, pa.large_string()),
        "charset_from": pa.array(["given"] * len(texts)),
    }
    columns = [given.get(field.name, pa.nulls(len(texts), field.type)) for field in DOCUMENTS]
    return pa.RecordBatch.from_arrays(columns, names=DOCUMENTS.names)


def cut(text: str, size: int, total: int) -> list[str]:
    """`total` bytes of a text as documents of `size` bytes; a character on a border is left out."""
    raw = text.encode()[: max(size, total)]
    return [raw[at : at + size].decode("utf-8", "ignore") for at in range(0, len(raw) - size + 1, size)]


def speed(texts: Sequence[str], recipes: Sequence[Recipe]) -> float:
    """Megabytes for each second of CPU time, best of three."""
    rows = documents(texts)
    best = float("inf")
    for _ in range(3):
        began = time.process_time()
        annotate(rows, recipes, every=False)
        best = min(best, time.process_time() - began)
    return sum(len(text.encode()) for text in texts) / 1e6 / best


def main(paths: Sequence[Path], total: int) -> None:
    """Print a Markdown table."""
    fineweb = [resolve(load("fineweb")).recipe]
    every = [recipe.model_copy(update={"scores": ()}) for recipe in map(load, available())]
    (english, en_times), (chinese, zh_times) = stream(paths, "en", total), stream(paths, "zh", total)
    print(f"{total / 1e6:g} MB hold the English texts {en_times:.1f} times, the Chinese ones {zh_times:.1f} times\n")
    rows = [(f"English, {name}", cut(english, size, total)) for size, name in SIZES if size <= total]
    rows += [(f"Chinese, {name}", cut(chinese, size, total)) for size, name in SIZES if size <= total]
    rows += [
        ("1,000,000 lines, all different", ["\n".join(map(str, range(1_000_000)))]),
        ("1,000,000 lines, all alike", ["one line\n" * 1_000_000]),
        (f"{total / 1e6:g} MB without a blank", ["x" * total]),
    ]
    annotate(documents([english[:5000], chinese[:5000]]), every)  # compiles
    print("| documents | number | FineWeb, MB/CPU-s | all recipes, MB/CPU-s |\n|---|---:|---:|---:|")
    for name, texts in rows:
        print(f"| {name} | {len(texts)} | {speed(texts, fineweb):.1f} | {speed(texts, every):.1f} |", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("texts", type=Path, nargs="*", default=DEFAULT)
    parser.add_argument("--megabytes", type=float, default=10)
    args = parser.parse_args()
    main(args.texts, int(args.megabytes * 1e6))
