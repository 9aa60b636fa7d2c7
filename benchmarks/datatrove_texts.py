"""Texts for the side-by-side runs with datatrove: crawl files to Parquet with the columns id and text.

python benchmarks/datatrove_texts.py OUT --pages 32000 --labels LABELS.jsonl.gz --docs bulk-*.warc.gz --web real.warc.gz

Pages of `--docs` (documentation) go through resiliparse, those of `--web` through trafilatura with FineWeb's focus
on precision. All `--web` pages are taken, then all `--docs` pages that LABELS calls English, then others in the order
of a hash of their address, until `--pages` are chosen; pages without main text are left out afterwards. The same
inputs make the same files: documents go in the order of a hash of their id, each to the file that holds least.
Traded away: the pages of a language are a sample, so the share of each says nothing about the crawl.
"""

from __future__ import annotations

import argparse
import gzip
import itertools
import json
import multiprocessing
from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import xxhash

from filters.charset import decode
from filters.extract import Extracted, Sandbox
from pipelines.sources import Part, Record, plan, read
from recipes.model import Extract

SCHEMA = pa.schema([("id", pa.string()), ("text", pa.string())])
DOCS, WEB = Extract(extractor="resiliparse"), Extract(extractor="trafilatura", focus="precision")
Text = tuple[str, str]
_sandboxes: dict[str, Sandbox[str]] = {}


def wanted_urls(labels: Path, count: int) -> frozenset[str]:
    """Addresses of `count` pages: the English ones, then others by the hash of their address."""
    pages = [json.loads(line) for line in gzip.decompress(labels.read_bytes()).splitlines()]
    order = sorted(pages, key=lambda p: (p["lang"] != "en", xxhash.xxh3_64_intdigest(p["url"].encode())))
    return frozenset(page["url"] for page in order[:count])


def texts_of(job: tuple[Part, Extract, frozenset[str] | None]) -> list[Text]:
    """(id, text) of one part's wanted pages; None wants all."""
    part, options, wanted = job

    def pages() -> Iterator[tuple[str, str]]:
        for item in read(part):
            if isinstance(item, Record) and (wanted is None or item.url in wanted):
                yield item.doc_id, decode(item.payload, item.charset_header).text

    if options.extractor not in _sandboxes:  # one child a process, kept from part to part
        _sandboxes[options.extractor] = Sandbox(options)
    results = _sandboxes[options.extractor].extract_many(pages())
    return [(key, found.text) for key, found in results if isinstance(found, Extracted)]


def deal(texts: Sequence[Text], files: int) -> list[list[Text]]:
    """The texts in the order of a hash of their id, each to the file with the fewest bytes so far."""
    hands: list[list[Text]] = [[] for _ in range(files)]
    sizes = [0] * files
    for key, text in sorted(texts, key=lambda row: xxhash.xxh3_64_intdigest(row[0].encode())):
        least = sizes.index(min(sizes))
        hands[least].append((key, text))
        sizes[least] += len(text.encode())
    return hands


def main(args: argparse.Namespace) -> None:
    """Write OUT/part-NNNNN.parquet and print how many documents and megabytes they hold."""
    web = plan(args.web) if args.web else []
    web_pages = sum(part.records for part in web)
    wanted = wanted_urls(args.labels, max(0, args.pages - web_pages))
    jobs = [(part, WEB, None) for part in web] + [(part, DOCS, wanted) for part in plan(args.docs)]
    with multiprocessing.get_context("spawn").Pool(args.workers) as pool:
        texts = list(itertools.chain.from_iterable(pool.imap_unordered(texts_of, jobs)))
    args.out.mkdir(parents=True, exist_ok=True)
    for index, hand in enumerate(deal(texts, args.files)):
        rows = [{"id": key, "text": text} for key, text in hand]
        place = args.out / f"part-{index:05d}.parquet"
        pq.write_table(pa.Table.from_pylist(rows, SCHEMA), place, row_group_size=1024)
    megabytes = sum(len(text.encode()) for _, text in texts) / 1e6
    print(f"{len(texts):,} documents, {megabytes:.1f} MB in {args.files} files under {args.out}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--pages", type=int, default=32_000)
    parser.add_argument("--labels", type=Path, required=True)
    parser.add_argument("--docs", nargs="+", default=[])
    parser.add_argument("--web", nargs="*", default=[])
    parser.add_argument("--files", type=int, default=2)
    parser.add_argument("--workers", type=int, default=2)
    main(parser.parse_args())
