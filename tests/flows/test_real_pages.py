"""Real pages through shipped recipes: every response record of the crawl has one fate."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest
from fastwarc.warc import ArchiveIterator, WarcRecordType


@pytest.mark.slow
@pytest.mark.parametrize("recipe", ["fineweb", "zh-en-general"])
def test_every_response_has_one_fate(recipe: str, shared_data: Path, winnow, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    crawl, out = shared_data / "webpages.warc.gz", tmp_path / "run"
    done = winnow("run", crawl, "--recipe", recipe, "--out", out, "--workers", 2)
    assert done.returncode == 0, done.stderr
    with crawl.open("rb") as stream:
        responses = sum(1 for _ in ArchiveIterator(stream, record_types=WarcRecordType.response))
    with duckdb.connect() as c:
        fates, pages, kinds = c.execute(
            f"""WITH fates AS (
                SELECT doc_id, fate FROM read_parquet('{out}/decisions/*.parquet')
                UNION ALL SELECT doc_id, 'rejected:' || reason FROM read_parquet('{out}/rejects/*.parquet'))
            SELECT count(*), count(DISTINCT doc_id), list(DISTINCT split_part(fate, ':', 1)) FROM fates"""
        ).fetchall()[0]
    assert fates == pages == responses == 1329
    assert {"kept", "filtered"} <= set(kinds) <= {"kept", "filtered", "duplicate", "rejected"}
    assert winnow("verify", out).returncode == 0
