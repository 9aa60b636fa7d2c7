"""Recipes as tables for the terminal: what a recipe does, where each number comes from, what it leaves out."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from recipes.load import available, load
from recipes.model import Recipe, Rule

FIDELITY = {
    "R1": "exact logic: every step and threshold is public",
    "R2": "near: public logic, with one component substituted",
    "R3": "sketch: steps are public, thresholds are not",
    "R0": "not published: a generic recipe under an honest name",
}
SIGNS = {"min": "≥", "max": "≤", "above": ">", "below": "<", "equals": "=", "any_of": "in"}


def listing() -> RenderableType:
    """Every shipped recipe with its class and title."""
    table = Table("recipe", "class", "title")
    for name in available():
        recipe = load(name)
        table.add_row(name, recipe.fidelity, recipe.title)
    return table


def one(name: str) -> RenderableType:
    """One recipe whole: steps in order with bound, languages, evidence and source."""
    recipe = load(name)
    head = Text(f"{recipe.name}: {recipe.title}\n{recipe.fidelity}, {FIDELITY[recipe.fidelity]}\n")
    return Group(head, _steps(recipe), _lists(recipe))


def _steps(recipe: Recipe) -> Table:
    table = Table("step", "keeps a document when", "languages", "evidence", "source")
    for step in recipe.steps:
        languages = ", ".join(step.languages or ("all",))
        if isinstance(step, Rule):
            what = f"{step.signal} {SIGNS[step.bound]} {step.threshold}"
        else:
            what = f"(edit) {step.edit}"
        table.add_row(*(Text(cell) for cell in (step.id, what, languages, step.evidence, step.source)))
    return table


def _lists(recipe: Recipe) -> Text:
    lines = []
    for title, items in (
        ("Sources", recipe.sources),
        ("Assumptions", recipe.assumptions),
        ("Published, and not done here", recipe.not_done),
    ):
        if items:
            lines.append(f"\n{title}:")
            lines.extend(f"  - {item}" for item in items)
    return Text("\n".join(lines))
