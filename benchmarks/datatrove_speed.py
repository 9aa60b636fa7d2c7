"""FineWeb's chain on texts beside datatrove's, two workers each, by turns over the same Parquet files in one call.

python benchmarks/datatrove_speed.py DATATROVE_PYTHON WORK TEXTS.parquet... [--turns 3] [--documents N]

The chain: language, Gopher's repetition and quality rules, C4's lines, FineWeb's rules, scrubbing, kept texts written
(datatrove: JSON lines, gzip; ours: Parquet). Start-up is apart. Ours: both workers have run 64 documents, which loads
the compiled kernels, before the clock starts, and it stops when the last has closed its file. datatrove: its time on
64 documents a task (workers, imports, models) is measured in the same turn and taken off. `all recipes` measures what
the rules of every shipped recipe read, each on its own version of the text, and decides nothing. `--peer` names
another script with the arguments of peers/datatrove_chain.py.
"""

from __future__ import annotations

import argparse
import multiprocessing
import re
import shutil
import statistics
import subprocess
import time
from multiprocessing.synchronize import Barrier
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from datatrove_agreement import documents

from filters.annotate import Annotator, final_text
from filters.pii import scrub
from filters.rules import first_failing
from recipes.load import available, load
from recipes.model import Recipe
from recipes.steps import Edit

PEER = Path(__file__).parent / "peers" / "datatrove_chain.py"
TASKS, BATCH, WARM = 2, 1024, 64
KEPT = pa.schema([("id", pa.string()), ("text", pa.large_string())])


def decide(rows: pa.RecordBatch, measure: Annotator, connection: duckdb.DuckDBPyConnection) -> pa.RecordBatch:
    """The kept documents of a batch with their final texts."""
    signals, recipe = measure(rows), measure.recipes[0]
    connection.register("signals", pa.table(signals))
    failing = connection.sql(f"SELECT ({first_failing(recipe)}) IS NULL FROM signals").fetchnumpy()
    kept = pa.array(next(iter(failing.values())))
    chosen, lang = rows.filter(kept), signals["lang"].filter(kept)
    text = scrub(final_text(chosen["text"], lang, recipe), recipe.scrub.policy).text
    return pa.RecordBatch.from_arrays([chosen["doc_id"], text], schema=KEPT)


def bare(recipe: Recipe) -> Recipe:
    """The recipe without scores: their models are no part of a comparison of rules."""
    steps = tuple(s for s in recipe.steps if isinstance(s, Edit) or not (s.signal or "").startswith("score_"))
    return recipe.model_copy(update={"scores": (), "steps": steps})


def worker(path: Path, out: Path, every: bool, ready: Barrier) -> tuple[float, float, int]:
    """One file through the chain; when it began and ended on the machine's clock, and how many it kept."""
    recipes = [bare(load(name)) for name in available()] if every else [bare(load("fineweb"))]
    source = pq.ParquetFile(path)
    connection = duckdb.connect(config={"threads": 1})
    measure = Annotator(recipes, every=False)  # as datatrove's filters: what the rules read, and no more
    kept = 0

    def run(batch: pa.RecordBatch) -> pa.RecordBatch:
        rows = documents(batch)
        return measure(rows) if every else decide(rows, measure, connection)

    first = run(next(source.iter_batches(WARM)))
    ready.wait()
    began = time.monotonic()
    with pq.ParquetWriter(out, first.schema, compression="zstd") as writer:
        for batch in source.iter_batches(BATCH):
            done = run(batch)
            kept += len(done)
            writer.write_batch(done)
    return began, time.monotonic(), kept


def _child(path: Path, out: Path, every: bool, ready: Barrier, results: multiprocessing.SimpleQueue) -> None:
    results.put(worker(path, out, every, ready))


def ours(folder: Path, work: Path, every: bool) -> tuple[float, int]:
    """(seconds with start-up apart, rows written) over the folder's files, one worker a file."""
    paths = sorted(folder.glob("*.parquet"))
    context = multiprocessing.get_context("spawn")
    ready, results = context.Barrier(len(paths)), context.SimpleQueue()
    jobs = [(path, work / f"ours-{path.name}", every, ready, results) for path in paths]
    children = [context.Process(target=_child, args=job) for job in jobs]
    for child in children:
        child.start()
    done = []
    while len(done) < len(children):
        if any(child.exitcode for child in children):
            raise RuntimeError("A worker failed; its error is above.")
        if results.empty():
            time.sleep(0.05)
        else:
            done.append(results.get())
    for child in children:
        child.join()
    return max(end for _, end, _ in done) - min(began for began, _, _ in done), sum(kept for _, _, kept in done)


def datatrove(python: str, script: Path, folder: Path, work: Path) -> float:
    """Seconds that datatrove's executor took for a folder, its start-up included."""
    command = [python, str(script), "filters", str(folder), str(work / "datatrove")]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    found = re.search(r"STAGE filters wall ([\d.]+)", done.stdout)
    if found is None:
        raise RuntimeError(f"{script} printed no `STAGE filters wall SECONDS`: {done.stdout[-500:]}")
    return float(found.group(1))


def split(paths: list[Path], folder: Path, limit: int) -> tuple[int, float]:
    """Write at most `limit` documents as one file a task; returns (documents, megabytes of text)."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    table = pa.concat_tables([pq.read_table(path, columns=["id", "text"]) for path in paths]).slice(0, limit)
    for task in range(TASKS):
        share = table.take(list(range(task, len(table), TASKS)))
        pq.write_table(share, folder / f"part-{task:05d}.parquet", row_group_size=BATCH)
    return len(table), (pc.sum(pc.binary_length(table["text"])).as_py() or 0) / 1e6


def main(args: argparse.Namespace) -> None:
    """Take turns and print a Markdown table of every turn and of the medians."""
    texts, few = args.work / "texts", args.work / "few"
    count, megabytes = split(args.texts, texts, args.documents)
    warm, warm_megabytes = split(args.texts, few, TASKS * WARM)
    print(f"{count:,} documents, {megabytes:.1f} MB, {TASKS} workers; start-up: {warm} documents\n")
    print("| turn | datatrove | of it start-up | Winnow | Winnow, all recipes |\n|---|---:|---:|---:|---:|")
    peer, chains, all_recipes = [], [], []
    for turn in range(args.turns):
        for when in range(2):  # ours takes seconds: once before and once after, as the machine changes its pace
            chain, kept = ours(texts, args.work, every=False)
            chains.append(chain)
            all_recipes.append(ours(texts, args.work, every=True)[0])
            if when == 0:
                start = datatrove(args.python, args.peer, few, args.work)
                whole = datatrove(args.python, args.peer, texts, args.work)
        peer.append(whole - start)
        own = " | ".join(f"{times[-2]:.2f}, {times[-1]:.2f} s" for times in (chains, all_recipes))
        print(f"| {turn + 1} | {whole:.1f} s | {start:.1f} s | {own} |", flush=True)
    theirs, chain, every = map(statistics.median, (peer, chains, all_recipes))
    rates = ((count - warm) / theirs, count / chain, count / every)
    sizes = ((megabytes - warm_megabytes) / theirs, megabytes / chain, megabytes / every)
    print("\n| median | documents/s | MB/s | times datatrove |\n|---|---:|---:|---:|")
    for name, rate, size in zip(("datatrove", "Winnow", "Winnow, all recipes"), rates, sizes, strict=True):
        print(f"| {name} | {rate:,.0f} | {size:.2f} | {rate / rates[0]:.1f} |")
    print(f"\nkept: {kept:,}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("python", help="interpreter of datatrove's environment")
    parser.add_argument("work", type=Path)
    parser.add_argument("texts", type=Path, nargs="+")
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--documents", type=int, default=1 << 60)
    parser.add_argument("--peer", type=Path, default=PEER)
    main(parser.parse_args())
