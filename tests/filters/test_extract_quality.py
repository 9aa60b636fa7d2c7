"""No charset costs words. (How good texts are at all, tests/flows/test_real_pages.py asks.)"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "benchmarks"))

from extract_gold import gold_of, word_f1

from filters.charset import decode
from filters.extract import make_extractor
from pipelines.sources import Record, plan, read
from recipes.model import Extract


@pytest.mark.slow
def test_a_declared_charset_costs_no_words(shared_data: Path) -> None:
    """Each page re-encoded scores within 0.02 of the same page in UTF-8."""
    gold = {url: records[0] for url, records in gold_of(shared_data / "charset_variants_gold.jsonl.gz").items()}
    wanted = {record["orig_url"] for record in gold.values()}
    extractor, originals = make_extractor(Extract()), {}
    for part in plan([str(shared_data / "webpages.warc.gz")]):
        for page in read(part):
            if isinstance(page, Record) and page.url in wanted:
                originals[page.url] = extractor.extract(decode(page.payload, page.charset_header).text).text
    checked = 0
    for part in plan([str(shared_data / "charset_variants.warc.gz")]):
        for page in read(part):
            record = gold[page.url or ""] if isinstance(page, Record) else {}
            if not isinstance(page, Record) or record["charset_mode"] == "none":
                continue
            text = extractor.extract(decode(page.payload, page.charset_header).text).text
            before = originals[record["orig_url"]]
            reference = record.get("text") or before
            assert word_f1(text, reference) >= word_f1(before, reference) - 0.02, page.url
            checked += 1
    assert checked == 38
