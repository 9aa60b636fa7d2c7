"""What pages say of the code is so: messages, options of tokenizers, and Markdown that means what it looks like."""

from __future__ import annotations

import re

import pytest

from docs.generate.message_pages import messages, sentences
from recipes.model import Tokens
from tests.docs.pages import PAGES


def quoted() -> list[str]:
    """The messages that docs/troubleshooting.md tells of: the first cell of each row."""
    return re.findall(r"^\| `([^`]+)` \|", PAGES["troubleshooting.md"].read_text("utf-8"), re.MULTILINE)


def test_every_message_that_is_told_of_is_in_the_code() -> None:
    told = quoted()
    assert len(told) > 60 and len(messages()) > 300
    for message in told:
        pieces = [re.escape(piece) for piece in message.split("…") if piece.strip()]
        assert sum(map(len, pieces)) > 10, f"{message} says too little to be looked for"
        pattern = re.compile(".*".join(pieces), re.DOTALL)
        assert any(pattern.search(sentence) for sentence in sentences()), f"the code does not say: {message}"


def test_a_message_that_nobody_says_is_found_out() -> None:
    assert not any("There is no such lighthouse" in sentence for sentence in sentences())


def test_the_tokenizers_page_names_every_option_and_pattern() -> None:
    named = set(re.findall(r"`([a-z0-9_.]+)`", PAGES["tokenizers.md"].read_text("utf-8")))
    assert set(Tokens.model_fields) - {"shard_bytes", "format"} <= named
    assert set(Tokens.model_fields["split"].annotation.__args__) <= named  # type: ignore[union-attr]


@pytest.mark.parametrize("name", sorted(PAGES))
def test_a_list_begins_after_an_empty_line(name: str) -> None:
    """GitHub draws one without it and the site does not, so such a list would be a paragraph there."""
    fenced, before = False, ""
    for number, line in enumerate(PAGES[name].read_text("utf-8").splitlines(), 1):
        fenced ^= line.startswith("```")
        if not fenced and re.match(r"([*+-]|\d+\.) ", line) and before.strip():
            assert re.match(r"([*+-]|\d+\.) |  ", before), f"{name}:{number}"
        before = line


def test_the_options_of_an_ablation_at_real_size_are_ones() -> None:
    import typer

    from flows.cli import app

    found = re.search(r"`(--width [^`]+)`", PAGES["ablation.md"].read_text("utf-8"))
    assert found
    command = typer.main.get_command(app).commands["ablate"]  # type: ignore[attr-defined]
    command.make_context("ablate", ["r", "--recipes", "a", "--out", "o", *found.group(1).split()])
