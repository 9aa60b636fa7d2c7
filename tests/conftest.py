"""What tests share: the folder of real data, and the installed command."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parents[1]
Winnow = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real pages and labelled sets, beside the checkout."""
    folder = REPO.parent / "shared" / "data"
    assert folder.is_dir(), f"the tests need {folder}: real pages and labelled sets"
    return folder


@pytest.fixture(scope="session")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """An environment in which Prefect keeps its files away from the user's."""
    return {**os.environ, "PREFECT_HOME": str(tmp_path_factory.mktemp("prefect")), "COLUMNS": "200"}


@pytest.fixture(scope="session")
def removal_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run in fifty shards, to take documents out of: copy it, and leave it as it is."""
    from tests.pipelines.removal_runs import make_run, pages, write_crawl

    folder = tmp_path_factory.mktemp("removal")
    return make_run(folder / "run", write_crawl(folder / "crawl.warc.gz", pages()))


@pytest.fixture(scope="session")
def winnow(environment: dict[str, str]) -> Winnow:
    """Run the command line in a process of its own, as a user does."""

    def call(*arguments: object, timeout: float = 500) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "flows.cli", *map(str, arguments)]
        return subprocess.run(
            command, cwd=REPO, env=environment, capture_output=True, text=True, timeout=timeout, check=False
        )

    return call
