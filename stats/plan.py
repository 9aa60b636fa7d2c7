"""`winnow plan`: what a model of a given size needs, and what the corpora at hand are against that.

A plan is figures by section, one row for each source of the mixture, and what must be heeded. Where a recipe's
mixture and the corpora do not fit each other, the plan is refused, or the rest is renormalised and that is said.

Traded away: sources are told apart by name alone, so the runs must be named as the recipe names its sources.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from recipes.shares import Said, epochs, shares
from stats.ask import Ask, budget_of, short
from stats.figures import (
    Figure,
    Row,
    compute_figures,
    corpus_figures,
    memory_figures,
    storage_figures,
    token_figures,
)
from stats.scaling import FITTED, MANY_EPOCHS


@dataclass(frozen=True)
class Plan:
    """Figures by section, the sources' rows, how often a source may be read, and what must be heeded."""

    ask: Ask
    budget: int
    limit: float
    sections: dict[str, list[Figure]]
    rows: list[Row]
    warnings: list[Said]


def plan(ask: Ask) -> Plan:
    """The whole plan; ValueError in one sentence if recipe and corpora do not fit each other."""
    budget, limit = budget_of(ask)[0], _limit(ask)
    rows, said = _rows(ask, budget)
    sections = {
        "tokens": list(token_figures(ask)),
        "compute": list(compute_figures(ask, budget)),
        "corpus": list(corpus_figures(ask, budget, rows)),
        "storage": list(storage_figures(ask, budget, rows)),
        "memory": list(memory_figures(ask)),
    }
    warnings = [*said, *_too_often(ask, rows, limit), *_heed(ask)]
    return Plan(ask, budget, limit, sections, rows, warnings)


def _limit(ask: Ask) -> float:
    """Four epochs, or fewer if the recipe's publication allows fewer."""
    mixture = ask.recipe.mixture if ask.recipe else None
    return min(MANY_EPOCHS, (mixture.max_epochs if mixture else None) or MANY_EPOCHS)


def _rows(ask: Ask, budget: int) -> tuple[list[Row], list[Said]]:
    """Rows by the recipe's mixture, else by the corpus's own sizes; and what normalising had to say."""
    there = ask.offer.sources if ask.offer else None
    mixture = ask.recipe.mixture if ask.recipe else None
    if mixture is None or not mixture.rows:
        total = sum((there or {}).values())
        return [Row(k, v / total, budget * v / total, v, budget / total) for k, v in (there or {}).items() if v], []
    try:
        found = shares(mixture, there, missing=ask.missing)
    except ValueError as error:
        if there is not None or mixture.by == "weight":
            raise
        return [], [Said(f"No shares: {error}", f"无法得出份额：{error}")]
    passes = epochs(mixture, budget, there, missing=ask.missing)
    text = budget * (1 - mixture.instruction_fraction)
    tokens = there if there is not None else {row.name: row.tokens for row in mixture.rows}
    rows = [Row(name, share, text * share, tokens.get(name), passes[name]) for name, share in found.of.items()]
    return rows, list(found.notes)


def _too_often(ask: Ask, rows: list[Row], limit: float) -> Iterator[Said]:
    source = f"{ask.recipe.name}.toml" if ask.recipe and limit < MANY_EPOCHS else "arXiv:2305.16264"
    for row in rows:
        if row.epochs is not None and row.epochs >= limit + 0.005:  # as it is shown
            yield Said(f"{row.name} is read {row.epochs:,.2f} times, above {limit:g} ({source}).",
                       f"{row.name} 将被读取 {row.epochs:,.2f} 遍，超过 {limit:g} 遍（{source}）。")  # fmt: skip


def _heed(ask: Ask) -> Iterator[Said]:
    if not FITTED[0] <= ask.parameters <= FITTED[1]:
        yield Said("The laws were fitted on models of 70 M to 16 B parameters: this is an extrapolation.",
                   "缩放定律拟合自 0.7 亿至 160 亿参数的模型，此处为外推。")  # fmt: skip
    if ask.offer is None:
        yield Said("No run was given: bytes of text and number of shards are measured in runs, and are left out.",
                   "未给出运行目录：文本字节数与分片数须实测，故从略。")  # fmt: skip
    elif not ask.offer.tokens:
        yield Said("The runs hold no tokens.", "所给运行中没有词元。")
    elif len(ask.offer.tokenizers) > 1:
        yield Said("The runs have different tokenizers: their tokens are not alike, and sums of them are rough.",
                   "各运行的分词器不同：词元不可直接相加，合计仅供参考。")  # fmt: skip
    if ask.shape and not 0.8 <= ask.shape.parameters / ask.parameters <= 1.25:
        has, asked = short(ask.shape.parameters), short(ask.parameters)
        yield Said(f"The shape given has about 12 L h^2 = {has} parameters, not {asked}.",
                   f"所给结构约有 12 L h^2 = {has} 个参数，而非 {asked}。")  # fmt: skip
    part = ask.recipe.mixture.instruction_fraction if ask.recipe and ask.recipe.mixture else 0
    if part:
        yield Said(f"{part:.0%} of the budget is instruction data and is in no source.",
                   f"预算的 {part:.0%} 为指令数据，不计入各来源。")  # fmt: skip
