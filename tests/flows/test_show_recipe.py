"""What `winnow recipes` prints: nothing cut short, in narrow and wide terminals, in English and in Chinese."""

from __future__ import annotations

import io
import re
from types import SimpleNamespace

import pytest
from rich.console import Console, RenderableType

from flows.show_mixture import FIGURES, mixture_shown
from flows.show_recipe import listing, one
from recipes.load import available, load
from recipes.steps import Rule


def shown(what: RenderableType, width: int) -> str:
    out = io.StringIO()
    Console(file=out, width=width, color_system=None).print(what)
    return out.getvalue()


def squeezed(text: str) -> str:
    """Letters and figures alone: what is left when frames and line breaks of cells do not matter."""
    return re.sub(r"\W+", "", text)


@pytest.mark.parametrize("width", [80, 200])
@pytest.mark.parametrize("zh", [False, True])
def test_the_list_names_all(width: int, zh: bool) -> None:
    text = shown(listing(zh), width)
    assert all(name in text for name in available())
    assert ("所需文件" in text) == zh
    assert ("必需 owt2" in text) == zh
    assert "…" not in text
    assert max(map(len, text.splitlines())) <= width


@pytest.mark.parametrize("name", available())
def test_nothing_of_a_recipe_is_cut_short(name: str) -> None:
    recipe = load(name)
    for width, zh in ((80, True), (80, False), (200, True), (200, False)):
        text = shown(one(name, zh), width)
        assert "…" not in text.replace("(# ... …)", "")
        assert max(map(len, text.splitlines())) <= width
        if width == 200:
            for step in recipe.steps:
                assert step.id in text
            for item in (*recipe.sources, *(recipe.not_done_zh if zh else recipe.not_done)):
                assert squeezed(item) in squeezed(text)
        assert ("假设" in text) == (zh and bool(recipe.assumptions))


def test_an_unpublished_recipe_says_so_first() -> None:
    for zh, told in ((False, "does not reproduce GPT-4"), (True, "并非 GPT-4 的复现")):
        head = squeezed("".join(shown(one("gpt4-unpublished", zh), 200).splitlines()[:5]))
        assert squeezed(told) in head


def row(name: str, **given: object) -> SimpleNamespace:
    blank = dict.fromkeys(FIGURES)
    return SimpleNamespace(**{**blank, "name": name, "evidence": "M", "evidence_of": {}, "default_off": "", **given})


def test_a_mixture_is_shown_as_it_was_printed() -> None:
    rows = (row("web", weight=60.0, tokens=410_000_000_000, evidence_of={"weight": "P"}),
            row("books", weight=41.0, size="2.1 TB", default_off="withdrawn"))  # fmt: skip
    plan = SimpleNamespace(tokens=None, tokens_per_param=20.0, evidence="S")
    band = SimpleNamespace(min=1001, max=None, copies=10.0, evidence="M")
    mixture = SimpleNamespace(sources=(), rows=rows, variant="big", plan=plan, rehydrate=(band,), note="sums to 101",
                              variants={"big": SimpleNamespace(sources=rows), "small": SimpleNamespace(sources=rows[:1])},
                              instruction_fraction=0.05, source="table 2")  # fmt: skip
    text = shown(mixture_shown(mixture, zh=False), 120)
    for told in ("60 P", "410 B", "2.1 TB", "big (the one that counts)", "small", "20 tokens a parameter (S)", "0.05",
                 "clusters of 1001+: 10 copies", "off unless it is named (withdrawn)", "sums to 101"):  # fmt: skip
        assert told in text
    assert "epochs" not in text
    assert "每个参数 20 词元" in shown(mixture_shown(mixture, zh=True), 80)


def test_bounds_needs_and_bandings_are_spelt_out() -> None:
    edu = shown(one("fineweb-edu"), 200)
    assert "score_fineweb_edu ≥ 3" in edu
    assert "the recipe refuses to run" in edu
    assert "14 bands x 8 rows = 112 hashes over 5-word shingles; J 0.685 finds half of the pairs" in edu
    assert "pareto(9) > 1 - score_gpt3_quality" in shown(one("gpt3-cc"), 200)
    chinese = shown(one("culturax", zh=True), 200)
    assert "lang_score 的第 10 至 100 百分位（各语种分别）" in chinese
    assert "跳过，并给出提示；随之省去：culturax.url.v1" in chinese
    assert "top_2gram_char_ratio ≤ 0.256 (zh), 0.161 (fr), 0.169 (de), 0.156 (es)" in shown(one("fineweb2"), 500)
    rule = next(s for s in load("fineweb").steps if isinstance(s, Rule) and s.id == "c4.curly.v1")
    assert rule.threshold is False
    assert "has_curly = no" in shown(one("fineweb"), 200)
    assert "no step reads it" in shown(one("rpv2-annotate"), 200)
