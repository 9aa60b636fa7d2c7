"""Every sentence with which Winnow can refuse, read from the code, so that a message can be searched for.

Read from the syntax tree: whatever is raised with a text. Variable parts show as `…`. Traded away: a message that is
put together in several functions shows as its parts; `docs/troubleshooting.md` tells of the common ones in full.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from docs.generate.markdown import code, table

PACKAGES = ("recipes", "filters", "dedup", "tokenization", "pipelines", "stats", "training", "flows")
ROOT = Path(__file__).resolve().parents[2]


@cache
def messages() -> tuple[tuple[str, str], ...]:
    """(module, message) of everything that is raised with a text of its own, in the order of the files."""
    found = []
    for path, tree in _trees():
        for node in ast.walk(tree):
            raised = node.exc.args if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call) else []
            if raised and (told := template(raised[0])).strip("… :."):
                found.append((path, told))
    return tuple(dict.fromkeys(found))


@cache
def sentences() -> frozenset[str]:
    """Every text anywhere in the code, for messages that are returned, printed or collected and not raised at once."""
    return frozenset(filter(None, (template(node) for _, tree in _trees() for node in ast.walk(tree))))


def _trees() -> Iterator[tuple[str, ast.Module]]:
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            yield str(path.relative_to(ROOT)), ast.parse(path.read_text("utf-8"))


def template(node: ast.AST) -> str:
    """A text as written, with `…` for what is filled in; empty if the node is no text.

    >>> template(ast.parse('f"There is no {name}."', mode="eval").body)
    'There is no ….'
    """
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(template(part) if isinstance(part, ast.Constant) else "…" for part in node.values)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return template(node.left) + template(node.right)
    return ""


def message_page() -> str:
    """All messages by package."""
    parts = [
        "# Messages\n",
        "Every sentence that Winnow raises, with `…` for what is filled in; search this page for the words that you "
        "see. Common ones have a cause and a remedy in [troubleshooting](../troubleshooting.md).\n",
    ]
    for package in PACKAGES:
        rows = [(code(told), code(path)) for path, told in messages() if path.startswith(f"{package}/")]
        parts += [f"## {package}\n", table(("message", "raised in"), rows)]
    return "\n".join(parts)
