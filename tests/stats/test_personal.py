"""What another policy, or another threshold, would do with personal data."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from filters.thresholds import set_thresholds
from recipes.load import load, parse
from recipes.save import as_toml
from stats.personal import personal
from stats.run import open_run

REPO = Path(__file__).resolve().parents[2]


def test_counts_now_and_then(run: Path) -> None:
    with open_run(run) as opened:
        changed = set_thresholds(opened.recipe, ["scrub.email=surrogate", "tiny.words=2"])
        (row,) = personal(opened, changed).to_pylist()
        assert list(row.values()) == ["email", "leave", "surrogate", 1, 2, 1, 2, 0, 2]
        (same,) = personal(opened, opened.recipe).to_pylist()
        assert list(same.values()) == ["email", "leave", "leave", 1, 1, 1, 1, 0, 0]


def test_by_command(run: Path) -> None:
    command = [sys.executable, "-m", "flows.cli", "what-if", str(run), "--set", "scrub.email=placeholder"]
    told = subprocess.run([*command, "--show", "personal", "--format", "csv"], cwd=REPO, capture_output=True, text=True,
                          check=False)  # fmt: skip
    assert told.stdout.splitlines()[1] == "email,leave,placeholder,1,1,1,1,0,1", told.stderr


def test_a_changed_policy_is_saved() -> None:
    base = load("fineweb")
    changed = set_thresholds(base, ["scrub.email=pseudonym"])
    back = parse(as_toml(changed, base, "mine").encode(), "mine.toml")
    assert back.scrub.policy == {"email": "pseudonym", "ipv4": "placeholder"}


def test_a_run_without_counts_is_told(run: Path) -> None:
    for path in (run / "signals").iterdir():
        table = pq.read_table(path)
        pq.write_table(table.drop_columns([n for n in table.column_names if n.startswith("pii_")]), path)
    with open_run(run) as opened, pytest.raises(ValueError, match="no counts of personal data"):
        personal(opened, opened.recipe)
