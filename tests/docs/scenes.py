"""What must lie in a folder before a page's commands can be given there, and how they are made small.

Every page is given its commands in a folder of its own. All crawls are the tutorial's (a page's own `winnow sample` makes
that one, too), and a run that another page made with the same options is copied. A model is trained for four steps. What
a page takes from a corpus that nobody has here (a token's number, an address) is replaced, and each such word is named.
"""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

PAGES, SEED = "200", "7"
SMALLER = ("--width", "16", "--heads", "2", "--layers", "1", "--context", "32", "--batch", "4", "--steps", "4")
APPENDED = {"train": (*SMALLER, "--no-curves")}
KEPT = "https://site87.winnow-sample.org/zh/87"
GONE = "https://site6.winnow-sample.org/zh/103"  # another page that is kept
REPLACED = {
    "https://example.org/page": KEPT,
    "http://gne.unknown.invalid/thepaper/4.html": KEPT,
    "https://www.medicalnewstoday.com/articles/318674": KEPT,
    "600000": "100",
    "RUN": "runs/first",
    "language:zh=0.3,source:wiki.jsonl=0.1": "language:zh=0.3",
}


def copied(base: Path, folder: Path, *names: str) -> None:
    """The shared crawl, and the shared run under these names."""
    for name in ("crawl.warc.gz", "crawl.truth.parquet", "other.warc.gz"):
        shutil.copyfile(base / name, folder / name)
    for name in names:
        shutil.copytree(base / "first", folder / name)


def texts(seed: int, count: int) -> list[str]:
    """Texts of made-up words; odd seeds like other words than even ones."""
    rng = random.Random(seed)
    words, weights = [f"w{k}" for k in range(200)], [1.0 + 3.0 * ((k + seed) % 2) for k in range(200)]
    return [" ".join(rng.choices(words, weights, k=rng.randrange(5, 60))) + f" {seed}n{i}" for i in range(count)]


def write_lines(path: Path, rows: list[dict[str, str]]) -> None:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))


def crawls(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).mkdir()
        shutil.copyfile(
            folder / ("other.warc.gz" if name == "crawl-11" else "crawl.warc.gz"), folder / name / f"{name}.warc.gz"
        )


def parquet(folder: Path, name: str) -> None:
    (folder / name).mkdir()
    pq.write_table(pa.table({"text": [*texts(0, 40), *texts(0, 5)]}), folder / name / "a.parquet")


def readme(folder: Path) -> None:
    crawls(folder, "crawl", "crawl-10", "crawl-11")
    parquet(folder, "texts")
    for name, seed in (("good", 0), ("bad", 1)):
        write_lines(folder / f"{name}.jsonl", [{"text": text} for text in texts(seed, 200)])
    write_lines(folder / "conversations.jsonl", [{"instruction": "a", "output": "b"}])
    write_lines(
        folder / "benchmarks.jsonl",
        [{"question": f"which of the {n} rivers is the longest of them all, and why"} for n in range(5)],
    )
    (folder / "opted-out-domains.txt").write_text("site1.winnow-sample.org\n")


def rights(folder: Path) -> None:
    crawls(folder, "crawl")
    (folder / "opted-out-domains.txt").write_text("site1.winnow-sample.org\n")


def tokenizers(folder: Path) -> None:
    rows = [{"text": f"the {n} cats of {n % 7} towns", "lang": "en"} for n in range(80)]
    write_lines(folder / "texts.jsonl", rows + [{"text": f"我们喜欢机器学习{n}", "lang": "zh"} for n in range(80)])


def chat(folder: Path) -> None:
    write_lines(folder / "talks.jsonl", [{"instruction": "a", "output": "b"}])
    shutil.copyfile(folder / "runs" / "first" / "tokenizer.json", folder / "tokenizer.json")


def papers(folder: Path) -> None:
    (folder / "library.txt").write_text("w1\n")
    (folder / "FACTS.toml").write_text("")


def limited(folder: Path) -> None:
    head = 'name = "limited"\ntitle = "Limited"\nextends = "zh-en-general"\n'
    (folder / "limited.toml").write_text(f"{head}[scrub]\ndrop_above = {{ us_ssn = 2 }}\n")


def misspelt_fact(folder: Path) -> None:
    (folder / "FACTS.toml").write_text('[provider]\nnmae = "x"\n')


def odd_verdict(folder: Path) -> None:
    sheet = folder / "runs" / "first" / "papers" / "tc260_manual_sample.jsonl"
    head, item, first, *rest = sheet.read_text().splitlines()
    changed = json.dumps({**json.loads(first), "verdict": "okay", "reviewer": "li"}, ensure_ascii=False)
    sheet.write_text("\n".join([head, item, changed, *rest]) + "\n")


def other_version(folder: Path) -> None:
    shutil.rmtree(folder / "runs" / "model")


# A page: the runs that lie there before, and what else is laid there.
SCENES: dict[str, tuple[tuple[str, ...], Callable[[Path], None] | None]] = {
    "README.md": (("runs/old",), readme),
    "README.zh-CN.md": (("runs/third",), None),
    "ablation.md": ((), None),
    "chat.md": (("runs/first",), chat),
    "chinese.md": (("runs/first",), None),
    "decontamination.md": ((), None),
    "dedup.md": ((), lambda folder: (crawls(folder, "crawl-10", "crawl-11"), parquet(folder, "corpus"))[0]),
    "diversity.md": (("runs/comments",), None),
    "exports.md": (("runs/first",), None),
    "lineage.md": (("runs/first",), None),
    "papers.md": (("runs/first",), papers),
    "personal-data.md": ((), limited),
    "report.md": ((), None),
    "rights.md": ((), rights),
    "run.md": ((), rights),
    "takedown.md": (("runs/first", "runs/old"), None),
    "tokenizers.md": ((), tokenizers),
    "training.md": (("runs/first",), None),
    "tutorial.md": ((), None),
    "what-if.md": ((), None),
}
# Commands before a page's own: what it says was made elsewhere.
FIRST: dict[str, list[list[str]]] = {
    "lineage.md": [["train", "runs/first/manifest.json", "--out", "runs/model"]],
    "README.md": [
        ["run", "crawl.warc.gz", "--recipe", "fineweb", "--measure-for", "all", "--out", "runs/second"],
        ["remove", "runs/old/manifest.json", "--url", GONE, "--reason", "asked", "--register", "runs/register"],
    ],
    "personal-data.md": [["run", "crawl.warc.gz", "--recipe", "limited.toml", "--out", "runs/first"]],
    "run.md": [["run", "crawl.warc.gz", "--measure-for", "all", "--out", "runs/second"]],
}
# (page, number of the command before which this is done)
BETWEEN: dict[tuple[str, int], Callable[[Path], None]] = {
    ("papers.md", 1): misspelt_fact,
    ("papers.md", 3): odd_verdict,
    ("training.md", 1): other_version,
}
