"""What can be measured and edited, by name, without loading a single kernel: for those who only check a recipe.

The kernels take a second to load; their names and doc lines lie in data/catalogue.json. A test holds the file to the
kernels; `python -m filters.catalogue` writes it anew.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

FILE = Path(__file__).parent / "data" / "catalogue.json"
CHINESE = FILE.with_name("signals_zh.json")  # written by hand; a test asks for every signal


@cache
def _read() -> dict[str, Any]:
    read: dict[str, Any] = json.loads(FILE.read_text("utf-8"))
    return read


def signal_docs() -> dict[str, str]:
    """Every signal's name and doc line."""
    docs: dict[str, str] = _read()["signals"]
    return docs


@cache
def signal_docs_zh() -> dict[str, str]:
    """Every signal's name and doc line in Chinese."""
    docs: dict[str, str] = json.loads(CHINESE.read_text("utf-8"))
    return docs


def edit_names() -> list[str]:
    """Every edit's name."""
    names: list[str] = _read()["edits"]
    return names


def kind_names() -> list[str]:
    """Every kind of personal data."""
    names: list[str] = _read()["kinds"]
    return names


def current() -> dict[str, Any]:
    """The catalogue as the kernels have it; loads them."""
    from filters.edits import EDITS
    from filters.pii import KINDS
    from filters.signals import SIGNALS

    docs = {name: signal.doc for name, signal in SIGNALS.items()}
    return {"signals": docs, "edits": [*EDITS], "kinds": [*KINDS]}


if __name__ == "__main__":
    FILE.write_text(json.dumps(current(), ensure_ascii=False, indent=1) + "\n", "utf-8")
