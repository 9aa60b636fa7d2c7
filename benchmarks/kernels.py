"""Speed of the kernels on real text, one core: language, signals, signatures, personal data. Best of three.

python benchmarks/kernels.py [GOLD_TEXT.jsonl.gz]     (default: ../shared/data/bulk_real/gold_text.jsonl.gz)
python benchmarks/kernels.py --scaling                 (how the time of all signals grows with one document)

Signals are measured in batches of 64 documents, as a job does, each kernel with what it needs of the others' work
already done; the seconds are the process's own, so that another process on the machine counts little.
"""

from __future__ import annotations

import gzip
import json
import sys
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
from datasketch import MinHash

from dedup.shingles import shingles
from dedup.signatures import signatures
from filters.language import identify
from filters.pii import KINDS, scrub
from filters.segment import TextView
from filters.signals import SIGNALS, measure

DEFAULT = Path(__file__).resolve().parents[2] / "shared" / "data" / "bulk_real" / "gold_text.jsonl.gz"
BATCH = 64
FINEWEB = (
    *("word_count", "mean_word_length", "alpha_word_ratio", "hash_word_ratio", "ellipsis_word_ratio"),
    *("stop_word_count", "bullet_line_ratio", "ellipsis_line_ratio", "line_punct_ratio", "short_line_ratio"),
    *("line_char_dup_ratio", "newline_word_ratio", "dup_line_ratio", "dup_line_char_ratio"),
    *("dup_paragraph_ratio", "dup_paragraph_char_ratio"),
    *(f"top_{n}gram_char_ratio" for n in (2, 3, 4)),
    *(f"dup_{n}gram_char_ratio" for n in range(5, 11)),
)


def best(work: Callable[[], object]) -> float:
    """Least seconds of three calls, after one that compiles."""
    work()
    times = []
    for _ in range(3):
        began = time.process_time()
        work()
        times.append(time.process_time() - began)
    return min(times)


def datasketch_signatures(hashes: object, first: object) -> None:
    """datasketch's own bulk update over the same ready shingle hashes."""
    for low, high in pairwise(first):  # type: ignore[call-overload]
        MinHash(num_perm=128, hashfunc=int).update_batch(hashes[low:high])  # type: ignore[index]


def size(text: pa.LargeStringArray) -> float:
    """Megabytes of UTF-8."""
    return float(pc.sum(pc.binary_length(text)).as_py() or 0) / 1e6


def signal_rows(text: pa.LargeStringArray, lang: pa.StringArray) -> list[tuple[str, float]]:
    """(what, MB/s): tokens, each kernel alone, FineWeb's chain, all signals."""
    batches = [(text.slice(i, BATCH), lang.slice(i, BATCH)) for i in range(0, len(text), BATCH)]
    megabytes = size(text)
    views = [TextView(*batch) for batch in batches]
    rows = [("tokens", best(lambda: [TextView(*batch).tokens for batch in batches]))]
    for view in views:
        measure(view, list(SIGNALS))
    for kernel in dict.fromkeys(signal.kernel for signal in SIGNALS.values()):
        name = f"{kernel.__module__.rpartition('.')[2]}.{kernel.__name__}"
        rows.append((name, best(lambda kernel=kernel: [kernel(view) for view in views])))  # type: ignore[misc]
    for name, names in (("FineWeb's chain", list(FINEWEB)), (f"all {len(SIGNALS)}", list(SIGNALS))):
        rows.append((name, best(lambda names=names: [measure(TextView(*b), names) for b in batches])))  # type: ignore[misc]
    return [(name, megabytes / max(seconds, 1e-9)) for name, seconds in rows]


def scaling() -> None:
    """Print how the seconds of all signals grow with the size of one document."""
    shapes = {
        "words": "The quick brown fox jumps over the lazy dog number {}. ",
        "lines": "{}\n",
        "no blank": "abcdefg{}",
        "one character": "a",
        "repeated line": "the same line again\n",
        "Chinese": "我们在北京的大学学习第{}课。",
        "Chinese, no mark": "我们在北京的大学学习",
        "Japanese, no mark": "日本語の文章を形態素解析する",
    }
    megabytes = (1, 2, 4, 8)
    print("| document | " + " | ".join(f"{m} MB, s" for m in megabytes) + " |\n|---|" + "---:|" * len(megabytes))
    for name, unit in shapes.items():
        lang = pa.array(["zh" if name.startswith("C") else "ja" if name.startswith("J") else "en"])
        seconds = []
        for m in megabytes:
            count = m * 1_000_000 // len(unit.encode())
            text = pa.array(["".join(unit.format(i) for i in range(count))], pa.large_string())
            seconds.append(best(lambda text=text, lang=lang: measure(TextView(text, lang), list(SIGNALS))))  # type: ignore[misc]
        print(f"| {name} | " + " | ".join(f"{s:.2f}" for s in seconds) + " |", flush=True)


def main(path: str) -> None:
    """Print a Markdown table."""
    texts = [json.loads(line).get("text") or "" for line in gzip.decompress(Path(path).read_bytes()).splitlines()]
    text = pa.array(texts, pa.large_string())
    megabytes = size(text)
    lang, _ = identify(text)
    hashes, first = shingles(text, 5)
    few = 200
    policy = dict.fromkeys(KINDS, "placeholder")
    rows = [
        ("language", best(lambda: identify(text)), len(texts)),
        ("signatures, 128, words 5", best(lambda: signatures(text, 5, "word", 128)), len(texts)),
        ("datasketch, hashes ready", best(lambda: datasketch_signatures(hashes, first[: few + 1])), few),
        (f"scrubbing ({len(KINDS)} kinds)", best(lambda: scrub(text, policy)), len(texts)),
    ]
    print(f"{len(texts)} documents, {megabytes:.1f} MB\n\n| kernel | documents/s | MB/s |\n|---|---:|---:|")
    for name, seconds, count in rows:
        rate = f"{megabytes / seconds:.1f}" if count == len(texts) else ""
        print(f"| {name} | {count / seconds:,.0f} | {rate} |")
    print("\n| signals | MB/s |\n|---|---:|")
    for name, rate_of in signal_rows(text, lang):
        print(f"| {name} | {rate_of:,.1f} |")


if __name__ == "__main__":
    if sys.argv[1:] == ["--scaling"]:
        scaling()
    else:
        main(sys.argv[1] if len(sys.argv) > 1 else str(DEFAULT))
