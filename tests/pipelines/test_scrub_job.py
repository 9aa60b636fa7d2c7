"""kept/ and personal/: places without values, and another policy without another search."""

from __future__ import annotations

from pathlib import Path
from unittest.mock import patch

import pyarrow.parquet as pq
import pytest

from filters.pii import KINDS
from filters.pii.pseudonym import VARIABLE
from pipelines import scrub as job
from pipelines.decide import decide_part
from pipelines.parts import part_path
from recipes.model import Recipe
from recipes.scrub import Scrub
from tests.pipelines.cut_runs import Doc, recipe_of, write_run

DOCS = [
    Doc("a", "一二三 jo@mail.de and 104.16.3.9"),
    Doc("b", "nothing"),
    Doc("c", "copy of li@mail.de", copy=True),
    Doc("d", "x li@mail.de y"),
]


def with_policy(**policy: str) -> Recipe:
    return recipe_of().model_copy(update={"scrub": Scrub.model_validate({"policy": policy})})


def scrubbed(run: Path, recipe: Recipe) -> tuple[list[str], list[tuple[str, int, int, str]]]:
    decide_part(0, str(run), recipe)
    job.scrub_part(0, str(run), recipe)
    kept = pq.read_table(part_path(str(run), "kept", 0))
    personal = pq.read_table(part_path(str(run), "personal", 0)).drop_columns(["country"])
    assert sum(sum(kept[f"pii_{kind}"].to_pylist()) for kind in KINDS) == personal.num_rows
    return kept["text"].to_pylist(), [tuple(row.values()) for row in personal.to_pylist()]


def test_places_and_policies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_run(tmp_path, [DOCS])
    texts, places = scrubbed(tmp_path, with_policy(email="placeholder", ipv4="leave"))
    assert texts == ["一二三 <EMAIL> and 104.16.3.9", "nothing", "x <EMAIL> y"]
    a, d = DOCS[0].doc_id, DOCS[3].doc_id
    assert places == [(a, 10, 20, "email"), (a, 25, 35, "ipv4"), (d, 2, 12, "email")]
    monkeypatch.setenv(VARIABLE, "k" * 32)
    with patch.object(job, "find", side_effect=AssertionError("searched again")):
        again, same = scrubbed(tmp_path, with_policy(email="pseudonym", ipv4="leave"))
    assert same == places
    assert again[0].startswith("一二三 <EMAIL_") and again[2].startswith("x <EMAIL_") and again[0] != again[2]
    monkeypatch.setenv(VARIABLE, "q" * 32)
    assert scrubbed(tmp_path, with_policy(email="pseudonym", ipv4="leave"))[0] != again, "another key, made again"
    for file in tmp_path.rglob("*.parquet"):
        assert b"q" * 32 not in file.read_bytes() and b"k" * 32 not in file.read_bytes()


def test_the_same_bytes_with_known_places_as_with_a_search(tmp_path: Path) -> None:
    write_run(tmp_path / "one", [DOCS])
    write_run(tmp_path / "two", [DOCS])
    scrubbed(tmp_path / "one", with_policy(email="placeholder", ipv4="surrogate"))
    scrubbed(tmp_path / "one", with_policy(email="surrogate", ipv4="placeholder"))
    scrubbed(tmp_path / "two", with_policy(email="surrogate", ipv4="placeholder"))
    one, two = (Path(part_path(str(tmp_path / name), "kept", 0)).read_bytes() for name in ("one", "two"))
    assert one == two


def test_personal_is_made_again_when_it_is_gone(tmp_path: Path) -> None:
    write_run(tmp_path, [DOCS])
    recipe = with_policy(email="placeholder")
    before = scrubbed(tmp_path, recipe)
    Path(part_path(str(tmp_path), "personal", 0)).unlink()
    assert scrubbed(tmp_path, recipe) == before
