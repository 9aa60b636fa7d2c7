"""The question behind a plan: a model's size, a recipe, corpora, a device; checked, and its budget of tokens found.

The budget is what the asker says, else the recipe's published tokens, else its tokens a parameter, else Chinchilla's.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from recipes.model import Recipe
from recipes.shares import Missing, Said
from stats.corpora import Offer
from stats.scaling import CHINCHILLA_RATIO, PRECISIONS, Shape

H100 = Said("H100 SXM, dense BF16, NVIDIA's data sheet", "H100 SXM 稠密 BF16，NVIDIA 规格表")


@dataclass(frozen=True)
class Hardware:
    """One device: peak FLOP/s, share of it that is reached, memory; and how many there are, if that is known."""

    peak: float = 989e12
    mfu: float = 0.4
    memory: int = 80 * 10**9
    devices: int | None = None
    name: Said = H100


@dataclass(frozen=True)
class Ask:
    """The question. `tokens` overrides every other budget; `missing` is what `recipes.shares` does with gaps."""

    parameters: int
    tokens: int | None = None
    recipe: Recipe | None = None
    offer: Offer | None = None
    hardware: Hardware = Hardware()
    shape: Shape | None = None
    context: int = 2048
    micro_batch: int = 1
    precision: str = "bf16"
    missing: Missing = "refuse"

    def __post_init__(self) -> None:
        for name, value in (
            ("parameters", self.parameters),
            ("context", self.context),
            ("micro batch", self.micro_batch),
        ):
            if value < 1:
                raise ValueError(f"The {name} must be at least 1, not {value}.")
        if not 0 < self.hardware.mfu <= 1:
            raise ValueError(f"The utilisation (MFU) is a share above 0 and at most 1, not {self.hardware.mfu:g}.")
        if not 0 < self.hardware.peak < 1e21:
            raise ValueError(f"The peak is FLOP/s of one device, such as 989e12, not {self.hardware.peak:g}.")
        if self.hardware.memory < 1 or (self.hardware.devices is not None and self.hardware.devices < 1):
            raise ValueError("Memory and number of devices must be at least 1.")
        if self.precision not in PRECISIONS:
            raise ValueError(f"There is no precision {self.precision!r}; there are {', '.join(PRECISIONS)}.")


def ratio_of(ask: Ask) -> tuple[float, str]:
    """Tokens a parameter, and where that is from."""
    published = ask.recipe.mixture.plan if ask.recipe and ask.recipe.mixture else None
    if ask.recipe and published and published.tokens_per_param:
        return published.tokens_per_param, f"{ask.recipe.name}.toml: {published.source} [{published.evidence}]"
    return CHINCHILLA_RATIO, "arXiv:2203.15556: 70 B, 1.4 T"


def budget_of(ask: Ask) -> tuple[int, str, Said]:
    """Tokens to train on, the formula, and who says so: the asker, the recipe, or the ratio."""
    if ask.tokens is not None:
        return ask.tokens, f"D = {short(ask.tokens)}", Said("given", "用户给定")
    published = ask.recipe.mixture.plan if ask.recipe and ask.recipe.mixture else None
    if ask.recipe and published and published.tokens:
        where = f"{ask.recipe.name}.toml: {published.source} [{published.evidence}]"
        return published.tokens, f"D = {short(published.tokens)}", cite(where)
    ratio, source = ratio_of(ask)
    return round(ratio * ask.parameters), f"D = {ratio:g} x N = {ratio:g} x {short(ask.parameters)}", cite(source)


def cite(source: str) -> Said:
    return Said(source, source)


def short(value: float) -> str:
    """A number in a formula: exact below a million, else four digits and a power.

    >>> short(368746), short(7e9), short(1.4e12)
    ('368,746', '7e9', '1.4e12')
    """
    return f"{value:,.0f}" if 1000 <= value < 1e6 else re.sub(r"e\+0*", "e", f"{value:.4g}")
