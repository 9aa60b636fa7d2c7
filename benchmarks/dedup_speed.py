"""Dedup of texts from end to end, start-up counted: beside datatrove's four stages, and from 30,000 documents up.

python benchmarks/dedup_speed.py WORK TEXTS.parquet... [--datatrove PYTHON] [--turns 3] [--sizes 1 2 4 8]

Both read the same Parquet files (one a worker), use FineWeb's configuration (14 x 8, 5 words) with two workers, and
write what they keep. Ours is the command `winnow dedup` as a person gives it. For the sizes, the corpus is multiplied:
in every further copy each document's words are turned by a number of its own, so that shingles are those of a new
document of the same length while copies inside the corpus stay copies. Memory is the largest resident set of the
command's process and, with one worker, all there is; the shuffle's files lie on disk and are counted apart.
"""

from __future__ import annotations

import argparse
import re
import shutil
import statistics
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

PEER = Path(__file__).parent / "peers" / "datatrove_dedup.py"


def split(table: pa.Table, folder: Path, files: int = 2) -> None:
    """One file a worker, a thousand rows a row group."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    size = -(-len(table) // files)
    for number in range(files):
        pq.write_table(table.slice(number * size, size), folder / f"part-{number:05d}.parquet", row_group_size=8192)


def multiplied(table: pa.Table, times: int) -> pa.Table:
    """`times` corpora of the same lengths and repetitions, no word of one in another."""
    copies = [table]
    for number in range(1, times):
        text = pc.replace_substring_regex(table["text"], r"(\pL)([^\s\pL]*\s)", rf"\1x{number}\2")
        ids = pc.binary_join_element_wise(table["id"].cast(pa.string()), f"-{number}", "")
        copies.append(pa.table({"id": ids, "text": text.cast(table["text"].type)}))
    return pa.concat_tables([copy.select(["id", "text"]) for copy in [table.set_column(
        table.schema.get_field_index("id"), "id", table["id"].cast(pa.string())), *copies[1:]]])  # fmt: skip


# In a small process of its own: a child's largest resident set begins with that of the process it was forked from.
LAUNCH = """
import os, subprocess, sys, time
began = time.monotonic()
child = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL)
_, status, used = os.wait4(child.pid, 0)
print(time.monotonic() - began, used.ru_utime + used.ru_stime, used.ru_maxrss * 1024)
sys.exit(status != 0)
"""


def winnow(folder: Path, out: Path, workers: int) -> tuple[float, float, int]:
    """(wall seconds, processor seconds, largest resident bytes) of the command; its output is removed before."""
    shutil.rmtree(out, ignore_errors=True)
    command = [str(Path(sys.executable).with_name("winnow")), "dedup", str(folder), "--out", str(out), "--workers",
               str(workers)]  # fmt: skip
    launched = subprocess.run([sys.executable, "-c", LAUNCH, *command], check=True, capture_output=True, text=True)
    wall, cpu, memory = launched.stdout.split()
    return float(wall), float(cpu), int(memory)


def datatrove(python: str, folder: Path, out: Path) -> float:
    """Seconds of its four stages."""
    done = subprocess.run([python, str(PEER), str(folder), str(out)], check=True, capture_output=True, text=True)
    found = re.search(r"STAGE minhash wall ([\d.]+)", done.stdout)
    if found is None:
        raise RuntimeError(f"{PEER} printed no total: {done.stdout[-500:]}")
    return float(found.group(1))


def beside(args: argparse.Namespace, folder: Path, documents: int) -> None:
    print("| turn | datatrove s | Winnow s | ratio | Winnow processor s | documents/s, core |")
    print("|---|---:|---:|---:|---:|---:|")
    ratios = []
    for turn in range(args.turns):
        theirs = datatrove(args.datatrove, folder, args.work / "datatrove")
        wall, cpu, _ = winnow(folder, args.work / "winnow", 2)
        ratios.append(theirs / wall)
        print(f"| {turn + 1} | {theirs:.1f} | {wall:.2f} | {theirs / wall:.1f} | {cpu:.2f} | {documents / cpu:,.0f} |")
    print(f"\nmedian ratio {statistics.median(ratios):.1f}\n")


def sizes(args: argparse.Namespace, table: pa.Table) -> None:
    print("| documents | MB | wall s, 2 workers | processor s | against half | MB held, 1 worker | B a document more "
          "| signatures on disk, B a document |")  # fmt: skip
    print("|---:|---:|---:|---:|---:|---:|---:|---:|")
    last: tuple[int, float, int] | None = None
    for times in args.sizes:
        folder = args.work / "many"
        corpus = multiplied(table, times)
        megabytes, count = (pc.sum(pc.binary_length(corpus["text"])).as_py() or 0) / 1e6, len(corpus)
        split(corpus, folder)
        del corpus
        runs = [winnow(folder, args.work / "winnow", 2) for _ in range(args.turns)]
        wall, cpu = (statistics.median(run[i] for run in runs) for i in (0, 1))
        _, _, memory = winnow(folder, args.work / "winnow", 1)
        stored = sum(f.stat().st_size for f in (args.work / "winnow" / "signatures").iterdir()) / count
        more = f"{(memory - last[2]) / (count - last[0]):,.0f}" if last else ""
        print(f"| {count:,} | {megabytes:,.0f} | {wall:.1f} | {cpu:.1f} | {f'{cpu / last[1]:.2f}' if last else ''} | "
              f"{memory / 1e6:,.0f} | {more} | {stored:,.0f} |", flush=True)  # fmt: skip
        last = (count, cpu, memory)


def main(args: argparse.Namespace) -> None:
    table = pa.concat_tables([pq.read_table(path, columns=["id", "text"]) for path in args.texts])
    folder = args.work / "texts"
    split(table, folder)
    winnow(folder, args.work / "winnow", 2)  # compiles the kernels, if they are not
    megabytes = (pc.sum(pc.binary_length(table["text"])).as_py() or 0) / 1e6
    print(f"{len(table):,} documents, {megabytes:.0f} MB of text\n")
    if args.datatrove:
        beside(args, folder, len(table))
    if args.sizes:
        sizes(args, table)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("work", type=Path)
    parser.add_argument("texts", type=Path, nargs="+")
    parser.add_argument("--datatrove", help="a Python that has datatrove 0.10")
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--sizes", type=int, nargs="*", default=[1, 2, 4, 8])
    main(parser.parse_args())
