"""How fast the loader deals, how soon it starts, and what it holds: one Markdown table.

    python benchmarks/loader.py [--folder DIR] [--shards 10000] [--tokens 400000000]

Two corpora of random ids are made in DIR (a temporary folder unless it is named; one that is there is used again): one
of `--tokens` ids in shards of about 64 MB for speed, and one of `--shards` small shards for start and memory. Lengths
of documents are log-normal with a median of 400 ids, as those of web pages are; languages are given by lot.

Speeds are tokens a CPU second of this process, all threads together, with the files in the page cache: a step of 64
sequences of 2,048 is made and dropped. `start` is from reading the manifest to the first batch, without the imports
and, where a plan has to be made, with the plan from before; sizes of all shards are looked at, hashes are not.
Memory is RssAnon of /proc/self/status: what the process holds itself, without pages of the maps.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from tokenization.manifest import Count, Manifest, Shard, TokenizerInfo, Totals, file_sha256
from tokenization.shards import token_lists, write_shard
from training.data import Sequences
from training.dataset import TokenDataset
from training.verify import Verified

CONTEXT, BATCH = 2048, 64
LAYOUTS: dict[str, dict[str, Any]] = {
    "concatenated, documents joined": {"apart": False},
    "concatenated, documents apart": {},
    "concatenated, shuffled in windows of 2^24": {"window": 1 << 24},
    "best-fit": {"packing": "best-fit"},
    "language:zh=0.3": {"mix": "language:zh=0.3"},
    "language:zh=0.3, best-fit": {"mix": "language:zh=0.3", "packing": "best-fit"},
}


def corpus(folder: Path, shards: int, tokens: int) -> Path:
    """A manifest over `shards` shards of `tokens` ids in all, made unless it is there."""
    manifest = folder / "manifest.json"
    if manifest.is_file():
        return manifest
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "t.json").write_text("{}")
    rng, made, number = np.random.default_rng(0), [], 0
    for shard in range(shards):
        sizes = np.maximum(rng.lognormal(6, 1.2, max(2, tokens // shards // 830)).astype(np.int64), 2)
        offsets = np.concatenate(([0], np.cumsum(sizes)))
        ids = rng.integers(1, 50_000, offsets[-1], dtype=np.uint16)
        ids[offsets[1:] - 1] = 0
        table = pa.table({
            "doc_id": [f"{n:032x}" for n in range(number, number + len(sizes))],
            "tokens": token_lists(ids, offsets, "uint16"),
            "language": np.array(["en", "zh"])[rng.integers(0, 2, len(sizes))],
        })  # fmt: skip
        path = folder / f"shard-{shard:05d}.arrow"
        with pa.OSFile(str(path), "wb") as sink:
            write_shard(sink, table, "arrow", "uint16", "m")
        made.append(Shard(path=path.name, bytes=path.stat().st_size, sha256=file_sha256(path), documents=len(sizes),
                          tokens=int(offsets[-1])))  # fmt: skip
        number += len(sizes)
    info = TokenizerInfo(
        name="t", file="t.json", sha256=file_sha256(folder / "t.json"), vocab_size=50_000, end_of_text=0
    )
    totals = Totals(documents=number, tokens=sum(shard.tokens for shard in made), text_bytes=1)
    Manifest(
        recipe="benchmark", recipe_hash="0", tokenizer=info, dtype="uint16", format="arrow", seed=0,
        shards=tuple(made), totals=totals, sources={}, labels=("language",),
        languages={name: Count(documents=0, tokens=0) for name in ("en", "zh")},
    ).write(manifest)  # fmt: skip
    return manifest


def speed(manifest: Path, cache: Path, steps: int, **layout: Any) -> tuple[float, float]:
    """(tokens a CPU second, padding)."""
    data = TokenDataset(str(manifest), BATCH, CONTEXT, cache=str(cache), prefetch=2, **layout)
    dealt = iter(data)
    for _ in range(40):  # maps opened, kernels compiled
        next(dealt)
    began = time.process_time()
    for _ in range(steps):
        next(dealt)
    seconds = time.process_time() - began
    dealt.close()  # type: ignore[attr-defined]
    return steps * BATCH * CONTEXT / seconds, data.sequences.plan.padding()


def held() -> float:
    """MB of this process that are no file's."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("RssAnon"))
    return int(line.split()[1]) / 1024


def start(manifest: Path, cache: Path, **layout: Any) -> tuple[str, Sequences]:
    """(seconds to the first batch, of the clock and of the CPU, and the loader)."""
    began, busy = time.perf_counter(), time.process_time()
    Verified(Manifest.read(manifest), str(manifest.parent), "none")
    data = TokenDataset(str(manifest), BATCH, CONTEXT, cache=str(cache), **layout).sequences
    data.batch(0, BATCH)
    return f"{time.perf_counter() - began:.2f} s, {time.process_time() - busy:.2f} CPU s", data


def main() -> None:
    """Make the corpora, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--shards", type=int, default=10_000)
    parser.add_argument("--tokens", type=int, default=400_000_000)
    parser.add_argument("--steps", type=int, default=400)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = given.folder or Path(temporary)
        large = corpus(folder / "large", max(1, given.tokens // (1 << 25)), given.tokens)
        many = corpus(folder / "many", given.shards, given.shards * 8_300)
        cache = folder / "cache"
        print("| | |\n|---|---:|")
        for name, layout in LAYOUTS.items():
            began = time.process_time()
            TokenDataset(str(large), BATCH, CONTEXT, cache=str(cache), **layout)
            made = time.process_time() - began
            rate, padding = speed(large, cache, given.steps, **layout)
            more = f"; padding {padding:.3%}" if "best-fit" in name else ""
            plan = f"; plan made in {made:.1f} CPU s" if "mix" in layout or "packing" in layout else ""
            print(f"| {name}{more}{plan} | {rate / 1e6:.0f} M tokens a CPU s |", flush=True)
        for name, layout in {"concatenated": {}, "best-fit, plan from before": {"packing": "best-fit"}}.items():
            start(many, cache, **layout)
            seconds, data = start(many, cache, **layout)
            before = held()
            for first in range(0, data.count, BATCH):
                data.rows(data.plan.numbers_at(np.arange(first, min(first + BATCH, data.count))))
            print(f"| {name}: start on {given.shards:,} shards | {seconds} |")
            opened = f"{len(data.shards._open):,} shards open"
            print(f"| {name}: held at the start, and after an epoch ({opened}) | {before:.0f} MB, {held():.0f} MB |",
                  flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
