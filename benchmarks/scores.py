"""Speed of the scores on real text, one core, and what a large block list takes. Best of three after one that compiles.

python benchmarks/scores.py [FOLDER]     (default: ../shared/data; one process, about two minutes)

The block list has 4.6 million made-up domains, as many as RefinedWeb's.
"""

from __future__ import annotations

import gzip
import json
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import fasttext
import numpy as np
import pyarrow as pa

from filters.language import identify
from filters.scores import load
from filters.scores.hashing_lr import Features, save
from filters.urls import hosts, registrable_domain
from recipes.scores import FastText, HashingLR, UrlList, UrlWords, Words

DEFAULT = Path(__file__).resolve().parents[2] / "shared" / "data"
LISTED = 4_600_000
COMMON = {"id": "s", "what": "a file", "evidence": "A"}


def best(work: Callable[[], object]) -> float:
    """Least seconds of three calls, after one that compiles."""
    work()
    times = []
    for _ in range(3):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return min(times)


def main(folder: Path) -> None:
    """Print Markdown tables."""
    golds = [
        json.loads(x) for x in gzip.decompress((folder / "bulk_real/gold_text.jsonl.gz").read_bytes()).splitlines()
    ]
    text = pa.array([g.get("text") or "" for g in golds], pa.large_string())
    megabytes = sum(len(t.encode()) for t in text.to_pylist()) / 1e6
    lang, _ = identify(text)
    urls = pa.array([f"https://www.site{i % 3000}.co.uk/news/{i}/some-words-in-it.html" for i in range(50_000)])
    batch = pa.RecordBatch.from_arrays([text], ["text"])
    blank = pa.array([""] * len(urls), pa.large_string())
    pages = pa.RecordBatch.from_arrays([urls], ["url"])
    rows: list[tuple[str, float, int, float | None]] = []
    with tempfile.TemporaryDirectory() as scratch:
        place = Path(scratch)
        with (place / "domains.txt").open("w") as file:
            file.writelines(f"www{i % 7}.domain{i}.example{i % 1000}.com\n" for i in range(LISTED))
        before, began = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.perf_counter()
        listed = load(UrlList.model_validate({**COMMON, "kind": "url_list"}), str(place / "domains.txt"))
        took, peak = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
        (place / "train.txt").write_text(
            "".join(f"__label__{k} word{k} {i}\n" for i in range(100) for k in ("hq", "cc"))
        )
        fasttext.train_supervised(
            str(place / "train.txt"), dim=100, wordNgrams=2, bucket=200_000, thread=10, verbose=0
        ).save_model(str(place / "m.bin"))
        save(place / "m.npz", np.ones(1 << 18), 0.0, Features())
        for name, entry, path in (
            ("words, LDNOOBW", Words.model_validate({**COMMON, "kind": "words"}), folder / "badwords_ldnoobw.jsonl.gz"),
            (
                "fasttext, bigrams",
                FastText.model_validate({**COMMON, "kind": "fasttext", "label": "hq"}),
                place / "m.bin",
            ),
            ("hashing_lr", HashingLR.model_validate({**COMMON, "kind": "hashing_lr"}), place / "m.npz"),
        ):
            scorer = load(entry, str(path))
            rows.append((name, best(lambda s=scorer: s.score(batch, text, lang)), len(text), megabytes))  # type: ignore[misc]
        words = place / "words"
        words.mkdir()
        for name in ("strict", "hard", "soft"):
            (words / f"{name}.txt").write_text("".join(f"{name}{i}\n" for i in range(1000)))
        banned = load(UrlWords.model_validate({**COMMON, "kind": "url_words"}), str(words))
        for name, work in (
            ("hosts", lambda: hosts(urls)),
            ("registrable_domain", lambda: registrable_domain(urls)),
            (f"url_list, {LISTED:,} domains", lambda: listed.score(pages, blank, blank.cast(pa.string()))),
            ("url_words, 3,000 words", lambda: banned.score(pages, blank, blank.cast(pa.string()))),
        ):
            rows.append((name, best(work), len(urls), None))
    print(
        f"{len(text)} documents, {megabytes:.1f} MB; {len(urls):,} URLs\n\n| score | rows/s | MB/s |\n|---|---:|---:|"
    )
    for name, seconds, count, size in rows:
        print(f"| {name} | {count / seconds:,.0f} | {'' if size is None else f'{size / seconds:.1f}'} |")
    held = (listed.hosts.nbytes + listed.host_codes.nbytes) / 1e6  # type: ignore[attr-defined]
    print(f"\n{LISTED:,} domains load in {took:.1f} s, hold {held:.0f} MB, and {peak / 1e3:.0f} MB at their peak.")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else DEFAULT)
