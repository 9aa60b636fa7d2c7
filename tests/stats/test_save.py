"""`what-if --save`: the changed recipe as a file that extends the shipped one, read back as it was."""

from __future__ import annotations

from pathlib import Path

import pytest

from filters.thresholds import set_thresholds
from recipes.load import available, load
from recipes.model import Recipe
from recipes.resolve import resolve
from recipes.save import save_changes
from recipes.steps import Edit, Rule

SETTINGS = ["gopher.dup_line=0.25", "lang.allowed=en,zh,fr", "rights.opt_out=true"]


def bounds(recipe: Recipe) -> list[object]:
    return [(s.id, s.bound, s.threshold) if isinstance(s, Rule) else s for s in recipe.steps]


def test_a_changed_recipe_is_read_back(tmp_path: Path) -> None:
    changed = set_thresholds(load("zh-en-general"), SETTINGS)
    path = tmp_path / "Stricter.toml"
    save_changes(changed, path)
    back = load(str(path))
    assert bounds(back) == bounds(changed) != bounds(load("zh-en-general"))
    assert (back.name, back.dedup, back.scrub, back.edits) == ("stricter", changed.dedup, changed.scrub, changed.edits)
    rule = next(s for s in back.steps if s.id == "gopher.dup_line.v1")
    assert (rule.evidence, rule.note) == ("A", "was 0.3")
    with pytest.raises(ValueError, match="is there already"):
        save_changes(changed, path)


def test_every_shipped_recipe_can_be_saved_with_all_its_bounds_changed(tmp_path: Path) -> None:
    for name in available():
        recipe = load(name)
        changed = recipe.model_copy(update={"steps": tuple(map(_moved, recipe.steps))})
        save_changes(changed, tmp_path / f"{name}.toml")
        assert bounds(load(str(tmp_path / f"{name}.toml"))) == bounds(changed)


def test_what_a_run_left_out_for_want_of_a_file_stays_in_the_file(tmp_path: Path) -> None:
    found = resolve(load("fineweb"), {}).recipe
    assert len(found.steps) < len(load("fineweb").steps)
    save_changes(set_thresholds(found, ["gopher.min_words=80"]), tmp_path / "mine.toml")
    back = load(str(tmp_path / "mine.toml"))
    assert bounds(back) == bounds(set_thresholds(load("fineweb"), ["gopher.min_words=80"]))


def _moved(step: object) -> object:
    """A rule with every number in its bound halved."""
    if not isinstance(step, Rule):
        return step
    bound = step.threshold
    if isinstance(bound, dict):
        return step.model_copy(update={step.bound: {lang: value / 2 for lang, value in bound.items()}})
    return step.model_copy(update={step.bound: bound / 2}) if isinstance(bound, float) else step


def test_what_cannot_be_said_is_refused(tmp_path: Path) -> None:
    recipe, path = load("c4-en"), tmp_path / "x.toml"
    with pytest.raises(ValueError, match=r"ends in \.toml"):
        save_changes(recipe, tmp_path / "x.json")
    with pytest.raises(ValueError, match="is no shipped recipe"):
        save_changes(recipe.model_copy(update={"name": "mine"}), path)
    shorter = recipe.model_copy(update={"steps": tuple(s for s in recipe.steps if not isinstance(s, Edit))})
    with pytest.raises(ValueError, match="changed in more than bounds"):
        save_changes(shorter, path)
    assert not path.exists()
