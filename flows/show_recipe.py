"""Recipes on the terminal: what a recipe does, where each number comes from, what it needs, what it leaves out.

A narrow terminal gets source and note under each step, a wide one in columns of their own. Traded away: the text
of notes and sources is shown as the file has it, in English, also under `--zh`.
"""

from __future__ import annotations

from collections.abc import Callable

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.table import Table
from rich.text import Text

from flows import recipe_words as words
from flows.recipe_words import heading
from flows.show_mixture import mixture_shown
from recipes.decontaminate import AnyMode, Ngrams, Overlap
from recipes.dedup import Bloom, Lines, MinHash, SimHash, Substring
from recipes.load import available, load
from recipes.model import Recipe
from recipes.scores import Score
from recipes.steps import Edit, Rule, Sample

WIDE = 120


class Fitted:
    """A renderable that is made for the width there is."""

    def __init__(self, make: Callable[[bool], RenderableType]) -> None:
        self.make = make

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield self.make(options.max_width >= WIDE)


def listing(zh: bool = False) -> RenderableType:
    """Every shipped recipe: name, class, title, and the files that it needs or may take."""
    table = _table(*(heading(key, zh) for key in ("recipe", "class", "title", "needs")))
    table.columns[0].no_wrap = True
    for name in available():
        recipe = load(name)
        table.add_row(name, recipe.fidelity, Text(_title(recipe, zh)), Text(_files(recipe, zh)))
    return Group(table, Text("\n".join(f"{c}: {text[zh]}" for c, text in words.FIDELITY.items())))


def one(name: str, zh: bool = False) -> RenderableType:
    """One recipe whole: head, notice, steps, scores, the other choices, mixture, sources and what is left out."""
    recipe = load(name)
    parts: list[RenderableType] = [_head(recipe, zh)]
    if recipe.steps:
        parts += [_section("steps", zh), Fitted(lambda wide: _steps(recipe, zh, wide)), _tags(zh)]
    else:
        parts += [_section("steps", zh), Text(f"  {words.EMPTY[zh]}")]
    if recipe.scores:
        parts += [_section("scores", zh), _scores(recipe, zh)]
    parts += [_section("rest", zh), _rest(recipe, zh)]
    mixture = getattr(recipe, "mixture", None)
    if mixture is not None:
        parts += [_section("mixture", zh), mixture_shown(mixture, zh)]
    return Group(*parts, *_lists(recipe, zh))


def _title(recipe: Recipe, zh: bool) -> str:
    return recipe.title_zh or recipe.title if zh else recipe.title


def _files(recipe: Recipe, zh: bool) -> str:
    given = [score for score in recipe.scores if score.needs_file]
    told = []
    for text, when in ((words.NEEDS, "refuse"), (words.TAKES, "skip")):
        ids = ", ".join(score.id for score in given if score.when_missing == when)
        if recipe.decontaminate and not recipe.decontaminate.sets and recipe.decontaminate.when_missing == when:
            ids = ", ".join(filter(None, (ids, words.EVALUATION[zh])))
        told += [text[zh].format(ids)] * bool(ids)
    return words.AND[zh].join(told) or words.NOTHING[zh]


def _table(*columns: str) -> Table:
    """A table that breaks a long name or address over lines instead of cutting it short."""
    table = Table(*columns)
    for column in table.columns:
        column.overflow = "fold"
    return table


def _section(key: str, zh: bool) -> Text:
    return Text(f"\n{heading(key, zh)}", style="bold")


def _head(recipe: Recipe, zh: bool) -> Text:
    head = Text(f"{recipe.name}: {_title(recipe, zh)}\n", style="bold")
    head.append(f"{recipe.fidelity}, {words.FIDELITY[recipe.fidelity][zh]}", style="not bold")
    if recipe.extends:
        head.append(f"\n{heading('extends', zh)} {recipe.extends}", style="not bold")
    if recipe.notice:
        told = recipe.notice_zh if zh else recipe.notice
        head.append(f"\n{heading('notice', zh)}{words.COLON[zh]}{told}", style="bold red")
    return head


def _tags(zh: bool) -> Text:
    return Text(words.AND[zh].join(f"{tag} {text[zh]}" for tag, text in words.EVIDENCE.items()), style="dim")


def _what(step: Rule | Edit | Sample, zh: bool) -> str:
    return words.EDIT[zh].format(step.edit) if isinstance(step, Edit) else words.step_text(step, zh)


def _steps(recipe: Recipe, zh: bool, wide: bool) -> Table:
    """The steps: five or six columns where there is room, else source and note under the bound."""
    keys = ("step", "what", "languages", "evidence", "source", "note") if wide else ("step", "what", "evidence")
    table = _table(*(heading(key, zh) for key in keys))
    for step in recipe.steps:
        languages = ", ".join(step.languages or (words.ALL[zh],))
        if wide:
            cells = (step.id, _what(step, zh), languages, step.evidence, step.source, step.note)
            table.add_row(*(Text(cell) for cell in cells))
        else:
            what = Text(_what(step, zh) + (f"  [{languages}]" if step.languages else ""))
            for line in (step.source, step.note):
                what.append(f"\n{line}" if line else "", style="dim")
            table.add_row(Text(step.id), what, step.evidence)
    return table


def _scores(recipe: Recipe, zh: bool) -> Table:
    table = _table(*(heading(key, zh) for key in ("score", "give", "without", "evidence")))
    for score in recipe.scores:
        who = Text(f"{score.id}\n{score.kind}")
        who.append(f"\n{', '.join(score.languages)}" if score.languages else "")
        what = Text(score.what)
        for line in (score.source, score.note):
            what.append(f"\n{line}" if line else "", style="dim")
        table.add_row(who, what, Text(_without(recipe, score, zh)), score.evidence)
    return table


def _without(recipe: Recipe, score: Score, zh: bool) -> str:
    """What becomes of a run without the score's file."""
    if not score.needs_file:
        return words.IN_RECIPE[zh]
    if score.when_missing == "refuse":
        return words.NEEDED[zh]
    readers = [step.id for step in recipe.steps if not isinstance(step, Edit) and step.signal == f"score_{score.id}"]
    also = words.READERS[zh].format(", ".join(readers)) if readers else words.COLUMN_ONLY[zh]
    return f"{words.SKIPPED[zh]}{words.AND[zh]}{also}"


def _rest(recipe: Recipe, zh: bool) -> Table:
    """Extraction, duplicates, personal data: a row each, for what the recipe has."""
    table = _table("", "", "")
    table.show_header = False
    extract, dedup, scrub = recipe.extract, recipe.dedup, recipe.scrub
    rows: list[tuple[str, str, str, str]] = [
        ("extract", f"{extract.extractor}, {extract.focus}", extract.evidence, extract.note)
    ]
    if dedup.url:
        rows.append(("url", words.URL[dedup.url.normalise][zh], dedup.url.evidence, dedup.url.note))
    if dedup.exact:
        rows.append(("exact", words.EXACT[dedup.exact.normalise][zh], dedup.exact.evidence, dedup.exact.note))
    if dedup.minhash:
        rows.append(("minhash", _banding(dedup.minhash, zh), dedup.minhash.evidence, dedup.minhash.note))
    if dedup.simhash:
        rows.append(("simhash", _simhash(dedup.simhash, zh), dedup.simhash.evidence, dedup.simhash.note))
    if dedup.url or dedup.exact or dedup.minhash or dedup.simhash:
        rows.append(("keep", ", ".join((*dedup.keep, words.LOWEST[zh])), "", ""))
    if dedup.part:
        name, unit = dedup.part
        rows.append((name, part_text(unit, zh), unit.evidence, unit.note))
    if recipe.decontaminate:
        for mode in recipe.decontaminate.modes:
            told = "\n".join(filter(None, (mode.source, mode.note)))
            rows.append(("decontaminate", f"{mode.id}: {_sought(mode, zh)}", mode.evidence, told))
        without = words.NO_SETS[recipe.decontaminate.when_missing][zh]
        rows.append(("sets", words.GIVE_SETS[zh].format(without, recipe.decontaminate.what), "", ""))
    if any(not isinstance(step, Edit) and step.signal in ("opted_out", "opt_out") for step in recipe.steps):
        rights = recipe.rights
        rows.append(("rights", f"{', '.join(rights.honour)}; {', '.join(rights.agents)}", rights.evidence, rights.note))
    if scrub.policy:
        policy = ", ".join(f"{kind}: {what}" for kind, what in scrub.policy.items())
        rows.append(("scrub", policy, scrub.evidence, scrub.note))
    for key, what, evidence, note in rows:
        cell = Text(what)
        cell.append(f"\n{note}" if note else "", style="dim")
        table.add_row(heading(key, zh), cell, evidence)
    return table


def _sought(mode: AnyMode, zh: bool) -> str:
    """What a mode of decontamination looks for, and what becomes of it."""
    given = mode.model_dump()
    kind: str = mode.measure if isinstance(mode, Overlap) and mode.measure == "jaccard" else mode.kind
    if isinstance(mode, Ngrams):
        given["common"] = words.IGNORED[zh].format(mode.common) if mode.common else ""
    if isinstance(mode, Overlap):
        given["stretch"] = words.NEARBY[zh].format(mode.stretch) if mode.stretch else ""
    found, action = words.DECONTAMINATE[kind][zh], words.ON_HIT[mode.action][zh]
    return f"{found.format(**given)}{words.COLON[zh]}{action.format(**given)}"


def _banding(minhash: MinHash, zh: bool) -> str:
    """The banding in words, with the similarity at which it finds half of the pairs: (1 - 2^(-1/b))^(1/r)."""
    half = (1 - 0.5 ** (1 / minhash.bands)) ** (1 / minhash.rows)
    told = words.MINHASH[zh].format(
        bands=minhash.bands, rows=minhash.rows, hashes=minhash.num_perm, ngram=minhash.ngram,
        unit=words.UNITS[minhash.unit][zh], half=half,
    )  # fmt: skip
    told += words.VERIFIED[zh].format(f"{minhash.verify:g}") if minhash.verify is not None else ""
    return told + words.SCOPES[minhash.scope][zh]


def _simhash(simhash: SimHash, zh: bool) -> str:
    return words.SIMHASH[zh].format(
        window=simhash.window, unit=words.UNITS[simhash.unit][zh], blocks=simhash.blocks, distance=simhash.distance
    )


def part_text(unit: Lines | Bloom | Substring, zh: bool) -> str:
    """What a unit below the document cuts, whose copy stays, and what must be left.

    >>> part_text(Substring(), zh=False)
    "cut: stretches of 50 tokens and more that are the same; the lowest doc_id's copy stays"
    """
    if isinstance(unit, Bloom):
        told = words.GRAMS[zh].format(ngram=unit.ngram, threshold=unit.threshold) if unit.ngram else words.WHOLE[zh]
        told += words.BOTH[zh] if unit.mode == "both" else ""
        return words.ACTIONS["cut"][zh] + told + words.EXACTLY[zh]
    stays = words.FIRST["none" if unit.keep == "none" else getattr(unit, "first", "doc_id")][zh]
    if isinstance(unit, Substring):
        told = words.ACTIONS[unit.action][zh] + words.STRETCH[zh].format(unit.min_tokens) + stays
    else:
        comma = "，" if zh else ", "
        told = (
            words.ACTIONS["cut"][zh] + words.PARTS[unit.unit][zh] + comma + words.LEVELLED[unit.normalise][zh] + stays
        )
        told += words.LEAST_SENTENCES[zh].format(unit.min_sentences) if unit.min_sentences else ""
    return told + (words.LEAST_WORDS[zh].format(unit.min_words) if unit.min_words else "")


def _lists(recipe: Recipe, zh: bool) -> list[RenderableType]:
    """Sources, assumptions and what is not done, in the language asked for where the recipe has it."""
    parts: list[RenderableType] = []
    for key in ("sources", "assumptions", "not_done"):
        items = getattr(recipe, key)
        if zh:
            items = getattr(recipe, f"{key}_zh", ()) or items
        if items:
            table = Table.grid("", "", padding=(0, 1))
            table.columns[1].overflow = "fold"
            for item in items:
                table.add_row("  -", Text(item))
            parts += [_section(key, zh), table]
    return parts
