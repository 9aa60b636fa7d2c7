"""docs/tokenizers.md: its commands are run in their order, on a small file of texts."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest

from recipes.model import Tokens
from tests.conftest import REPO

PAGE = (REPO / "docs" / "tokenizers.md").read_text()


def test_the_commands_can_be_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from typer.testing import CliRunner

    from flows.cli import app

    rows = [{"text": f"the {n} cats of {n % 7} towns", "lang": "en"} for n in range(80)]
    rows += [{"text": f"我们喜欢机器学习{n}", "lang": "zh"} for n in range(80)]
    (tmp_path / "texts.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    monkeypatch.chdir(tmp_path)
    commands = [shlex.split(line)[2:] for line in PAGE.splitlines() if line.startswith("$ winnow ")]
    assert [command[1] for command in commands] == ["train", "report"]
    for command in commands:
        done = CliRunner().invoke(app, command)
        assert done.exit_code == 0, done.output
    assert (tmp_path / "tokenizer.json").is_file()


def test_the_page_names_every_option_and_pattern() -> None:
    named = set(re.findall(r"`([a-z0-9_.]+)`", PAGE))
    assert set(Tokens.model_fields) - {"shard_bytes", "format"} <= named
    assert set(Tokens.model_fields["split"].annotation.__args__) <= named  # type: ignore[union-attr]
