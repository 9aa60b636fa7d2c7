"""Where in a recipe's file a fault is: TOML readers give no line numbers, so the file's text is looked through.

A fault that pydantic tells comes as a path, such as steps, 3, max; the third `[[steps]]` of the file is found first,
then its key. Traded away: a key written in a way that no recipe uses (dotted, quoted) is told by file only.
"""

from __future__ import annotations

import difflib
import types
import typing
from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel

from recipes.model import Recipe

TAGS = ("rule", "edit", "sample", "fasttext", "hashing_lr", "kenlm", "words", "url_list", "url_words", "table",
        "ngrams", "substrings", "overlap", "paragraphs")  # fmt: skip
BRANCHES, GENERIC = ("float", "str", "bool"), ("dict[", "tuple[")  # pydantic names the branch of a union that it tried


def told(name: str, source: str, data: dict[str, Any], fault: Any) -> str:
    """One fault: file, line where it can be found, key, what is wrong, nearest known key."""
    loc = fault["loc"]  # an item of a union is followed by the tag that chose its model
    tags = {at for at in range(1, len(loc)) if isinstance(loc[at - 1], int) and loc[at] in TAGS}
    where = [part for at, part in enumerate(loc)
             if not at or (at not in tags and part not in BRANCHES and not str(part).startswith(GENERIC))]  # fmt: skip
    dotted = ".".join(str(part) for part in where)
    line = line_of(source, data, where)
    place = f"{name}, line {line}" if line else name
    if fault["type"] == "extra_forbidden":
        close = difflib.get_close_matches(str(where[-1]), _known(where[:-1], data), n=1)
        return f"{place}: unknown key {dotted!r}." + (f" Did you mean {close[0]!r}?" if close else "")
    return f"{place}: {dotted or 'recipe'}: {fault['msg'].removeprefix('Value error, ')}."


def line_of(source: str, data: dict[str, Any], where: Sequence[Any]) -> int:
    """The line of the key at this path, else of the table that should hold it; 0 if neither is in the file."""
    lines = source.splitlines()
    nth = next((place for place, part in enumerate(where) if isinstance(part, int)), 0)
    if nth > 1:  # a table of a list inside a section
        start = _header(lines, f"[[{'.'.join(map(str, where[:nth]))}]]", where[nth])
    elif nth == 1:  # a table of a list: known by its id, else by its number
        items = data.get(str(where[0]), [])
        item = items[where[1]] if where[1] < len(items) else {}
        start = line_of_step(source, str(item.get("id", ""))) or _header(lines, f"[[{where[0]}]]", where[1])
    else:
        start = _header(lines, f"[{'.'.join(map(str, where[:-1]))}]", 0) if len(where) > 1 else 1
    if not start:
        return 0
    key = str(where[-1]) if where else ""
    while start > 1 and not lines[start - 1].lstrip().startswith("["):
        start -= 1
    for number in range(start, len(lines) + 1):
        text = lines[number - 1].strip()
        if number > start and text.startswith("[") and len(where) > 1:
            break
        if text.split("=")[0].strip() == key:
            return number
    return start if len(where) > 1 else 0


def line_of_step(source: str, step: str) -> int:
    """The line that gives a step or score its id; 0 if it is not in this file."""
    for number, text in enumerate(source.splitlines(), 1):
        key, _, value = text.partition("=")
        if step and key.strip() == "id" and value.strip().split("#")[0].strip().strip("\"'") == step:
            return number
    return 0


def _header(lines: Sequence[str], header: str, nth: int) -> int:
    found = [number for number, text in enumerate(lines, 1) if text.strip() == header]
    return found[nth] if nth < len(found) else 0


def _known(where: Sequence[Any], data: dict[str, Any]) -> list[str]:
    """The keys that the table at this path may have."""
    models: list[type[BaseModel]] = [Recipe]
    for part in where:
        if isinstance(part, str):
            fields = [m.model_fields[part].annotation for m in models if part in m.model_fields]
            models = [model for annotation in fields for model in _models(annotation)]
    return [key for model in models for key in model.model_fields]


def _models(annotation: Any) -> list[type[BaseModel]]:
    """Every model that a field's type speaks of: in a tuple, a union, or behind Annotated."""
    if isinstance(annotation, type) and not isinstance(annotation, types.GenericAlias):
        return [annotation] if issubclass(annotation, BaseModel) else []
    return [model for inner in typing.get_args(annotation) for model in _models(inner)]
