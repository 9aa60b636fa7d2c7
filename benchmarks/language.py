"""Language by the compiled kernel beside the official library: processor seconds of one core, and labels that differ.

python benchmarks/language.py TEXTS.parquet... [--documents 8000]

Batches of 1,024 texts of the column `text`. The first 2,000 characters are judged by both; then more by the kernel,
with how many texts get another language than the library gives for the whole text.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import fasttext
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from filters.bytewise import buffers
from filters.fasttext_kernel import Classifier
from filters.fasttext_tables import read
from filters.language import model_path

BATCH, EVERYTHING = 1024, 1 << 40


def library(model: fasttext.FastText._FastText, text: pa.LargeStringArray, most: int) -> list[str]:
    """Labels by the official library."""
    lines = pc.replace_substring(pc.utf8_slice_codeunits(text, 0, most), "\n", " ").to_pylist()
    return [found[0] for found in model.predict(lines)[0]]


def main(args: argparse.Namespace) -> None:
    """Print the table."""
    table = pa.concat_tables([pq.read_table(path, columns=["text"]) for path in args.texts]).slice(0, args.documents)
    text = table["text"].combine_chunks().cast(pa.large_string())
    text = text.filter(pc.not_equal(pc.utf8_trim_whitespace(text), ""))
    batches = [text.slice(at, BATCH) for at in range(0, len(text), BATCH)]
    model = fasttext.load_model(str(model_path()))
    ours, names = Classifier(read(model_path(), model)), model.get_labels()
    ours.predict(*buffers(text.slice(0, 2)), 9)
    whole = [label for batch in batches for label in library(model, batch, EVERYTHING)]
    began = time.process_time()
    theirs = [label for batch in batches for label in library(model, batch, 2000)]
    print(f"{len(text):,} texts; library, 2,000 characters: {time.process_time() - began:.2f} s\n")
    print("| characters | kernel s | other than the whole text's |\n|---:|---:|---:|")
    for most in (2000, 4000, 10_000):
        began = time.process_time()
        labels = [names[place] for batch in batches for place in ours.predict(*buffers(batch), most)[0]]
        spent = time.process_time() - began
        print(f"| {most:,} | {spent:.2f} | {sum(a != b for a, b in zip(labels, whole, strict=True))} |")
        if most == 2000:
            unlike = sum(a != b for a, b in zip(labels, theirs, strict=True))
    print(f"\nlabels unlike the library's at 2,000 characters: {unlike}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("texts", type=Path, nargs="+")
    parser.add_argument("--documents", type=int, default=8000)
    main(parser.parse_args())
