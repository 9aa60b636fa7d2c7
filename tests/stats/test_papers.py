"""The papers of a run: their numbers are those of SQL, their formats valid, their strings harmless, their bytes equal."""

from __future__ import annotations

import csv
import json
import logging
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import tests.stats.conftest as hand
from stats.papers.facts import Facts, read_facts, template
from stats.papers.page import Blank, Grid, Page, Text
from stats.papers.safe import csv_text, markdown
from stats.papers.write import PAPERS, SHEET, TECH, Choice, Papers
from stats.run import open_run
from stats.sql import query
from tokenization.manifest import Manifest, Shard, file_sha256
from tokenization.shards import schema_for, write_shard

HOSTILE = "[x](javascript:alert(1))<script>|=cmd()\u202e"
STATED = """
[dataset]
name = "Tiny corpus"
version = "1.2.0"
licence = "CC-BY-4.0"
created = 2026-02-03T04:05:06Z
biases = ["mostly English"]
[provider]
name = "Example Ltd"
sme = true
[[sources]]
name = "crawl.warc.gz"
kind = "crawled"
origin = "foreign"
"""


@pytest.fixture
def told(run: Path) -> Path:
    """The run of conftest.py with domains, months, licences and reservations."""

    def documents(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [{**row, "crawled": f"2024-0{1 + i % 3}-05T00:00:00Z", "license": HOSTILE if i == 0 else None,
                 "date": "2020-05-01"} for i, row in enumerate(rows)]  # fmt: skip

    def signals(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [{**row, "domain": "a.example" if i % 2 else "b.example", "opted_out": i == 1}
                for i, row in enumerate(rows)]  # fmt: skip

    for part in ("part-00000.parquet", "part-00001.parquet"):
        hand.change(run / "documents" / part, documents)
        hand.change(run / "signals" / part, signals)
    return run


def write(run: Path, out: Path, facts: Facts | None = None, **choice: Any) -> Path:
    with open_run(run) as opened:
        Papers(opened, facts or Facts(), out, Choice(**choice)).write()
    return out


def ask(run: Path, sql: str) -> list[tuple[Any, ...]]:
    with open_run(run) as opened:
        return [tuple(row.values()) for row in query(opened, sql).to_pylist()]


def stated(folder: Path) -> Facts:
    (folder / "FACTS.toml").write_text(STATED)
    return read_facts(folder / "FACTS.toml")


def table_after(page: str, heading: str) -> list[list[str]]:
    """Rows of the first Markdown table after a heading."""
    lines = page[page.index(heading) :].splitlines()
    first = next(i for i, line in enumerate(lines) if line.startswith("|"))
    rows = []
    for line in lines[first + 2 :]:
        if not line.startswith("|"):
            break
        rows.append([cell.strip().replace("\\", "") for cell in re.split(r"(?<!\\)\|", line)[1:-1]])
    return rows


def test_the_numbers_of_every_paper_are_those_of_sql(told: Path, tmp_path: Path) -> None:
    out = write(told, tmp_path / "papers")
    kept, tokens = ask(told, "SELECT count(*), (SELECT sum(n_tokens) FROM tokens) FROM decisions WHERE fate = 'kept'")[
        0
    ]
    sums = "count(*), count(*) FILTER (c.fate = 'kept'), coalesce(sum(strlen(k.text)), 0), coalesce(sum(t.n_tokens), 0)"
    joined = """FROM documents d JOIN signals s USING (doc_id) JOIN decisions c USING (doc_id)
        LEFT JOIN kept k USING (doc_id) LEFT JOIN tokens t USING (doc_id) GROUP BY 1"""
    for name, zh in (("DATACARD.md", False), ("DATACARD.zh-CN.md", True)):
        page = (out / name).read_text()
        for heading, column in (
            ("## 语言" if zh else "## Languages", "s.lang"),
            ("## 域名" if zh else "## Domains", "s.domain"),
        ):
            shown = {
                row[0].split()[-1]: [int(cell.replace(",", "")) for cell in row[1:5]]
                for row in table_after(page, heading)
            }
            asked = {row[0]: [int(n) for n in row[1:]] for row in ask(told, f"SELECT {column}, {sums} {joined}")}
            assert shown == asked, (name, heading)
        fates = {row[1]: int(row[2]) for row in table_after(page, "## 每条记录" if zh else "## What became")}
        assert fates == dict(ask(told, "SELECT fate, count(*) FROM fates GROUP BY 1"))
        pii = [int(row[1]) for row in table_after(page, "## 个人信息" if zh else "## Personal data")]
        with open_run(told) as opened:
            kinds = [name for name, *_ in opened.rows("DESCRIBE kept") if name.startswith("pii_")]
        assert pii == list(ask(told, f"SELECT {', '.join(f'sum({kind})' for kind in kinds)} FROM kept")[0])
        assert sum(pii) == 1
    assert f"{kept} documents, {tokens:,} tokens" in (out / "DATASHEET.md").read_text()
    eu = json.loads((out / "eu_art53_summary.json").read_text())
    fields = {field["name"]: field["value"] for field in eu["fields"]}
    assert fields["Tokens of this run"] == tokens
    reserved = ask(
        told,
        "SELECT count(*), count(*) FILTER (fate = 'kept') FROM signals JOIN decisions USING (doc_id) WHERE opted_out",
    )
    assert (
        fields["Documents that reserve themselves (robots meta, X-Robots-Tag, TDMRep)"],
        fields["Of these, kept"],
    ) == reserved[0]
    assert fields["Latest date of data collection"] == "01/2024" and eu["crawled"]["domains"] == 2
    lines = list(csv.DictReader((out / "top_domains.csv").open()))
    assert {line["domain"]: [int(line[key]) for key in ("documents", "kept", "bytes", "tokens")] for line in lines} == {
        row[0]: [int(n) for n in row[1:]] for row in ask(told, f"SELECT s.domain, {sums} {joined}")
    }
    assert [line["rank"] for line in lines] == ["1", "2"] and lines[-1]["cumulative_share"] == "1.0"
    assert int(lines[0]["bytes"]) >= int(lines[1]["bytes"]) and lines[0]["top_10_percent"] == "True"
    ledger = list(csv.DictReader((out / "source_ledger.csv").open()))
    assert [(int(row["kept"]), int(row["tokens"])) for row in ledger] == [(kept, tokens)]
    spdx = json.loads((out / "spdx.json").read_text())["@graph"]
    package = next(one for one in spdx if one["type"] == "dataset_DatasetPackage")
    assert package["dataset_datasetSize"] == sum(s.bytes for s in Manifest.read(told / "manifest.json").shards)
    assert (
        f"{kept} documents of web text with {tokens} tokens"
        in json.loads((out / "croissant.json").read_text())["description"]
    )
    prov = json.loads((out / "prov.json").read_text())
    assert prov["entity"]["winnow:manifest"]["winnow:tokens"] == tokens
    assert prov["entity"]["winnow:documents"]["winnow:rows"] == ask(told, "SELECT count(*) FROM documents")[0][0]
    diversity = pq.read_table(out / "diversity.parquet").to_pylist()
    last = {row["group"]: row["tokens"] for row in diversity if row["by"] == "lang" and row["stage"] == "tokens"}
    assert last == dict(
        ask(told, "SELECT lang, sum(n_tokens)::BIGINT FROM tokens JOIN signals USING (doc_id) GROUP BY 1")
    )


def test_the_same_run_gives_the_same_bytes_and_a_seed_another_sample(told: Path, tmp_path: Path) -> None:
    first, second = write(told, tmp_path / "one"), write(told, tmp_path / "two")
    files = sorted(path.name for path in first.iterdir())
    assert files == sorted(path.name for path in second.iterdir()) and len(files) == 18
    for name in files:
        assert (first / name).read_bytes() == (second / name).read_bytes(), name
    other = write(told, tmp_path / "three", seed=1, only=("tc260",))
    assert (other / SHEET).read_bytes() != (first / SHEET).read_bytes()


def test_what_nobody_stated_is_marked_and_what_is_stated_stands(told: Path, tmp_path: Path) -> None:
    bare, full = write(told, tmp_path / "bare"), write(told, tmp_path / "full", stated(tmp_path))
    blank = "\\[to be stated: the provider: its legal name (provider.name)\\]"
    assert (
        blank in (bare / "DATACARD.md").read_text()
        and "【待填：提供者：法定名称（provider.name）】" in (bare / "DATACARD.zh-CN.md").read_text()
    )
    assert blank not in (full / "DATACARD.md").read_text() and "Example Ltd" in (full / "DATACARD.zh-CN.md").read_text()
    croissants = [json.loads((folder / "croissant.json").read_text()) for folder in (bare, full)]
    assert "license" not in croissants[0] and "creator" not in croissants[0]
    assert croissants[1]["license"] == "CC-BY-4.0" and croissants[1]["creator"]["name"] == "Example Ltd"
    assert "mostly English" in croissants[1]["rai:dataBiases"]
    created = [next(one for one in json.loads((folder / "spdx.json").read_text())["@graph"] if one["type"] == "CreationInfo")
               for folder in (bare, full)]  # fmt: skip
    assert created[0]["created"] == "2024-01-01T00:00:00Z" and "No time of creation was stated" in created[0]["comment"]
    assert created[1]["created"] == "2026-02-03T04:05:06Z" and "comment" not in created[1]
    fields = {field["name"]: field for field in json.loads((bare / "eu_art53_summary.json").read_text())["fields"]}
    assert fields["Provider, name"] == {
        "section": "1.1",
        "name": "Provider, name",
        "value": None,
        "to_be_stated": "provider.name",
    }
    ledger = next(csv.DictReader((full / "source_ledger.csv").open()))
    assert (ledger["kind"], ledger["origin"]) == ("crawled", "foreign") and ledger["licence"].startswith(
        "[to be stated"
    )


def test_facts_are_strict_and_the_template_holds_all_of_them(told: Path, tmp_path: Path) -> None:
    file = tmp_path / "FACTS.toml"
    for text, fault in (
        (
            '[provider]\nname = "x"\nnmae = "y"\n',
            "FACTS.toml:3: provider.nmae: there is no such fact. There are: name, contact",
        ),
        (
            '[collection]\ncrawlers = [{ name = "x", foo = 1 }]',
            "collection.crawlers.0.foo: there is no such fact. There are: name, operator",
        ),
        ('[dataset]\ndescription = " "', "FACTS.toml:2: dataset.description: String should have at least 1 character"),
        ('[[sources]]\nname = "a"\n[[sources]]\nname = "a"', "the source 'a' is stated twice"),
        ("[dataset", "is no TOML"),
    ):
        file.write_text(text)
        with pytest.raises(ValueError, match=re.escape(fault)):
            read_facts(file)
    with pytest.raises(FileNotFoundError, match="--facts-template"):
        read_facts(tmp_path / "none.toml")
    file.write_text(template())
    assert read_facts(file) == Facts()
    file.write_text(re.sub(r"^# (\w+ = |\[\[)", r"\1", template(), flags=re.MULTILINE).replace('""', '"x"'))
    full = read_facts(file)
    unstated = [(section, key) for section, values in full.model_dump().items() if isinstance(values, dict)
                for key, value in values.items() if value is None]  # fmt: skip
    assert unstated == [] and None not in full.sources[0].model_dump().values()
    file.write_text('[[sources]]\nname = "elsewhere"\n')
    with pytest.raises(ValueError, match="states the source 'elsewhere', which this run has not"):
        write(told, tmp_path / "papers", read_facts(file))


def test_croissant_holds_before_its_own_validator(told: Path, tmp_path: Path) -> None:
    import mlcroissant as mlc

    logging.getLogger("absl").setLevel(logging.ERROR)
    for facts in (None, stated(tmp_path)):
        path = write(told, told / "papers", facts, only=("croissant",)) / "croissant.json"
        dataset = mlc.Dataset(jsonld=path)
        assert not dataset.metadata.ctx.issues.errors
        assert {one.uuid for one in dataset.metadata.distribution} == {
            "manifest.json",
            "tokenizer.json",
            "shards",
            "tokens/shard-00000.arrow",
        }
        assert [field.uuid for field in dataset.metadata.record_sets[0].fields] == [
            "documents/doc_id",
            "documents/tokens",
        ]
    assert not [issue for issue in dataset.metadata.ctx.issues.warnings if "license" in issue or "version" in issue]
    broken = json.loads(path.read_text())
    broken["recordSet"][0]["field"][0]["source"]["fileSet"]["@id"] = "nothing"
    with pytest.raises(mlc.ValidationError):
        mlc.Dataset(jsonld=broken)


def test_parquet_shards_are_read_through_croissant(told: Path, tmp_path: Path) -> None:
    import mlcroissant as mlc

    logging.getLogger("absl").setLevel(logging.ERROR)
    rows = [
        {"doc_id": hand.doc_id(100), "tokens": hand.tokens_of("ab")},
        {"doc_id": hand.doc_id(400), "tokens": hand.tokens_of("c")},
    ]
    shutil.rmtree(told / "tokens")
    (told / "tokens").mkdir()
    path = told / "tokens" / "shard-00000.parquet"
    with pa.OSFile(str(path), "wb") as sink:
        write_shard(sink, pa.Table.from_pylist(rows, schema_for("uint16")), "parquet", "uint16", "mark")
    manifest = Manifest.read(told / "manifest.json")
    shard = Shard(
        path="tokens/shard-00000.parquet", bytes=path.stat().st_size, sha256=file_sha256(path), documents=2, tokens=5
    )
    (told / "manifest.json").write_bytes(
        manifest.model_copy(update={"format": "parquet", "shards": (shard,)}).as_bytes()
    )
    papers = write(told, told / "papers", only=("croissant",))
    published = tmp_path / "published"
    shutil.copytree(told / "tokens", published / "tokens")
    shutil.copy(papers / "croissant.json", published)
    read = list(mlc.Dataset(jsonld=published / "croissant.json").records("documents"))
    assert [row["documents/doc_id"].decode() for row in read] == [row["doc_id"] for row in rows]
    assert [list(row["documents/tokens"]) for row in read] == [row["tokens"] for row in rows]


def test_spdx_and_prov_hold_before_the_formats_own_readers(told: Path, tmp_path: Path) -> None:
    import spdx_python_model
    from prov.model import ProvDocument

    out = write(told, tmp_path / "papers", stated(tmp_path), only=("spdx", "prov"))
    _, objects = spdx_python_model.load(out / "spdx.json")
    assert objects.missing_ids == set()
    package = next(iter(objects.foreach_type("dataset_DatasetPackage")))
    assert package.name == "Tiny corpus" and package.software_packageVersion == "1.2.0"
    contained = next(
        one for one in objects.foreach_type("Relationship") if str(one.relationshipType).endswith("contains")
    )
    shards = {file.name: file.verifiedUsing[0].hashValue for file in contained.to}
    assert shards["tokens/shard-00000.arrow"] == Manifest.read(told / "manifest.json").shards[0].sha256
    broken = json.loads((out / "spdx.json").read_text())
    next(one for one in broken["@graph"] if one["type"] == "dataset_DatasetPackage")["dataset_datasetType"] = ["poetry"]
    (tmp_path / "broken.json").write_text(json.dumps(broken))
    with pytest.raises(Exception, match="poetry"):
        spdx_python_model.load(tmp_path / "broken.json")
    document = ProvDocument.deserialize(str(out / "prov.json"), format="json")
    kinds = {record.get_type().localpart for record in document.get_records()}
    assert kinds == {"Entity", "Activity", "Agent", "Usage", "Generation", "Association", "Derivation"}


class Tags(HTMLParser):
    """Names of all tags, and what they refer to."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.references: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.references += [value or "" for name, value in attrs if name in ("href", "src", "style") and value]


def test_crawled_strings_are_harmless_in_every_form(told: Path, tmp_path: Path) -> None:
    hand.change(told / "signals" / "part-00000.parquet", lambda rows: [{**row, "domain": HOSTILE} for row in rows])
    out = write(told, tmp_path / "papers")
    for path in out.iterdir():
        if path.suffix != ".parquet":
            assert "\u202e" not in path.read_text(), path.name
    for name in ("DATACARD.html", "DATACARD.zh-CN.html"):
        parser = Tags()
        parser.feed(page := (out / name).read_text())
        assert (
            "script" not in parser.tags
            and "a" not in parser.tags
            and "link" not in parser.tags
            and "img" not in parser.tags
        )
        assert all(re.fullmatch(r"--w:[\d.]+%", one) for one in parser.references)
        assert (
            "default-src 'none'" in page
            and "&lt;script&gt;" in page
            and "http://" not in page.replace("https://", "http://").split("<body>")[0]
        )
    for name in ("DATACARD.md", "eu_art53_summary.md"):
        assert "\\[x\\](javascript" in (text := (out / name).read_text()) and "](" not in text.replace("\\](", ""), name
        assert "<script" not in text.replace("\\<", "")
    cells = [cell for row in csv.reader((out / "top_domains.csv").open()) for cell in row]
    assert not [cell for cell in cells if cell.startswith(("=", "@", "+"))]
    assert list(csv_text(["a"], [["=1"], ["@x"], ["-2"], [-2]])) == ["a\n", "'=1\n", "'@x\n", "'-2\n", "-2\n"]


def test_a_page_is_plain_text_in_both_forms() -> None:
    page = Page("A *title*", "en", [Text("1. one\n# two"), Grid(("h|",), [("a|b",), (Blank("[x]"),)])])
    assert page.markdown() == "# A \\*title\\*\n\n1\\. one \\# two\n\n| h\\| |\n|---|\n| a\\|b |\n| **\\[x\\]** |\n"
    assert '<td><span class="blank">[x]</span></td>' in page.html() and "<p>1. one # two</p>" in page.html()
    assert markdown("snake_case _a_ 2.5% www.a.b https://c") == "snake_case \\_a\\_ 2.5% www\\.a.b https\\://c"


def test_an_unfinished_run_and_an_unknown_paper_are_refused(told: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=f"--only poem: there are {', '.join(PAPERS)}"):
        write(told, tmp_path / "papers", only=("poem",))
    (told / "manifest.json").unlink()
    with pytest.raises(FileNotFoundError, match="is not finished"):
        write(told, tmp_path / "papers")
    assert not (tmp_path / "papers").exists() and TECH.endswith(".parquet")


def test_the_commands(told: Path, tmp_path: Path) -> None:
    from typer.testing import CliRunner

    from flows.cli import app

    def call(*arguments: object) -> str:
        result = CliRunner().invoke(app, [str(one) for one in arguments])
        assert result.exit_code == 0, result.output
        return result.stdout

    assert call("papers", "--facts-template") == template()
    (tmp_path / "FACTS.toml").write_text(STATED)
    written = call("papers", told, "--facts", tmp_path / "FACTS.toml", "--only", "tc260", "--only", "eu").split("\n")
    assert [Path(one).name for one in written if one] == [
        "eu_art53_summary.json", "eu_art53_summary.md", SHEET, TECH, "tc260_report.md", "tc260_report.en.md",
        "source_blacklist.csv"]  # fmt: skip
    assert "人工抽检" in call("sheet", told / "papers" / SHEET) and "Judged by people" in call(
        "sheet", told / "papers" / SHEET, "--en"
    )
    lines = list(csv.DictReader(call("diversity", told, "--by", "lang", "--format", "csv").splitlines()))
    assert [(row["group"], row["documents"]) for row in lines if row["stage"] == "kept"] == [("en", "2"), ("zh", "1")]
    shown = call("diversity", told, "--mentions")
    assert "Shares by lang" in shown and "How even" in shown
