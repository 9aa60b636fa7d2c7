"""A recipe checked against what is measured, and the same recipe with other thresholds.

What a recipe file alone cannot show is found here, before any work: a step that reads no signal, an edit that does
not exist, two bounds that no document can satisfy together. Every fault names the step and the mend.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence

from filters.annotate import DOCUMENT_SIGNALS, REMOVED
from filters.edits import EDITS
from filters.rules import column_of
from filters.scores import score_types
from filters.signals import SIGNALS
from recipes.model import Recipe
from recipes.steps import Rule, Threshold

LOWER, UPPER = ("min", "above"), ("max", "below")


class StepError(ValueError):
    """A step that cannot be run; `step` is its id, so that whoever knows the file can name the line."""

    def __init__(self, step: str, told: str) -> None:
        super().__init__(told)
        self.step = step


def check(recipe: Recipe) -> None:
    """Refuse a step that names no signal, edit or score, and bounds that contradict each other; StepError."""
    scores = [name for score in recipe.scores for name in score_types(score)]
    known = [*SIGNALS, *DOCUMENT_SIGNALS, *scores]
    for step, edits in recipe.placed():
        here = [*known, REMOVED] if edits else known  # what the edit before it took away
        if step.signal is not None and step.signal not in here:
            hint = nearest(step.signal, known)
            if step.signal.startswith("score_") and not hint:
                hint = f" Declare it in [[scores]] with id {step.signal.removeprefix('score_')!r}."
            raise StepError(step.id, f"{recipe.name}: step {step.id} names no signal: {step.signal!r}.{hint}")
    for edit in recipe.edits:
        if edit.edit not in EDITS:
            hint = nearest(edit.edit, [*EDITS])
            raise StepError(edit.id, f"{recipe.name}: step {edit.id} names no edit: {edit.edit!r}.{hint}")
    for step_id, told in _impossible(recipe):
        raise StepError(step_id, f"{recipe.name}: {told}")


def _impossible(recipe: Recipe) -> Iterator[tuple[str, str]]:
    """Bounds that let no document pass: outside what a share can be, or against an earlier bound."""
    lower: dict[tuple[str, str], tuple[float, str]] = {}
    upper: dict[tuple[str, str], tuple[float, str]] = {}
    for step, edits in recipe.placed():
        if not isinstance(step, Rule) or step.bound not in (*LOWER, *UPPER):
            continue
        for lang, bound in _by_language(step):
            share = step.signal in SIGNALS and SIGNALS[step.signal].doc.startswith("share")
            if (share and bound > 1) if step.bound in LOWER else bound < 0:
                yield step.id, f"step {step.id}: no document has {step.signal} {step.bound} {bound:g}."
            mine, others = (lower, upper) if step.bound in LOWER else (upper, lower)
            at = (column_of(step.signal, edits), lang)
            mine.setdefault(at, (bound, step.id))
            for other_lang in {lang, "*"} if lang != "*" else {o for c, o in others if c == at[0]}:
                if (at[0], other_lang) in others:
                    against, other = others[at[0], other_lang]
                    if bound > against if step.bound in LOWER else bound < against:
                        yield step.id, (f"step {step.id} ({step.bound} {bound:g}) and {other} ({against:g}) leave no "
                                        f"{step.signal} that passes both.")  # fmt: skip


def _by_language(rule: Rule) -> list[tuple[str, float]]:
    """(language, bound) pairs; "*" stands for all languages."""
    if isinstance(rule.threshold, dict):
        return list(rule.threshold.items())
    assert isinstance(rule.threshold, float)
    return [(lang, rule.threshold) for lang in rule.languages or ("*",)]


def nearest(name: str, known: Sequence[str]) -> str:
    """' Did you mean ...?' or nothing."""
    found = difflib.get_close_matches(name, known, n=1)
    return f" Did you mean {found[0]}?" if found else ""


def set_thresholds(recipe: Recipe, settings: Sequence[str]) -> Recipe:
    """The recipe with other bounds: each setting is RULE=VALUE, the rule's `.vN` may be left out.

    A bound stated by language takes LANGUAGE:VALUE pairs, separated by commas, and one number for all of them.
    """
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
