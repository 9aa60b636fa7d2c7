"""`winnow corpus`: what it prints, what it refuses, and the real flow behind `extend`."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from flows.cli import app
from pipelines.corpus.ledger import opened
from tests.conftest import Winnow
from tests.pipelines.corpus_runs import extend
from tests.pipelines.removal_runs import pages, text_of, write_crawl
from tokenization.manifest import Manifest
from training.dataset import TokenDataset

PAGE = "https://www.site5.example/page/45"


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("commands")
    extend(home / "corpus", write_crawl(home / "day-1.warc.gz", pages(60)))
    extend(
        home / "corpus",
        write_crawl(home / "day-2.warc.gz", [(f"https://x.example/{n}", text_of(f"x{n}")) for n in range(9)]),
    )
    return home / "corpus"


def winnow(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_a_corpus_is_shown_verified_read_and_changed(corpus: Path, tmp_path: Path) -> None:
    shown = winnow("corpus", "show", corpus)
    assert shown.exit_code == 0
    assert "runs/0002" in shown.output
    assert "version 2" in shown.output
    for named in (corpus, corpus / "manifest.json"):
        assert winnow("verify", named).exit_code == 0
    sequences = TokenDataset(str(corpus / "manifest.json"), 2, context=32, steps=1, cache=str(tmp_path)).sequences
    assert sequences.manifest.totals.tokens == Manifest.read(corpus / "manifest.json").totals.tokens
    (tmp_path / "forms").mkdir()
    (tmp_path / "forms" / "a.toml").write_text(f'reason = "asked"\nurls = ["{PAGE}"]\n')
    (tmp_path / "forms" / "b.toml").write_text("reason = 7\n")
    done = winnow("corpus", "remove", corpus, "--requests", tmp_path / "forms", "--domain", "nowhere.example.com",
                  "--reason", "asked")  # fmt: skip
    assert done.exit_code == 1
    assert "1 documents found" in done.output
    assert "0 documents found" in done.output
    assert "refused:" in done.output
    assert "b.toml: reason" in done.output
    assert "obeyed already; version 4" in winnow("corpus", "remove", corpus, "--requests", tmp_path / "forms").output
    assert "Nothing is left to do." in winnow("corpus", "remove", corpus).output
    table = winnow("versions", corpus, "--format", "csv").output.splitlines()
    assert [line.split(",")[1] for line in table[1:]] == [f"manifest-000{n}.json" for n in (1, 2, 3, 4)]
    assert winnow("verify", corpus).exit_code == 0


def test_what_cannot_be_done_is_told(corpus: Path, tmp_path: Path) -> None:
    for command, told in (
        (["show", tmp_path / "nowhere"], "begins one"),
        (["remove", corpus, "--requests", tmp_path / "nowhere"], "Give a removal request"),
        (["remove", corpus, "--url", PAGE], "Give a --reason"),
        (["remove", corpus, "--domain", "co.uk", "--reason", "x"], "public suffix"),
    ):
        refused = winnow("corpus", *command)
        assert isinstance(refused.exception, (ValueError, FileNotFoundError))
        assert told in str(refused.exception)
    for command, told in ((["--port", "99999"], "65535"), (["--recipe", "nonesuch"], "nonesuch")):
        refused = winnow("serve", "--home", tmp_path / "home", *command)
        assert refused.exit_code
        assert told in refused.output + str(refused.exception)


@pytest.mark.slow
def test_extending_by_hand(winnow: Winnow, tmp_path: Path) -> None:
    """The flow itself, on a crawl of which nothing is kept: it is recorded, and is not taken again."""
    recipe = ("--recipe", "examples/longer-pages.toml", "--workers", 1)
    crawl = write_crawl(tmp_path / "day-1.warc.gz", [("https://y.example/", "too short")])
    first = winnow("corpus", "extend", tmp_path / "corpus", crawl, *recipe)
    assert first.returncode == 0, first.stderr
    assert "runs/0001: nothing of it was kept" in first.stdout
    assert "There is no version yet." in first.stdout
    assert [run.state for run in opened(tmp_path / "corpus").runs] == ["empty"]
    other = winnow("corpus", "extend", tmp_path / "corpus", crawl)
    assert other.returncode == 2
    assert "begin another corpus" in other.stderr
