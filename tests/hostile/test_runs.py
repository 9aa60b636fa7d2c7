"""A hostile crawl through the whole command, and a finished run whose files are swapped for hostile ones."""

from __future__ import annotations

import json
import os
import shutil
import unicodedata
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from stats.run import open_run
from stats.sql import query
from stats.verify import verify
from tests.conftest import Winnow
from tests.hostile import columns as p
from tests.hostile import makers as m
from tests.hostile.bounds import bounded

BIDI, ESCAPE = "\u202e", "\x1b[2J"
RECIPE = (
    'name = "all"\ntitle = "All"\nfidelity = "R3"\nsources = ["none"]\n[[steps]]\nkind = "rule"\nid = "all.words.v1"\n'
    'signal = "word_count"\nmin = 1\nevidence = "A"\n[tokens]\nvocab_size = 300\nsample_bytes = 10000\n'
)


def crawl(folder: Path) -> None:
    """Honest and hostile pages in a WARC, in HTML files with names that are no text, in JSONL and in Parquet."""
    folder.mkdir()
    markup = f"<title>evil{BIDI}\0{ESCAPE}</title><article><p>{BIDI}{ESCAPE} evil {m.PROSE[::2]}</p></article>".encode()
    utf_7 = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-7\r\n\r\n" + m.PROSE[::3].encode() + b"+2AA-"
    m.between(
        m.response(b"", markup, f"http://evil.example/{BIDI}{ESCAPE}"),
        m.record("http://evil.example/7", utf_7),
        m.response(b"Content-Encoding: br\r\n", m.coded("br", bytes(100 << 20))),
    )(folder)
    for name, content in (
        (b"in\xff\n.html", b"<html><article><p>named " + m.PROSE[5::2].encode()),
        (b"x.html", markup),
    ):
        Path(os.fsdecode(os.fsencode(folder) + b"/" + name)).write_bytes(content)
    (folder / "away.html").symlink_to("/etc/passwd")
    (folder / "rows.jsonl").write_text(json.dumps({"text": f"{BIDI}{ESCAPE} row {m.PROSE[7::2]}"}) + "\n{\n")
    (folder / "deep.parquet").write_bytes(p.deep_schema(50_000))


@pytest.fixture(scope="module")
def hostile_run(winnow: Winnow, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hostile")
    crawl(folder / "crawl")
    (folder / "all.toml").write_text(RECIPE)
    done = winnow("run", folder / "crawl", "--recipe", folder / "all.toml", "--out", folder / "run", "--workers", 2)
    assert done.returncode == 0, done.stderr
    return folder / "run"


@pytest.mark.slow
def test_a_hostile_crawl_is_curated_and_every_record_has_its_fate(hostile_run: Path, winnow: Winnow) -> None:
    done = winnow("verify", hostile_run)
    assert done.returncode == 0, done.stdout + done.stderr
    with open_run(hostile_run) as run:
        reasons = {reason for (reason,) in run.rows("SELECT reason FROM rejects")}
        texts = " ".join(text for (text,) in run.rows("SELECT text FROM kept"))
    assert {"http.too_large", "file.outside", "jsonl.damaged", "file.unreadable"} <= reasons
    assert "root:" not in texts
    assert "before: The river" in texts


@pytest.mark.slow
def test_nothing_of_it_steers_a_terminal_or_hides_in_the_report(hostile_run: Path, winnow: Winnow) -> None:
    hidden = {code for code in map(chr, range(0x110000)) if unicodedata.category(code) in ("Cc", "Cf")} - {"\n", "\xad"}
    shown = winnow("sql", hostile_run, "SELECT url, source, title, text FROM documents").stdout
    shown += winnow("explain", hostile_run, f"http://evil.example/{BIDI}{ESCAPE}").stdout
    page = (hostile_run / "report.html").read_text()
    assert "evil" in shown
    for text in (shown, page):
        assert not hidden & set(text), hidden & set(text)


def swapped(run: Path) -> None:
    shutil.copy(run / "rejects" / "part-00000.parquet", run / "documents" / "part-00000.parquet")


def other_types(run: Path) -> None:
    path = run / "documents" / "part-00000.parquet"
    rows = pq.read_table(path)
    pq.write_table(rows.set_column(0, "doc_id", pa.array([[1]] * rows.num_rows)), path)


def written(name: str, make: Callable[[], bytes]) -> Callable[[Path], None]:
    return lambda run: (run / name).write_bytes(make()) and None


DOCUMENTS = "documents/part-00000.parquet"
SPOILS: dict[str, Callable[[Path], None]] = {
    "another_dataset": swapped,
    "other_types": other_types,
    "deep_schema": written(DOCUMENTS, lambda: p.deep_schema(200_000)),
    "cut_short": written(DOCUMENTS, lambda: p.file_of(p.honest())[:-9]),
    "bytes": written(DOCUMENTS, lambda: b"PAR1" + b"\xff" * 5000 + b"PAR1"),
    "run_json_deep": written("run.json", lambda: b"[" * 1_000_000),
    "run_json_of_other_types": written("run.json", lambda: b'{"recipe": 1, "parts": 2, "stages": 3}'),
    "manifest_outside": lambda run: (run / "manifest.json").write_text(
        (run / "manifest.json").read_text().replace('"tokens/', '"../tokens/')
    ) and None,
    "shard_of_bytes": lambda run: next((run / "tokens").glob("shard-*")).write_bytes(b"ARROW1\0\0" + b"\xff" * 900) and None,
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("name", SPOILS)
def test_a_run_with_hostile_files_is_told_in_a_sentence(name: str, hostile_run: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(hostile_run, run)
    SPOILS[name](run)
    told: list[str] = []
    with bounded(60, 600):
        try:
            with open_run(run) as opened:
                told += map(str, verify(opened))
                query(opened, "SELECT count(*), max(text) FROM documents")
                query(opened, "SELECT sum(n_tokens) FROM tokens")
        except (ValueError, FileNotFoundError) as error:
            told.append(str(error))
    assert told
    assert all(len(sentence.splitlines()) == 1 for sentence in told), told
