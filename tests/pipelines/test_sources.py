"""Reading: nothing lost, nothing twice, whatever is broken; parts cut a file exactly."""

from __future__ import annotations

import gzip
import io
import json
from collections import Counter
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.sources import Record, Reject, Skipped, plan, read
from pipelines.sources.reasons import REASONS
from pipelines.sources.tables import ROW
from pipelines.sources.warc import Damage, raw_records


def warc_record(number: int, body: bytes, length: int | None = None) -> bytes:
    block = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n" + body
    head = (
        f"WARC/1.0\r\nWARC-Type: response\r\nWARC-Target-URI: http://a/{number}\r\nWARC-Date: 2026-01-01T00:00:00Z\r\n"
    )
    head += f"WARC-Record-ID: <urn:uuid:{number}>\r\nContent-Type: application/http; msgtype=response\r\n"
    head += f"Content-Length: {len(block) if length is None else length}\r\n\r\n"
    return head.encode() + block + b"\r\n\r\n"


PLAIN = [warc_record(i, b"<p>" + bytes([65 + i]) * 5000 + b"</p>") for i in range(5)]
PACKED = [gzip.compress(p, mtime=0) for p in PLAIN]


def flipped(data: bytes, place: int) -> bytes:
    out = bytearray(data)
    out[place] ^= 0xFF
    return bytes(out)


BROKEN = {
    "cut short": (PACKED[2][:-40], [0, 1, 3, 4]),
    "wrong checksum": (flipped(PACKED[2], -6), [0, 1, 3, 4]),
    "bits overwritten": (flipped(PACKED[2], 30), [0, 1, 3, 4]),
    "garbage between": (b"garbage!" * 9 + PACKED[2], [0, 1, 2, 3, 4]),
    "length too short": (gzip.compress(warc_record(2, b"x" * 500, 90)), [0, 1, 2, 3, 4]),
    "length too long": (gzip.compress(warc_record(2, b"x" * 500, 90_000)), [0, 1, 3, 4]),
}


@pytest.mark.parametrize("name", BROKEN)
def test_damage_costs_one_record_and_is_told(name: str) -> None:
    piece, survivors = BROKEN[name]
    data = b"".join([*PACKED[:2], piece, *PACKED[3:]])
    found = list(raw_records(io.BytesIO(data), 0, len(data), bodies=True))
    urls = [int(r.headers["warc-target-uri"][-1]) for r in found if not isinstance(r, Damage)]
    assert urls == survivors
    assert sum(isinstance(r, Damage) for r in found) == 1
    places = [r.offset for r in found]
    assert places == sorted(set(places))


@pytest.mark.parametrize("part_bytes", [1_000, 200_000, 3_000_000, 1 << 40])
def test_parts_cut_a_file_exactly(shared_data: Path, part_bytes: int) -> None:
    parts = plan([str(shared_data / "webpages.warc.gz")], part_bytes)
    assert parts[0].start == 0
    assert [p.start for p in parts[1:]] == [p.end for p in parts[:-1]]
    assert sum(p.records for p in parts) == 1330
    chosen = parts if len(parts) < 50 else parts[::40]
    for part in chosen:
        assert sum(1 for _ in read(part)) == part.records


def test_every_sample_archive(shared_data: Path) -> None:
    """No crash or hang; counts agree with both reference readers on clean files; faults of broken ones are told."""
    folder = shared_data / "warc_samples"
    gold = [json.loads(line) for line in (folder / "manifest.jsonl").read_text().splitlines()]
    assert len(gold) == 100
    for entry in gold:
        items = [item for part in plan([str(folder / entry["file"])]) for item in read(part)]
        damage = [i for i in items if isinstance(i, Reject) and i.reason in ("warc.damaged", "arc.damaged")]
        records = len(items) - len(damage)
        counts = [sum((entry.get(f"{reader}_records") or {}).values()) for reader in ("warcio", "fastwarc")]
        errors = [entry.get("warcio_error"), entry.get("fastwarc_error")]
        if entry["kind"] == "arc":
            assert records >= min(counts), entry["file"]
        elif not any(errors):
            assert records in counts, (entry["file"], records, counts)
        else:
            assert records >= min(counts), (entry["file"], records, counts)
        if all(errors) and entry["kind"] != "arc":
            told = [i for i in items if isinstance(i, Reject)]
            assert told or records >= max(counts), entry["file"]
        assert all(i.reason in REASONS for i in items if isinstance(i, Reject))
        assert len({i.doc_id for i in items if not isinstance(i, Skipped)}) == len(
            [i for i in items if not isinstance(i, Skipped)]
        ), entry["file"]


def test_rows_of_nothing_count_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A thousand million nulls fit into a kilobyte; each would become a row of rejects."""
    monkeypatch.setattr("pipelines.sources.tables.FREE", 1000 * ROW)
    monkeypatch.setattr("pipelines.sources.tables.EXPANDS", 0)
    path = tmp_path / "nulls.parquet"
    pq.write_table(pa.table({"text": pa.nulls(50_000, pa.string())}), path)
    found = [item for part in plan([str(path)]) for item in read(part)]
    assert Counter(item.reason for item in found if isinstance(item, Reject)) == {
        "parquet.no_text": 1000, "file.too_large": 1,
    }  # fmt: skip


def test_jsonl_parquet_and_html(tmp_path: Path) -> None:
    rows = [{"text": f"text {i} 汉字", "url": f"http://x/{i}"} for i in range(50)]
    lines = [json.dumps(r, ensure_ascii=False) for r in rows]
    (tmp_path / "a.jsonl").write_text("\n".join([*lines, "{broken", '{"url": "http://no-text"}']) + "\n")
    (tmp_path / "b.jsonl.gz").write_bytes(gzip.compress("\n".join(lines).encode()))
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "c.parquet", row_group_size=20)
    (tmp_path / "pages").mkdir()
    for i in range(3):
        (tmp_path / "pages" / f"{i}.html").write_text(f"<html><body><p>Page {i}</p></body></html>")
    parts = plan([str(tmp_path)], part_bytes=500)
    seen = Counter((p.kind, type(i).__name__) for p in parts for i in read(p))
    assert seen == {
        ("jsonl", "Record"): 100, ("jsonl", "Reject"): 2, ("parquet", "Record"): 50, ("html", "Record"): 3,
    }  # fmt: skip
    ids = [i.doc_id for p in parts for i in read(p) if isinstance(i, (Record, Reject))]
    assert len(set(ids)) == len(ids)


def test_wrong_inputs_get_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no such input"):
        plan([str(tmp_path / "nowhere.warc.gz")])
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "x.warc.gz").write_bytes(PACKED[0])
    both = [str(tmp_path / n / "x.warc.gz") for n in ("one", "two")]
    with pytest.raises(ValueError, match="Name their common parent folder"):
        plan(both)
    sources = {p.source for p in plan([both[0], f"second={both[1]}"])}
    assert sources == {"x.warc.gz", "second"}


def test_a_damaged_row_group_costs_itself_and_no_id_is_given_twice(tmp_path: Path) -> None:
    path = tmp_path / "c.parquet"
    rows = [{"text": f"row {i} " + "x" * 50, "url": f"http://x/{i}"} for i in range(90)]
    pq.write_table(pa.Table.from_pylist(rows), path, row_group_size=30, compression="zstd")
    column = pq.read_metadata(path).row_group(1).column(0)
    data = bytearray(path.read_bytes())
    for place in range(column.dictionary_page_offset or column.data_page_offset, column.data_page_offset + 60):
        data[place] ^= 0xFF
    path.write_bytes(bytes(data))
    items = [item for part in plan([str(path)]) for item in read(part)]
    assert [item.reason for item in items if isinstance(item, Reject)] == ["file.unreadable"]
    records = [item.offset for item in items if isinstance(item, Record)]
    assert records == [*range(30), *range(60, 90)]
    assert len({item.doc_id for item in items if not isinstance(item, Skipped)}) == len(items)


@pytest.mark.parametrize("mime", ["text/html", "text/plain"])
@pytest.mark.parametrize("length", [10**15, 1 << 62, 1 << 63, 10**30, -5])
def test_an_arc_record_of_no_length(mime: str, length: int, tmp_path: Path) -> None:
    """The first record is read, what comes after the lie is one reject; every number fits into a column."""
    version = b"1 0 Winnow\nURL IP-address Archive-date Content-type Archive-length\n"
    body = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<p>hello</p>"
    members = [
        b"filedesc://a.arc 0.0.0.0 20260101000000 text/plain %d\n%s\n" % (len(version), version),
        b"http://a.example/ 1.2.3.4 20260101000000 text/html %d\n%s\n" % (len(body), body),
        f"http://b.example/ 1.2.3.4 20260101000000 {mime} {length}\n".encode() + body,
    ]
    path = tmp_path / "a.arc.gz"
    path.write_bytes(b"".join(map(gzip.compress, members)))
    found = [item for part in plan([str(path)]) for item in read(part)]
    assert [item.url for item in found if isinstance(item, Record)][:1] == ["http://a.example/"]
    assert all(item.length < 1 << 62 for item in found if isinstance(item, Record | Reject))
    if length >= 1 << 62:
        assert [item.reason for item in found if isinstance(item, Reject)] == ["arc.damaged"]
