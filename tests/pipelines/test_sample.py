"""The sample crawl: the same bytes for the same seed, and a truth that holds."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from stdnum import luhn
from stdnum.cn import ric

from pipelines.sample import write_sample
from pipelines.sample.crawl import TARGETS
from pipelines.sources import Record, Reject, plan, read


@pytest.fixture(scope="module")
def crawl(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_sample(tmp_path_factory.mktemp("sample") / "s.warc.gz", 700, seed=1).warc


def test_same_seed_same_bytes(tmp_path: Path) -> None:
    made = [write_sample(tmp_path / n / "s.warc.gz", 60, seed) for n, seed in (("a", 5), ("b", 5), ("c", 6))]
    warcs = [m.warc.read_bytes() for m in made]
    assert warcs[0] == warcs[1] != warcs[2]
    assert made[0].truth.read_bytes() == made[1].truth.read_bytes()


def test_truth_holds(crawl: Path) -> None:
    truth = pq.read_table(crawl.with_name("s.truth.parquet")).to_pylist()
    kinds = Counter(row["kind"] for row in truth)
    assert len(kinds) >= 12
    measured = [row["true_jaccard"] for row in truth if row["kind"] == "near_dup"]
    for target in TARGETS:
        assert any(abs(j - target) < 0.06 for j in measured), target
    for row in truth:
        for item in row["pii"]:
            assert row["main_text"][item["start"] : item["end"]] == item["value"]
            assert item["kind"] != "credit_card" or luhn.is_valid(item["value"])
            assert item["kind"] != "cn_id" or ric.is_valid(item["value"])
        for item in row["lookalikes"]:
            assert row["main_text"][item["start"] : item["end"]] == item["value"]


def test_records_lie_where_the_truth_says(crawl: Path) -> None:
    rows = {row["doc_id"]: row for row in pq.read_table(crawl.with_name("s.truth.parquet")).to_pylist()}
    items = [i for part in plan([str(crawl)], 50_000) for i in read(part) if isinstance(i, (Record, Reject))]
    assert Counter(i.doc_id for i in items) == Counter(list(rows))
    for item in items:
        kind = rows[item.doc_id]["kind"]
        if kind in ("damaged", "not_html", "not_found"):
            assert isinstance(item, Reject), kind
        else:
            assert isinstance(item, Record), kind
            assert item.url == rows[item.doc_id]["url"]
