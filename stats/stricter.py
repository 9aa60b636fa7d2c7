"""What stricter bounds change, worked out from the decisions and the changed rules alone.

A decision names the first rule that drops a document. Made stricter, a rule drops all that it dropped before: so a
document's fate changes only where a changed rule now comes first, and no other measurement has to be read. Looser
bounds, other steps, and samplers that look at the whole run go the long way.
"""

from __future__ import annotations

from collections.abc import Sequence

from filters.rules import Placed, fails
from filters.samplers import whole_run
from filters.sql import literal
from recipes.model import Recipe
from recipes.steps import LOWER, UPPER, Rule
from stats.rows import RULE


def stricter_rules(base: Recipe, recipe: Recipe) -> list[Placed] | None:
    """The rules whose bound lets fewer documents pass, if nothing else differs; None if anything does."""
    placed = recipe.placed()
    if whole_run(recipe) or len(placed) != len(base.placed()):
        return None
    changed: list[Placed] = []
    for (old, before), (new, edits) in zip(base.placed(), placed, strict=True):
        if [(edit.edit, edit.languages) for edit in before] != [(edit.edit, edit.languages) for edit in edits]:
            return None
        if old == new:
            continue
        if not (isinstance(old, Rule) and isinstance(new, Rule) and _stricter(old, new)):
            return None
        changed.append((new, edits))
    return changed


def _stricter(old: Rule, new: Rule) -> bool:
    """Whether whatever fails `old` fails `new`; False where it cannot be seen."""
    if _without_bound(old) != _without_bound(new) or old.bound != new.bound:
        return False
    was, now = old.threshold, new.threshold
    if isinstance(was, tuple) and isinstance(now, tuple):
        return set(now) <= set(was)
    if isinstance(was, float) and isinstance(now, float):
        was, now = {"*": was}, {"*": now}
    if not (isinstance(was, dict) and isinstance(now, dict) and was.keys() <= now.keys()):
        return False
    sign = 1 if old.bound in LOWER else -1
    return old.bound in (*LOWER, *UPPER) and all(sign * now[lang] >= sign * bound for lang, bound in was.items())


def _without_bound(rule: Rule) -> dict[str, object]:
    return rule.model_dump(exclude={*Rule.BOUNDS, "evidence", "source", "note"})


def then_of_stricter(recipe: Recipe, changed: Sequence[Placed]) -> str:
    """SQL for the rule that drops a document once these are stricter, from RULE, which drops it now.

    Up to RULE a document passes what is unchanged, and RULE drops it still; so only a changed rule can come before.
    """
    arms = []
    before: list[str] = []
    for placed in recipe.placed():
        if placed in changed:
            if before:
                arms.append(f"WHEN {RULE} IN {literal(tuple(before))} THEN {RULE}")
            arms.append(f"WHEN {fails(*placed)} THEN {literal(placed[0].id)}")
            before = []
        before.append(placed[0].id)
    return f"CASE {' '.join(arms)} ELSE {RULE} END" if arms else RULE
