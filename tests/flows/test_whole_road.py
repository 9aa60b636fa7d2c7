"""A crawl goes in, shards come out: the law of conservation, the planted truth, equal bytes, and bad input.

Kills are in tests/faults.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest

from pipelines.sample import write_sample

REPO = Path(__file__).resolve().parents[2]
PARTS = 120_000  # bytes: a handful of parts


@pytest.fixture(scope="module")
def crawl(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_sample(tmp_path_factory.mktemp("crawl") / "crawl.warc.gz", 300, seed=3).warc


@pytest.fixture(scope="module")
def run(crawl: Path, winnow, tmp_path_factory: pytest.TempPathFactory) -> Path:  # type: ignore[no-untyped-def]
    out = tmp_path_factory.mktemp("runs") / "run"
    done = winnow("run", crawl, "--out", out, "--workers", 2, "--part-bytes", PARTS)
    assert done.returncode == 0, done.stderr
    assert "kept" in done.stdout
    assert "manifest" in done.stdout
    return out


def digests(run: Path) -> dict[str, str]:
    """sha256 of everything that is part of the result."""
    files = [
        p for p in run.rglob("*") if p.is_file() and "log" not in p.parts and p.name not in (".lock", "report.html")
    ]
    return {str(p.relative_to(run)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


def test_verify_proves_the_run(run: Path, winnow) -> None:  # type: ignore[no-untyped-def]
    done = winnow("verify", run)
    assert done.returncode == 0, done.stdout
    assert "every record has one fate" in done.stdout


def test_planted_truth(crawl: Path, run: Path) -> None:
    """Exact copies, near copies, personal data, opt-outs and damage end where the truth says."""
    truth = crawl.with_name("crawl.truth.parquet")
    with duckdb.connect() as c:
        for name in ("decisions", "duplicates", "kept", "rejects", "signals"):
            c.execute(f"CREATE VIEW {name} AS SELECT * FROM read_parquet('{run}/{name}/*.parquet')")
        c.execute(f"CREATE VIEW truth AS SELECT * FROM read_parquet('{truth}')")
        expected = c.execute("SELECT count(*) FROM truth").fetchone()
        found = c.execute("SELECT (SELECT count(*) FROM decisions) + (SELECT count(*) FROM rejects)").fetchone()
        assert found == expected
        leaks = c.execute(
            "SELECT count(*) FROM truth t JOIN kept k USING (doc_id), unnest(t.pii) u(p) WHERE contains(k.text, p.value)"
        ).fetchone()
        assert leaks == (0,)
        touched = c.execute(
            "SELECT count(*), count(*) FILTER (NOT contains(k.text, p.value)) "
            "FROM truth t JOIN kept k USING (doc_id), unnest(t.lookalikes) u(p)"
        ).fetchone()
        assert touched is not None
        assert touched[0] > 5
        assert touched[1] == 0
        opted = c.execute(
            "SELECT DISTINCT fate FROM truth JOIN decisions USING (doc_id) WHERE opt_out IS NOT NULL"
        ).fetchall()
        assert opted == [("filtered:rights.opt_out.v1",)]
        damaged = c.execute(
            "SELECT DISTINCT reason FROM truth JOIN rejects USING (doc_id) WHERE kind = 'damaged'"
        ).fetchall()
        assert damaged == [("warc.damaged",)]
        exact = c.execute(
            "SELECT dup_of, count(*) FILTER (d.fate = 'kept') FROM truth JOIN decisions d USING (doc_id) "
            "WHERE kind = 'exact_dup' AND NOT d.fate LIKE 'filtered%' GROUP BY 1"
        ).fetchall()
        assert exact
        assert all(kept <= 1 for _, kept in exact)
        right = c.execute(
            "SELECT avg((t.lang = s.lang)::INT) FROM truth t JOIN signals s USING (doc_id) "
            "WHERE t.lang IS NOT NULL AND kind NOT IN ('spam', 'too_short')"
        ).fetchone()
        assert right is not None
        assert right[0] >= 0.97


def test_questions(run: Path, winnow) -> None:  # type: ignore[no-untyped-def]
    asked = winnow("sql", run, "SELECT count(*) AS n FROM fates", "--format", "csv")
    assert asked.stdout.split() == ["n", "300"]
    for query in ("SELECT * FROM read_csv('/etc/passwd')", "INSTALL httpfs", "DELETE FROM documents",
                  "SET enable_external_access = true", "COPY documents TO '/tmp/x.csv'", "SELEC 1"):  # fmt: skip
        refused = winnow("sql", run, query)
        assert refused.returncode == 2, query
        assert "Traceback" not in refused.stderr
        assert refused.stderr.count("\n") == 1
    url = json.loads(
        winnow("sql", run, "SELECT url FROM fates WHERE fate LIKE 'dup%' LIMIT 1", "--format", "json").stdout
    )
    told = winnow("explain", run, url["url"])
    assert "duplicate:" in told.stdout
    assert "repeats: https://" in told.stdout
    near = winnow("explain", run, url["url"][:-1] + "x")
    assert near.returncode == 2
    assert "nearest is https://" in near.stderr


def test_one_worker_gives_the_same_bytes(crawl: Path, run: Path, winnow, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    done = winnow("run", crawl, "--out", tmp_path / "one", "--workers", 1, "--part-bytes", PARTS)
    assert done.returncode == 0, done.stderr
    assert digests(tmp_path / "one") == digests(run)


def test_a_second_call_redoes_nothing(run: Path, crawl: Path, winnow) -> None:  # type: ignore[no-untyped-def]
    before = {p: p.stat().st_mtime_ns for p in run.rglob("*.*") if p.suffix in (".parquet", ".arrow")}
    assert winnow("run", crawl, "--out", run, "--workers", 2, "--part-bytes", PARTS).returncode == 0
    assert {p: p.stat().st_mtime_ns for p in run.rglob("*.*") if p.suffix in (".parquet", ".arrow")} == before


BREAKS = {
    "a text changed": ("documents", "does not have its hash"),
    "a part gone": ("decisions", "is missing"),
    "a shard damaged": ("tokens", "sha256"),
}


@pytest.mark.parametrize("how", BREAKS)
def test_verify_finds_what_is_wrong(how: str, run: Path, winnow, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    dataset, told = BREAKS[how]
    broken = tmp_path / "run"
    shutil.copytree(run, broken)
    victim = sorted((broken / dataset).iterdir())[0]
    if how == "a text changed":
        table = pq.read_table(victim)
        place = table.schema.get_field_index("text")
        texts = ["other", *table["text"].to_pylist()[1:]]
        import pyarrow as pa

        pq.write_table(table.set_column(place, table.schema.field("text"), pa.array(texts, pa.large_string())), victim)
    elif how == "a part gone":
        victim.unlink()
    else:
        data = bytearray(victim.read_bytes())
        data[len(data) // 2] ^= 1
        victim.write_bytes(bytes(data))
    done = winnow("verify", broken)
    assert done.returncode == 1, done.stdout
    assert told in done.stdout


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["run", "nowhere.warc.gz", "--out", "{tmp}/a"], "no such input"),
        (["run", "{crawl}", "--out", "{tmp}/b", "--recipe", "finewb"], "Did you mean fineweb"),
        (["run", "{crawl}", "--out", "{tmp}/c", "--set", "gopher.min_word=3"], "Did you mean"),
        (["run", "{crawl}", "--out", "{run}", "--recipe", "fineweb"], "holds another run"),
        (["run", "{crawl}", "--out", "{tmp}/d", "--tokenizer", "none.json"], "no tokenizer file"),
        (["verify", "{tmp}"], "holds no run"),
        (["train", "{tmp}/manifest.json", "--out", "{tmp}/m"], "no manifest"),
        (["sample", "{tmp}/x.zip"], ".warc.gz"),
    ],
)
def test_bad_input_gets_a_sentence(
    arguments: list[str],
    told: str,
    crawl: Path,
    run: Path,
    winnow,
    tmp_path: Path,  # type: ignore[no-untyped-def]
) -> None:
    filled = [a.format(tmp=tmp_path, crawl=crawl, run=run) for a in arguments]
    done = winnow(*filled)
    assert done.returncode == 2, done.stdout + done.stderr
    assert told in done.stderr
    assert "Traceback" not in done.stderr
    assert not re.search(r'File "', done.stderr)


def test_recipes_are_shown(winnow) -> None:  # type: ignore[no-untyped-def]
    assert "fineweb" in winnow("recipes").stdout
    shown = winnow("recipes", "zh-en-general").stdout
    assert "Assumptions" in shown
    assert "rights.opt_out.v1" in shown
