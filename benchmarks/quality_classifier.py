"""How well classifiers and single signals agree with people's labels, and how well the lists match.

python benchmarks/quality_classifier.py [FOLDER]     (default: ../shared/data; one process, about four minutes)

The classifiers are trained on what is at hand and never on the labelled set: good texts are the gold main texts of
English article and documentation pages, bad ones are what the same pages hold beside their main text, the main texts of
listing, collection and product pages, and spam messages. Nothing was chosen by looking at the labelled set. The last
row of the first table, a regression over all signals, was trained on the labelled set itself by cross-validation: it
says what the signals could give at best, not what a run would have.
"""

from __future__ import annotations

import gzip
import json
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from resiliparse.extract.html2text import extract_plain_text
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import RepeatedStratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from filters.charset import decode
from filters.language import identify
from filters.scores import load
from filters.segment import TextView
from filters.signals import SIGNALS, measure
from pipelines.classifier import Training, train
from pipelines.classifier.metrics import average_precision, interval, roc_auc
from pipelines.classifier.train import entry_of, score_texts
from pipelines.sources import Record, plan, read
from recipes.scores import UrlList, Words

DEFAULT = Path(__file__).resolve().parents[2] / "shared" / "data"
PROSE, GOODS = ("article", "documentation", None), ("listing", "collection", "product")
Reals = npt.NDArray[np.float64]
Rows = list[dict[str, Any]]


def rows_of(path: Path) -> Rows:
    """All rows of a .jsonl.gz."""
    return [json.loads(line) for line in gzip.decompress(path.read_bytes()).splitlines()]


def pages(folder: Path) -> Iterator[tuple[dict[str, Any], str]]:
    """Each page with a full gold text, and all text that it shows."""
    for crawl, gold in (
        ("webpages.warc.gz", "gold_text.jsonl.gz"),
        ("bulk_real/real-000.warc.gz", "bulk_real/gold_text.jsonl.gz"),
    ):
        golds = {
            row["url"]: row for row in rows_of(folder / gold) if row.get("text") and "fulltext" in row["gold_type"]
        }
        for part in plan([str(folder / crawl)]):
            for item in read(part):
                if isinstance(item, Record) and item.url in golds:
                    html = decode(item.payload, item.charset_header).text
                    yield golds[item.url], extract_plain_text(html, main_content=False, list_bullets=False)


def heaps(folder: Path) -> tuple[list[str], list[str]]:
    """Good and bad texts, English by lid.176."""
    good, bad = [], [row["text"] for row in rows_of(folder / "spam_sms.jsonl.gz") if row["label"] == "spam"]
    for gold, shown in pages(folder):
        main = " ".join(gold["text"].split())
        beside = "\n".join(line for line in shown.splitlines() if line.strip() and " ".join(line.split()) not in main)
        if len(beside) >= 200:
            bad.append(beside)
        if len(main) >= 500 and gold.get("page_type") in PROSE:
            good.append(gold["text"])
        elif gold.get("page_type") in GOODS:
            bad.append(gold["text"])
    return [english(heap) for heap in (good, bad)]  # type: ignore[return-value]


def english(texts: list[str]) -> list[str]:
    """Those that lid.176 calls English."""
    lang, _ = identify(pa.array(texts, pa.large_string()))
    return [text for text, code in zip(texts, lang.to_pylist(), strict=True) if code == "en"]


def told(name: str, values: Reals, good: npt.NDArray[np.bool_], turned: bool = True) -> tuple[float, str]:
    """A row of the table, with its area; a signal is turned so that more is better, and the sign says how."""
    area = roc_auc(values, good)
    sign = ""
    if turned:
        sign, values = ("more is better", values) if area >= 0.5 else ("less is better", -values)
    area = roc_auc(values, good)
    low, high = interval(values, good)
    return area, f"| {name} | {area:.3f} | {low:.3f} to {high:.3f} | {average_precision(values, good):.3f} | {sign} |"


def signal_values(texts: list[str]) -> dict[str, Reals]:
    """Every signal that is a number, nulls as the median."""
    text = pa.array(texts, pa.large_string())
    measured = measure(TextView(text, identify(text)[0]), list(SIGNALS))
    found = {}
    for name, values in measured.items():
        numbers = values.cast(pa.float64()).to_numpy(zero_copy_only=False)
        middle = np.nanmedian(numbers) if np.isfinite(numbers).any() else 0.0
        found[name] = np.where(np.isfinite(numbers), numbers, middle)
    return found


def cross_validated(features: Reals, good: npt.NDArray[np.bool_]) -> Reals:
    """Mean out-of-fold log odds of ten repeats of five folds."""
    total = np.zeros(len(good))
    for fit, judge in RepeatedStratifiedKFold(n_splits=5, n_repeats=10, random_state=0).split(features, good):
        model = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=5000))
        total[judge] += model.fit(features[fit], good[fit]).decision_function(features[judge])
    return total / 10


def overlapping(texts: list[str], others: list[str]) -> int:
    """How many of `texts` share half or more of their word 8-grams with `others`."""

    def grams(text: str) -> set[int]:
        words = text.lower().split()
        return {hash(tuple(words[k : k + 8])) for k in range(len(words) - 7)}

    seen = set().union(*(grams(text) for text in others))
    return sum(len(own & seen) * 2 >= len(own) > 0 for own in map(grams, texts))


def quality(folder: Path) -> None:
    """The first table."""
    labelled = rows_of(folder / "quality_dclm_human.jsonl.gz")
    texts, good = [row["text"] for row in labelled], np.array([bool(row["good"]) for row in labelled])
    signals = signal_values(texts)
    rows = []
    with tempfile.TemporaryDirectory() as scratch:
        heap = heaps(folder)
        paths = [Path(scratch) / name for name in ("good.jsonl", "bad.jsonl")]
        for path, some in zip(paths, heap, strict=True):
            path.write_text("".join(json.dumps({"text": text}) + "\n" for text in some))
        for kind, more in (("fasttext", {"epoch": 25}), ("hashing_lr", {"case": "lower"})):
            options = Training.model_validate({"kind": kind, **more})
            card = train(paths[:1], paths[1:], Path(scratch) / kind, options)
            held = card["classes"]["holdout"]
            values = score_texts(entry_of(options), Path(scratch) / kind / card["model"]["file"], texts)
            rows.append(
                told(f"{kind}, trained on {sum(card['classes']['training'].values()):,} texts", values, good, False)[1]
            )
            print(f"{kind}: ROC-AUC {card['metrics']['roc_auc']:.3f} on its own hold-out of {sum(held.values())}.\n")
    print(
        f"{len(heap[0]):,} good and {len(heap[1]):,} bad texts; {len(texts)} labelled, {int(good.sum())} good;"
        f" {overlapping(texts, [t for h in heap for t in h])} of them share half their 8-grams with training texts.\n"
    )
    print("| | ROC-AUC | 95 % | PR-AUC | direction |\n|---|---:|---:|---:|---|")
    print(*rows, sep="\n")
    alone = [told(f"`{name}`", values, good) for name, values in signals.items() if len(np.unique(values)) > 1]
    print(*(row for _, row in sorted(alone, key=lambda pair: -pair[0])), sep="\n")
    together = cross_validated(np.stack(list(signals.values()), 1), good)
    print(told(f"all {len(signals)} signals, trained on these labels (cross-validated)", together, good, False)[1])


def url_lists(folder: Path) -> None:
    """The second table: UT1's domains, what is near them, and pages that are no part of it."""
    path = folder / "urls_ut1.jsonl.gz"
    listed = sorted({row["domain"] for row in rows_of(path)})
    known = set(listed)
    apart = [d for d in listed if not any(d.split(".", k)[k] in known for k in range(1, d.count(".") + 1))]
    real = sorted({row["url"] for row in rows_of(folder / "gold_text.jsonl.gz") if row.get("url_known")})
    groups: list[tuple[str, list[str]]] = [
        ("the domain itself", [f"http://{d}/" for d in listed]),
        ("upper case, user, port, final dot", [f"HTTPS://u:p@{d.upper()}.:8443/x" for d in listed]),
        ("a host below it", [f"http://a.b.{d}/" for d in listed]),
        ("a longer name, no listed host above it (must not match)", [f"http://not{d}/" for d in apart]),
        ("as a label of another domain (must not match)", [f"http://{d}.example.org/" for d in listed]),
        ("as user of another host (must not match)", [f"http://{d}@example.org/" for d in listed]),
        ("real pages of the extraction set (unlabelled)", real),
    ]
    print("\n| URLs | number | valid | listed: subdomains | registrable | exact |\n|---|---:|---:|---:|---:|---:|")
    for name, urls in groups:
        batch = pa.RecordBatch.from_arrays([pa.array(urls)], ["url"])
        blank = pa.array([""] * len(urls), pa.large_string())
        shares = []
        for hosts in ("subdomains", "registrable", "exact"):
            entry = UrlList.model_validate(
                {"kind": "url_list", "id": "ut1", "what": "UT1", "evidence": "C", "hosts": hosts}
            )
            values = load(entry, str(path)).score(batch, blank, blank.cast(pa.string())).drop_null().to_numpy()
            shares.append(f"{values.mean():.2%}")
        print(f"| {name} | {len(urls):,} | {len(values):,} | {' | '.join(shares)} |")
    entry = UrlList.model_validate({"kind": "url_list", "id": "ut1", "what": "UT1", "evidence": "C"})
    batch = pa.RecordBatch.from_arrays([pa.array(real)], ["url"])
    blank = pa.array([""] * len(real), pa.large_string())
    found = load(entry, str(path)).columns(batch, blank, blank.cast(pa.string()))["score_ut1_category"]
    counts = Counter(found.drop_null().to_pylist()).most_common()
    print("\nThe real pages listed are: " + ", ".join(f"{name} {number}" for name, number in counts) + ".")


def bad_words(folder: Path) -> None:
    """The third table: LDNOOBW against labels of toxicity, which ask another question."""
    labelled = rows_of(folder / "toxicity.jsonl.gz")
    text = pa.array([row["text"] for row in labelled], pa.large_string())
    lang = pa.array([row["lang"] for row in labelled])
    batch = pa.RecordBatch.from_arrays([text], ["text"])
    print(
        "\n| set | texts | toxic | precision | recall | F1 | listed among clean |\n|---|---:|---:|---:|---:|---:|---:|"
    )
    entry = Words.model_validate(
        {"kind": "words", "id": "bad", "what": "LDNOOBW", "evidence": "C", "measure": "any", "allow": {"zh": ["性"]}}
    )
    found = load(entry, str(folder / "badwords_ldnoobw.jsonl.gz")).score(batch, text, lang).to_numpy() > 0
    toxic = np.array([row["toxic"] == 1 for row in labelled])
    names = np.array([f"{row['set']} ({row['lang']})" for row in labelled])
    for name in sorted(set(names)):
        part = names == name
        both, hits, wanted = (found & toxic & part).sum(), (found & part).sum(), (toxic & part).sum()
        clean = (found & ~toxic & part).sum() / (~toxic & part).sum()
        precision, recall = both / max(hits, 1), both / wanted
        f1 = 2 * precision * recall / max(precision + recall, 1e-9)
        print(f"| {name} | {part.sum():,} | {wanted:,} | {precision:.3f} | {recall:.3f} | {f1:.3f} | {clean:.1%} |")


def main(folder: Path) -> None:
    """Print the tables in Markdown."""
    tables: tuple[Callable[[Path], None], ...] = (quality, url_lists, bad_words)
    for table in tables:
        table(folder)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else DEFAULT)
