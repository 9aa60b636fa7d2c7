"""What a removal took out is in no paper, and no stage of diversity calls it kept."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from pipelines.removal.remove import remove
from pipelines.removal.request import Request, domain_target
from stats.diversity import prepare, spread
from stats.papers.facts import Facts
from stats.papers.write import SHEET, TECH, Choice, Papers
from stats.run import open_run
from tokenization.manifest import Manifest, file_sha256

DAY = "2026-11-25"
GONE = [domain_target("owner.example.net"), domain_target("site3.example")]


@pytest.fixture
def run(removal_run: Path, tmp_path: Path) -> Path:
    copy = shutil.copytree(removal_run, tmp_path / "run")
    remove(copy / "manifest.json", Request.of(GONE, "asked"), DAY)
    return copy


def test_papers_state_the_newest_version_and_hold_nothing_removed(run: Path, tmp_path: Path) -> None:
    out = tmp_path / "papers"
    with open_run(run) as opened:
        papers = Papers(opened, Facts(), out, Choice())
        papers.write()
        fates = dict(opened.rows("SELECT fate, count(*) FROM fates WHERE fate NOT LIKE 'rejected:%' GROUP BY 1"))
        tokens = opened.rows("SELECT sum(n_tokens) FROM tokens")[0][0]
        gone = {name for (name,) in opened.rows("SELECT doc_id FROM fates WHERE fate LIKE 'removed:%'")}
        sites = opened.rows("SELECT count(DISTINCT domain) FROM signals JOIN fates USING (doc_id) WHERE fate = 'kept'")
    told = papers.figures
    newest = Manifest.read(run / "manifest.0002.json")
    assert len(gone) > 30
    assert told.fates == fates
    assert (told.total.kept, told.total.tokens, told.domains) == (fates["kept"], tokens, sites[0][0])
    assert (newest.totals.documents, newest.totals.tokens) == (fates["kept"], tokens)
    rows = [json.loads(line) for line in (out / SHEET).read_text().splitlines()]
    assert rows[0]["manifest_sha256"] == file_sha256(run / "manifest.0002.json")
    assert rows[0]["population"] == rows[0]["items"] == len(rows) - 1 == fates["kept"]
    assert not gone & {row["doc_id"] for row in rows[1:]}
    assert not gone & set(pq.read_table(out / TECH)["doc_id"].to_pylist())
    with (out / "top_domains.csv").open() as stream:
        assert "site3.example" not in {row["domain"] for row in csv.DictReader(stream)}
    files = {one["@id"]: one for one in json.loads((out / "croissant.json").read_text())["distribution"]}
    assert files["manifest.0002.json"]["sha256"] == file_sha256(run / "manifest.0002.json")
    assert {shard.path for shard in newest.shards} <= files.keys() and "manifest.json" not in files
    spdx = json.loads((out / "spdx.json").read_text())["@graph"]
    assert "manifest.0002.json" in {one["name"] for one in spdx if one["type"] == "software_File"}


def test_diversity_keeps_nothing_that_was_removed(run: Path) -> None:
    with open_run(run) as opened:
        prepare(opened, ("domain",))
        rows = {(row["group"], row["stage"]): row for row in spread(opened, ("domain",)).groups.to_pylist()}
        kept = opened.rows("SELECT count(*) FROM fates WHERE fate = 'kept'")[0][0]
    assert rows["site3.example", "documents"]["documents"] == 38
    assert rows["site3.example", "kept"]["documents"] == rows["site3.example", "tokens"]["documents"] == 0
    assert sum(row["documents"] for (_, stage), row in rows.items() if stage == "kept") == kept


def test_provenance_has_rights_and_their_lists(run: Path, tmp_path: Path) -> None:
    listed = tmp_path / "optout.txt"
    listed.write_text("site1.example\n")
    described = json.loads((run / "run.json").read_text())
    described["recipe"]["rights"] = {**described["recipe"].get("rights", {}), "lists": [str(listed)]}
    (run / "run.json").write_text(json.dumps(described))
    with open_run(run) as opened:
        Papers(opened, Facts(), tmp_path / "papers", Choice(only=("prov",))).write()
    told = json.loads((tmp_path / "papers" / "prov.json").read_text())
    used = {(one["prov:activity"], one["prov:entity"]) for one in told["used"].values()}
    made = {(one["prov:entity"], one["prov:activity"]) for one in told["wasGeneratedBy"].values()}
    assert {("winnow:rights", f"winnow:{name}") for name in ("documents", "policies", "opt-out-0")} <= used
    assert ("winnow:annotate", "winnow:dataset-rights") in used
    assert {("winnow:dataset-rights", "winnow:rights"), ("winnow:policies", "winnow:extract")} <= made
    assert told["entity"]["winnow:opt-out-0"]["winnow:sha256_now"] == file_sha256(listed)
    assert "winnow:rights" not in told["entity"] and "winnow:rights" in told["activity"]
    assert told["entity"]["winnow:parent"]["winnow:sha256"] == file_sha256(run / "manifest.json")
