"""What a person chose, made ready before any work: recipes read, changed, checked and resolved, with what to tell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from filters.thresholds import set_thresholds
from recipes.load import available, load, where
from recipes.model import Recipe
from recipes.resolve import Missing, Resolved, resolve, resolve_sets
from recipes.scrub import MODEL_KINDS


def chosen_recipes(
    named: str,
    settings: Sequence[str],
    measure_for: Sequence[str],
    files: Sequence[str],
    sets: Sequence[str] = (),
    opt_outs: Sequence[str] = (),
) -> tuple[Recipe, list[Recipe], list[str]]:
    """The run's recipe, the recipes to measure for as well, and notices; ValueError or FileNotFoundError."""
    given = dict(_pair(one) for one in files)
    main = _decontaminated(named, _resolved(named, checked(named, settings), given), sets)
    everything = list(measure_for) == ["all"]
    notices, others = list(main.notices), []
    for other in available() if everything else measure_for:
        try:
            also = _resolved(other, checked(other), given)
        except FileNotFoundError as error:
            if not everything:
                raise
            notices.append(f"Not measured for {other}: {error}")
            continue
        notices += [notice for notice in also.notices if notice != also.recipe.notice]
        others.append(also.recipe)
    scores = {score.id: score for recipe in (main.recipe, *others) for score in recipe.scores}
    if unknown := sorted(set(given) - set(scores)):
        raise ValueError(f"--file {unknown[0]}=...: no recipe chosen has a score of this id. {_listed(set(scores))}")
    if scores:
        from filters.scores import load as load_score

        for score in scores.values():  # a model that cannot be read is told now, not by a worker
            load_score(score)
    if "pseudonym" in main.recipe.scrub.policy.values():
        from filters.pii import key_for

        key_for(main.recipe.scrub.policy)
    recipe = main.recipe
    if recipe.scrub.ner or {*MODEL_KINDS} & recipe.scrub.policy.keys():
        from filters.pii.ner import fitted

        recipe = recipe.model_copy(update={"scrub": fitted(recipe.scrub)})
    return _with_opt_outs(recipe, opt_outs), others, notices


def checked(named: str, settings: Sequence[str] = ()) -> Recipe:
    """A recipe with other bounds, found sound; a fault in a step names its file and line.

    A shipped recipe as it ships needs no check, since the tests do that: a run of it starts without the kernels.
    """
    recipe = set_thresholds(load(named), settings)
    if settings or named.endswith(".toml"):
        from filters.check import StepError, check

        try:
            check(recipe)
        except StepError as error:
            raise ValueError(f"{where(named, error.step)}: {error}") from error
    return recipe


def _resolved(named: str, recipe: Recipe, given: Mapping[str, str]) -> Resolved:
    """A recipe with the files of its scores; one that is missing is told with the recipe's file and line."""
    try:
        return resolve(recipe, given)
    except Missing as error:
        raise FileNotFoundError(f"{where(named, error.score)}: {error}") from error


def _decontaminated(named: str, resolved: Resolved, sets: Sequence[str]) -> Resolved:
    """A recipe with its evaluation sets, read once so that a fault in one is told before any work."""
    try:
        found = resolve_sets(resolved.recipe, sets)
    except Missing as error:
        raise FileNotFoundError(f"{where(named, error.score)}: {error}") from error
    if found.recipe.decontaminate is not None:
        from dedup.decontam.items import load_items

        load_items(found.recipe.decontaminate.sets)
    return Resolved(found.recipe, (*resolved.notices, *found.notices))


def _with_opt_outs(recipe: Recipe, given: Sequence[str]) -> Recipe:
    """A recipe with its lists of opted-out domains and `given`, as absolute paths, each read once: ValueError with
    file and line, or FileNotFoundError."""
    lists = tuple(str(Path(file).absolute()) for file in (*recipe.rights.lists, *given))
    if not lists:
        return recipe
    from filters.rights.domains import OptOutLists

    OptOutLists(lists)
    return recipe.model_copy(update={"rights": recipe.rights.model_copy(update={"lists": lists})})


def compared(described: Mapping[str, Any], own: Recipe, named: str | None) -> tuple[dict[str, Recipe], list[str]]:
    """Recipes to compare, by the names they go by, and notices; `named` is a,b,c, or None for all that were measured.

    The name of the run's recipe means it as it was run, with every `--set`. ValueError or FileNotFoundError in a
    sentence if a recipe cannot be read.
    """
    notices = []
    if named is None:
        names = [own.name, *(name for name in described.get("measured_for", ()) if name != own.name)]
        strangers = [name for name in names[1:] if name not in available()]
        names = [name for name in names if name not in strangers]
        notices = [f"{name} is no shipped recipe: name its file in --recipes to compare it too." for name in strangers]
    else:
        names = list(dict.fromkeys(name.strip() for name in named.split(",") if name.strip()))
    if not names:
        raise ValueError("No recipe is named: write --recipes a,b,c.")
    return {name: own if name == own.name else checked(name) for name in names}, notices


def _pair(text: str) -> tuple[str, str]:
    name, mark, path = text.partition("=")
    if not mark or not path:
        raise ValueError(f"--file {text}: write it as ID=PATH.")
    return name, path


def _listed(known: set[str]) -> str:
    return f"There are: {', '.join(sorted(known))}." if known else "They have no scores."
