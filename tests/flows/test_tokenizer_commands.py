"""`winnow tokenizer train` and `report`, as a user gives them: files, shares of languages, hostile tokens, mistakes."""

from __future__ import annotations

import json
import random
from collections import Counter
from pathlib import Path

import pytest

from flows.commands.tokenizer import _shown
from pipelines.tokenizer import documents, sampled
from recipes.model import Tokens
from tests.conftest import Winnow


@pytest.fixture(scope="module")
def texts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten times more English than Chinese, and one text that would colour a terminal."""
    r = random.Random(3)
    english = ["the", "corpus", "of", "many", "words", "is", "read", "again"]
    rows = [{"text": " ".join(r.choices(english, k=60)), "lang": "en"} for _ in range(600)]
    rows += [{"text": "".join(r.choices("我们喜欢机器学习天气很好", k=40)), "lang": "zh"} for _ in range(170)]
    rows += [{"text": "\x1b[31m\x1b[31mred\u202e" * 40, "lang": "xx"}, {"text": None, "lang": None}]
    file = tmp_path_factory.mktemp("texts") / "texts.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return file


def test_the_sample_has_the_wanted_shares(texts: Path) -> None:
    source = documents([str(texts)], "text", "lang")
    tokens = Tokens(sample_bytes=24_000, languages={"en": 1, "zh": 1})
    told: Counter[str] = Counter()
    first = list(sampled(source, tokens, told))
    assert first == list(sampled(source, tokens))
    assert set(told) == {"en", "zh"}
    assert told["en"] == pytest.approx(12_000, rel=0.35)
    assert told["zh"] == pytest.approx(12_000, rel=0.35)
    assert first != list(sampled(source, tokens.model_copy(update={"seed": 1})))
    with pytest.raises(ValueError, match="There is no text in fr"):
        list(sampled(source, Tokens(languages={"fr": 1})))


def test_train_and_report(texts: Path, tmp_path: Path, winnow: Winnow) -> None:
    options = ["--vocab-size", 500, "--lang-field", "lang", "--language", "zh=1", "--language", "*=1"]
    for name in ("one.json", "two.json"):
        done = winnow("tokenizer", "train", texts, "--out", tmp_path / name, *options)
        assert done.returncode == 0, done.stderr
        assert "encoded by gigatoken" in done.stdout
    assert (tmp_path / "one.json").read_bytes() == (tmp_path / "two.json").read_bytes()
    done = winnow(
        "tokenizer", "report", tmp_path / "one.json", texts, "--lang-field", "lang", "--json", tmp_path / "r.json"
    )
    assert done.returncode == 0, done.stderr
    assert "| zh | one.json |" in done.stdout
    assert "\x1b" not in done.stdout and "\u202e" not in done.stdout
    told = json.loads((tmp_path / "r.json").read_text())
    assert {m["language"] for m in told["measures"]} == {"en", "zh", "xx", "und"}
    tokens = [text for kind in ("longest", "unseen") for _, text in told["vocabulary"][kind]]
    assert any(not text.isprintable() for text in tokens)  # there, and escaped in print
    assert told["vocabulary"]["unreachable"] == []


def test_tokens_are_shown_as_literals() -> None:
    assert _shown("\x1b[31m") == "'\\x1b[31m'"
    assert _shown("a\u202eb 我") == "'a\\u202eb \\u6211'"
    assert _shown(" 我们") == "' 我们'"


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--out", "x.model"], "a bpe tokenizer is written to a \\*.json file"),
        (["--out", "x.json", "--model", "unigram"], "a unigram tokenizer is written to a \\*.model file"),
        (["--out", "x.json", "--split", "nonsense"], "--split: Input should be 'qwen3.5'"),
        (["--out", "x.json", "--language", "zh"], "--language zh: give LANG=WEIGHT"),
        (
            ["--out", "x.json", "--language", "zh=-1"],
            "--languages: .*must be a number above 0|the weight of zh must be",
        ),
        (["--out", "x.json", "--special", "<|endoftext|>"], "leave out <\\|endoftext\\|>"),
        (["--out", "x.json", "--text-field", "body"], "body"),
    ],
)
def test_a_mistake_gets_a_sentence(
    options: list[str], says: str, texts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from typer.testing import CliRunner

    from flows.cli import app

    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(app, ["tokenizer", "train", str(texts), *options])
    assert isinstance(done.exception, ValueError), done.output
    with pytest.raises(ValueError, match=says):
        raise done.exception
    assert "\n" not in str(done.exception)
    assert not list(tmp_path.iterdir())
