"""Real pages through shipped recipes: every response record of the crawl has one fate, and the texts have a floor.

The pages are extracted once, by the run; trafilatura's own call is made on every fifth page.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest
from fastwarc.warc import ArchiveIterator, WarcRecordType

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "benchmarks"))

from extract_gold import Gold, Scores, gold_of, own_text

from pipelines.sources import Record, plan, read

# Measured with trafilatura 2.3.1's extract(bytes, include_comments=False) when the labelled pages were collected.
FLOORS = {
    ("trafilatura-eval", "segments F1"): 0.932,
    ("wcxb", "segments F1"): 0.886,
    ("wcxb", "word F1"): 0.878,
    ("article-extraction-benchmark", "word F1"): 0.956,
    ("mozilla-readability", "word F1"): 0.934,
    ("newspaper", "word F1"): 0.826,
    ("newspaper4k", "word F1"): 0.890,
    ("snacktory", "segments F1"): 0.880,
    ("goose3", "prefix recall"): 0.961,
    ("postlight-parser", "prefix recall"): 0.947,
}


@pytest.fixture(scope="module")
def extracted(shared_data: Path, winnow, tmp_path_factory: pytest.TempPathFactory) -> Path:  # type: ignore[no-untyped-def]
    out = tmp_path_factory.mktemp("real") / "run"
    done = winnow("run", shared_data / "webpages.warc.gz", "--recipe", "zh-en-general", "--out", out, "--workers", 2)
    assert done.returncode == 0, done.stderr
    return out


def fates(out: Path) -> tuple[int, int, set[str]]:
    """Rows, different documents, and kinds of fates."""
    with duckdb.connect() as c:
        rows, pages, kinds = c.execute(
            f"""WITH fates AS (
                SELECT doc_id, fate FROM read_parquet('{out}/decisions/*.parquet')
                UNION ALL SELECT doc_id, 'rejected:' || reason FROM read_parquet('{out}/rejects/*.parquet'))
            SELECT count(*), count(DISTINCT doc_id), list(DISTINCT split_part(fate, ':', 1)) FROM fates"""
        ).fetchall()[0]
    return rows, pages, set(kinds)


@pytest.mark.slow
def test_every_response_has_one_fate(extracted: Path, shared_data: Path, winnow) -> None:  # type: ignore[no-untyped-def]
    with (shared_data / "webpages.warc.gz").open("rb") as stream:
        responses = sum(1 for _ in ArchiveIterator(stream, record_types=WarcRecordType.response))
    rows, pages, kinds = fates(extracted)
    assert rows == pages == responses == 1329
    assert {"kept", "filtered"} <= kinds <= {"kept", "filtered", "duplicate", "rejected"}
    assert winnow("verify", extracted).returncode == 0


@pytest.mark.slow
def test_every_text_has_one_fate_under_another_recipe(extracted: Path, winnow, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    """Every third page's text as a Parquet input: what was extracted once need not be extracted for every recipe."""
    every = pq.read_table(extracted / "documents")
    texts = len(range(0, len(every), 3))
    pq.write_table(every.take(list(range(0, len(every), 3))), tmp_path / "texts.parquet", row_group_size=100)
    out = tmp_path / "run"
    done = winnow("run", tmp_path / "texts.parquet", "--recipe", "fineweb", "--out", out, "--workers", 2)
    assert done.returncode == 0, done.stderr
    rows, pages, kinds = fates(out)
    assert rows == pages == texts
    assert {"kept", "filtered"} <= kinds <= {"kept", "filtered", "duplicate"}
    assert winnow("verify", out).returncode == 0


def scored(texts: Iterable[tuple[str, str]], gold: dict[str, list[Gold]]) -> dict[str, Scores]:
    """Scores by source of (url, text)."""
    by_source: dict[str, Scores] = defaultdict(Scores)
    for url, text in texts:
        for record in gold[url]:
            by_source[record["source"]].add(text, record)
    return by_source


@pytest.mark.slow
def test_no_source_is_below_trafilaturas_own_figures(extracted: Path, shared_data: Path) -> None:
    gold = gold_of(shared_data / "gold_text.jsonl.gz")
    documents = pq.read_table(extracted / "documents", columns=["url", "text"])
    texts = dict(zip(documents["url"].to_pylist(), documents["text"].to_pylist(), strict=True))
    pages = [page for part in plan([str(shared_data / "webpages.warc.gz")]) for page in read(part)]
    records = [page for page in pages if isinstance(page, Record)]
    assert len(records) == 1329
    ours = scored(((page.url or "", texts.get(page.url, "")) for page in records), gold)
    for (source, measure), floor in FLOORS.items():
        assert ours[source].figures()[measure] >= floor - 0.005, (source, measure)
    sample = records[::5]
    theirs = [own_text(page.payload) for page in sample]
    equal = sum(texts.get(page.url, "") == own for page, own in zip(sample, theirs, strict=True))
    assert equal >= 0.99 * len(sample)
    beside = scored(((page.url or "", own) for page, own in zip(sample, theirs, strict=True)), gold)
    mine = scored(((page.url or "", texts.get(page.url, "")) for page in sample), gold)
    for source, scores in beside.items():
        for measure, figure in scores.figures().items():
            assert mine[source].figures()[measure] >= figure - 0.005, (source, measure)
