"""A crawl in which every form of opt-out is planted, over the whole road: each is filtered and explained, and what the
same hosts do not reserve is kept."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from filters.rules import first_failing
from pipelines.extract import extract
from pipelines.options import beam_options
from pipelines.rights import rights
from pipelines.sample import write_opt_outs
from pipelines.sources import plan
from recipes.load import parse
from recipes.model import Recipe
from stats.explain import explain
from stats.run import open_run
from stats.verify import verify

PARTS = 20_000
TOP = "opt-outs.example"


@pytest.fixture(scope="module")
def run(winnow, tmp_path_factory: pytest.TempPathFactory) -> Path:  # type: ignore[no-untyped-def]
    folder = tmp_path_factory.mktemp("opt-outs")
    crawl = folder / "o.warc.gz"
    write_opt_outs(crawl)
    listed = folder / "o.opt-outs.txt"
    done = winnow("run", crawl, "--out", folder / "run", "--workers", 2, "--part-bytes", PARTS, "--opt-outs", listed)
    assert done.returncode == 0, done.stderr
    return folder / "run"


def test_each_form_is_filtered_and_the_rest_is_kept(run: Path) -> None:
    truth = pq.read_table(run.with_name("o.truth.parquet")).to_pylist()
    with open_run(run) as opened:
        assert verify(opened) == []
        fates = dict(opened.rows("SELECT doc_id, fate FROM fates"))
        expected = {"policy": "rejected:rights.policy_file", True: "filtered:rights.opt_out.v1", False: "kept"}
        wrong = {
            row["url"]: fates[row["doc_id"]]
            for row in truth
            if fates[row["doc_id"]] != expected["policy" if row["form"] == "policy" else row["reserved"]]
        }
        assert wrong == {}
        asked = (
            "SELECT e.form, e.agent, e.line FROM rights, unnest(evidence) t(e) WHERE e.reserved AND e.agent = 'ccbot'"
        )
        assert sorted(opened.rows(asked), key=str) == [("noai", "ccbot", None), ("robots.txt", "ccbot", 4)]


def test_explain_shows_the_evidence(run: Path) -> None:
    pages = {
        f"https://longest.{TOP}/articles/paid": "robots.txt reserves for ccbot: line 4: Disallow: /articles/; "
        f"https://longest.{TOP}/robots.txt, status 200; fetched 2024-05-01T00:00:00Z; o.warc.gz at ",
        f"https://longest.{TOP}/articles/free/one": "robots.txt does not reserve: closes the page to none",
        f"https://unreachable.{TOP}/page": "answered 503: complete disallow (RFC 9309 2.3.1.4)",
        f"https://usage.{TOP}/page": "content-usage (robots.txt) reserves for *: line 3: Content-Usage: / train-ai=n",
        f"https://signal.{TOP}/page": "content-signal (robots.txt) reserves for *: line 2: Content-Signal: ",
        f"https://tdmrep.{TOP}/books/one.html": f"rule 2: location /books/*.html$, tdm-reservation 1; policy https://tdmrep.{TOP}/",
        f"https://ai-txt.{TOP}/stories/one": "ai.txt reserves for *: line 5: Disallow: /stories/",
        f"https://headers.{TOP}/tag-for-a-bot": "noai (header) reserves for gptbot: x-robots-tag:gptbot: noai; fetched ",
        f"https://metas.{TOP}/tdm": "tdm (meta) reserves: tdm-reservation:1; fetched 2024-05-01T00:00:00Z; o.warc.gz at ",
        f"https://www.listed-host.{TOP}/page": f"domain-list (o.opt-outs.txt) reserves: line 2: listed-host.{TOP}",
        f"https://licences.{TOP}/link": "CC-BY-SA-3.0-DE (link, head, page): https://creativecommons.org/",
    }
    with open_run(run) as opened:
        for url, said in pages.items():
            assert said in explain(opened, url)[0].text(), url


def test_a_rule_for_each_form(run: Path) -> None:
    """Every form can be ruled on by itself, over what was measured once: a fate then names the form."""
    head = 'name = "m"\ntitle = "M"\nfidelity = "R3"\nsources = ["x"]\n'
    rules = {"robots_ai": "false", "tdm_reserved": "false", "ai_txt": "false", "noai": "false", "noindex": "false",
             "domain_opted_out": "false", "content_usage": '"y"', "content_signal": '"y"', "license_family": '"cc-by"'}  # fmt: skip
    steps = "".join(
        f'[[steps]]\nkind = "rule"\nid = "rights.{signal}.v1"\nsignal = "{signal}"\nequals = {value}\nevidence = "A"\n'
        for signal, value in rules.items()
    )
    recipe: Recipe = parse((head + steps).encode(), "m.toml")
    with open_run(run) as opened:
        failing = dict(
            opened.rows(
                f"SELECT d.url, {first_failing(recipe)} FROM signals JOIN documents d USING (doc_id) WHERE TRUE"
            )
        )
    assert set(failing.values()) == {None, *(f"rights.{signal}.v1" for signal in rules)}
    assert failing[f"https://headers.{TOP}/not-listed"] == "rights.noindex.v1"
    assert failing[f"https://licences.{TOP}/link"] == "rights.license_family.v1"
    assert failing[f"https://longest.{TOP}/articles/free/one"] is None


def test_one_worker_gives_the_same_bytes(run: Path, tmp_path: Path) -> None:
    parts = plan([str(run.with_name("o.warc.gz"))], PARTS)
    with open_run(run) as opened:
        recipe = opened.recipe
    out, options = str(tmp_path / "one"), beam_options(1)
    extract(out, parts, recipe, options)
    rights(out, [part.index for part in parts], recipe, options)
    for dataset in ("documents", "rejects", "policies", "policies_by_site", "rights"):
        made = {path.name: path.read_bytes() for path in Path(out, dataset).glob("*.parquet")}
        assert made == {path.name: path.read_bytes() for path in (run / dataset).glob("*.parquet")}, dataset


def changed(path: Path, column: str, value: str) -> None:
    """Write a part again with another value in its first row, under the footer that it had."""
    table, footer = pq.read_table(path), pq.read_metadata(path).metadata
    place = table.schema.get_field_index(column)
    values = pa.array([value, *table[column].to_pylist()[1:]], table.schema.field(column).type)
    with pq.ParquetWriter(path, table.schema) as out:
        out.write_table(table.set_column(place, table.schema.field(column), values))
        out.add_key_value_metadata({k: v for k, v in footer.items() if k.startswith(b"winnow")})


BREAKS: dict[str, tuple[str, Callable[[Path], object], str]] = {
    "no rights": ("rights", Path.unlink, "is missing. Give"),
    "no policies": ("policies", Path.unlink, "is missing. Give"),
    "a policy changed": ("policies", lambda p: changed(p, "body", "Allow: /"), "does not have its hash. Delete it"),
    "a policy of another record": ("policies", lambda p: changed(p, "doc_id", "f" * 32), "just the policy files of"),
    "rights of another document": ("rights", lambda p: changed(p, "doc_id", "f" * 32), "is not row for row beside"),
}


@pytest.mark.parametrize("how", BREAKS)
def test_verify_tells_what_is_wrong(run: Path, how: str) -> None:
    dataset, breaking, told = BREAKS[how]
    victim = next(p for p in sorted((run / dataset).glob("part-*.parquet")) if pq.read_metadata(p).num_rows)
    data = victim.read_bytes()
    breaking(victim)
    try:
        with open_run(run) as opened:
            assert any(told in str(problem) and victim.name in str(problem) for problem in verify(opened))
    finally:
        victim.write_bytes(data)


def test_a_wrong_list_is_told_before_any_work(winnow, run: Path, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    told = winnow("sample", tmp_path / "o.warc.gz", "--opt-outs").stdout
    assert "records: 51" in told
    assert (tmp_path / "o.warc.gz").read_bytes() == run.with_name("o.warc.gz").read_bytes()
    wrong = tmp_path / "wrong.txt"
    wrong.write_text("good.example\nhttps://bad.example/\n")
    done = winnow("run", run.with_name("o.warc.gz"), "--out", tmp_path / "run", "--opt-outs", wrong)
    assert done.returncode == 2
    assert f"{wrong}:2: 'https://bad.example/' is no domain." in done.stderr
    assert not (tmp_path / "run" / "documents").exists()
