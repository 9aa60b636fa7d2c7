"""What the deployments stand on, each by itself: prefect.yaml, forms, notifications, ends of processes, locks, faults."""

from __future__ import annotations

import asyncio
import http.server
import json
import os
import socket
import subprocess
import sys
import threading
import time
import types
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
import yaml
from prefect.blocks.core import Block
from prefect.events.schemas.deployment_triggers import DeploymentEventTrigger
from prefect.states import Completed, Failed
from pydantic import BaseModel, ValidationError
from starlette.applications import Starlette
from starlette.requests import Request as HttpRequest
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from flows.deployed import notify, parameters
from flows.deployed.announce import PUBLISHED, event_of, resource_of
from flows.deployed.document import Plan, document, text
from flows.deployed.serve import NOWHERE, environment, serve, server_environment
from flows.deployed.server import NullsLeftOut, pass_state_over
from flows.extend import held
from flows.faults import is_passing
from pipelines.run import BusyError, locked
from tests.pipelines.removal_runs import RECIPE
from tokenization.manifest import Manifest, TokenizerInfo, Totals
from tokenization.versions import Version

REPO = Path(__file__).resolve().parents[2]
FORMS = {
    "curate": parameters.CurateParameters, "daily": parameters.DailyParameters,
    "takedown": parameters.TakedownParameters, "train": parameters.TrainParameters,
}  # fmt: skip


@pytest.mark.parametrize("flow", FORMS)
def test_a_form_asks_first_for_what_it_must_have(flow: str) -> None:
    schema = FORMS[flow].model_json_schema()
    wanted, shown = schema["required"], [*schema["properties"]]
    assert all(shown.index(name) <= 2 for name in wanted), shown


def test_the_file_is_what_serving_deploys() -> None:
    assert (REPO / "prefect.yaml").read_text() == text(Plan())


@pytest.mark.parametrize("plan", [Plan(), Plan(home=Path("/x"), every=5, directory="/y", recipe="fineweb")])
def test_each_deployment_gives_its_flow_what_its_form_takes(plan: Plan) -> None:
    made = document(plan)
    assert made == yaml.safe_load(text(plan))
    by_flow = {one["entrypoint"].rpartition(".")[2]: one for one in made["deployments"]}
    assert by_flow.keys() == FORMS.keys()
    for flow, model in FORMS.items():
        model.model_validate(by_flow[flow]["parameters"]["options"])
        assert by_flow[flow]["concurrency_limit"]["limit"] == 1
    (trigger,) = by_flow["train"]["triggers"]
    checked = DeploymentEventTrigger.model_validate(trigger)
    assert checked.expect == {PUBLISHED}
    parameters.TrainParameters.model_validate(trigger["parameters"]["options"] | {"sha256": "0" * 64})
    (schedule,) = by_flow["daily"]["schedules"]
    assert schedule == ({"interval": 5} if plan.every else {"cron": "15 3 * * *", "timezone": "UTC"})


@pytest.mark.parametrize("model", FORMS.values())
def test_every_field_of_a_form_says_what_it_is(model: type[BaseModel]) -> None:
    schema = model.model_json_schema()
    assert schema["additionalProperties"] is False
    assert schema["description"]
    for name, part in schema["properties"].items():
        assert part["title"], name
        assert part["description"], name
        assert part.get("examples") or name == "sha256"
    with pytest.raises(ValidationError, match="Extra inputs"):
        model.model_validate({"unknown": 1})


def test_what_is_worth_another_try() -> None:
    assert is_passing(BusyError("held"))
    assert is_passing(RuntimeError("a worker was lost"))
    assert is_passing(OSError(5, "Input/output error"))
    for final in (ValueError("x"), FileNotFoundError("x"), OSError(28, "No space left on device"), KeyboardInterrupt()):
        assert not is_passing(final)


@pytest.fixture
def hook() -> Iterator[tuple[str, list[Any]]]:
    """A web server that keeps what is posted to it."""
    got: list[Any] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(500 if self.path == "/down" else 200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            return

    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", got
    server.shutdown()
    server.server_close()


class Kept(Block):
    """A block that keeps what it is told."""

    _block_type_slug = "winnow-kept"

    def notify(self, body: str, subject: str) -> None:
        TOLD.append((subject, body))


TOLD: list[tuple[str, str]] = []


def ended(state: Any, corpus: Path) -> tuple[Any, Any, Any]:
    options = {"corpus": str(corpus), "inputs": ["/home/somebody/inbox"]}
    run = types.SimpleNamespace(name="a name", id="1", parameters={"options": options})
    return types.SimpleNamespace(name="daily"), run, state


async def fault_told_in_a_loop(state: Any) -> str:
    """As a crash is told: by a process in which an event loop runs."""
    return str(notify.facts(*ended(state, Path("corpus")))["fault"])


def test_each_kind_of_target_is_told_the_facts_and_nothing_else(
    hook: tuple[str, list[Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, got = hook
    program = tmp_path / "tell"
    program.write_text(f"#!/bin/sh\ncat > {tmp_path / 'told'}\n")
    program.chmod(0o755)
    monkeypatch.setattr(Block, "load", lambda name: Kept() if name == "winnow-kept/ops" else None)
    monkeypatch.setenv(notify.VARIABLE, f"{url}/down exec:{program} {url}/up exec:/nowhere prefect:winnow-kept/ops")
    secret = Failed(message="somebody@example.org", data=ValueError("somebody@example.org"))
    notify.ended(*ended(secret, tmp_path / "corpus"))
    assert got[1] == json.loads((tmp_path / "told").read_text())
    assert (got[1]["fault"], got[1]["corpus"], got[1]["state"]) == ("ValueError", "corpus", "FAILED")
    assert set(got[1]) <= set(notify.FACTS)
    assert "somebody" not in json.dumps([got, TOLD])
    assert TOLD[-1][0] == "winnow: daily Failed"
    with ThreadPoolExecutor(1) as alone:  # a browser of another test may have a loop running in this thread
        assert alone.submit(asyncio.run, fault_told_in_a_loop(secret)).result() == "ValueError"
    monkeypatch.setenv(notify.VARIABLE, "ftp://x")
    notify.ended(*ended(Completed(), tmp_path))  # nobody is told, nothing fails
    with pytest.raises(ValueError, match="is no https"):
        notify.targets()
    assert len(got) == 2


def manifest(version: int) -> Manifest:
    return Manifest(
        recipe=RECIPE.name, recipe_hash="x", dtype="uint16", format="arrow", seed=0, shards=(), sources={}, languages={},
        tokenizer=TokenizerInfo(name="t", file="t.json", sha256="0" * 64, vocab_size=2, end_of_text=1),
        totals=Totals(documents=3, tokens=5, text_bytes=7), version=version, parent=None if version == 1 else "1" * 64,
    )  # fmt: skip


def test_the_event_of_a_version_is_the_same_event_whenever_it_is_sent(tmp_path: Path) -> None:
    corpus = tmp_path / "corpus"
    one, two = (Version(corpus / f"manifest-000{n}.json", f"{n}" * 64, manifest(n)) for n in (1, 2))
    event = event_of(corpus, one)
    assert event.id == event_of(corpus, one).id != event_of(corpus, two).id
    assert event.event == PUBLISHED
    assert event.resource.id == resource_of(corpus)
    assert (event.payload["version"], event.payload["documents"], event.payload["tokens"]) == (1, 3, 5)
    trigger = document(Plan(home=tmp_path))["deployments"][3]["triggers"][0]
    checked = DeploymentEventTrigger.model_validate(trigger)
    assert checked.match.matches(event.resource)


async def echo(request: HttpRequest) -> JSONResponse:
    body = await request.body()
    return JSONResponse({"body": body.decode(), "length": request.headers.get("content-length")})


def test_nulls_are_left_out_of_filters_only() -> None:
    app = Starlette(routes=[Route("/api/x/filter", echo, methods=["POST"]), Route("/api/x", echo, methods=["POST"])])
    client = TestClient(NullsLeftOut(app))
    given = {"limit": None, "offset": None, "sort": None, "workers": None, "name": "é"}
    got = client.post("/api/x/filter", json=given).json()
    assert json.loads(got["body"]) == {"workers": None, "name": "é"}
    assert int(got["length"]) == len(got["body"].encode())
    assert json.loads(client.post("/api/x", json=given).json()["body"]) == given
    for odd in (b"", b"[1]", b"{", b"x" * 3_000_000):
        assert client.post("/api/x/filter", content=odd).json()["body"] == odd.decode()


def test_flow_runs_can_be_inserted_with_their_state_in_the_row() -> None:
    from prefect.server.database.orm_models import FlowRun
    from sqlalchemy import inspect

    pass_state_over()
    assert inspect(FlowRun).all_orm_descriptors["state"].bulk_dml_setter(FlowRun, {}, None) is None


def test_the_server_cannot_reach_out(tmp_path: Path) -> None:
    given = server_environment(environment(tmp_path, 4200))
    assert given["HTTPS_PROXY"] == given["https_proxy"] == NOWHERE
    assert given["DO_NOT_TRACK"] == "1"
    assert given["PREFECT_SERVER_API_HOST"] == "127.0.0.1"
    assert given["PREFECT_HOME"] == str(tmp_path / "prefect")
    with httpx.Client(proxy=NOWHERE) as client, pytest.raises(httpx.HTTPError):
        client.get("https://example.org")


def test_serving_twice_or_on_a_port_in_use_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("signal.signal", lambda *_: None)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        with pytest.raises(ValueError, match="in use"):
            serve(Plan(home=tmp_path), taken.getsockname()[1], print)
    with (tmp_path / ".lock").open("w") as handle:
        import fcntl

        fcntl.flock(handle, fcntl.LOCK_EX)
        with pytest.raises(ValueError, match="being served already"):
            serve(Plan(home=tmp_path), 0, print)


def alive(process: psutil.Process) -> bool:
    with suppress(psutil.NoSuchProcess):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False


def test_a_command_ends_with_its_owner_and_takes_its_children_along(tmp_path: Path) -> None:
    """The grandchild is in a session of its own and ignores SIGTERM, as a flow run may."""
    script = (
        "import signal, subprocess, sys, time\n"
        "child = 'import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(1, flush=True); time.sleep(99)'\n"
        "one = subprocess.Popen([sys.executable, '-c', child], start_new_session=True, stdout=subprocess.PIPE)\n"
        "one.stdout.readline()\n"
        "signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))\n"
        f"open({str(tmp_path / 'pid')!r}, 'w').write(str(one.pid))\n"
        "time.sleep(99)\n"
    )
    watched, lifeline = os.pipe()
    tied = ("import sys, flows.deployed.tied as tied; tied.PATIENCE = 2.0; "
            "sys.exit(tied.watch(int(sys.argv[1]), sys.argv[2:]))")  # fmt: skip
    process = subprocess.Popen([sys.executable, "-c", tied, str(watched), sys.executable, "-c", script],
                               cwd=REPO, pass_fds=[watched])  # fmt: skip
    os.close(watched)
    end = time.monotonic() + 60
    while not ((tmp_path / "pid").is_file() and (tmp_path / "pid").read_text()) and time.monotonic() < end:
        time.sleep(0.1)
    grandchild = psutil.Process(int((tmp_path / "pid").read_text()))
    os.close(lifeline)
    assert process.wait(timeout=60) == 0
    while alive(grandchild) and time.monotonic() < end + 30:  # a signal takes its time on a busy machine
        time.sleep(0.05)
    assert not alive(grandchild)


def test_whoever_finds_a_corpus_held_waits_as_long_as_asked(tmp_path: Path) -> None:
    with locked(str(tmp_path / "corpus")):
        with pytest.raises(BusyError, match="another process"):
            with held(tmp_path / "corpus"):
                raise AssertionError("it is held by another")
    other = locked(str(tmp_path / "corpus"))
    other.__enter__()
    freed = threading.Timer(0.5, lambda: other.__exit__(None, None, None))
    freed.start()
    with held(tmp_path / "corpus", 30):
        with pytest.raises(BusyError):
            with held(tmp_path / "corpus"):
                raise AssertionError("it is held by another")
