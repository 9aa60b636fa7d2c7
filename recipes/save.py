"""A recipe with other bounds as a file: it extends the shipped recipe that it came from, and states what changed.

A bound that was changed has no source any more, so its evidence becomes A, assumed, with a note of what it was.
"""

from __future__ import annotations

import json
from pathlib import Path

from recipes.load import available, load, parse
from recipes.model import Recipe
from recipes.steps import Rule


def save_changes(recipe: Recipe, path: str | Path) -> None:
    """Write `recipe` as a `.toml` that extends the shipped one of its name; ValueError if that cannot say it.

    The file is named after, and has the steps of, `recipe`; an existing file is not overwritten.
    """
    file = Path(path)
    if file.suffix != ".toml":
        raise ValueError(f"{path}: a recipe's file ends in .toml.")
    if file.exists():
        raise ValueError(f"{path} is there already. Choose another name.")
    if recipe.name not in available():
        raise ValueError(f"{recipe.name} is no shipped recipe, so none can extend it: change its own file.")
    ending = "-unpublished"
    name = file.stem.lower().removesuffix(ending) + (ending if recipe.name.endswith(ending) else "")
    text = as_toml(recipe, load(recipe.name), name)
    back = parse(text.encode(), str(path))
    there = {step.id for step in recipe.steps}
    same = [_bare(step) for step in back.steps if step.id in there or not _scored(step)] == [*map(_bare, recipe.steps)]
    if not same or back.scrub.policy != recipe.scrub.policy:
        raise ValueError(f"{recipe.name} has changed in more than bounds, so {path} cannot say it: write it by hand.")
    file.write_text(text, encoding="utf-8")


def as_toml(recipe: Recipe, base: Recipe, name: str) -> str:
    """TOML that extends `base`: bounds and actions that differ are those that `recipe` has."""
    lines = [f"# {recipe.name} with other bounds.", f"extends = {_value(base.name)}", f"name = {_value(name)}"]
    lines.append(f"title = {_value(f'{base.title}, with other bounds')}")
    stated = {step.id: step for step in base.steps}
    for new in recipe.steps:
        old = stated.get(new.id)
        if isinstance(old, Rule) and isinstance(new, Rule) and old.threshold != new.threshold:
            lines += ["", "[[change]]", f"id = {_value(new.id)}", f"{new.bound} = {_value(new.threshold)}"]
            lines += ['evidence = "A"', f"note = {_value(f'was {json.dumps(old.threshold, ensure_ascii=False)}')}"]
    policy = {k: action for k, action in recipe.scrub.policy.items() if base.scrub.policy.get(k) != action}
    if policy:
        lines += ["", "[scrub]", f"policy = {_value(policy)}", 'evidence = "A"']
    return "\n".join(lines) + "\n"


def _scored(step: object) -> bool:
    """Whether a run leaves this step out when no file was given for its score; the file that is written keeps it."""
    return (getattr(step, "signal", None) or "").startswith("score_")


def _bare(step: object) -> object:
    return step.model_dump(exclude={"evidence", "source", "note"}) if isinstance(step, Rule) else step


def _value(value: object) -> str:
    """A bound or a text as TOML.

    >>> _value(0.2), _value(True), _value(("en", "zh")), _value({"zh": 0.256})
    ('0.2', 'true', '["en", "zh"]', '{"zh" = 0.256}')
    """
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(key)} = {_value(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_value, value)) + "]"
    return repr(value) if isinstance(value, float) else json.dumps(value, ensure_ascii=False)
