"""Views, SQL, explain and funnel over a run made by hand, whole and half-finished; and what must not be possible."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import sys
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from rich.console import Console

from stats.explain import explain
from stats.funnel import funnel
from stats.run import open_run
from stats.show import csv_lines, json_lines, safe, save, table, write
from stats.sql import query

REPO = Path(__file__).resolve().parents[2]
ONE = "https://a.example/one"


def asked(run: Path, sql: str) -> list[dict[str, object]]:
    with open_run(run) as opened:
        return query(opened, sql).to_pylist()


def test_every_record_has_its_fate(run: Path) -> None:
    rows = asked(run, 'SELECT "offset", fate FROM fates ORDER BY 1')
    assert [(r["offset"], r["fate"]) for r in rows] == [
        (100, "kept"), (200, "filtered:tiny.words.v1"), (300, "duplicate:exact"), (400, "kept"),
        (500, "rejected:http.not_html"), (1000, "kept"), (1100, "duplicate:minhash"), (1200, "rejected:warc.damaged"),
    ]  # fmt: skip


def test_tokens_are_those_of_the_shards(run: Path) -> None:
    rows = asked(run, "SELECT url, n_tokens, shard FROM tokens JOIN kept USING (doc_id) ORDER BY n_tokens")
    # a byte is a token in this run, and each document has an end-of-text more
    assert [(r["url"], r["n_tokens"]) for r in rows] == [("https://b.example/zh/", 22), (ONE, 24), (None, 25)]
    assert {r["shard"] for r in rows} == {"shard-00000.arrow"}


@pytest.mark.parametrize("gone", ["documents", "rejects", "signals", "duplicates", "decisions", "kept", "tokens"])
def test_a_half_finished_run_has_empty_views_with_the_same_columns(run: Path, gone: str) -> None:
    whole = asked(run, f"DESCRIBE {gone}")
    shutil.rmtree(run / gone)
    with open_run(run) as opened:
        assert query(opened, f"SELECT * FROM {gone}").num_rows == 0
        half = query(opened, f"DESCRIBE {gone}").to_pylist()
        assert query(opened, "SELECT count(*) AS n FROM fates").num_rows == 1
    assert [(r["column_name"], r["column_type"]) for r in half] == [(r["column_name"], r["column_type"]) for r in whole]


def test_unfinished_work_is_not_seen(run: Path) -> None:
    (run / "documents" / ".tmp-1-part-00002.parquet").write_bytes(b"half")
    (run / "tokens" / "shard-00001.arrow.tmp").write_bytes(b"half")
    assert asked(run, "SELECT count(*) AS n FROM documents") == [{"n": 6}]
    assert asked(run, "SELECT count(*) AS n FROM tokens") == [{"n": 3}]


def test_a_folder_that_is_no_run_gets_a_sentence(run: Path, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="holds no run"):
        open_run(tmp_path / "nowhere")
    (run / "run.json").write_text('{"recipe": ')
    with pytest.raises(ValueError, match="is damaged"):
        open_run(run)
    (run / "run.json").write_text("[]")
    with pytest.raises(ValueError, match="no description of a run"):
        open_run(run)


def test_a_recipe_of_another_version_gets_a_sentence(run: Path) -> None:
    described = json.loads((run / "run.json").read_text())
    described["recipe"]["steps"][0]["sound"] = "loud"
    (run / "run.json").write_text(json.dumps(described))
    with open_run(run) as opened:
        with pytest.raises(ValueError, match=r"this version cannot read: steps\.0\.rule\.sound"):
            funnel(opened)


def test_a_damaged_part_is_told_and_never_left_out_in_silence(run: Path) -> None:
    victim = run / "documents" / "part-00000.parquet"
    victim.write_bytes(b"PAR1nonsensePAR1")
    with open_run(run) as opened:
        for ask in (lambda: query(opened, "SELECT 1"), lambda: explain(opened, ONE), lambda: funnel(opened)):
            with pytest.raises(ValueError, match=r"part-00000\.parquet cannot be read .* Delete it and run again"):
                ask()
    victim = run / "tokens" / "shard-00000.arrow"
    shutil.rmtree(run / "documents")
    victim.write_bytes(b"nonsense")
    with open_run(run) as opened:
        with pytest.raises(ValueError, match=r"shard-00000\.arrow cannot be read"):
            query(opened, "SELECT * FROM tokens")


FORBIDDEN = [
    ("SELECT * FROM read_csv('/etc/passwd')", "Permission"),
    ("SELECT * FROM read_text('{run}/../secret.txt')", "Permission"),
    ("SELECT * FROM read_text('{run}/link.txt')", "Permission"),
    ("SELECT * FROM '/etc/passwd'", "."),
    ("SELECT * FROM read_parquet('https://example.org/x.parquet')", "Permission"),
    ("SELECT * FROM glob('/etc/*')", "Permission"),
    ("SELECT * FROM secret_of_this_process", "does not exist"),
    ("SELECT getenv('HOME')", "does not exist"),
    ("COPY documents TO '{run}/x.csv'", "Only SELECT"),
    ("EXPLAIN ANALYZE COPY documents TO '{run}/x.csv'", "Only SELECT"),
    ("EXPLAIN (ANALYZE) COPY documents TO '{run}/x.csv'", "Only SELECT"),
    ("explain /* x */ analyze COPY documents TO '{run}/x.csv'", "."),
    ("ATTACH '{run}/x.db'", "Only SELECT"),
    ("EXPORT DATABASE '{run}/x'", "Only SELECT"),
    ("INSTALL httpfs", "Only SELECT"),
    ("LOAD httpfs", "Only SELECT"),
    ("SET enable_external_access = true", "Only SELECT"),
    ("PRAGMA database_list", "Only SELECT"),
    ("CREATE TABLE t AS SELECT 1", "Only SELECT"),
    ("DELETE FROM documents", "Only SELECT"),
    ("WITH x AS (SELECT 1) INSERT INTO documents SELECT * FROM x", "Only SELECT"),
    ("SELECT 1; DROP VIEW documents", "2 statements"),
    ("", "0 statements"),
    ("SELEC 1", "syntax error"),
    ("SELECT nothing FROM documents", "nothing"),
]


@pytest.mark.parametrize(("sql", "told"), FORBIDDEN)
def test_what_must_not_be_asked(run: Path, sql: str, told: str) -> None:
    (run.parent / "secret.txt").write_text("secret")
    (run / "link.txt").symlink_to(run.parent / "secret.txt")
    secret_of_this_process = pa.table({"key": ["secret"]})
    before = sorted(p for p in run.parent.rglob("*"))
    with open_run(run) as opened:
        with pytest.raises(ValueError, match=told) as refused:
            query(opened, sql.format(run=str(run).replace("'", "''")))
    assert "\n" not in str(refused.value)
    assert sorted(run.parent.rglob("*")) == before
    assert secret_of_this_process.num_rows == 1


def test_the_connection_itself_is_locked(run: Path) -> None:
    """Also without the check of statements: DuckDB refuses to leave the folder and to be set otherwise."""
    with open_run(run) as opened:
        for sql in ("COPY documents TO '/tmp/x.csv'", "ATTACH '/tmp/x.db'", "INSTALL httpfs", "SET threads = 1",
                    "SET enable_external_access = true", "SET allowed_directories = ['/']"):  # fmt: skip
            with pytest.raises(duckdb.Error):
                opened.connection.execute(sql)


def test_selects_of_every_spelling_may_be_asked(run: Path) -> None:
    for sql in ("FROM documents", "WITH k AS (SELECT 1 AS one) SELECT * FROM k", "DESCRIBE kept", "SUMMARIZE rejects",
                "EXPLAIN SELECT 1", "EXPLAIN ANALYZE SELECT count(*) FROM documents", "SELECT 1;", "VALUES (1)"):  # fmt: skip
        assert len(asked(run, sql)) > 0, sql


def test_columns_of_one_name_stay_apart(run: Path) -> None:
    assert asked(run, "SELECT 1 AS a, 2 AS a, 3 AS a_1, 4 AS a") == [{"a": 1, "a_1": 2, "a_1_1": 3, "a_2": 4}]


def test_explain_a_kept_page(run: Path) -> None:
    with open_run(run) as opened:
        (one,) = explain(opened, ONE)
        assert (one.fate, one.tokens, one.shard, one.offset, one.length) == ("kept", 24, "shard-00000.arrow", 100, 90)
        assert one.path == "/crawls/crawl.warc.gz"
        assert {kind for kind, n in one.pii.items() if n} == {"email"}
        assert "personal data: 1 email (leave)" in one.text()
        (zh,) = explain(opened, "b.example/zh")  # no scheme, no slash
        assert zh.edits == {"tiny.lines.v1": 7}
        assert "tiny.lines.v1 took 7 characters" in zh.text()


def test_explain_what_was_dropped(run: Path) -> None:
    with open_run(run) as opened:
        (short,) = explain(opened, "http://a.example/short/")
        assert (short.rule, short.value, short.threshold) == ("tiny.words.v1", "2", ">= 3")
        assert "tiny.words.v1 measured 2, keeps >= 3" in short.text()
        (near,) = explain(opened, "https://a.example/near")
        assert (near.method, near.kept_url, near.similarity) == ("minhash", ONE, 0.75)
        assert f"repeats: {ONE}" in near.text()
        (png,) = explain(opened, "https://a.example/png")
        assert (png.fate, png.detail) == ("rejected:http.not_html", "The content type is image/png.")
        (again,) = explain(opened, png.doc_id)
        assert again == png


def test_explain_what_is_unknown_names_the_nearest(run: Path) -> None:
    with open_run(run) as opened:
        with pytest.raises(ValueError, match=r"nearest is https://a\.example/near"):
            explain(opened, "https://a.example/nearr")
        with pytest.raises(ValueError, match="No record"):
            explain(opened, "x' OR 1=1 --")
    for dataset in ("documents", "rejects"):
        shutil.rmtree(run / dataset)
    with open_run(run) as opened:
        with pytest.raises(ValueError, match="no record with a URL yet"):
            explain(opened, ONE)


def test_explain_a_page_that_is_not_decided_yet(run: Path) -> None:
    for dataset in ("decisions", "kept", "tokens"):
        shutil.rmtree(run / dataset)
    with open_run(run) as opened:
        assert "not decided yet" in explain(opened, ONE)[0].text()


def test_html_folders_name_the_file(run: Path) -> None:
    described = json.loads((run / "run.json").read_text())
    described["parts"][0].update(kind="html", source="site", path="/pages/site", files=["crawl.warc.gz"])
    described["parts"][1].update(source="other")
    (run / "run.json").write_text(json.dumps(described))
    path = run / "documents" / "part-00000.parquet"
    rows = pq.read_table(path).to_pylist()
    schema = pq.read_schema(path)
    pq.write_table(pa.Table.from_pylist([{**row, "source": "site/crawl.warc.gz"} for row in rows], schema), path)
    with open_run(run) as opened:
        assert explain(opened, ONE)[0].path == "/pages/site/crawl.warc.gz"


def test_the_funnel_adds_up(run: Path) -> None:
    with open_run(run) as opened:
        rows = funnel(opened).to_pylist()
    assert [(r["stage"], r["fate"], r["documents"]) for r in rows] == [
        ("read", "records", 10), ("skipped", "warcinfo", 2), ("rejected", "http.not_html", 1),
        ("rejected", "warc.damaged", 1), ("filtered", "tiny.words.v1", 1), ("duplicate", "exact", 1),
        ("duplicate", "minhash", 1), ("kept", "kept", 3),
    ]  # fmt: skip
    assert sum(r["documents"] for r in rows[1:]) == rows[0]["documents"]
    assert sum(r["share"] for r in rows[1:]) == pytest.approx(1)
    assert rows[0]["bytes"] == sum(r["bytes"] or 0 for r in rows[1:]) == 6 * 90 + 2 * 50
    assert rows[-1]["tokens"] == 22 + 24 + 25


def test_the_funnel_of_a_half_finished_run(run: Path) -> None:
    (run / "decisions" / "part-00001.parquet").unlink()
    with open_run(run) as opened:
        rows = {r["fate"]: r["documents"] for r in funnel(opened).to_pylist()}
    assert rows["undecided"] == 2
    for dataset in ("documents", "rejects"):
        shutil.rmtree(run / dataset)
    with open_run(run) as opened:
        assert funnel(opened).to_pylist()[0]["documents"] == 0


HOSTILE = "a\x1b]0;owned\x07\x9b31m\u202eevil\u2028b\x00c\r\nd"


def test_nothing_on_the_terminal_steers_it(run: Path) -> None:
    shown = Console(file=io.StringIO(), force_terminal=True, width=200)
    shown.print(table(pa.table({HOSTILE: [HOSTILE], "b": ["[red]markup[/red]"]}), title=HOSTILE))
    text = shown.file.getvalue()  # type: ignore[attr-defined]
    assert not any(c in text for c in "\x07\x9b\u202e\u2028\x00\r")
    assert "\x1b]" not in text
    assert "[red]markup[/red]" in text
    path = run / "documents" / "part-00000.parquet"
    rows, schema = pq.read_table(path).to_pylist(), pq.read_schema(path)
    pq.write_table(pa.Table.from_pylist([{**rows[0], "url": HOSTILE, "source": HOSTILE}, *rows[1:]], schema), path)
    with open_run(run) as opened:
        told = explain(opened, rows[0]["doc_id"])[0].text()
    assert not any(c in told for c in "\x1b\x07\x9b\u202e\u2028\x00\r")


def test_csv_and_json_give_the_data_as_it_is() -> None:
    rows = pa.table(
        {
            "text": [HOSTILE, None, 'say "x", y'],
            "n": [1.5, float("nan"), None],
            "at": pa.array([0, 1, None], pa.date32()),
        }
    )
    import csv as reader

    back = list(reader.reader(io.StringIO("".join(csv_lines(rows)), newline="")))
    assert back == [
        ["text", "n", "at"],
        [HOSTILE, "1.5", "1970-01-01"],
        ["", "nan", "1970-01-02"],
        ['say "x", y', "", ""],
    ]
    lines = [json.loads(line) for line in json_lines(rows)]
    assert lines[0] == {"text": HOSTILE, "n": 1.5, "at": "1970-01-01"}
    assert lines[1] == {"text": None, "n": None, "at": "1970-01-02"}


def test_sums_are_numbers_in_json(run: Path) -> None:
    with open_run(run) as opened:
        assert list(json_lines(query(opened, "SELECT sum(length) AS n FROM documents"))) == ['{"n":540}\n']


def test_a_long_table_is_cut_and_says_so() -> None:
    shown = Console(file=io.StringIO(), width=200)
    write(pa.table({"n": range(1500)}), "table", shown)
    text = shown.file.getvalue()  # type: ignore[attr-defined]
    assert text.count("│\n") == 1000
    assert "500 more rows" in text
    assert len(safe("x" * 1000)) == 201


@pytest.mark.parametrize("ending", ["csv", "json", "jsonl", "arrow", "parquet"])
def test_saved_files_are_read_back(tmp_path: Path, ending: str) -> None:
    rows, path = pa.table({"a": [1, 2], "b": ["x", "天"]}), tmp_path / f"out.{ending}"
    save(rows, path)
    if ending == "arrow":
        back = pa.ipc.open_stream(path).read_all().to_pylist()
    else:
        back = duckdb.sql(f"SELECT * FROM '{path}'").to_arrow_table().to_pylist()
    assert back == rows.to_pylist()
    with pytest.raises(ValueError, match="let the name end in"):
        save(rows, tmp_path / "out.xlsx")


def test_formats_of_the_command(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    rows = pa.table({"a": [1, 2]})
    write(rows, "arrow", Console())
    assert pa.ipc.open_stream(capsysbinary.readouterr().out).read_all() == rows
    write(rows, "csv", Console())
    assert capsysbinary.readouterr().out == b"a\n1\n2\n"
    with pytest.raises(ValueError, match="choose one of table, csv"):
        write(rows, "xml", Console())


def test_asking_needs_neither_beam_nor_prefect() -> None:
    code = ("import sys, stats.explain, stats.funnel, stats.show, stats.sql, stats.verify\n"
            "assert not {'apache_beam', 'prefect', 'torch'} & set(sys.modules)")  # fmt: skip
    done = subprocess.run([sys.executable, "-c", code], cwd=REPO, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
