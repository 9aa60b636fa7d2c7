"""How fast personal data is looked for: all kinds, one core, on web text and on lines made to be slow.

Figures are CPU time, the best of three. Hostile lines are given at one and at two megabytes: the ratio of the two times
is near 2 where work is linear in the text.

    python -m benchmarks.pii_speed [--text FILE.jsonl.gz|FILE.parquet ...] [--mb 2]
"""

from __future__ import annotations

import argparse
import gzip
import json
import time
from collections import Counter
from collections.abc import Callable
from itertools import cycle, islice
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from filters.pii import KINDS, find

SHARED = Path(__file__).parents[2] / "shared" / "data"
BATCH = 1024
HOSTILE = {
    "digits": "7", "a@": "a@", "addresses": "a@b.co ", "1.": "1.", "12 ": "12 ", "(": "(", "): ": "): ", "a:": "a:",
    "::": "::",
    "13-digit groups": "4111 1111 1111 1111 ", "phones": "Tel: +44 20 7946 0958 ", "separated": "1-(2).3/4 ",
    "base58": "1A1zP1eP5QGefi2",
    "tokens": "ghp_abcdefABCDEF0123456789abcdefABCDEF01 ", "jwt": "eyJ", "cues": "微信：QQ：passport ",
    "pem": "-----BEGIN PRIVATE KEY-----",
    "mixed": "a1b2c3d4e5 ", "[at] dot ": "a [at] b dot ", "plates": "京A", "hex pairs": "aa:bb:cc:dd:ee:",
    "iban": "GB82 WEST 1234 ",
    "key=": "api_key=f8Kd93jfLq02mXz7Rt5W ",
}  # fmt: skip


def cpu(run: Callable[[], object], times: int = 3) -> float:
    """Least CPU seconds of a few runs."""
    taken = []
    for _ in range(times):
        start = time.process_time()
        run()
        taken.append(time.process_time() - start)
    return min(taken)


def texts(path: Path) -> pa.LargeStringArray:
    """Column `text` of a file, without nulls."""
    if path.suffix == ".parquet":
        return pq.read_table(path, columns=["text"])["text"].combine_chunks().cast(pa.large_string()).drop_null()
    rows = map(json.loads, gzip.decompress(path.read_bytes()).splitlines())
    return pa.array([row["text"] for row in rows if row.get("text")], pa.large_string())


def scan(text: pa.LargeStringArray) -> Counter[str]:
    """Find all kinds, batch by batch; returns how many of each."""
    found: Counter[str] = Counter()
    for start in range(0, len(text), BATCH):
        found.update(find(text.slice(start, BATCH), list(KINDS))["kind"].to_pylist())
    return found


def hostile(unit: str, size: int) -> pa.LargeStringArray:
    """One text of `size` bytes: the unit again and again."""
    raw = unit.encode()
    data = bytes(islice(cycle(raw), size // len(raw) * len(raw)))
    return pa.array([data.decode()], pa.large_string())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--text", type=Path, nargs="*", default=[SHARED / "gold_text.jsonl.gz"])
    parser.add_argument("--mb", type=int, default=2, help="size of the longer hostile line")
    args = parser.parse_args()
    find(
        pa.array(["a@b.com 8.8.8.8 +44 20 7946 0958 key ghp_abcdefABCDEF01234567 微信"], pa.large_string()), list(KINDS)
    )
    print("| text | MB | spans | MB/s |\n|---|---:|---:|---:|")
    for path in args.text:
        text = texts(path)
        size = pc.sum(pc.binary_length(text)).as_py() / 1e6
        seconds = cpu(lambda text=text: scan(text))
        print(f"| {path.name} | {size:.1f} | {sum(scan(text).values())} | {size / seconds:.0f} |")
    print(f"\n| line of {args.mb} MB | spans | MB/s | ratio to half of it |\n|---|---:|---:|---:|")
    for name, unit in HOSTILE.items():
        half, whole = hostile(unit, args.mb * 500_000), hostile(unit, args.mb * 1_000_000)
        first, second = cpu(lambda half=half: scan(half), 2), cpu(lambda whole=whole: scan(whole), 2)
        print(f"| `{name}` | {sum(scan(whole).values())} | {args.mb / second:.1f} | {second / first:.2f} |")


if __name__ == "__main__":
    main()
