"""A recipe made ready to run: every model and list that its scores ask for is found, or its absence is said aloud.

A recipe names what it needs and whether it can do without. `--file ID=PATH` gives a file; a score that has none is
refused before any work, or left out together with the steps that read it, with a notice that run.json keeps.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from recipes.decontaminate import EvaluationSet, recommended
from recipes.model import Recipe
from recipes.steps import Edit


class Missing(FileNotFoundError):
    """A score or an evaluation set has no file; `score` is the id of it or of its mode, so that whoever knows the
    recipe's file can name the line."""

    def __init__(self, score: str, told: str) -> None:
        super().__init__(told)
        self.score = score


@dataclass(frozen=True)
class Resolved:
    """A recipe that can be run, and the sentences that a person must be told first."""

    recipe: Recipe
    notices: tuple[str, ...]


def resolve(recipe: Recipe, given: Mapping[str, str] | None = None) -> Resolved:
    """Give each score its file, as an absolute path; Missing in a sentence. Ids of other recipes' scores are
    no concern here.
    """
    files = dict(given or {})
    notices = [recipe.notice] if recipe.notice else []
    scores, missing = [], []
    for score in recipe.scores:
        named = files.get(score.id, score.file)
        if named is not None and not Path(named).exists():
            told = f"{recipe.name}: score {score.id} wants {named}, which is not there. {score.what}"
            raise Missing(score.id, told)
        if named is not None:
            scores.append(score.model_copy(update={"file": str(Path(named).absolute())}))
        elif not score.needs_file:
            scores.append(score)
        elif score.when_missing == "refuse":
            told = (
                f"{recipe.name} cannot run without score {score.id}: give it with --file {score.id}=PATH. {score.what}"
            )
            raise Missing(score.id, told)
        else:
            missing.append(score.id)
            notices.append(_skipped(recipe, score.id, score.what))
    readers = {f"score_{score_id}" for score_id in missing}
    steps = tuple(s for s in recipe.steps if isinstance(s, Edit) or s.signal not in readers)
    return Resolved(recipe.model_copy(update={"scores": tuple(scores), "steps": steps}), tuple(notices))


def resolve_sets(recipe: Recipe, given: Sequence[str] = ()) -> Resolved:
    """Give the recipe's decontamination its evaluation sets, as absolute paths: its own and `given`, each FILE or
    FILE=FIELD,FIELD. Without any it is left out with a notice, or Missing says what to give. A recipe that has no such
    section gets the recommended one for `given`.
    """
    section = recipe.decontaminate or (recommended() if given else None)
    if section is None:
        return Resolved(recipe, ())
    sets = [*section.sets, *map(_evaluation_set, given)]
    for one in sets:
        if not Path(one.file).is_file():
            raise Missing(section.modes[0].id, f"{recipe.name}: there is no evaluation set {one.file}. {section.what}")
    if not sets and section.when_missing == "refuse":
        told = f"{recipe.name} cannot run without evaluation sets: give each with --decontaminate FILE. {section.what}"
        raise Missing(section.modes[0].id, told)
    if not sets:
        ids = ", ".join(mode.id for mode in section.modes)
        told = (
            f"{recipe.name}: no evaluation set is given, so nothing is decontaminated; left out with it: {ids}. "
            f"Give each with --decontaminate FILE. {section.what}"
        )
        return Resolved(recipe.model_copy(update={"decontaminate": None}), (told,))
    found = tuple(one.model_copy(update={"file": str(Path(one.file).absolute())}) for one in sets)
    return Resolved(recipe.model_copy(update={"decontaminate": section.model_copy(update={"sets": found})}), ())


def _evaluation_set(given: str) -> EvaluationSet:
    """`FILE` or `FILE=FIELD,FIELD`; a file whose name has a "=" is taken as it stands if it is there."""
    path, mark, fields = given.rpartition("=")
    if not mark or Path(given).exists():
        return EvaluationSet(file=given)
    return EvaluationSet(file=path, fields=tuple(field.strip() for field in fields.split(",") if field.strip()))


def _skipped(recipe: Recipe, score_id: str, what: str) -> str:
    readers = [s.id for s in recipe.steps if not isinstance(s, Edit) and s.signal == f"score_{score_id}"]
    told = f"; left out with it: {', '.join(readers)}" if readers else ""
    return (
        f"{recipe.name}: score {score_id} has no file and is skipped{told}. Give it with --file {score_id}=PATH. {what}"
    )
