"""The same recipe with other thresholds, as `--set RULE=VALUE` asks for.

No kernel is imported here, so that a run can start at once.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import get_args

from filters.catalogue import kind_names
from recipes.model import Recipe
from recipes.scrub import MODEL_KINDS, Action, Scrub
from recipes.steps import Rule, Threshold

SCRUB = "scrub."


def set_thresholds(recipe: Recipe, settings: Sequence[str]) -> Recipe:
    """The recipe with other bounds: each setting is RULE=VALUE, the rule's `.vN` may be left out.

    A bound stated by language takes LANGUAGE:VALUE pairs, separated by commas, and one number for all of them.
    `scrub.KIND=ACTION` changes what is done with a kind of personal data.
    """
    for setting in settings:
        if setting.startswith(SCRUB):
            recipe = _treated(recipe, setting)
    settings = [setting for setting in settings if not setting.startswith(SCRUB)]
    steps = list(recipe.steps)
    ids = {step.id: i for i, step in enumerate(steps) if isinstance(step, Rule)}
    short = {full.rpartition(".")[0]: full for full in ids}
    for setting in settings:
        name, mark, value = setting.partition("=")
        full = short.get(name, name)
        if not mark:
            raise ValueError(f"--set {setting}: write it as RULE=VALUE.")
        if full not in ids:
            raise ValueError(f"--set {setting}: {recipe.name} has no rule {name!r}.{nearest(name, [*ids, *short])}")
        rule = steps[ids[full]]
        assert isinstance(rule, Rule)
        steps[ids[full]] = Rule.model_validate({**rule.model_dump(), rule.bound: _changed(rule, value, setting)})
    return recipe.model_copy(update={"steps": tuple(steps)})


def _treated(recipe: Recipe, setting: str) -> Recipe:
    """The recipe with another action for a kind of personal data."""
    kind, mark, action = setting.removeprefix(SCRUB).partition("=")
    if not mark or not kind:
        raise ValueError(f"--set {setting}: write it as scrub.KIND=ACTION.")
    names = [*kind_names(), *MODEL_KINDS]
    if kind == "ner":
        scrub = Scrub.model_validate({**recipe.scrub.model_dump(), "ner": action, "ner_sha256": None})
        return recipe.model_copy(update={"scrub": scrub})
    if kind not in names:
        raise ValueError(
            f"--set {setting}: there is no kind of personal data {kind!r}.{nearest(kind, names)}"
            f" There are: {', '.join(names)}."
        )
    if action not in get_args(Action):
        raise ValueError(f"--set {setting}: {kind} wants one of {', '.join(get_args(Action))}.")
    scrub = Scrub.model_validate({**recipe.scrub.model_dump(), "policy": {**recipe.scrub.policy, kind: action}})
    return recipe.model_copy(update={"scrub": scrub})


def _changed(rule: Rule, value: str, setting: str) -> Threshold:
    old = rule.threshold
    if isinstance(old, tuple):
        return tuple(v.strip() for v in value.split(","))
    if isinstance(old, bool):
        if value.lower() not in ("true", "false"):
            raise ValueError(f"--set {setting}: {rule.id} wants true or false.")
        return value.lower() == "true"
    if isinstance(old, str):
        return value
    try:
        if not isinstance(old, dict):
            return float(value)
        if ":" not in value:
            return dict.fromkeys(old, float(value))
        pairs = dict(pair.split(":", 1) for pair in value.split(","))
        return {**old, **{lang.strip(): float(number) for lang, number in pairs.items()}}
    except ValueError as error:
        by_language = " or LANGUAGE:NUMBER pairs, as zh:0.2,fr:0.1" if isinstance(old, dict) else ""
        raise ValueError(f"--set {setting}: {rule.id} wants a number{by_language}.") from error


def nearest(name: str, known: Sequence[str]) -> str:
    """' Did you mean ...?' or nothing."""
    found = difflib.get_close_matches(name, known, n=1)
    return f" Did you mean {found[0]}?" if found else ""
