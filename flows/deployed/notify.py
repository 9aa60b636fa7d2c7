"""Tells somebody how a run of a deployment ended: a webhook, a program, or a Prefect notification block.

The worker's environment says whom: WINNOW_NOTIFY has one target or more, apart by spaces:

    https://chat.example/hook        a POST of the facts as JSON
    exec:/usr/local/bin/tell         that program, with the facts as JSON on standard input; no shell
    prefect:slack-webhook/ops        the block's own notify(), with a subject and the facts as lines

Sent are names, states and counts (FACTS), and nothing else: no path, no address, no text, no request, no sentence of
an error, since any of these may say who somebody is. Whoever wants more follows the id to the server. That a
notification failed is told in the run's log and fails nothing.
"""

from __future__ import annotations

import json
import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx

FACTS = ("flow", "deployment", "run_id", "state", "kind", "fault", "corpus", "version", "documents", "tokens")
VARIABLE = "WINNOW_NOTIFY"
SECONDS = 10


def targets() -> list[str]:
    """Whom this worker tells; ValueError if one is of no kind that is known."""
    found = os.environ.get(VARIABLE, "").split()
    for target in found:
        if not target.startswith(("https://", "http://", "exec:", "prefect:")):
            raise ValueError(f"{VARIABLE}: {target} is no https://, exec:/path or prefect:type/name.")
    return found


def facts(flow: Any, flow_run: Any, state: Any) -> dict[str, Any]:
    """What is sent of a run that ended."""
    from prefect.runtime import deployment

    told: dict[str, Any] = {
        "flow": flow.name, "deployment": deployment.name, "run_id": str(flow_run.id),
        "state": state.type.value, "kind": state.name, "fault": None,
    }  # fmt: skip
    if state.is_failed() or state.is_crashed():
        told["fault"] = _kind_of_fault(state)
    options = (flow_run.parameters or {}).get("options") or {}
    corpus = options.get("corpus") if isinstance(options, dict) else getattr(options, "corpus", None)
    return told | (_of_corpus(Path(corpus)) if corpus else {})


def _of_corpus(corpus: Path) -> dict[str, Any]:
    from tokenization.manifest import Manifest

    file = corpus / "manifest.json"
    if not file.is_file():
        return {"corpus": corpus.name}
    made = Manifest.read(file)
    return {"corpus": corpus.name, "version": made.version, "documents": made.totals.documents,
            "tokens": made.totals.tokens}  # fmt: skip


def _kind_of_fault(state: Any) -> str | None:
    """The class of what went wrong: its sentence may hold anything."""
    try:
        with ThreadPoolExecutor(1) as alone:  # where an event loop runs, a state gives a coroutine and not its result
            found = alone.submit(state.result, raise_on_failure=False).result()
    except Exception as error:  # noqa: BLE001 - a crash leaves no result to be read
        return type(error).__name__
    return type(found).__name__ if isinstance(found, BaseException) else None


def send(target: str, told: dict[str, Any]) -> None:
    """Tell one target; OSError, httpx.HTTPError, ValueError or subprocess.SubprocessError if it cannot be told."""
    if target.startswith("exec:"):
        data = json.dumps(told).encode()
        subprocess.run([target.removeprefix("exec:")], input=data, timeout=SECONDS, check=True, capture_output=True)
    elif target.startswith("prefect:"):
        from prefect.blocks.core import Block

        name = target.removeprefix("prefect:")
        block: Any = Block.load(name)
        body = "\n".join(f"{key}: {value}" for key, value in told.items() if value is not None)
        block.notify(body, subject=f"winnow: {told['flow']} {told['kind']}")
    else:
        httpx.post(target, json=told, timeout=SECONDS).raise_for_status()


def ended(flow: Any, flow_run: Any, state: Any) -> None:
    """Hook of every deployed flow, for each way in which a run can end."""
    from prefect.logging import get_logger

    log = get_logger("winnow")
    try:
        asked = targets()
        told = facts(flow, flow_run, state) if asked else {}
    except Exception as error:  # noqa: BLE001 - whatever it is, the run has ended as it has
        log.warning("nobody was told: %s", error)
        return
    for number, target in enumerate(asked, 1):
        try:
            send(target, told)
        except Exception as error:  # noqa: BLE001 - a receiver that is down fails no run; its address may be a secret
            kind = target.partition(":")[0]
            log.warning("number %d of %s (%s) was not told: %s", number, VARIABLE, kind, type(error).__name__)
