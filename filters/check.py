"""A recipe checked against what is measured.

What a recipe file alone cannot show is found here, before any work: a step that reads no signal, an edit that does
not exist, two bounds that no document can satisfy together. Every fault names the step and the mend.
"""

from __future__ import annotations

from collections.abc import Iterator

from filters.catalogue import edit_names, kind_names, signal_docs
from filters.columns import DOCUMENT_SIGNALS, REMOVED
from filters.rules import column_of
from filters.thresholds import nearest
from recipes.model import Recipe
from recipes.scrub import MODEL_KINDS
from recipes.steps import LOWER, UPPER, Rule


class StepError(ValueError):
    """A step that cannot be run; `step` is its id, so that whoever knows the file can name the line."""

    def __init__(self, step: str, told: str) -> None:
        super().__init__(told)
        self.step = step


def check(recipe: Recipe) -> None:
    """Refuse a step that names no signal, edit or score, and bounds that contradict each other; StepError."""
    scores = [name for score in recipe.scores for name in (score.column, score.category_column) if name is not None]
    named = [f"pii_{kind}" for kind in MODEL_KINDS] if recipe.scrub.ner else []
    known = [*signal_docs(), *DOCUMENT_SIGNALS, *scores, *named]
    for step, edits in recipe.placed():
        here = [*known, REMOVED] if edits else known  # what the edit before it took away
        if step.signal is not None and step.signal not in here:
            hint = nearest(step.signal, known)
            if step.note == "scrub.drop_above":
                kind = step.signal.removeprefix("pii_")
                if kind in MODEL_KINDS:
                    told = f"{recipe.name}: scrub.drop_above.{kind} wants a trained model: give [scrub] ner = FOLDER."
                    raise StepError(step.id, told)
                hint = nearest(kind, kind_names()) or f" There are: {', '.join(kind_names())}."
                told = f"{recipe.name}: scrub.drop_above names no kind of personal data: {kind!r}.{hint}"
                raise StepError(step.id, told)
            if step.signal.startswith("score_") and not hint:
                hint = f" Declare it in [[scores]] with id {step.signal.removeprefix('score_')!r}."
            raise StepError(step.id, f"{recipe.name}: step {step.id} names no signal: {step.signal!r}.{hint}")
    for edit in recipe.edits:
        if edit.edit not in edit_names():
            hint = nearest(edit.edit, edit_names())
            raise StepError(edit.id, f"{recipe.name}: step {edit.id} names no edit: {edit.edit!r}.{hint}")
    for kind in recipe.scrub.policy:
        if kind not in kind_names() and kind not in MODEL_KINDS:
            hint = nearest(kind, kind_names()) or f" There are: {', '.join(kind_names())}."
            raise ValueError(f"{recipe.name}: scrub.policy names no kind of personal data: {kind!r}.{hint}")
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
            share = signal_docs().get(step.signal or "", "").startswith("share")
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
