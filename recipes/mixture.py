"""What a recipe says about mixing sources: published weights, copies, budgets, and rehydration by cluster size.

Every figure is kept as it was published, with its evidence tag, even where a table does not add up (GPT-3's weights
sum to 101, MAI's to 100.1): `recipes.shares` normalises when it is asked and never here. A mixture goes by `weight`
(a table of percentages) or by `size` (tokens or bytes times copies times multiplier, optionally tempered).

Traded away: weights cannot depend on anything but the source. Weights per document are rehydration's.
"""

from __future__ import annotations

import re
from collections import Counter
from itertools import zip_longest
from typing import Literal

from pydantic import Field, field_validator, model_validator

from recipes.strict import Evidence, Strict

UNITS = {"B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12, "PB": 10**15,
         "KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40, "PiB": 2**50}  # fmt: skip
SIZE = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,6})?) ?(B|[KMGTP]i?B)")
FIGURES = ("weight", "copies", "multiplier", "tokens", "trained_tokens", "size", "documents", "epochs")
Positive = Field(default=None, gt=0, allow_inf_nan=False)


class Source(Strict):
    """One row of a published table, raw. `evidence` holds for the row, `evidence_of` for single figures of it.

    `weight` is a percentage or a share; `copies` is how often one pass over the mixture reads the source (the Pile);
    `multiplier` is a factor on its size (ERNIE 3.0); `tokens` are those available once, `trained_tokens` those
    drawn; `size` is text on disk, such as "714.9 GB"; `epochs` is the published count, kept to check ours against.
    A source that is `default_off` takes part only when it is named, and says why.
    """

    name: str = Field(min_length=1)
    weight: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    copies: float | None = Positive
    multiplier: float | None = Positive
    tokens: int | None = Field(default=None, gt=0)
    trained_tokens: int | None = Field(default=None, gt=0)
    size: str | None = None
    documents: int | None = Field(default=None, gt=0)
    epochs: float | None = Positive
    default_off: str = Field(default="", description="why it takes no part unless it is named")
    evidence: Evidence
    evidence_of: dict[str, Evidence] = Field(default_factory=dict)
    source: str = ""
    note: str = ""

    @field_validator("size")
    @classmethod
    def _a_size(cls, value: str | None) -> str | None:
        if value is not None and (not SIZE.fullmatch(value) or not bytes_of(value)):
            raise ValueError(f'{value!r} is no size; write it as "714.9 GB" or "227.12 GiB"')
        return value

    @field_validator("evidence_of")
    @classmethod
    def _of_figures(cls, value: dict[str, Evidence]) -> dict[str, Evidence]:
        if unknown := [key for key in value if key not in FIGURES]:
            raise ValueError(f"{unknown[0]!r} is no figure of a source; there are {', '.join(FIGURES)}")
        return value

    @property
    def bytes(self) -> int | None:
        """`size` in bytes."""
        return None if self.size is None else bytes_of(self.size)

    def tag(self, figure: str) -> Evidence:
        """The evidence for one figure of this row."""
        return self.evidence_of.get(figure, self.evidence)


class Budget(Strict):
    """How many tokens training reads: a number, or a number per parameter (Chinchilla: 20)."""

    tokens: int | None = Field(default=None, gt=0)
    tokens_per_param: float | None = Positive
    evidence: Evidence
    source: str = ""

    @model_validator(mode="after")
    def _one(self) -> Budget:
        if (self.tokens is None) == (self.tokens_per_param is None):
            raise ValueError("give exactly one of tokens and tokens_per_param")
        return self

    def of(self, parameters: float) -> int:
        """Tokens for a model of so many parameters.

        >>> Budget(tokens_per_param=20, evidence="S").of(70e9)
        1400000000000
        """
        return self.tokens if self.tokens is not None else round((self.tokens_per_param or 0) * parameters)


class Holdout(Strict):
    """A validation set of `bytes`, taken from each source in proportion to its size (OPT: 200 MB)."""

    bytes: int = Field(gt=0)
    evidence: Evidence
    source: str = ""


class Rehydrate(Strict):
    """A document whose duplicate cluster has `min` to `max` members is read `copies` times; no `max` is no end."""

    min: int = Field(ge=1)
    max: int | None = Field(default=None, ge=1)
    copies: float = Field(gt=0, allow_inf_nan=False)
    evidence: Evidence
    source: str = ""


class Variant(Strict):
    """One of several published columns: its rows, and its budget where that differs."""

    sources: tuple[Source, ...] = Field(min_length=1)
    budget: Budget | None = None

    @model_validator(mode="after")
    def _names_differ(self) -> Variant:
        _differ(self.sources)
        return self


class Mixture(Strict):
    """The `[mixture]` of a recipe: `sources`, or several `variants` of which `variant` names the one that counts.

    `temperature` T makes p_i proportional to n_i^(1/T): 1 is by size, and the greater, the nearer to equal.
    `instruction_fraction` of the budget is instruction data (GLM-130B: 0.05) and is not shared among the sources.
    `max_epochs` is a published limit (PaLM repeats nothing: 1).
    """

    by: Literal["weight", "size"] = "weight"
    sources: tuple[Source, ...] = ()
    variant: str | None = None
    variants: dict[str, Variant] = Field(default_factory=dict)
    temperature: float | None = Positive
    budget: Budget | None = None
    instruction_fraction: float = Field(default=0.0, ge=0, lt=1)
    max_epochs: float | None = Positive
    holdout: Holdout | None = None
    rehydrate: tuple[Rehydrate, ...] = ()
    source: str = Field(default="", description="where the table was read")
    note: str = ""

    @property
    def rows(self) -> tuple[Source, ...]:
        """The rows that count: `sources`, or those of the chosen variant."""
        return self.variants[self.variant].sources if self.variant is not None else self.sources

    @property
    def plan(self) -> Budget | None:
        """The budget that counts: the chosen variant's, else the mixture's."""
        own = self.variants[self.variant].budget if self.variant is not None else None
        return own or self.budget

    def as_variant(self, name: str) -> Mixture:
        """This mixture with another of its published columns; ValueError names those that there are."""
        if name not in self.variants:
            there = ", ".join(repr(one) for one in self.variants) or "none"
            raise ValueError(f"mixture.variant: there is no variant {name!r}; there are {there}.")
        return self.model_copy(update={"variant": name})

    @model_validator(mode="after")
    def _one_table(self) -> Mixture:
        if bool(self.sources) and bool(self.variants):
            raise ValueError("give sources or variants, not both")
        if not self.sources and not self.variants and not self.rehydrate:
            raise ValueError("name sources, variants or a table to rehydrate by")
        if self.variants and self.variant not in self.variants:
            raise ValueError(f"variant must name one of {', '.join(repr(name) for name in self.variants)}")
        if self.variant is not None and not self.variants:
            raise ValueError(f"variant = {self.variant!r} is named, but there are no variants")
        _differ(self.sources)
        return self

    @model_validator(mode="after")
    def _can_be_shared(self) -> Mixture:
        for row in (*self.sources, *(row for one in self.variants.values() for row in one.sources)):
            if self.by == "weight" and row.weight is None:
                raise ValueError(f"source {row.name!r} has no weight; give one, or set by = 'size'")
            if self.temperature is not None and (row.copies is not None or row.multiplier is not None):
                raise ValueError(f"source {row.name!r} has copies or a multiplier, which temperature replaces")
        if self.temperature is not None and self.by == "weight":
            raise ValueError("temperature goes by the sizes of sources; set by = 'size'")
        return self

    @model_validator(mode="after")
    def _bands_follow(self) -> Mixture:
        for last, (band, after) in enumerate(zip_longest(self.rehydrate, self.rehydrate[1:]), 1):
            if band.max is not None and band.max < band.min:
                raise ValueError(f"rehydrate {last}: max {band.max} is below min {band.min}")
            if after is not None and band.max != after.min - 1:
                raise ValueError(
                    f"rehydrate {last}: its max must be {after.min - 1}, for the next begins at {after.min}"
                )
        return self


def bytes_of(size: str) -> int:
    """A published size in bytes.

    >>> bytes_of("1.9 TB"), bytes_of("1.5 KiB")
    (1900000000000, 1536)
    """
    if not (found := SIZE.fullmatch(size)):
        raise ValueError(f"{size!r} is no size.")
    whole, _, part = found.group(1).partition(".")
    return int(whole + part) * UNITS[found.group(2)] // 10 ** len(part)


def _differ(sources: tuple[Source, ...]) -> None:
    twice = sorted(name for name, times in Counter(row.name for row in sources).items() if times > 1)
    if twice:
        raise ValueError(f"source names must differ; given twice: {', '.join(twice)}")
