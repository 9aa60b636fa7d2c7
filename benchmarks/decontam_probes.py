"""Recall and false positives of decontamination: pages with a benchmark's item inserted, and pages without one.

python benchmarks/decontam_probes.py [FOLDER]     (default: ../shared/data; one process, about a minute)

`benchmarks.jsonl.gz` are the items (questions of 14 English benchmarks, and CMMLU's 67 subjects in Chinese);
`decontam_probes.jsonl.gz` are 360 pages with and without one. Then items of every length in forms of our own, false
positives on whole pages that nobody put an item into, what each mode cannot look for, how long a Chinese window must
be, and the speed on one core.
"""

from __future__ import annotations

import gzip
import json
import random
import re
import sys
import time
import unicodedata
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from dedup.decontam.index import Hits
from dedup.decontam.items import Items, load_items
from dedup.decontam.judge import judge
from dedup.decontam.needles import Needles, needles, too_short
from dedup.decontam.units import units
from recipes.decontaminate import AnyMode, EvaluationSet, Ngrams, Overlap, Paragraphs, Substrings, recommended

DEFAULT = Path(__file__).resolve().parents[2] / "shared" / "data"
KINDS = ("verbatim", "verbatim+answer", "case_ws", "punct_stripped", "light_edit", "clean", "shared_topic_clean")
PAGES = ("bulk_real/gold_text", "gold_text")


def mode(kind: Callable[..., AnyMode], **options: object) -> AnyMode:
    return kind(id="decontam.probe.v1", evidence="A", **options)


MODES: dict[str, AnyMode] = {
    "ngrams, n 13 (GPT-3)": mode(Ngrams),
    "substrings, 3 of 50 (GPT-4)": mode(Substrings),
    "overlap, 8-grams 0.7 (PaLM)": mode(Overlap),
    "overlap, 5-grams 0.5 within 3 lengths": recommended().modes[2],
    "overlap, Jaccard of 13-grams 0.8 (Gopher)": mode(Overlap, measure="jaccard", n=13, n_cjk=20, share=0.8),
    "paragraphs, same bytes (Dolma)": mode(Paragraphs),
    "paragraphs, same letters": mode(Paragraphs, normalise="letters"),
}
COMBINED = {
    "ngrams + substrings": (0, 1),
    "ngrams + substrings + overlap 5-grams (recommended)": (0, 1, 3),
}


def rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in gzip.decompress(path.read_bytes()).splitlines()]


def items_of(folder: Path) -> Items:
    """The questions alone: an answer says too little to be looked for."""
    file = str(folder / "benchmarks.jsonl.gz")
    return load_items([EvaluationSet(file=file, fields=("question",), id=("benchmark", "idx"))])


def hit(one: Needles, texts: Sequence[str]) -> set[int]:
    """Texts in which a mode finds an item (windows that are common in the corpus are not known here)."""
    found = one.find(pa.array(texts, pa.large_string()))
    out = set()
    for doc in np.unique(found.doc).tolist():
        mine = found.doc == doc
        if judge(texts[doc], [one], [Hits(*(column[mine] for column in found))]):
            out.add(doc)
    return out


def pages_of(folder: Path) -> list[str]:
    """Texts of real pages, each once."""
    texts = [row.get("text") or "" for name in PAGES for row in rows(folder / f"{name}.jsonl.gz")]
    return [text for text in dict.fromkeys(texts) if len(text) > 200]


def probe_table(probes: Sequence[dict[str, Any]], found: dict[str, set[int]]) -> None:
    """Hits by kind of probe: recall for the first five, false positives for the last two."""
    total = {kind: sum(p["mode"] == kind for p in probes) for kind in KINDS}
    print(f"\n| mode | {' | '.join(f'{kind} ({total[kind]})' for kind in KINDS)} |\n|---|{'---:|' * len(KINDS)}")
    for name, docs in found.items():
        share = (sum(probes[d]["mode"] == kind for d in docs) / max(total[kind], 1) for kind in KINDS)
        print(f"| {name} | {' | '.join(f'{value:.1%}' for value in share)} |")


EDITS: dict[str, Callable[[str, random.Random], str]] = {
    "verbatim": lambda text, _: text,
    "upper case": lambda text, _: text.upper(),
    "no punctuation": lambda text, _: re.sub(r"[^\w\s]", "", unicodedata.normalize("NFKC", text)),
    "blanks for it": lambda text, _: re.sub(r"[^\w\s]", " ", unicodedata.normalize("NFKC", text)),
    "one word other": lambda text, draw: _one_other(text, draw),
}


def _one_other(text: str, draw: random.Random) -> str:
    """One word, or in a Chinese text one character, replaced."""
    parts = re.findall(r"\s+|[\u4e00-\u9fff]|[^\s\u4e00-\u9fff]+", text)
    places = [k for k, part in enumerate(parts) if not part.isspace()]
    place = draw.choice(places)
    parts[place] = "某" if "\u4e00" <= parts[place][0] <= "\u9fff" else "something"
    return "".join(parts)


def drawn_table(found: dict[str, Needles], items: Items, pages: list[str]) -> None:
    """Items drawn from all benchmarks, 400 of each length and language, put into pages, in five forms."""
    draw = random.Random(0)
    sizes = np.diff(units(items.text).first)
    chinese = np.array([":cmmlu/" in name for name in items.names])
    groups = {
        "English, 13 words or more": ~chinese & (sizes >= 13),
        "English, 8 to 12": ~chinese & (sizes >= 8) & (sizes < 13),
        "English, under 8": ~chinese & (sizes < 8),
        "Chinese, 20 characters or more": chinese & (sizes >= 20),
        "Chinese, 12 to 19": chinese & (sizes >= 12) & (sizes < 20),
        "Chinese, under 12": chinese & (sizes < 12),
    }
    print(f"\n| items (recommended modes) | drawn | {' | '.join(EDITS)} |\n|---|---:|{'---:|' * len(EDITS)}")
    for label, mask in groups.items():
        chosen = np.flatnonzero(mask).tolist()
        chosen = draw.sample(chosen, min(400, len(chosen)))
        shares = []
        for edit in EDITS.values():
            texts = []
            for j in chosen:
                page = draw.choice(pages)[:4000]
                texts.append(f"{page[:2000]}\n{edit(items.text[j].as_py(), draw)}\n{page[2000:]}")
            names = list(found)
            hits = set().union(*(hit(found[names[place]], texts) for place in (0, 1, 3)))
            shares.append(len(hits) / len(texts))
        print(f"| {label} | {len(chosen)} | {' | '.join(f'{share:.1%}' for share in shares)} |")


def page_table(found: dict[str, Needles], items: Items, pages: list[str]) -> None:
    """What hits pages that are not known to hold an item, what cannot be looked for, and speed."""
    whole, text = [" ".join(pages)], pa.array(pages, pa.large_string())
    size = sum(len(page.encode()) for page in pages) / 1e6
    print(f"\n{len(pages):,} pages, {size:.1f} MB\n\n| mode | pages hit | hit in all pages as one document | "
          "items too short | MB/s |\n|---|---:|---:|---:|---:|")  # fmt: skip
    for name, one in found.items():
        times = []
        for _ in range(3):
            began = time.process_time()
            one.find(text)
            times.append(time.process_time() - began)
        short = int((one.sizes == 0).sum())
        all_at_once = judge(whole[0], [one], [one.find(pa.array(whole, pa.large_string()))])
        print(f"| {name} | {len(hit(one, pages))} | {len({row.item for row in all_at_once} - {-1})} | "
              f"{short:,} of {len(items.names):,} | {size / min(times):,.0f} |")  # fmt: skip


def short_line(found: dict[str, Needles], items: Items) -> None:
    """Items that no recommended mode can look for."""
    names = list(found)
    short = too_short([found[names[place]] for place in (0, 1, 3)], items)
    chinese = sum(":cmmlu/" in items.names[j] for j in short.tolist())
    print(f"\nno recommended mode looks for {len(short):,} items, {chinese:,} of them Chinese")


def chinese_table(items: Items, folder: Path) -> None:
    """Windows of so many characters: how many CMMLU items can be looked for, how many share one with another item."""
    chosen = [j for j, name in enumerate(items.names) if ":cmmlu/" in name]
    chinese = Items([items.names[j] for j in chosen], ["zh"] * len(chosen), items.text.take(pa.array(chosen)), "")
    names = (*PAGES, "langid", "langid_udhr", "toxicity")
    texts = [row.get("text") or "" for name in names for row in rows(folder / f"{name}.jsonl.gz")]
    texts = [text for text in dict.fromkeys(texts) if sum("\u4e00" <= c <= "\u9fff" for c in text) > 20]
    print(f"\n{len(chosen):,} CMMLU questions against each other, and {len(texts):,} Chinese texts, "
          f"{sum(map(len, texts)):,} characters\n\n| characters | long enough | share a window with another item | "
          "texts hit |\n|---:|---:|---:|---:|")  # fmt: skip
    for n in (8, 10, 12, 13, 16, 20, 24, 32):
        one = needles(mode(Ngrams, n_cjk=n, shortest_cjk=n), chinese)
        several = np.flatnonzero(np.diff(one.first) > 1)
        shared = {j for g in several.tolist() for j in one.owners[one.first[g] : one.first[g + 1]].tolist()}
        long = int((one.sizes > 0).sum())
        print(f"| {n} | {long / len(chosen):.1%} | {len(shared) / long:.1%} | {len(hit(one, texts))} |")


def main(folder: Path) -> None:
    """Print Markdown tables."""
    items, probes = items_of(folder), rows(folder / "decontam_probes.jsonl.gz")
    made = {name: needles(one, items) for name, one in MODES.items()}
    found = {name: hit(one, [p["text"] for p in probes]) for name, one in made.items()}
    alone = list(found.values())
    found |= {name: set().union(*(alone[place] for place in places)) for name, places in COMBINED.items()}
    probe_table(probes, found)
    pages = pages_of(folder)
    drawn_table(made, items, pages)
    page_table(made, items, pages)
    short_line(made, items)
    chinese_table(items, folder)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else DEFAULT)
