"""Shipped recipes against what was published: `published` was typed from the sources, not from the recipes."""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path

import pytest

from filters.check import check
from recipes.load import available, load, parse
from recipes.model import Recipe
from recipes.resolve import resolve
from recipes.steps import Edit, Rule, Sample
from tests.recipes.published import BANDINGS, CLASSES, EDITS, PUBLISHED, REFUSED, UNITS, VERIFIED, Row


def rules(recipe: Recipe) -> dict[str, Rule]:
    return {step.id: step for step in recipe.steps if isinstance(step, Rule)}


def rows(recipe: Recipe) -> list[Row]:
    """The rules of a recipe as the tables above have them."""
    found: list[Row] = []
    for step, edits in recipe.placed():
        if isinstance(step, Rule):
            found.append((edits[-1].edit if edits else "", step.signal, step.bound, step.threshold))
    return found


def in_order(table: list[Row]) -> list[str]:
    return sorted(repr((*row[:3], sorted(row[3].items()) if isinstance(row[3], dict) else row[3])) for row in table)


def as_floats(value: object) -> object:
    if isinstance(value, dict):
        return {lang: float(number) for lang, number in value.items()}
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_rules_are_those_published_and_no_others(name: str) -> None:
    published: list[Row] = [(*row[:3], as_floats(row[3])) for row in PUBLISHED[name]]
    assert in_order(rows(load(name))) == in_order(published)
    assert all(rule.languages is None for rule in rules(load(name)).values())


@pytest.mark.parametrize("name", EDITS)
def test_the_edits_come_in_the_published_order(name: str) -> None:
    assert [edit.edit for edit in load(name).edits] == EDITS[name]


@pytest.mark.parametrize("name", BANDINGS)
def test_bandings_are_the_published_ones(name: str) -> None:
    minhash = load(name).dedup.minhash
    assert minhash is not None
    bands, rows_, ngram, unit, half = BANDINGS[name]
    assert (minhash.bands, minhash.rows, minhash.ngram, minhash.unit) == (bands, rows_, ngram, unit)
    if half is not None:
        assert (1 - 0.5 ** (1 / minhash.bands)) ** (1 / minhash.rows) == pytest.approx(half, abs=5e-4)


@pytest.mark.parametrize("name", UNITS)
def test_other_units_are_the_published_ones(name: str) -> None:
    dedup = load(name).dedup.model_dump()
    for block, said in UNITS[name]:
        assert {key: dedup[block][key] for key in said} == said
    assert load(name).dedup.minhash is None or name in ("refinedweb", "culturax", "mai-base-1")


def test_no_stand_in_is_left_for_a_unit_that_is_there() -> None:
    """A recipe neither lists such a step as not done, nor lets MinHash or identical texts stand for it."""
    told = re.compile(
        r"stands? for SimHash|Bloom filter that empties|URL dedup|line dedup|BFF:|suffix.array", re.IGNORECASE
    )
    for name in available():
        recipe = load(name)
        assert not [line for line in (*recipe.not_done, *recipe.assumptions) if told.search(line)], name


@pytest.mark.parametrize("name", VERIFIED)
def test_published_similarities_are_verified(name: str) -> None:
    minhash = load(name).dedup.minhash
    assert minhash is not None
    assert minhash.verify == VERIFIED[name]
    assert minhash.evidence == "A"  # the banding is not published


def test_scopes() -> None:
    for name, scope in (("fineweb2", "language"), ("fineweb", "corpus"), ("refinedweb", "corpus")):
        minhash = load(name).dedup.minhash
        assert minhash is not None
        assert minhash.scope == scope


def test_every_recipe_has_the_class_that_is_known() -> None:
    known = {name: fidelity for fidelity, names in CLASSES.items() for name in names.split()}
    assert {name: load(name).fidelity for name in available()} == known


@pytest.mark.parametrize("name", CLASSES["R0"].split())
def test_what_is_not_published_says_so(name: str) -> None:
    recipe = load(name)
    base = "fineweb" if name == "gpt4-unpublished" else "zh-en-general"
    assert recipe.extends == base
    assert recipe.steps == load(base).steps
    assert "not published" in recipe.notice
    assert "does not reproduce" in recipe.notice
    assert "未公布" in recipe.notice_zh
    assert recipe.notice in resolve(recipe).notices


@pytest.mark.parametrize("name", available())
def test_a_recipe_answers_for_itself(name: str) -> None:
    recipe = load(name)
    assert recipe.name == name
    assert recipe.title
    assert re.search("[一-鿿]", recipe.title_zh) or recipe.title_zh == recipe.title
    for ours, chinese in ((recipe.assumptions, recipe.assumptions_zh), (recipe.not_done, recipe.not_done_zh)):
        assert len(ours) == len(chinese)
        assert all(re.search("[一-鿿]", text) or text.isupper() for text in chinese)
        assert not any(re.search("[一-鿿]", text) for text in ours)
    assert all(step.source for step in recipe.steps)
    assert all(score.what and score.source for score in recipe.scores)
    tags = [step.evidence for step in recipe.steps] + [recipe.extract.evidence]
    dedup = recipe.dedup
    parts = (dedup.url, dedup.exact, dedup.minhash, dedup.simhash, dedup.lines, dedup.bloom, dedup.substring)
    tags += [part.evidence for part in parts if part]
    assert "A" not in tags or recipe.assumptions


@pytest.mark.parametrize("name", available())
def test_a_score_is_read_or_says_that_it_is_a_column_only(name: str) -> None:
    recipe = load(name)
    read = {step.signal for step in recipe.steps if not isinstance(step, Edit)}
    idle = {score.id for score in recipe.scores if f"score_{score.id}" not in read}
    annotation = {"ccnet", "rpv2-annotate", "nemotron-cc"}
    for score in recipe.scores:
        assert score.id not in idle or name in annotation or "a column only" in score.note
        assert score.when_missing == "skip" or score.id in REFUSED[name]


def test_recipes_that_share_a_score_ask_for_the_same_number() -> None:
    """Several recipes may be measured at once, and one column cannot hold two things."""
    said = ("when_missing", "what", "evidence", "source", "note")  # these may differ
    asked: dict[str, set[str]] = {}
    for name in available():
        for score in load(name).scores:
            asked.setdefault(score.id, set()).add(score.model_dump_json(exclude=set(said)))
    assert {score_id: how for score_id, how in asked.items() if len(how) > 1} == {}


@pytest.mark.parametrize("name", available())
def test_without_files_a_recipe_refuses_or_says_what_it_leaves_out(name: str) -> None:
    recipe = load(name)
    if name in REFUSED:
        assert {s.id for s in recipe.scores if s.when_missing == "refuse"} == REFUSED[name]
        with pytest.raises(FileNotFoundError, match="cannot run without score"):
            resolve(recipe)
        return
    resolved = resolve(recipe)
    given = {f"score_{score.id}" for score in resolved.recipe.scores}
    for step in resolved.recipe.steps:
        assert isinstance(step, Edit) or not (step.signal or "").startswith("score_") or step.signal in given
    for score in recipe.scores:
        assert not score.needs_file or any(f"score {score.id} has no file" in told for told in resolved.notices)


@pytest.mark.parametrize("name", available())
def test_every_signal_edit_and_score_is_there(name: str) -> None:
    check(load(name))


@pytest.mark.parametrize("page", ["recipes.md", "recipes.zh-CN.md"])
def test_the_documentation_lists_every_recipe_with_its_class(page: str) -> None:
    text = (Path(__file__).parents[2] / "docs" / page).read_text(encoding="utf-8")
    told = dict(re.findall(r"^\| `([a-z0-9.-]+)` \| (R[0-3]) \|", text, re.MULTILINE))
    assert told == {name: load(name).fidelity for name in available()}
    assert all(f"| T{trap} |" in text for trap in range(1, 17))


def test_the_documented_example_is_a_recipe() -> None:
    text = (Path(__file__).parents[2] / "docs" / "recipes.md").read_text(encoding="utf-8")
    example = text.split("## Writing one\n")[1].split("**Rules**")[0]
    recipe = parse("\n".join(line.removeprefix("    ") for line in example.splitlines()).encode(), "mine.toml")
    ids = [step.id for step in recipe.steps]
    assert ids.index("mine.forum.v1") == ids.index("gopher.dup_line.v1") - 1
    assert [score.id for score in recipe.scores] == ["fineweb_domains", "fineweb_words", "forum"]
    check(recipe)


def test_trap_1_minimums_of_c4() -> None:
    assert rules(load("c4-en"))["c4.min_sentences.v1"].threshold == 3
    assert load("c4-en").edits[0].edit == "c4_lines"  # 5 words a line
    assert rules(load("fineweb"))["c4.min_sentences.v1"].threshold == 5
    assert load("fineweb").edits[0].edit == "c4_lines_nopunct"  # 3 words a line


def test_traps_3_and_4_the_run_and_the_paper_of_fineweb() -> None:
    run, paper = rules(load("fineweb")), rules(load("fineweb-paper"))
    assert run["fineweb.line_char_dup.v1"].threshold == 0.01
    assert paper["fineweb.line_char_dup.v1"].threshold == 0.1
    assert run["fineweb.list_ratio.v1"].threshold == 0.3
    assert "fineweb.list_ratio.v1" not in paper
    assert set(run) - set(paper) == {"fineweb.list_ratio.v1"}


def test_trap_7_ccnet_cuts_at_30_and_60_by_the_code() -> None:
    ccnet = load("ccnet")
    assert [score.id for score in ccnet.scores] == ["perplexity"]
    assert "en 340/520, zh 1460/1950" in ccnet.scores[0].note
    assert not any(step.signal == "score_perplexity" for step in ccnet.steps if isinstance(step, Rule))
    assert rules(load("rpv1-cc"))["rpv1.not_tail.v1"].threshold == {"en": 520}


def test_traps_8_to_12_dolmas_ways_of_counting() -> None:
    signals = {rule.signal for rule in rules(load("dolma-v1.5-cc")).values()}
    assert "mean_word_length" not in signals
    assert "stop_word_count" not in signals
    assert not any(signal.startswith("dolma_top") for signal in signals)  # trap 12: off, as run
    assert {"stop_word_occurrences"} <= {rule.signal for rule in rules(load("refinedweb")).values()}
    assert {"stop_word_count"} <= {rule.signal for rule in rules(load("gopher-massiveweb")).values()}


def test_trap_14_scripts_are_dropped_converted_or_kept() -> None:
    assert rules(load("chinesewebtext"))["cwt.traditional.v1"].threshold is False
    assert "t2s" in {edit.edit for edit in load("pangu-alpha").edits}
    fineweb2 = load("fineweb2")
    assert "t2s" not in {edit.edit for edit in fineweb2.edits}
    assert "is_traditional" not in {rule.signal for rule in rules(fineweb2).values()}


@pytest.mark.parametrize("trap", range(1, 15))
def test_every_trap_is_told_where_it_is(trap: int) -> None:
    said = re.compile(rf"[Tt]raps?\b[^\n]*\bT{trap}\b")
    texts = [(files("recipes") / f"{name}.toml").read_text(encoding="utf-8") for name in available()]
    assert any(said.search(text) for text in texts)


@pytest.mark.parametrize(
    ("name", "method", "signal", "alpha"),
    [("gpt3-cc", "pareto", "score_gpt3_quality", 9.0), ("pile-cc", "pareto", "score_owt2", 3.0),
     ("palm-780b", "proportional", "score_palm_quality", None)],
)  # fmt: skip
def test_published_sampling(name: str, method: str, signal: str, alpha: float | None) -> None:
    samplers = [step for step in load(name).steps if isinstance(step, Sample)]
    assert [(s.method, s.signal, s.alpha) for s in samplers] == [(method, signal, alpha)]


def test_rpv2_filters_nothing_by_its_signals() -> None:
    recipe = load("rpv2-annotate")
    assert recipe.dedup.exact is None
    assert recipe.dedup.minhash is None
    assert {rule.signal for rule in rules(recipe).values()} == {"char_count", "lang_score", "lang"}
