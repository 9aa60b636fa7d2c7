"""Finding and reading recipes: shipped ones by name, one's own by path. Every fault names the file and the mend."""

from __future__ import annotations

import difflib
import tomllib
from importlib.resources import files
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from recipes.mixture import Budget, Holdout, Mixture, Rehydrate, Source, Variant
from recipes.model import Dedup, Edit, Exact, Extract, MinHash, Recipe, Rule, Scrub, Tokens

SECTIONS: dict[str, type[BaseModel]] = {
    "extract": Extract, "dedup": Dedup, "exact": Exact, "minhash": MinHash, "scrub": Scrub, "tokens": Tokens,
    "mixture": Mixture, "sources": Source, "variants": Variant, "budget": Budget, "holdout": Holdout,
    "rehydrate": Rehydrate,
}  # fmt: skip


def available() -> list[str]:
    """Names of the shipped recipes."""
    return sorted(item.name.removesuffix(".toml") for item in files("recipes").iterdir() if item.name.endswith(".toml"))


def load(named: str) -> Recipe:
    """A shipped recipe by name, or any `.toml` by path; ValueError or FileNotFoundError in one sentence."""
    if named.endswith(".toml"):
        path = Path(named)
        if not path.is_file():
            raise FileNotFoundError(f"There is no recipe file {named}.")
        return parse(path.read_bytes(), named)
    if named not in available():
        close = difflib.get_close_matches(named, available(), n=1, cutoff=0.4)
        hint = f" Did you mean {close[0]}?" if close else f" There are: {', '.join(available())}."
        raise ValueError(f"There is no recipe named {named!r}.{hint}")
    return parse((files("recipes") / f"{named}.toml").read_bytes(), f"{named}.toml")


def parse(source: bytes, name: str) -> Recipe:
    """A recipe from TOML bytes; `name` is how faults call the file."""
    try:
        data = tomllib.loads(source.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{name} is no valid TOML: {error}.") from error
    try:
        return Recipe.model_validate(data)
    except ValidationError as error:
        raise ValueError("; ".join(_told(name, source.decode(), data, one) for one in error.errors()[:3])) from error


def _told(name: str, source: str, data: dict[str, Any], fault: Any) -> str:
    """One fault: file, line where it can be found, key, what is wrong, nearest known key."""
    where = [part for part in fault["loc"] if part not in ("rule", "edit")]
    key = str(where[-1]) if where else ""
    dotted = ".".join(str(part) for part in where)
    line = next((n for n, text in enumerate(source.splitlines(), 1) if text.split("=")[0].strip() == key), 0)
    place = f"{name}, line {line}" if line else name
    if fault["type"] == "extra_forbidden":
        close = difflib.get_close_matches(key, _known(where, data), n=1)
        return f"{place}: unknown key {dotted!r}." + (f" Did you mean {close[0]!r}?" if close else "")
    return f"{place}: {dotted or 'recipe'}: {fault['msg'].removeprefix('Value error, ')}."


def _known(where: list[Any], data: dict[str, Any]) -> list[str]:
    parent = next((str(part) for part in reversed(where[:-1]) if isinstance(part, str)), "")
    if parent == "steps":
        return [*Rule.model_fields, *Edit.model_fields]
    return list(SECTIONS.get(parent, Recipe).model_fields)
