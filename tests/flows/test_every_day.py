"""The newcomer's walk, for real on loopback: the README's commands, from nothing to a second daily run.

Server, worker and deployments are those of `winnow serve`; both daily runs are started by their schedule, the second
finds only what is new, and a removal between the two keeps a page out that the second crawl brings once more.
"""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from flows.deployed.announce import PUBLISHED, resource_of
from flows.deployed.notify import FACTS
from pipelines.corpus.ledger import opened
from stats.run import open_run
from stats.verify_corpus import verify_corpus
from tests.docs.pages import walk
from tests.flows.served import REPO, Served, serve, told_by
from tokenization.manifest import Manifest, file_sha256

PAGE = "https://site10.winnow-sample.org/en/10"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the walk is gone, as a checkout would be."""
    place = tmp_path_factory.mktemp("walk")
    (place / "examples").symlink_to(REPO / "examples")
    (place / "tell").write_text(
        f"#!{sys.executable}\nimport sys\nopen({str(place / 'told')!r}, 'a').write(sys.stdin.read() + '\\n')\n"
    )
    (place / "tell").chmod(0o755)
    return place


@pytest.fixture(scope="module")
def served(place: Path, environment: dict[str, str]) -> Iterator[Served]:
    mine = {**environment, "WINNOW_NOTIFY": f"exec:{place / 'tell'} http://127.0.0.1:9/nobody",
            "PREFECT_API_BLOCKS_REGISTER_ON_START": "0"}  # fmt: skip
    served = serve(place / "runs" / "serve", mine, "--every", 40, "--settle", 0, "--steps", 2, "--recipe",
                   "examples/longer-pages.toml", cwd=place)  # fmt: skip
    yield served
    if served.process.poll() is None:
        served.end()


def give(command: str, place: Path, served: Served, environment: dict[str, str]) -> str:
    """Give one command of the walk; its output."""
    paths = (
        {"PYTHONPATH": str(REPO), "PREFECT_API_URL": served.api} if "prefect" in command else {"PYTHONPATH": str(REPO)}
    )
    words = [word for word in shlex.split(command) if not word.startswith("PREFECT_API_URL=")]
    known = {"winnow": [sys.executable, "-m", "flows.cli"], "prefect": [sys.executable, "-m", "prefect"]}
    words = [*known.get(Path(words[0]).name, [words[0]]), *words[1:]]
    done = subprocess.run(words, cwd=place, env={**environment, **paths}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command}: {done.stderr}"
    return done.stdout


def joined(served: Served, run: str) -> dict[str, Any]:
    """The daily run that joined a run of the corpus."""
    found: dict[str, Any] = served.once(f"daily with {run}", lambda: next(
        (one for one in served.runs("daily") if one["state_type"] == "COMPLETED" and run in one["state"]["message"]), None
    ))  # fmt: skip
    return found


@pytest.mark.slow
def test_the_walk(served: Served, place: Path, environment: dict[str, str]) -> None:
    corpus = place / "runs" / "serve" / "corpus"
    said: dict[str, str] = {}
    after = {
        "mv runs/day-1.warc.gz": lambda: joined(served, "runs/0001"),
        "takedown/requests": lambda: served.once("takedown", lambda: [
            run for run in served.runs("takedown") if run["state_name"] == "Completed"]),
        "mv runs/day-2.warc.gz": lambda: joined(served, "runs/0002"),
    }  # fmt: skip
    commands = walk("README.md")
    assert [sum(mark in command for command in commands) for mark in after] == [1, 1, 1]
    for command in commands:
        said[command] = give(command, place, served, environment)
        for mark, wait in after.items():
            if mark in command:
                wait()
    for day in ("runs/0001", "runs/0002"):
        assert joined(served, day)["auto_scheduled"]
    assert "version 3" in said["winnow corpus show runs/serve/corpus"]
    one, two = opened(corpus).runs
    assert [[file.source for file in run.inputs] for run in (one, two)] == [["day-1.warc.gz"], ["day-2.warc.gz"]]
    assert not verify_corpus(corpus)
    versions = [Manifest.read(corpus / f"manifest-000{n}.json") for n in (1, 2, 3)]
    assert versions[1].removal is not None
    assert versions[1].totals.documents == versions[0].totals.documents - versions[1].removal.documents
    assert versions[2].totals.documents > versions[1].totals.documents
    query = f"select fate from fates join documents using (doc_id) where documents.url = '{PAGE}'"
    fates = []
    for run in (one, two):
        with open_run(str(corpus / run.folder)) as asked:
            fates += [fate for (fate,) in asked.rows(query)]
    assert fates == [f"removed:{versions[1].removal.request}"] * 2


@pytest.mark.slow
def test_a_publication_starts_a_training(served: Served, place: Path) -> None:
    corpus = place / "runs" / "serve" / "corpus"
    trained = served.once("training", lambda: [run for run in served.runs("train") if run["state_name"] == "Completed"])
    options = trained[0]["parameters"]["options"]
    assert options["sha256"] == file_sha256(options["manifest"])
    assert Path(options["manifest"]).parent == corpus
    models = place / "runs" / "serve" / "models"
    assert list(models.glob("corpus-000?/checkpoint.pt"))
    asked = {"filter": {"event": {"name": [PUBLISHED]}}}
    events = served.post("events/filter", asked).json()["events"]
    assert {event["resource"]["prefect.resource.id"] for event in events} == {resource_of(corpus)}
    hashes = {event["payload"]["sha256"] for event in events}
    assert hashes == {file_sha256(corpus / f"manifest-000{n}.json") for n in (1, 2, 3)}


@pytest.mark.slow
def test_what_people_see(served: Served, place: Path) -> None:
    """Artifacts, parameters in the form, refusals, and what was notified."""
    funnels = served.artifacts("winnow-funnel")
    assert len(funnels) >= 2
    assert all(funnel["data"].startswith("| stage | fate | documents |") for funnel in funnels)
    assert any("report.html" in link["data"] for link in served.artifacts("winnow-report"))
    daily = served.deployment("daily/inbox")
    schema = daily["parameter_openapi_schema"]["definitions"]["DailyParameters"]
    assert schema["additionalProperties"] is False
    assert all({"title", "description"} <= part.keys() for part in schema["properties"].values())
    assert daily["concurrency_options"]["collision_strategy"] == "CANCEL_NEW"
    for wrong in ({"corpse": "x"}, {"workers": 0}, {"inputs": []}):
        given = {"options": {**daily["parameters"]["options"], **wrong}}
        refused = served.post(f"deployments/{daily['id']}/create_flow_run", {"parameters": given})
        assert refused.status_code in (409, 422), wrong
    told = told_by(place / "told")
    assert {one["flow"] for one in told} >= {"daily", "takedown", "train"}
    assert all(set(one) <= set(FACTS) for one in told)
    assert "winnow-sample.org" not in json.dumps(told)


@pytest.mark.slow
def test_all_of_it_is_on_loopback_and_ends_with_ctrl_c(served: Served) -> None:
    processes = served.descendants()
    assert len(processes) >= 4
    ends = [end for one in processes for end in _ends(one)]
    assert ends
    assert all(end.startswith("127.") or end == "::1" for end in ends), ends
    assert served.end() == 0
    assert not [one for one in processes if one.is_running() and one.status() != psutil.STATUS_ZOMBIE]


def _ends(process: psutil.Process) -> list[str]:
    """Both ends of every connection of a process, and what it listens on."""
    try:
        found = process.net_connections(kind="inet")
    except psutil.Error:
        return []
    return [end.ip for one in found for end in (one.laddr, one.raddr) if end]
