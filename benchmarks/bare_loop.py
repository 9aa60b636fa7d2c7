"""The plain loop that Winnow's extraction is held against: a WARC, a charset, trafilatura, two processes.

python benchmarks/bare_loop.py CRAWL.warc.gz [PROCESSES]   prints a JSON line: pages, characters, seconds of the loop

It knows no Beam, no Prefect, no sandbox, no rights, no Parquet: it keeps nothing. Whatever it imports it must pay
for, as any command does, so `benchmarks/orchestration.py` times it from outside.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor

import trafilatura
from fastwarc.warc import ArchiveIterator, WarcRecordType

from filters.charset import decode


def pages(crawl: str) -> Iterator[str]:
    """Decoded pages of a sound WARC."""
    with open(crawl, "rb") as stream:  # noqa: PTH123
        for record in ArchiveIterator(stream, record_types=WarcRecordType.response, auto_decode="all"):
            if record.http_headers is not None and record.http_headers.status_code == 200:
                yield decode(record.reader.read(), record.http_charset).text


def extracted(html: str) -> int:
    """Characters of main text."""
    return len(trafilatura.extract(html, include_comments=False) or "")


def main(crawl: str, processes: int) -> None:
    """Extract every page, and say how many there were."""
    began = time.perf_counter()
    with ProcessPoolExecutor(processes) as pool:
        sizes = list(pool.map(extracted, pages(crawl), chunksize=8))
    seconds = time.perf_counter() - began
    print(json.dumps({"pages": len(sizes), "characters": sum(sizes), "seconds": round(seconds, 3)}))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 2)
