"""Keys and columns: a recipe's, the manifest's, and those of the views that `winnow sql` asks.

Types come from the models and schemas themselves; what a column means is the comment beside it in pipelines/schemas.py,
where it is written for whoever changes it. Traded away: a column without a comment there has none here.
"""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from docs.generate.markdown import code, linked, plain, table

MADE = ("no_", "shard_rows")  # what the views are made of
VIEWS = {
    "documents": "a row for each record that became a text",
    "rejects": "a row for each record that did not, with the reason",
    "policies": "robots.txt, tdmrep.json and ai.txt of the crawled sites",
    "rights": "reservations and licences, row for row beside documents",
    "signals": "what was measured, row for row beside documents; the columns are those of the run's recipe",
    "duplicates": "documents that have a duplicate, and which one stays",
    "cuts": "stretches that stand elsewhere first",
    "contamination": "stretches of evaluation sets, with the columns of cuts",
    "removed": "documents that a request takes out when the run is decided",
    "decisions": "one fate for each document, with rule, value and bound",
    "personal": "where personal data is in kept texts, by kind; never a value",
    "kept": "the text that training sees",
    "removals": "requests that the newest manifest obeys, and the documents that each took out",
    "tokens": "documents of the newest manifest's shards",
    "fates": "one row for every record that was read: documents and rejects together",
    "failing": "a row for every rule that a document fails, first or not",
}


def view_page() -> str:
    """The views of `winnow sql` over a run of the default recipe, with their columns."""
    notes = _notes()
    parts = ["# Views of `winnow sql`\n", "Over a run of `zh-en-general`; DuckDB's types.\n"]
    for view, columns in _described():
        rows = ((code(name), code(kind.lower()), linked(notes.get((view, name), ""))) for name, kind in columns)
        parts += [f"## {view}\n", f"{VIEWS[view].capitalize()}.\n", table(("column", "type", "meaning"), rows)]
    return "\n".join(parts)


def _described() -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """Every view, and (column, type) of it, of a run in which nothing was read yet."""
    from recipes.load import load
    from stats.run import open_run

    described = {"recipe": load("zh-en-general").model_dump(mode="json"), "parts": [], "stages": {}}
    with tempfile.TemporaryDirectory(prefix="winnow-docs-") as folder:
        Path(folder, "run.json").write_text(json.dumps(described))
        with open_run(folder) as run:
            found = [
                name
                for (name,) in run.rows("SELECT view_name FROM duckdb_views() WHERE NOT internal")
                if not name.startswith(MADE)
            ]
            for view in sorted(found, key=list(VIEWS).index):
                yield view, [(name, kind) for name, kind, *_ in run.rows(f"DESCRIBE {view}")]


def _notes() -> dict[tuple[str, str], str]:
    """(view, column) and the comment beside it."""
    from pipelines import schemas

    found, view = {}, ""
    for line in Path(schemas.__file__).read_text("utf-8").splitlines():
        if heading := re.match(r"([A-Z]+) = ", line):
            view = heading.group(1).lower()
        if note := re.search(r'pa\.field\("(\w+)".*\),  # (.+)$', line):
            found[view, note.group(1)] = note.group(2)
    return found


def recipe_key_page() -> str:
    """Every key of a recipe's file, section by section, from the models that read it."""
    from recipes.model import Recipe

    schema = Recipe.model_json_schema()
    head = (
        "# Keys of a recipe\n",
        "What a recipe's TOML may hold. An unknown key is refused, with its line. How to write one: "
        "[recipes](../recipes.md#writing-one).\n",
        "[The whole as a JSON Schema](#json-schema) stands at the end.\n",
    )
    return "\n".join((*head, _models(schema, "The file itself"), _raw(schema)))


def manifest_page() -> str:
    """The manifest's fields, and its JSON Schema."""
    import tokenization

    schema = json.loads(Path(tokenization.__file__).with_name("manifest.schema.json").read_text("utf-8"))
    head = ("# The manifest's schema\n", "What the fields mean: [the manifest and the shards](../manifest.md).\n")
    return "\n".join((*head, _models(schema, "The file itself"), _raw(schema)))


def _models(schema: dict[str, Any], title: str) -> str:
    parts = []
    for name, model in [(title, schema), *schema.get("$defs", {}).items()]:
        needed = set(model.get("required", ()))
        rows = [_row(key, field, key in needed) for key, field in model.get("properties", {}).items()]
        parts += [f"## {name}\n", plain(model.get("description", "").replace("\n", " ")) + "\n"]
        parts.append(table(("key", "type", "default", "meaning"), rows) if rows else "")
    return "\n".join(parts)


def _row(key: str, field: dict[str, Any], needed: bool) -> tuple[str, ...]:
    default = "needed" if needed else code(json.dumps(field.get("default"), ensure_ascii=False))
    return code(key), _type(field), default, plain(field.get("description", ""))


def _type(field: dict[str, Any]) -> str:
    """A field's type in words, with its bounds; other models are links."""
    if "$ref" in field:
        name = field["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if "enum" in field or "const" in field:
        return " or ".join(code(json.dumps(value)) for value in field.get("enum", [field.get("const")]))
    for many in ("anyOf", "oneOf", "allOf"):
        if many in field:
            return " or ".join(_type(one) for one in field[many])
    if field.get("type") == "array":
        inner = field.get("items") or next(iter(field.get("prefixItems", ())), {})
        return f"list of {_type(inner)}"
    if field.get("type") == "object" and isinstance(field.get("additionalProperties"), dict):
        return f"table of {_type(field['additionalProperties'])}"
    signs = {"minimum": "≥", "maximum": "≤", "exclusiveMinimum": ">", "exclusiveMaximum": "<", "pattern": "matching"}
    bounds = ", ".join(f"{sign} {code(field[key])}" for key, sign in signs.items() if key in field)
    return f"{field.get('type', 'any')} {bounds}".strip()


def _raw(schema: dict[str, Any]) -> str:
    return f"\n## JSON Schema\n\n```json\n{json.dumps(schema, ensure_ascii=False, indent=1)}\n```\n"
