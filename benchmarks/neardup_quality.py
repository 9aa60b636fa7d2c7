"""Which near-duplicates are found: bandings here beside datasketch's, rensa's and datatrove's, on the same texts.

pip install rensa==0.5.0
python benchmarks/neardup_quality.py [FOLDER] [--datatrove DATATROVE/bin/python] [--seeds 10]
                                          (default: ../shared/data)

Licence texts: gold is the exact Jaccard of lower-cased word 5-grams, of all pairs at 0.3 or more. A pair is true at a
threshold if its Jaccard is at least that. "candidates" are all pairs that meet in a bucket; "signature" keeps those
whose signatures agree in that share of rows, "Jaccard" those whose shingle sets do. `curve` is the recall that
1 - (1 - s^r)^b promises on these pairs. Short answers (Clough and Stevenson): for each task the original beside every
answer; found shares by how the answer was made. All figures are means over seeds of the permutations.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import re
import subprocess
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterable
from functools import cache
from itertools import combinations, pairwise
from pathlib import Path
from statistics import mean

os.environ.setdefault("RAYON_NUM_THREADS", "1")

import numpy as np
import pyarrow as pa
from datasketch import MinHash, MinHashLSH

from dedup.bands import band_hashes, candidate_probability, choose
from dedup.shingles import shingles
from dedup.signatures import signatures

DEFAULT = Path(__file__).resolve().parents[2] / "shared" / "data"
PEER = Path(__file__).parent / "peers" / "datatrove_minhash.py"
THRESHOLDS = (0.5, 0.7, 0.8, 0.9)
NGRAM = 5
BANDINGS = ((14, 8), (14, 9), (9, 13), (5, 25), (93, 15), (450, 20))
Pair = tuple[int, int]
Found = list[set[Pair]]  # one set for every seed


def read(path: Path) -> list[dict[str, str]]:
    """The rows of a JSON lines file."""
    return [json.loads(line) for line in gzip.decompress(path.read_bytes()).splitlines()]


def meeting(keys: Iterable[Iterable[object]]) -> set[Pair]:
    """Pairs of texts that share a key."""
    groups = defaultdict(list)
    for k, row in enumerate(keys):
        for key in row:
            groups[key].append(k)
    return {pair for members in groups.values() for pair in combinations(members, 2)}


class Texts:
    """Texts with what every method makes of them once: shingle sets, shingles as strings."""

    def __init__(self, texts: list[str], seeds: int) -> None:
        self.texts, self.seeds = texts, range(1, seeds + 1)
        self.array = pa.array(texts, pa.large_string())
        hashes, first = shingles(self.array, NGRAM)
        self.sets = [set(hashes[low:high].tolist()) for low, high in pairwise(first)]
        words = [re.findall(r"\w+", t.lower()) for t in texts]
        self.strings = [[" ".join(w[k : k + NGRAM]) for k in range(max(1, len(w) - NGRAM + 1))] for w in words]

    def jaccard(self, pair: Pair) -> float:
        """Exact Jaccard of a pair's shingle sets."""
        a, b = self.sets[pair[0]], self.sets[pair[1]]
        return len(a & b) / len(a | b) if a and b else 0.0

    @cache  # noqa: B019
    def winnow(self, bands: int, rows: int, num_perm: int = 0) -> tuple[Found, list[np.ndarray]]:
        """(candidates, signatures) for every seed."""
        signed = [signatures(self.array, NGRAM, "word", num_perm or bands * rows, seed) for seed in self.seeds]
        return [meeting(band_hashes(s, bands, rows).tolist()) for s in signed], signed

    @cache  # noqa: B019
    def sketched(self) -> list[list[MinHash]]:
        """datasketch's signatures for every seed."""
        encoded = [[s.encode() for s in t] for t in self.strings]
        return [MinHash.bulk(encoded, num_perm=128, seed=seed) for seed in self.seeds]

    def datasketch(self, threshold: float) -> Found:
        """Candidates of MinHashLSH at a threshold, 128 permutations."""
        found = []
        for made in self.sketched():
            index = MinHashLSH(threshold=threshold, num_perm=128)
            for k, one in enumerate(made):
                index.insert(k, one)
            found.append({(j, k) for k, one in enumerate(made) for j in index.query(one) if j < k})
        return found

    def rensa(self, threshold: float, bands: int) -> tuple[Found, Found]:
        """(candidates, those whose sketches agree at the threshold) of rensa's LSH, 128 permutations."""
        from rensa import RMinHash, RMinHashLSH

        met, agreeing = [], []
        for seed in self.seeds:
            made = RMinHash.from_token_sets(self.strings, 128, seed)
            index = RMinHashLSH(threshold, 128, bands)
            for k, one in enumerate(made):
                index.insert(k, one)
            met.append({(j, k) for k, one in enumerate(made) for j in index.query(one) if j < k})
            agreeing.append({(j, k) for j, k in met[-1] if made[j].jaccard(made[k]) >= threshold})
        return met, agreeing

    @cache  # noqa: B019
    def datatrove(self, python: str, bands: int, rows: int) -> Found:
        """Candidates of datatrove's MinHash."""
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            json.dump(self.texts, file)
            file.flush()
            command = [python, str(PEER), file.name, str(bands), str(rows), *map(str, self.seeds)]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
        return [{(a, b) for a, b in json.loads(line)} for line in done.stdout.splitlines()]


def scores(found: Found, truth: set[Pair]) -> tuple[float, float, float]:
    """Precision, recall, F1: the first two are means over seeds, the third is theirs."""
    p = mean(len(f & truth) / len(f) if f else 1.0 for f in found)
    r = mean(len(f & truth) / len(truth) for f in found)
    return p, r, 2 * p * r / (p + r) if p + r else 0.0


def methods(texts: Texts, threshold: float, python: str | None) -> Iterable[tuple[str, Found, tuple[int, int] | None]]:
    """(name, found pairs, banding if it promises a recall) at a threshold."""
    chosen = choose(threshold)
    for name, (bands, rows), num_perm in (
        *((f"Winnow {b}x{r}", (b, r), 0) for b, r in BANDINGS),
        ("Winnow, chosen", chosen, 128),
    ):
        met, signed = texts.winnow(bands, rows, num_perm)
        agreeing = []
        for pairs, one in zip(met, signed, strict=True):
            left, right = np.array(sorted(pairs), np.int64).reshape(-1, 2).T
            alike = (one[left] == one[right]).mean(axis=1) >= threshold
            agreeing.append(set(zip(left[alike].tolist(), right[alike].tolist(), strict=True)))
        yield f"{name}, candidates", met, (bands, rows)
        yield f"{name}, verified by signature", agreeing, None
        yield (
            f"{name}, verified by Jaccard",
            [{pair for pair in m if texts.jaccard(pair) >= threshold} for m in met],
            None,
        )
    yield "datasketch, chosen, candidates", texts.datasketch(threshold), chosen
    for bands in (16, 8):
        met, agreeing = texts.rensa(threshold, bands)
        yield f"rensa {bands}x{128 // bands}, candidates", met, (bands, 128 // bands)
        yield f"rensa {bands}x{128 // bands}, verified by sketch", agreeing, None
    if python:
        yield "datatrove 14x8, candidates", texts.datatrove(python, 14, 8), (14, 8)


def table(title: str, rows: dict[str, list[str]], heads: Iterable[str]) -> None:
    """Print one Markdown table."""
    heads = list(heads)
    print(f"\n| {title} | {' | '.join(heads)} |\n|---|" + "---:|" * len(heads))
    for name, cells in rows.items():
        print(f"| {name} | {' | '.join(cells)} |", flush=True)


def licences(folder: Path, seeds: int, python: str | None) -> None:
    """Print the tables of the licence texts."""
    rows, pairs = read(folder / "neardup_licences.jsonl.gz"), read(folder / "neardup_licence_pairs.jsonl.gz")
    texts, place = Texts([r["text"] for r in rows], seeds), {r["id"]: k for k, r in enumerate(rows)}
    gold: dict[Pair, float] = {}
    for p in pairs:
        low, high = sorted((place[p["a"]], place[p["b"]]))
        gold[low, high] = float(p["jaccard_w5"])
    off = max(abs(texts.jaccard(pair) - value) for pair, value in gold.items())
    more = sum(texts.jaccard(pair) >= 0.30005 and pair not in gold for pair in combinations(range(len(rows)), 2))
    print(
        f"{len(rows)} licence texts, {len(gold):,} gold pairs, {seeds} seeds. Exact Jaccard here and in the gold "
        f"differ by at most {off:.5f} (the gold has four decimals); {more} pairs of 0.3 or more are not in the gold."
    )
    found_at: dict[str, list[str]] = defaultdict(list)
    curve_at: dict[str, list[str]] = defaultdict(list)
    heads = []
    for threshold in THRESHOLDS:
        truth = {pair for pair, value in gold.items() if value >= threshold}
        heads.append(f"{threshold} ({len(truth)} pairs)")
        for name, found, banding in methods(texts, threshold, python):
            p, r, f1 = scores(found, truth)
            found_at[name].append(f"{p:.2f} / {r:.2f} / {f1:.3f}")
            if banding:
                curve = mean(candidate_probability(gold[pair], *banding) for pair in truth)
                curve_at[name.removesuffix(", candidates")].append(f"{r:.3f} / {curve:.3f}")
    table("precision / recall / F1 at Jaccard", found_at, heads)
    table("recall of candidates / what the curve promises", curve_at, heads)


def answers(folder: Path, seeds: int, python: str | None) -> None:
    """Print the table of the short answers."""
    rows = read(folder / "neardup_plagiarism.jsonl.gz")
    texts = Texts([r["text"] for r in rows], seeds)
    kinds: dict[str, set[Pair]] = {kind: set() for kind in ("cut", "light", "heavy", "non")}
    for a, b in combinations(range(len(rows)), 2):
        categories = rows[a]["category"], rows[b]["category"]
        if rows[a]["task"] == rows[b]["task"] and "orig" in categories:
            kinds[min(categories, key=lambda c: c == "orig")].add((a, b))
    asked, truth = set().union(*kinds.values()) - kinds["heavy"], kinds["cut"] | kinds["light"]
    lines: dict[str, list[str]] = {}

    def line(name: str, found: Found) -> None:
        shares = [f"{mean(len(f & pairs) / len(pairs) for f in found):.2f}" for pairs in kinds.values()]
        lines[name] = [f"{score:.2f}" for score in scores([f & asked for f in found], truth)] + shares

    for threshold in (0.1, 0.2, 0.3, 0.5):
        exact = {p for pairs in kinds.values() for p in pairs if texts.jaccard(p) >= threshold}
        line(f"exact Jaccard >= {threshold}", [exact])
    todo: list[tuple[str, Callable[[], Found]]] = [
        *((f"Winnow {b}x{r}", lambda b=b, r=r: texts.winnow(b, r)[0]) for b, r in ((64, 2), (32, 4), *BANDINGS)),  # type: ignore[misc]
        *((f"datasketch LSH({t})", lambda t=t: texts.datasketch(t)) for t in (0.2, 0.3, 0.5, 0.7)),  # type: ignore[misc]
        *((f"rensa LSH {b}x{128 // b}", lambda b=b: texts.rensa(0.5, b)[0]) for b in (64, 32, 16)),  # type: ignore[misc]
    ]
    for name, work in todo:
        line(f"{name}, candidates", work())
    if python:
        line("datatrove 14x8, candidates", texts.datatrove(python, 14, 8))
    heads = (f"{kind} ({len(pairs)})" for kind, pairs in kinds.items())
    table("short answers", lines, ("precision", "recall", "F1", *heads))


def main() -> None:
    """Print Markdown tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=DEFAULT)
    parser.add_argument("--datatrove", help="the interpreter of an environment with datatrove")
    parser.add_argument("--seeds", type=int, default=10)
    given = parser.parse_args()
    licences(given.folder, given.seeds, given.datatrove)
    answers(given.folder, given.seeds, given.datatrove)


if __name__ == "__main__":
    main()
