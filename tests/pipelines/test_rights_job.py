"""Policy files taken aside and rights judged, part by part: the planted truth, no part out of step, nothing redone."""

from __future__ import annotations

import gzip
import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.extract import extract_part
from pipelines.parts import part_path, write_part
from pipelines.policies import Policies, sort_policies
from pipelines.rights import rights_part
from pipelines.sample import write_opt_outs
from pipelines.schemas import POLICIES
from pipelines.sources import Part, PolicyFile, Record, Reject, plan, read
from recipes.model import Extract
from recipes.rights import Rights

Made = tuple[Path, str, list[Part]]
FAST = Extract(extractor="resiliparse")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """A crawl with every form, cut small, extracted: pages and the files that speak of them lie in different parts."""
    folder = tmp_path_factory.mktemp("rights")
    crawl, run = write_opt_outs(folder / "o.warc.gz").warc, str(folder / "run")
    parts = plan([str(crawl)], 15_000)
    for part in parts:
        extract_part(part, run, FAST)
    return crawl, run, parts


def choices(crawl: Path, **given: Any) -> Rights:
    return Rights(lists=(str(crawl.with_name("o.opt-outs.txt")),), **given)


def judged(run: str, parts: list[Part], rights: Rights) -> list[dict[str, Any]]:
    mark = sort_policies(run, [part.index for part in parts])
    for part in parts:
        rights_part(part.index, run, rights, mark)
    return [row for part in parts for row in pq.read_table(part_path(run, "rights", part.index)).to_pylist()]


def test_the_sample_is_the_same_bytes(tmp_path: Path) -> None:
    made = [write_opt_outs(tmp_path / name / "o.warc.gz", seed) for name, seed in (("a", 1), ("b", 1), ("c", 2))]
    warcs = [one.warc.read_bytes() for one in made]
    assert warcs[0] == warcs[1] != warcs[2]
    assert made[0].truth.read_bytes() == made[1].truth.read_bytes()


def test_every_record_has_its_place(made: Made) -> None:
    crawl, run, parts = made
    truth = pq.read_table(crawl.with_name("o.truth.parquet")).to_pylist()
    assert len(parts) > 3
    told = {name: [] for name in ("documents", "rejects", "policies")}  # type: ignore[var-annotated]
    for part, name in itertools.product(parts, told):
        told[name] += pq.read_table(part_path(run, name, part.index)).to_pylist()
    files = {row["doc_id"] for row in truth if row["form"] == "policy"}
    assert {row["doc_id"] for row in told["documents"]} == {row["doc_id"] for row in truth} - files
    assert {row["doc_id"] for row in told["policies"]} == {row["doc_id"] for row in told["rejects"]} == files
    assert {row["reason"] for row in told["rejects"]} == {"rights.policy_file"}
    robots = next(row for row in told["policies"] if row["url"] == "https://longest.opt-outs.example/robots.txt")
    assert (robots["site"], robots["scheme"], robots["status"]) == ("longest.opt-outs.example", "https", 200)
    assert robots["body"].startswith("# longest match")


def test_the_planted_truth(made: Made) -> None:
    crawl, run, parts = made
    found = {row["doc_id"]: row for row in judged(run, parts, choices(crawl))}
    pages = [r for r in pq.read_table(crawl.with_name("o.truth.parquet")).to_pylist() if r["form"] != "policy"]
    assert {row["form"] for row in pages if row["reserved"]} >= {"robots.txt", "tdm", "ai.txt", "noai", "domain-list"}
    for row in pages:
        mine = found[row["doc_id"]]
        assert mine["reserved"] == row["reserved"], row["url"]
        assert (row["says"] or "") in (mine["opt_out"] or ""), row["url"]
        assert (mine["license_spdx"], mine["license_ambiguous"]) == (row["license_spdx"], row["ambiguous"]), row["url"]
        if row["reserved"]:
            first = mine["evidence"][0]
            assert (first["form"], first["reserved"]) == (row["form"], True)
            assert first["form"] == "domain-list" or (first["source"], first["fetched"]) == (
                "o.warc.gz",
                "2024-05-01T00:00:00Z",
            )
    for part in parts:  # row for row beside documents/
        ids = [pq.read_table(part_path(run, name, part.index), columns=["doc_id"]) for name in ("documents", "rights")]
        assert ids[0].equals(ids[1])


def test_what_changes_is_judged_again_and_nothing_else(made: Made) -> None:
    crawl, run, parts = made
    listed, index = crawl.with_name("o.opt-outs.txt"), parts[0].index
    mark = sort_policies(run, [part.index for part in parts])
    path, by_site = Path(part_path(run, "rights", index)), Path(part_path(run, "policies_by_site", 0))

    def stamp(rights: Rights) -> int:
        rights_part(index, run, rights, mark)
        return path.stat().st_mtime_ns

    first, sorted_at = stamp(choices(crawl)), by_site.stat().st_mtime_ns
    assert stamp(choices(crawl)) == first
    assert stamp(choices(crawl, note="a remark")) == first
    assert sort_policies(run, [part.index for part in parts]) == mark
    assert by_site.stat().st_mtime_ns == sorted_at
    whole = path.read_bytes()
    assert stamp(choices(crawl, agents=("CCBot",))) > first
    was = listed.read_text()
    listed.write_text(was + "new.example\n")
    from pipelines.rights import opt_out_lists

    opt_out_lists.cache_clear()
    changed = stamp(choices(crawl))
    assert path.read_bytes() != whole  # another fingerprint
    listed.write_text(was)
    opt_out_lists.cache_clear()
    assert stamp(choices(crawl)) > changed
    assert path.read_bytes() == whole


@pytest.mark.parametrize("lost", ["documents", "rejects", "policies"])
def test_a_part_is_whole_or_made_again(made: Made, lost: str) -> None:
    _, run, parts = made
    part = parts[-1]
    was = {name: Path(part_path(run, name, part.index)).read_bytes() for name in ("documents", "rejects", "policies")}
    Path(part_path(run, lost, part.index)).unlink()
    extract_part(part, run, FAST)
    assert {name: Path(part_path(run, name, part.index)).read_bytes() for name in was} == was


def policies(run: str, *parts: list[dict[str, Any]]) -> Policies:
    for index, rows in enumerate(parts):
        filled = [{"doc_id": f"{index}{i:031x}", "source": "w", "offset": i, "length": 1, "scheme": "https", "path": "/robots.txt",
                   "fetched": "2024-01-01T00:00:00Z", "body": "", "truncated": False, "sha256": "", "status": 200,
                   "url": "https://x/robots.txt", **row} for i, row in enumerate(rows)]  # fmt: skip
        batch = pa.RecordBatch.from_pylist(filled, schema=POLICIES)
        write_part(part_path(run, "policies", index), [batch], POLICIES, f"m{index}", {"policies": len(rows)})
    sort_policies(run, range(len(parts)))
    return Policies(run)


def test_the_newest_answer_counts(tmp_path: Path) -> None:
    """Of captures of one file an answer beats a failure, that a redirect, and then the newest counts."""
    old, new = "2023-01-01T00:00:00Z", "2024-06-01T00:00:00Z"
    with policies(
        str(tmp_path),
        [{"site": "a", "fetched": old, "body": "old"}, {"site": "b", "status": 503, "fetched": new}, {"site": None}],
        [{"site": "a", "fetched": new, "body": "new"}, {"site": "b", "fetched": old, "body": "b"}],
        [{"site": "a", "scheme": "http", "status": 301}, {"site": "a", "path": "/ai.txt", "body": "x" * 600_000}],
    ) as found:
        of = found.of(["a", "b", "c"])
    assert sorted((p.scheme, p.path, p.body[:3]) for p in of["a"]) == [
        ("http", "/robots.txt", ""), ("https", "/ai.txt", "xxx"), ("https", "/robots.txt", "new"),
    ]  # fmt: skip
    assert [(p.status, p.body) for p in of["b"]] == [(200, "b")]
    assert set(of) == {"a", "b"}


def test_a_look_up_reads_its_own_sites_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is read does not grow with the crawl: only the row groups that can hold the sites asked for."""
    many = [{"site": f"site{i:05d}.example", "body": f"User-agent: a{i}"} for i in range(20_000)]
    with policies(str(tmp_path), many[::2], many[1::2]) as found:
        assert found.file.metadata.num_row_groups > 100
        read: list[int] = []
        whole: Callable[..., pa.Table] = found.file.read_row_group

        class Counted:
            metadata = found.file.metadata

            def read_row_group(self, group: int, columns: list[str] | None = None) -> pa.Table:
                read.append(group)
                return whole(group, columns=columns)

            def close(self) -> None:
                pass

        monkeypatch.setattr(found, "file", Counted())
        of = found.of(["site00007.example", "site19999.example", "nowhere.example"])
        assert {name: one[0].body for name, one in of.items()} == {
            "site00007.example": "User-agent: a7", "site19999.example": "User-agent: a19999",
        }  # fmt: skip
        assert len(set(read)) <= 3


def response(url: str, block: bytes) -> bytes:
    head = f"WARC/1.0\r\nWARC-Type: response\r\nWARC-Target-URI: {url}\r\nWARC-Date: 2024-01-01T00:00:00Z\r\n"
    head += f"WARC-Record-ID: <urn:uuid:1>\r\nContent-Type: application/http\r\nContent-Length: {len(block)}\r\n\r\n"
    return gzip.compress(head.encode() + block + b"\r\n\r\n", mtime=0)


def test_what_is_a_policy_file(tmp_path: Path) -> None:
    ok = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"
    packed = gzip.compress(b"User-agent: *\nDisallow: /\n" * 100_000)
    records = [
        ("http://a.example/robots.txt", ok + b"Content-Encoding: gzip\r\n\r\n" + packed),
        ("http://a.example/robots.txt", ok + b"\r\n"),
        ("http://a.example/robots.txt", b"HTTP/1.1 404 No\r\n\r\nno"),
        ("http://a.example/robots.txt", b"no answer at all"),
        ("http://a.example/robots.txt", ok + b"Content-Encoding: gzip\r\n\r\n\x1f\x8bbroken"),
        ("http://a.example/x/robots.txt", ok + b"\r\nA text about robots."),
        ("http://a.example/robots.txt?x=1", ok + b"\r\nA text about robots."),
        ("http://a.example/.well-known/tdmrep.json", ok + b"\r\n[]"),
        ("http://a.example/robots.txt", b"HTTP/1.1 206 Partial Content\r\n\r\nUser-agent: *"),
        ("http://a.example/Robots.txt", ok + b"\r\nA text about robots."),
    ]
    path = tmp_path / "c.warc.gz"
    path.write_bytes(b"".join(response(url, block) for url, block in records))
    found = list(read(plan([str(path)])[0]))
    told = [
        (i.status, len(i.body), i.truncated) if isinstance(i, PolicyFile) else getattr(i, "reason", "page")
        for i in found
    ]
    assert told == [(200, 512_000, True), (200, 0, False), (404, 0, False), "http.damaged", "http.bad_encoding", "page",
                    "page", (200, 2, False), (206, 13, False), "page"]  # fmt: skip
    assert all(isinstance(i, Reject | Record) for i in found)


def test_what_headers_and_metas_say_together(tmp_path: Path) -> None:
    """A meta that cannot be read leaves the header standing; a policy file is decoded by its mark."""
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTDM-Reservation: 1\r\n\r\n"
    page = b'<html><head><meta name="tdm-reservation" content="%s"></head><body><p>Words of a page.</p></body></html>'
    wide = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n"
    path, run = tmp_path / "c.warc.gz", str(tmp_path / "run")
    path.write_bytes(
        b"".join(response(f"http://a.example/{said.decode()}", head + page % said) for said in (b"junk", b"0"))
        + response("http://a.example/robots.txt", wide + "\ufeffUser-agent: x".encode("utf-16-le"))
        + response("http://b.example/robots.txt", wide + "\ufeffUser-agent: x".encode("utf-16-be"))
    )
    part = plan([str(path)])[0]
    extract_part(part, run, FAST)
    rows = pq.read_table(part_path(run, "documents", part.index)).to_pylist()
    assert [(row["tdm_reservation"], row["tdm_from"]) for row in rows] == [("1", "header"), ("0", "meta")]
    bodies = pq.read_table(part_path(run, "policies", part.index))["body"].to_pylist()
    assert bodies == ["User-agent: x"] * 2


def test_an_arc_file_has_pages_and_policies(tmp_path: Path) -> None:
    first = b"1 0 Org\nURL IP-address Archive-date Content-type Archive-length\n"
    data = b"filedesc://x.arc 0.0.0.0 20240101000000 text/plain %d\n%s\n" % (len(first), first)
    for name, text in (("robots.txt", b"User-agent: CCBot\nDisallow: /\n"), ("page", b"A text.")):
        block = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n" + text
        data += b"http://a.example/%s 1.2.3.4 20240101000000 text/plain %d\n%s\n" % (name.encode(), len(block), block)
    path = tmp_path / "x.arc"
    path.write_bytes(data)
    _, robots, page = read(plan([str(path)])[0])
    assert isinstance(robots, PolicyFile)
    assert (robots.path, robots.status, robots.body[:10]) == ("/robots.txt", 200, b"User-agent")
    assert isinstance(page, Record)
    assert page.payload == b"A text."
