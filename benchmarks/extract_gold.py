"""Extraction against gold text, source by source, ours beside trafilatura's own call on the same bytes.

python benchmarks/extract_gold.py [FOLDER]     (default: ../shared/data; two processes, about a minute)

Segments are scored as trafilatura's own evaluation does (a wanted segment found, an unwanted one absent), full
texts by bag-of-words F1 a page, averaged, prefixes by recall of their words. Words are runs of letters and
digits; Han, kana and Thai count by character.
"""

from __future__ import annotations

import gzip
import json
import re
import sys
from collections import Counter, defaultdict
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import trafilatura

from filters.charset import decode
from filters.extract import make_extractor
from pipelines.sources import Record, plan, read
from recipes.model import Extract

DEFAULT = Path(__file__).resolve().parents[2] / "shared" / "data"
WORDS = re.compile(r"[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]|[^\W_\u3040-\u9fff]+")
Gold = dict[str, Any]


def gold_of(path: Path) -> dict[str, list[Gold]]:
    """Gold records by URL; a page may have several."""
    found: dict[str, list[Gold]] = defaultdict(list)
    for line in gzip.decompress(path.read_bytes()).splitlines():
        record = json.loads(line)
        found[record["url"]].append(record)
    return found


def own_text(payload: bytes) -> str:
    """What trafilatura makes of a page's bytes by itself."""
    return trafilatura.extract(payload, include_comments=False) or ""


def both_texts(page: tuple[bytes, str | None]) -> tuple[str, str]:
    """Our text of a page, and trafilatura's own of the same bytes."""
    payload, charset = page
    return make_extractor(Extract()).extract(decode(payload, charset).text).text, own_text(payload)


def word_counts(text: str) -> Counter[str]:
    """Bag of lower-case words."""
    return Counter(WORDS.findall(text.lower()))


def word_f1(text: str, gold: str) -> float:
    """F1 of two bags of words; 1 if both are empty."""
    a, b = word_counts(text), word_counts(gold)
    shared = (a & b).total()
    return 2 * shared / (a.total() + b.total()) if a or b else 1.0


def folded(text: str) -> str:
    """White space collapsed."""
    return " ".join(text.split())


class Scores:
    """Sums over the pages of one source."""

    def __init__(self) -> None:
        self.tp = self.fp = self.fn = 0
        self.f1: list[float] = []
        self.recall: list[float] = []

    def add(self, text: str, gold: Gold) -> None:
        """Count one page."""
        flat, kind = folded(text), gold["gold_type"]
        if "segments" in kind:
            wanted = [folded(s) in flat for s in gold.get("must") or []]
            unwanted = [folded(s) in flat for s in gold.get("must_not") or []]
            self.tp, self.fn, self.fp = (
                self.tp + sum(wanted),
                self.fn + len(wanted) - sum(wanted),
                self.fp + sum(unwanted),
            )
        if "fulltext" in kind and gold.get("text"):  # a few have none
            self.f1.append(word_f1(text, gold["text"]))
        if kind == "prefix":
            gold_words = word_counts(gold["text"])
            self.recall.append((word_counts(text) & gold_words).total() / max(gold_words.total(), 1))

    def figures(self) -> dict[str, float]:
        """Whatever of segment F1, word F1 and prefix recall the source has."""
        out = {}
        if self.tp + self.fn:
            out["segments F1"] = 2 * self.tp / (2 * self.tp + self.fp + self.fn)
        if self.f1:
            out["word F1"] = sum(self.f1) / len(self.f1)
        if self.recall:
            out["prefix recall"] = sum(self.recall) / len(self.recall)
        return out


def score(crawl: Path, gold_path: Path) -> tuple[dict[str, Scores], dict[str, Scores], int, int]:
    """(ours by source, trafilatura's by source, pages, pages with equal text)."""
    gold, pages, urls = gold_of(gold_path), [], []
    for part in plan([str(crawl)]):
        for item in read(part):
            if isinstance(item, Record):
                pages.append((item.payload, item.charset_header))
                urls.append(item.url or "")
    ours: dict[str, Scores] = defaultdict(Scores)
    theirs: dict[str, Scores] = defaultdict(Scores)
    equal = 0
    with ProcessPoolExecutor(2) as pool:
        for url, (mine, own) in zip(urls, pool.map(both_texts, pages, chunksize=8), strict=True):
            equal += mine == own
            for record in gold[url]:
                ours[record["source"]].add(mine, record)
                theirs[record["source"]].add(own, record)
    return ours, theirs, len(pages), equal


def main(folder: Path) -> None:
    """Print a Markdown table."""
    ours, theirs, pages, equal = score(folder / "webpages.warc.gz", folder / "gold_text.jsonl.gz")
    print(f"{equal} of {pages} pages have the text that trafilatura gives by itself.\n")
    print("| source | measure | ours | trafilatura |\n|---|---|---:|---:|")
    for source in sorted(ours):
        for measure, value in ours[source].figures().items():
            print(f"| {source} | {measure} | {value:.3f} | {theirs[source].figures()[measure]:.3f} |")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else DEFAULT)
