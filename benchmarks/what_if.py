"""What-if and compare over a million documents: a run folder made by resampling small real runs, and its timings.

python benchmarks/what_if.py RUN... [--documents N] [--per-part N] [--keep FOLDER] [--repeats N]

Each RUN is a small finished run, made with `--measure-for all`. Its rows of signals/ are drawn with replacement and
their numbers shaken by up to 0.1 %, so that columns are as distinct, and as large, as real ones; the texts are those
of the rows. Parts hold 500 documents, as 16 MiB of a Common Crawl WARC do. Decisions are made by the run's own
code, every tenth document that passes is called a duplicate, and each kept one has a token for 4.2 bytes of text.
Commands are timed in turn, whole and without the imports that come first. Processor seconds are those of all threads.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import xxhash

from pipelines.decide import fates
from pipelines.parts import write_part
from pipelines.schemas import DECISIONS, DOCUMENTS, DUPLICATES
from recipes.load import available
from recipes.model import Recipe
from tokenization.shards import token_lists, write_shard

REPO = Path(__file__).resolve().parents[1]
SHARD_TOKENS = 64_000_000
REPEATS = 5
SHIPPED = ("zh-en-general", "fineweb", "c4-en", "gopher-massiveweb")
# The command line with a clock in it: what passes before the run is opened is start-up, all of it imports.
STARTED = """
import sys, time
began = time.perf_counter()
import flows.cli, filters.thresholds, stats.compare, stats.overlap, stats.show, stats.what_if
imported = time.perf_counter() - began
flows.cli.app(standalone_mode=False)
print(f"answered after {imported}", file=sys.stderr)
"""


def tables(runs: list[Path]) -> tuple[pa.Table, pa.Table]:
    """(documents, signals) of all the runs together, row for row."""
    documents, signals = (
        pa.concat_tables([pq.read_table(run / name) for run in runs]).combine_chunks()
        for name in ("documents", "signals")
    )
    return documents, signals


def resampled(signals: pa.Table, rows: np.ndarray, ids: pa.Array, chance: np.random.Generator) -> pa.Table:
    """`rows` of signals/ under new ids, numbers shaken by up to a thousandth."""
    out = signals.take(pa.array(rows))
    for i, field in enumerate(out.schema):
        if pa.types.is_floating(field.type):
            shaken = pc.multiply(out[i], pa.array(1 + chance.uniform(-1e-3, 1e-3, len(rows))))
            exact = pc.or_(pc.equal(out[i], 0.0), pc.equal(out[i], 1.0))
            out = out.set_column(i, field, pc.if_else(exact, out[i], shaken))
        elif pa.types.is_integer(field.type) and field.name != "text_bytes":
            shaken = pc.multiply(pc.cast(out[i], pa.float64()), pa.array(1 + chance.uniform(-1e-3, 1e-3, len(rows))))
            out = out.set_column(i, field, pc.cast(pc.round(shaken), field.type))
    return out.set_column(0, signals.schema.field(0), ids)


def duplicates_of(ids: pa.Array, chance: np.random.Generator) -> pa.Table:
    """Every tenth document repeats the one before it."""
    chosen = np.flatnonzero(chance.random(len(ids)) < 0.1)
    rows = [
        {"doc_id": ids[i].as_py(), "cluster_id": ids[i].as_py(), "kept_id": ids[max(i - 1, 0)].as_py(),
         "cluster_size": 2, "similarity": 0.9, "method": "minhash"}
        for i in chosen.tolist()
    ]  # fmt: skip
    return pa.Table.from_pylist(rows, DUPLICATES)


def make(runs: list[Path], folder: Path, documents: int, per_part: int) -> None:
    """The run folder: run.json, documents/, signals/, duplicates/, decisions/ and tokens/."""
    described = json.loads((runs[0] / "run.json").read_bytes())
    recipe = Recipe.model_validate(described["recipe"])
    pages, signals = tables(runs)
    chance = np.random.default_rng(0)
    shards = Shards(folder)
    parts = list(range(-(-documents // per_part)))
    for part in parts:
        count = min(per_part, documents - part * per_part)
        rows = chance.integers(0, pages.num_rows, count)
        ids = pa.array([xxhash.xxh3_128_hexdigest(f"made\0{part * per_part + i}".encode()) for i in range(count)])
        page = pages.take(pa.array(rows)).set_column(0, DOCUMENTS.field(0), ids)
        measured = resampled(signals, rows, ids, chance)
        repeated = duplicates_of(ids, chance)
        decided = fates(measured, repeated, recipe)
        for name, table, schema in (
            ("documents", page, DOCUMENTS), ("signals", measured, signals.schema),
            ("duplicates", repeated, DUPLICATES), ("decisions", decided, DECISIONS),
        ):  # fmt: skip
            path = str(folder / name / f"part-{part:05d}.parquet")
            write_part(path, table.to_batches(), schema, f"{name}-{part}", {"documents": count})
        kept = pc.equal(decided["fate"], "kept")
        sizes = pc.cast(pc.divide(measured["text_bytes"].filter(kept), 4.2), pa.int64(), safe=False)
        shards.add(ids.filter(kept.combine_chunks()), sizes.to_numpy() + 1)
    shards.flush()
    (folder / "run.json").write_text(json.dumps(described))


class Shards:
    """Writes tokens/: kept documents in chance order within a shard, as the shuffle leaves them."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.number = folder / "tokens", 0
        self.folder.mkdir(parents=True)
        self.ids: list[pa.Array] = []
        self.sizes: list[np.ndarray] = []

    def add(self, ids: pa.Array, sizes: np.ndarray) -> None:
        """Take documents in; write a shard when there is enough for one."""
        self.ids.append(ids)
        self.sizes.append(sizes)
        if sum(int(s.sum()) for s in self.sizes) >= SHARD_TOKENS:
            self.flush()

    def flush(self) -> None:
        """Write what there is, if anything."""
        if not self.ids:
            return
        ids, sizes = pa.concat_arrays(self.ids), np.concatenate(self.sizes)
        order = np.random.default_rng(self.number).permutation(len(ids))
        offsets = np.concatenate([[0], np.cumsum(sizes[order])])
        lists = token_lists(np.ones(offsets[-1], np.uint16), offsets, "uint16")
        with pa.OSFile(str(self.folder / f"shard-{self.number:05d}.arrow"), "wb") as sink:
            write_shard(sink, pa.table({"doc_id": ids.take(pa.array(order)), "tokens": lists}), "arrow", "uint16", "m")
        self.ids, self.sizes, self.number = [], [], self.number + 1


def questions(folder: Path) -> dict[str, list[str]]:
    """The commands that are timed; writes the six recipes that ship nowhere."""
    made = []
    for i in range(6):
        path = folder / f"other-{i}.toml"
        bound = f'[[change]]\nid = "gopher.dup_line.v1"\nmax = {0.1 + i / 20:g}\nevidence = "A"\n'
        path.write_text(f'extends = "fineweb"\nname = "other-{i}"\ntitle = "Other"\n{bound}')
        made.append(str(path))
    shipped = [name for name in SHIPPED if name in available()]
    return {
        "what-if, one bound stricter": ["what-if", "{run}", "--set", "gopher.dup_line=0.2"],
        "what-if, one bound looser": ["what-if", "{run}", "--set", "gopher.dup_line=0.6"],
        "what-if, another recipe": ["what-if", "{run}", "--recipe", "fineweb"],
        "compare, ten recipes": ["compare", "{run}", "--recipes", ",".join([*shipped, *made])],
        "compare, overlap of 62 rules": ["compare", "{run}", "--rules", "zh-en-general"],
    }


def timed(command: list[str]) -> tuple[float, float, float]:
    """(seconds of the whole command, seconds of it before the run is opened, processor seconds)."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", STARTED, *command], cwd=REPO, capture_output=True, text=True, check=True
    )
    whole = time.perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    start_up = float(done.stderr.rpartition("answered after ")[2])
    return whole, start_up, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    """Make the run, unless it is there, and print a Markdown table of medians."""
    parser = argparse.ArgumentParser()
    parser.add_argument("runs", nargs="*", type=Path)
    parser.add_argument("--documents", type=int, default=1_000_000)
    parser.add_argument("--per-part", type=int, default=500)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--keep", type=Path, help="make the run here, or time the one that is here")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = given.keep or Path(temporary) / "run"
        if not (folder / "run.json").exists():
            make(given.runs, folder, given.documents, given.per_part)
        asked = questions(Path(temporary))
        found: dict[str, list[tuple[float, float, float]]] = {name: [] for name in asked}
        for _ in range(given.repeats):  # in turn, so that a noisy minute falls on all alike
            for name, command in asked.items():
                found[name].append(timed([part.format(run=folder) for part in command]))
        parts = len(list((folder / "signals").iterdir()))
        print(f"{parts:,} parts; medians of {given.repeats}, least and greatest of the answer\n")
        print(
            "| question | whole command s | answer s | least | greatest | processor s |\n|---|---:|---:|---:|---:|---:|"
        )
        for name, times in found.items():
            answers = [whole - start for whole, start, _ in times]
            whole, processor = (statistics.median(one[i] for one in times) for i in (0, 2))
            figures = (whole, statistics.median(answers), min(answers), max(answers), processor)
            print(f"| {name} | " + " | ".join(f"{figure:.2f}" for figure in figures) + " |")


if __name__ == "__main__":
    main()
