"""Where an index of earlier corpora is kept: datasketch, DuckDB, and our own files. 14 x 8, random signatures.

python benchmarks/index_storage.py [--documents 200000] [--asked 20000] [--turns 3]

Each way remembers `documents` signatures and is then asked for the candidates of `asked` others, of which every tenth
is one it knows. Remembering ends with everything on the disk; asking begins by reading it back in a fresh process, as
the next month's run does. datasketch: MinHashLSH with its dictionary storage, whose size on disk is that of its pickle;
a pickle is not read here, so what is asked was built in the same process, and that is not counted. Its other
storages are servers (Redis, Cassandra). DuckDB: one table of (band, hash, document), asked by a join. Ours: band files
cut by range, as pipelines/index.py keeps them, and the task that pairs one range. Memory is the process's largest
resident set less what it had before it had an index.
"""

from __future__ import annotations

import argparse
import pickle
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
from datasketch import MinHashLSH

from dedup.bands import band_hashes
from dedup.pairs import star
from dedup.signatures import as_datasketch
from pipelines.candidates import KEYED, range_of
from pipelines.exchange import gather, scatter

BANDS, ROWS, RANGES = 14, 8, 4


def signed(count: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 2**32, (count, BANDS * ROWS), dtype=np.uint32)


def asked_of(documents: int, asked: int) -> np.ndarray:
    """New signatures, every tenth of them an old one."""
    new = signed(asked, 2)
    new[::10] = signed(documents, 1)[: len(new[::10])]
    return new


def built(rows: np.ndarray) -> MinHashLSH:
    index = MinHashLSH(num_perm=BANDS * ROWS, params=(BANDS, ROWS))
    with index.insertion_session() as session:
        for number, row in enumerate(rows):
            session.insert(number, as_datasketch(row))
    return index


def remember_datasketch(folder: Path, rows: np.ndarray) -> None:
    (folder / "index.pickle").write_bytes(pickle.dumps(built(rows), protocol=pickle.HIGHEST_PROTOCOL))


def ask_datasketch(index: MinHashLSH, rows: np.ndarray) -> int:
    return sum(bool(index.query(as_datasketch(row))) for row in rows)


def keyed(rows: np.ndarray) -> pa.Table:
    hashes = band_hashes(rows, BANDS, ROWS)
    nodes = np.tile(np.arange(len(rows), dtype=np.uint64), BANDS)
    band = np.repeat(np.arange(BANDS, dtype=np.int64), len(rows))
    return pa.table({"band": band, "hash": hashes.T.ravel(), "node": nodes})


def remember_duckdb(folder: Path, rows: np.ndarray) -> None:
    table = keyed(rows)
    with duckdb.connect(str(folder / "index.duckdb"), config={"threads": 1}) as connection:
        connection.register("rows", table)
        connection.execute("CREATE TABLE bands AS SELECT * FROM rows ORDER BY band, hash")


def ask_duckdb(folder: Path, rows: np.ndarray) -> int:
    table = keyed(rows)
    with duckdb.connect(str(folder / "index.duckdb"), read_only=True, config={"threads": 1}) as connection:
        connection.register("new", table)
        query = "SELECT count(DISTINCT n.node) FROM new n JOIN bands b ON n.band = b.band AND n.hash = b.hash"
        return int(connection.execute(query).fetchall()[0][0])


def remember_winnow(folder: Path, rows: np.ndarray) -> None:
    table = keyed(rows)
    hashes = table["hash"].to_numpy()
    where = table["band"].to_numpy() * RANGES + range_of(hashes, RANGES)
    out = pa.table([hashes, np.zeros(len(hashes), np.uint64), table["node"].to_numpy()], schema=KEYED)
    scatter(str(folder / "bands.arrow"), out, where, BANDS * RANGES)


def ask_winnow(folder: Path, rows: np.ndarray) -> int:
    new = keyed(rows)
    hashes, band = new["hash"].to_numpy(), new["band"].to_numpy()
    part = range_of(hashes, RANGES)
    found: set[int] = set()
    first = np.uint64(1 << 40)  # the asked ones, after all that are known
    for destination in range(BANDS * RANGES):
        mine = band * RANGES + part == destination
        old = pa.Table.from_batches(gather([str(folder / "bands.arrow")], destination), KEYED)
        theirs = old["hash"].to_numpy()
        some = np.isin(theirs, hashes[mine])
        together = np.concatenate((theirs[some], hashes[mine]))
        nodes = np.concatenate((old["node"].to_numpy()[some], new["node"].to_numpy()[mine] + first))
        low, high = star(together, nodes)
        found.update((high[low < first] - first).tolist())
    return len(found)


WAYS = {
    "datasketch, pickled": (remember_datasketch, ask_datasketch),
    "DuckDB": (remember_duckdb, ask_duckdb),
    "Winnow": (remember_winnow, ask_winnow),
}


def child(args: argparse.Namespace) -> None:
    """One step in this process: its seconds and its memory on stdout."""
    step = WAYS[args.way][0 if args.step == "remember" else 1]
    rows = signed(args.documents, 1) if args.step == "remember" else asked_of(args.documents, args.asked)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    given = args.folder
    if step is ask_datasketch:
        given = built(signed(args.documents, 1))
    began = time.process_time()
    found = step(given, rows)
    seconds = time.process_time() - began
    if found is not None and found != len(rows[::10]):
        raise RuntimeError(f"{args.way} found {found:,} of {len(rows[::10]):,}.")
    print(seconds, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024)


def run(args: argparse.Namespace, way: str, folder: Path, step: str) -> tuple[float, float]:
    command = [sys.executable, __file__, "--documents", str(args.documents), "--asked", str(args.asked), "--way", way,
               "--step", step, "--folder", str(folder)]  # fmt: skip
    seconds, memory = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    return float(seconds), float(memory)


def main(args: argparse.Namespace) -> None:
    if args.way:
        child(args)
        return
    print(
        f"{args.documents:,} documents remembered, {args.asked:,} asked; medians of {args.turns}, processor seconds\n"
    )
    print("| storage | remember s | ask s | B a document on disk | B a document in memory when asked |")
    print("|---|---:|---:|---:|---:|")
    for way in WAYS:
        told = []
        for _ in range(args.turns):
            folder = Path(tempfile.mkdtemp(prefix="winnow-index-"))
            remembered, _ = run(args, way, folder, "remember")
            asked, memory = run(args, way, folder, "ask")
            size = sum(f.stat().st_size for f in folder.iterdir())
            told.append((remembered, asked, size / args.documents, memory / args.documents))
            shutil.rmtree(folder)
        figures = [statistics.median(one[i] for one in told) for i in range(4)]
        print(f"| {way} | {figures[0]:.2f} | {figures[1]:.2f} | {figures[2]:,.0f} | {figures[3]:,.0f} |", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--documents", type=int, default=200_000)
    parser.add_argument("--asked", type=int, default=20_000)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--way", choices=list(WAYS), help="used by the benchmark itself")
    parser.add_argument("--step", choices=["remember", "ask"])
    parser.add_argument("--folder", type=Path)
    main(parser.parse_args())
