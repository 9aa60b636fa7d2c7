"""A part's documents and rejects lie as its records do, whatever needs an extractor and however many there are."""

from __future__ import annotations

import io
from pathlib import Path

import pyarrow as pa
import pytest
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from pipelines.extract import SandboxPool as Pool
from pipelines.extract import _PartWork
from pipelines.sources import plan
from recipes.model import Extract

PROSE = "The winter market opened in the old town, and the bakers sold bread until the evening came. " * 6
BODIES = {
    "page": ("text/html", f"<html><body><article><p>{PROSE}</p><p>{PROSE}</p></article></body></html>"),
    "text": ("text/plain", PROSE),
    "empty": ("text/html", "<html><body></body></html>"),
    "blank": ("text/plain", "   "),
}
KINDS = ["page", "text", "empty", "blank", "page", "page", "text", "text", "blank", "empty", "page", "text"] * 3


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("mixed") / "mixed.warc.gz"
    with path.open("wb") as sink:
        writer = WARCWriter(sink, gzip=True)
        for number, kind in enumerate(KINDS):
            content_type, body = BODIES[kind]
            http = StatusAndHeaders("200 OK", [("Content-Type", f"{content_type}; charset=utf-8")], protocol="HTTP/1.1")
            payload = io.BytesIO(body.replace("winter", f"winter{number}").encode())
            writer.write_record(
                writer.create_warc_record(f"https://a.example/{number}", "response", payload=payload, http_headers=http)
            )
    return path


@pytest.mark.parametrize("sandboxes", [1, 3])
def test_rows_lie_as_records_do(sandboxes: int, mixed: Path) -> None:
    (part,) = plan([str(mixed)])
    pool: Pool = Pool(Extract(), sandboxes)  # type: ignore[type-arg]
    try:
        work = _PartWork(part, pool, 1 << 20)
        made = pa.Table.from_batches(list(work.batches()))
    finally:
        pool.close()
    numbers = {
        good: [n for n, kind in enumerate(KINDS) if (kind in ("page", "text")) == good] for good in (True, False)
    }
    assert made["url"].to_pylist() == [f"https://a.example/{n}" for n in numbers[True]]
    rejected = pa.Table.from_batches(list(work.rejects()))
    assert rejected["url"].to_pylist() == [f"https://a.example/{n}" for n in numbers[False]]
    assert {*rejected["reason"].to_pylist()} == {"extract.empty", "http.empty"}
    assert work.counts["records"] == len(KINDS)


def test_many_rejects_are_held_packed(mixed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A hostile part can be millions of them; what is written is the same."""
    (part,) = plan([str(mixed)])
    tables = []
    for pack in (1_000, 2):
        monkeypatch.setattr("pipelines.extract.PACK", pack)
        pool: Pool = Pool(Extract(), 1)  # type: ignore[type-arg]
        try:
            work = _PartWork(part, pool, 1 << 20)
            for _ in work.batches():
                assert len(work.rejected) <= pack
        finally:
            pool.close()
        tables.append(pa.Table.from_batches(list(work.rejects())))
    assert work.packed
    assert tables[0].equals(tables[1])
    assert tables[0].num_rows == work.counts["rejects"] > 4
