"""Arithmetic of mixtures: shares that sum to one, epochs of each source, rehydration, holdout. Pure functions.

What a published table leaves open is said in `notes`, in a sentence each: that raw weights did not sum to 100, that
a source was left off, that one is not in the corpus. Nothing is filled in: a source whose tokens are unknown has no
epochs.

Traded away: shares are floating point, and sum to one within rounding.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from math import exp, fsum, isclose, log
from typing import Literal

import numpy as np
import numpy.typing as npt

from recipes.mixture import Mixture, Source

Missing = Literal["refuse", "renormalise"]


@dataclass(frozen=True)
class Said:
    """A text in both languages."""

    en: str
    zh: str


@dataclass(frozen=True)
class Shares:
    """Shares by source, summing to one; `raw_sum` is what the published weights sum to, if every row has one."""

    of: dict[str, float]
    raw_sum: float | None
    notes: tuple[Said, ...] = ()


def shares(
    mixture: Mixture,
    available: Mapping[str, int] | None = None,
    *,
    missing: Missing = "refuse",
    include: Collection[str] = (),
) -> Shares:
    """The share of each source in what training reads.

    `available` is tokens by source in the corpus at hand. With it, sizes are the corpus's own, and a source that has
    none is refused, or left out and the rest renormalised, with a note. `include` names sources to have in although
    they are off by default. ValueError in one sentence names the source and the key.
    """
    rows, notes = _taking_part(mixture, include)
    if available is not None:
        rows = _present(mixture, rows, available, missing, notes)
    raw = {row.name: _raw(mixture, row, available) for row in rows}
    if mixture.temperature is not None:
        raw = _tempered(raw, mixture.temperature)
    total = fsum(raw.values())
    if not total:
        raise ValueError("mixture.sources: no source that takes part has a weight above 0.")
    weights = [row.weight for row in mixture.rows if row.weight is not None]
    raw_sum = fsum(weights) if len(weights) == len(mixture.rows) else None
    by_weight = mixture.by == "weight" and raw_sum is not None
    if by_weight and not any(isclose(raw_sum or 0, whole, rel_tol=1e-9) for whole in (1, 100)):
        notes.append(Said(f"The published weights sum to {raw_sum:g} and were normalised.",
                          f"原始权重之和为 {raw_sum:g}，已归一化。"))  # fmt: skip
    return Shares({name: value / total for name, value in raw.items()}, raw_sum, tuple(notes))


def epochs(
    mixture: Mixture,
    budget_tokens: int,
    available: Mapping[str, int] | None = None,
    *,
    missing: Missing = "refuse",
    include: Collection[str] = (),
) -> dict[str, float | None]:
    """How often training reads each source: share x budget / tokens available. None where those are unknown.

    The budget's `instruction_fraction` is taken off first. Tokens are those of `available`, else the published ones.
    """
    if budget_tokens <= 0:
        raise ValueError(f"The budget must be above 0 tokens, not {budget_tokens}.")
    text = budget_tokens * (1 - mixture.instruction_fraction)
    published = {row.name: row.tokens for row in mixture.rows}
    tokens: Mapping[str, int | None] = available if available is not None else published
    found = shares(mixture, available, missing=missing, include=include).of
    return {name: text * share / there if (there := tokens.get(name)) else None for name, share in found.items()}


def rehydration(mixture: Mixture, cluster_sizes: Sequence[int] | npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """Copies of each kept document, from the number of members its duplicate cluster had (1: no duplicates).

    A size outside every band is read once. ValueError if the recipe has no table, or a size is below 1.
    """
    if not mixture.rehydrate:
        raise ValueError("mixture.rehydrate: the recipe has no table to rehydrate by.")
    sizes = np.asarray(cluster_sizes, dtype=np.int64)
    if sizes.size and sizes.min() < 1:
        raise ValueError(f"A cluster has at least one member, not {sizes.min()}.")
    last = mixture.rehydrate[-1]
    starts = [band.min for band in mixture.rehydrate] + ([last.max + 1] if last.max is not None else [])
    copies = [1.0, *(band.copies for band in mixture.rehydrate), 1.0]
    return np.asarray(copies)[np.searchsorted(starts, sizes, side="right")]


def holdout(mixture: Mixture, sizes: Mapping[str, int]) -> dict[str, int]:
    """Bytes of each source for validation, in proportion to `sizes` (bytes); they sum to the recipe's `holdout`.

    Rounding goes to the greatest remainders, ties to the name. ValueError if there is less than is asked for.
    """
    if mixture.holdout is None:
        raise ValueError("mixture.holdout: the recipe sets none.")
    wanted, total = mixture.holdout.bytes, sum(sizes.values())
    if total < wanted:
        raise ValueError(f"mixture.holdout.bytes: {wanted} bytes are to be held out of {total}.")
    out = {name: wanted * size // total for name, size in sizes.items()}
    by_rest = sorted(sizes, key=lambda name: (-(wanted * sizes[name] % total), name))
    for name in by_rest[: wanted - sum(out.values())]:
        out[name] += 1
    return out


def _taking_part(mixture: Mixture, include: Collection[str]) -> tuple[list[Source], list[Said]]:
    names = {row.name for row in mixture.rows}
    if not names:
        raise ValueError("mixture.sources: the recipe names no sources, so there are no shares.")
    if unknown := sorted(set(include) - names):
        raise ValueError(f"mixture.sources: there is no source {unknown[0]!r} to include.")
    rows = [row for row in mixture.rows if not row.default_off or row.name in include]
    off = [row for row in mixture.rows if row not in rows]
    if not rows:
        raise ValueError("mixture.sources: every source is off by default; include one by its name.")
    return rows, [
        Said(f"{row.name} is off by default: {row.default_off}.", f"{row.name} 默认不参与：{row.default_off}。")
        for row in off
    ]


def _present(
    mixture: Mixture, rows: list[Source], available: Mapping[str, int], missing: Missing, notes: list[Said]
) -> list[Source]:
    """The rows that the corpus has; the others, and what the recipe does not name, are refused or told."""
    if below := sorted(name for name, tokens in available.items() if tokens < 0):
        raise ValueError(f"The corpus cannot have {available[below[0]]} tokens of {below[0]!r}.")
    lacking = [row.name for row in rows if not available.get(row.name)]
    named = {row.name for row in mixture.rows}
    off = named - {row.name for row in rows}
    strange = sorted(name for name in available if name not in named)
    if missing == "refuse" and (lacking or strange):
        told = f"the corpus has no {lacking[0]!r}" if lacking else f"the recipe does not name {strange[0]!r}"
        raise ValueError(f"mixture.sources: {told}. Supply or rename it, or let the others be renormalised.")
    for name in lacking:
        notes.append(Said(f"{name} is not in the corpus; its share went to the others.",
                          f"语料中没有 {name}，其份额分给其余来源。"))  # fmt: skip
    for name in strange:
        notes.append(Said(f"{name} is in the corpus but not in the mixture, and was left out.",
                          f"{name} 在语料中而不在配比中，未计入。"))  # fmt: skip
    for name in sorted(off & set(available)):
        notes.append(Said(f"{name} is in the corpus but off by default, and was left out.",
                          f"{name} 在语料中但默认不参与，未计入。"))  # fmt: skip
    there = [row for row in rows if row.name not in lacking]
    if not there:
        raise ValueError("mixture.sources: the corpus has none of the sources that the recipe names.")
    return there


def _raw(mixture: Mixture, row: Source, available: Mapping[str, int] | None) -> float:
    """A share before normalising: the weight, or the size with its factors."""
    if mixture.by == "weight":
        return row.weight or 0.0
    size = available[row.name] if available is not None else _size(mixture, row)
    return size * (row.copies or 1.0) * (row.multiplier or 1.0)


def _tempered(sizes: Mapping[str, float], temperature: float) -> dict[str, float]:
    """n^(1/T) relative to the greatest n, so that no temperature overflows."""
    top = max(sizes.values())
    return {name: exp(log(size / top) / temperature) for name, size in sizes.items()}


def _size(mixture: Mixture, row: Source) -> int:
    """Published tokens, if all rows have them, else published bytes, if all rows have those."""
    if all(one.tokens for one in mixture.rows) and row.tokens:
        return row.tokens
    if all(one.bytes for one in mixture.rows) and row.bytes:
        return row.bytes
    raise ValueError(f"mixture.sources: the size of {row.name!r} is not published; say how many tokens there are.")
