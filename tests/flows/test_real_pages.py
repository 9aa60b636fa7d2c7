"""Real pages through shipped recipes: every response record of the crawl has one fate."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest
from fastwarc.warc import ArchiveIterator, WarcRecordType


@pytest.fixture(scope="module")
def extracted(shared_data: Path, winnow, tmp_path_factory: pytest.TempPathFactory) -> Path:  # type: ignore[no-untyped-def]
    out = tmp_path_factory.mktemp("real") / "run"
    done = winnow("run", shared_data / "webpages.warc.gz", "--recipe", "fineweb", "--out", out, "--workers", 2)
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
    """The pages' texts as a Parquet input: what was extracted once need not be extracted for every recipe."""
    texts = sum(pq.read_metadata(path).num_rows for path in (extracted / "documents").iterdir())
    out = tmp_path / "run"
    done = winnow("run", extracted / "documents", "--recipe", "zh-en-general", "--out", out, "--workers", 2)
    assert done.returncode == 0, done.stderr
    rows, pages, kinds = fates(out)
    assert rows == pages == texts
    assert {"kept", "filtered"} <= kinds <= {"kept", "filtered", "duplicate"}
    assert winnow("verify", out).returncode == 0
