"""prefect.yaml: the four deployments as `prefect deploy --all` reads them; one source for it and `winnow serve`.

    python -m flows.deployed.document > prefect.yaml

Flows are named by module, so that a worker needs the installed package and no checkout. Traded away: hand-written
comments in the file; what a parameter means is in the form and in docs/operations.md.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from flows.settings import OFFLINE

POOL = "winnow"
HOME = Path("runs/serve")
HEAD = """\
# The deployments of Winnow, for `prefect deploy --all` against a server of your own; docs/operations.md says more.
# Written by `python -m flows.deployed.document`; a test holds the two together.
"""


@dataclass(frozen=True)
class Plan:
    """What `winnow serve` can be told of the deployments; `home` has the folders that they work in."""

    home: Path = HOME
    recipe: str = "zh-en-general"
    workers: int = 1
    steps: int = 120
    settle: float = 60
    every: float | None = None
    directory: str | None = None
    command: str | None = None

    def folder(self, name: str) -> str:
        """A folder that deployments work in."""
        return str(self.home / name)


def document(plan: Plan) -> dict[str, Any]:
    """The whole of prefect.yaml; with `directory` relative paths are below it, else below where it is deployed from.

    `command` starts a flow run; without it Prefect starts two processes, of which the first looks for the flow's code.
    """
    made = {"recipe": plan.recipe, "workers": plan.workers}
    corpus = plan.folder("corpus")
    training = {"out": plan.folder("models"), "steps": plan.steps}
    published = {name: f"{{{{ event.payload.{name} }}}}" for name in ("manifest", "sha256")}
    trigger = {
        "type": "event", "enabled": True, "match": {"prefect.resource.id": f"winnow.corpus.{Path(corpus).name}.*"},
        "expect": ["winnow.manifest.published"], "parameters": {"options": {**training, **published}},
    }  # fmt: skip
    inbox = {**made, "corpus": corpus, "inputs": [plan.folder("inbox")], "settle_seconds": plan.settle}
    first = {**made, "inputs": [plan.folder("inbox")], "out": plan.folder("first")}
    nightly = _cron("15 3 * * *") if plan.every is None else {"interval": plan.every}
    asked = {"corpus": corpus, "requests": plan.folder("requests")}
    return {
        "name": "winnow",
        **({} if plan.directory is None else {"pull": [_into(plan.directory)]}),
        "deployments": [
            _deployment(plan, "curate", "one-crawl", "ENQUEUE", first),
            _deployment(plan, "daily", "inbox", "CANCEL_NEW", inbox, schedules=[nightly]),
            _deployment(plan, "takedown", "requests", "CANCEL_NEW", asked, schedules=[_cron("45 * * * *")]),
            _deployment(plan, "train", "published", "ENQUEUE", {"manifest": f"{corpus}/manifest.json", **training},
                        triggers=[trigger]),
        ],
    }  # fmt: skip


def _into(directory: str) -> dict[str, Any]:
    return {"prefect.deployments.steps.set_working_directory": {"directory": directory}}


def _cron(when: str) -> dict[str, Any]:
    return {"cron": when, "timezone": "UTC"}


def _deployment(
    plan: Plan, flow: str, name: str, when_busy: str, options: dict[str, Any], **more: Any
) -> dict[str, Any]:
    variables = {"env": dict(OFFLINE)} | ({} if plan.command is None else {"command": plan.command})
    return {
        "name": name, "entrypoint": f"flows.deployed.{flow}.{flow}", "tags": ["winnow"],
        "parameters": {"options": options}, "enforce_parameter_schema": True,
        "concurrency_limit": {"limit": 1, "collision_strategy": when_busy},
        "work_pool": {"name": POOL, "job_variables": variables}, **more,
    }  # fmt: skip


def text(plan: Plan) -> str:
    """prefect.yaml as it lies in the folder above."""
    return HEAD + yaml.safe_dump(document(plan), sort_keys=False, width=110, allow_unicode=True)


if __name__ == "__main__":
    sys.stdout.write(text(Plan()))
