"""Finding and reading recipes: shipped ones by name, one's own by path. Every fault names the file and the mend.

A recipe may extend another: what it states replaces what it inherits, `[[change]]` gives inherited steps other
values, `drop` leaves inherited steps, sections or `scores.ID` out, its own `[[scores]]` join the inherited ones, and
its own `[[steps]]` follow the inherited ones unless they say `before` which one they belong. What comes out is one
whole recipe; a run keeps that.
"""

from __future__ import annotations

import difflib
import tomllib
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import re2
from pydantic import ValidationError

from recipes.faults import line_of_step, told
from recipes.model import Recipe

MOST_BYTES = 1 << 20  # of a recipe's file: the largest that ships has a fiftieth
MANY_DOTS = re2.compile(rb"(?:[A-Za-z0-9_\"'-]+[ \t]*\.[ \t]*){50}")  # tomllib's time is quadratic in a key's parts
SECTIONS = ("extract", "rights", "dedup", "decontaminate", "scrub", "tokens", "mixture")


def available() -> list[str]:
    """Names of the shipped recipes."""
    return sorted(item.name.removesuffix(".toml") for item in files("recipes").iterdir() if item.name.endswith(".toml"))


def load(named: str) -> Recipe:
    """A shipped recipe by name, or any `.toml` by path; ValueError or FileNotFoundError in one sentence."""
    source, name = _source(named)
    return parse(source, name)


def where(named: str, step: str) -> str:
    """`FILE, line N` of a step in a recipe's file, or the file alone if the step is inherited."""
    source, name = _source(named)
    line = line_of_step(source.decode("utf-8", "replace"), step)
    return f"{name}, line {line}" if line else name


def _source(named: str) -> tuple[bytes, str]:
    if named.endswith(".toml"):
        path = Path(named)
        if not path.is_file():
            raise FileNotFoundError(f"There is no recipe file {named}.")
        if path.stat().st_size > MOST_BYTES:
            raise ValueError(f"{named} has {path.stat().st_size:,} bytes, which no recipe has. Name a recipe's file.")
        return path.read_bytes(), named
    if named not in available():
        close = difflib.get_close_matches(named, available(), n=1, cutoff=0.4)
        hint = f" Did you mean {close[0]}?" if close else f" There are: {', '.join(available())}."
        raise ValueError(f"There is no recipe named {named!r}.{hint}")
    return (files("recipes") / f"{named}.toml").read_bytes(), f"{named}.toml"


def parse(source: bytes, name: str) -> Recipe:
    """A recipe from TOML bytes; `name` is how faults call the file."""
    data = _read(source, name)
    _shaped(data, name)
    whole = _extended(data, name, ())
    try:
        return Recipe.model_validate(whole)
    except ValidationError as error:
        first = sorted(error.errors(), key=lambda one: one["type"] == "missing")[:3]  # a misspelt key, then its absence
        raise ValueError("; ".join(told(name, source.decode(), whole, one) for one in first)) from error


def _read(source: bytes, name: str) -> dict[str, Any]:
    if MANY_DOTS.search(source):
        raise ValueError(f"{name} is no valid recipe: a key in it has more than 50 parts.")
    try:
        return tomllib.loads(source.decode())
    except RecursionError as error:
        raise ValueError(f"{name} is no valid TOML: it nests too deep.") from error
    except ValueError as error:  # of TOML, of UTF-8, or of a number with thousands of digits
        raise ValueError(f"{name} is no valid TOML: {error}.") from error


@cache
def _shipped(named: str) -> dict[str, Any]:
    source, name = _source(named)
    return _read(source, name)


def _shaped(data: dict[str, Any], name: str) -> None:
    """ValueError unless what is put together here has the shape for it; the models see to all the rest."""
    for key in ("change", "scores", "steps"):
        found = data.get(key, [])
        if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
            raise ValueError(f"{name}: {key} must be a list of tables, each headed [[{key}]].")
    drop = data.get("drop", [])
    if not isinstance(drop, list) or not all(isinstance(item, str) for item in drop):
        raise ValueError(f'{name}: drop must be a list of names, such as drop = ["dedup"].')
    for item in (*data.get("change", []), *data.get("scores", []), *data.get("steps", [])):
        if not isinstance(item.get("id", ""), str):
            raise ValueError(f"{name}: the id {item['id']!r} is no string.")


def _extended(data: dict[str, Any], name: str, through: tuple[str, ...]) -> dict[str, Any]:
    """`data` with all that it inherits; only shipped recipes can be extended, and never in a circle."""
    base_name = data.get("extends")
    changes, drop = data.pop("change", []), data.pop("drop", [])
    if base_name is None:
        if changes or drop:
            raise ValueError(f'{name}: change and drop need extends = "RECIPE".')
        return data
    if base_name in through:
        raise ValueError(f"{name}: extends goes in a circle: {' -> '.join((*through, base_name))}.")
    if base_name not in available():
        raise ValueError(f"{name}: extends {base_name!r}, which is no shipped recipe.")
    base = _extended(_copied(_shipped(base_name)), f"{base_name}.toml", (*through, base_name))
    _drop(base, drop, name)
    base["steps"] = _changed(base.get("steps", []), changes, name)
    for section in SECTIONS:
        if section in data and section in base:
            data[section] = _merged(base[section], data[section])
    own = {score.get("id"): score for score in data.get("scores", [])}
    scores = {**{score.get("id"): score for score in base.get("scores", [])}, **own}
    steps = _placed(base["steps"], data.get("steps", []), name)
    return {**base, **data, "scores": [*scores.values()], "steps": steps}


def _drop(base: dict[str, Any], drop: list[str], name: str) -> None:
    """Leave steps, sections, scores out; what is not there cannot be dropped: then the base has changed unnoticed."""
    for dotted in drop:
        section, _, key = dotted.partition(".")
        steps = [step for step in base.get("steps", []) if step["id"] != dotted]
        scores = [score for score in base.get("scores", []) if section != "scores" or score["id"] != key]
        if len(steps) < len(base.get("steps", [])):
            base["steps"] = steps
        elif len(scores) < len(base.get("scores", [])):
            base["scores"] = scores
        elif section in SECTIONS and key in base.get(section, {}):
            base[section] = {k: v for k, v in base[section].items() if k != key}
        elif dotted in SECTIONS and dotted in base:
            del base[dotted]
        else:
            raise ValueError(f"{name}: drop names {dotted!r}, which is not inherited.")


def _copied(data: dict[str, Any]) -> dict[str, Any]:
    """Tables of lists copied, so that changing an inherited step changes no other recipe."""
    lists = {key: [dict(i) if isinstance(i, dict) else i for i in v] for key, v in data.items() if isinstance(v, list)}
    return {**data, **lists}


def _merged(old: Any, new: Any) -> Any:
    if isinstance(old, dict) and isinstance(new, dict):
        return {**old, **{key: _merged(old.get(key), value) for key, value in new.items()}}
    return new


def _changed(steps: list[dict[str, Any]], changes: list[dict[str, Any]], name: str) -> list[dict[str, Any]]:
    by_id = {step["id"]: dict(step) for step in steps}
    for change in changes:
        if change.get("id") not in by_id:
            raise ValueError(f"{name}: change names step {change.get('id')!r}, which is not inherited.")
        by_id[change["id"]].update(change)
    return list(by_id.values())


def _placed(inherited: list[dict[str, Any]], own: list[dict[str, Any]], name: str) -> list[dict[str, Any]]:
    placed = list(inherited)
    for step in own:
        before = step.pop("before", None)
        at = next((i for i, other in enumerate(placed) if other.get("id") == before), None)
        if before is not None and at is None:
            raise ValueError(f"{name}: step {step.get('id')} goes before {before!r}, which is not there.")
        placed.insert(len(placed) if at is None else at, step)
    return placed
