"""What the explorer answers with, and the tokens of a document that no shard counted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from stats.report.texts import Page

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Line:
    """Kept documents, bytes of their text and tokens (about), now and with the threshold moved."""

    name: str
    now: tuple[int, int, int]
    then: tuple[int, int, int]


@dataclass(frozen=True)
class Answer:
    """What a threshold keeps: in all, by language, and how many documents come in and go out against now."""

    total: Line
    languages: Sequence[Line]
    comes_in: int
    goes_out: int


@dataclass(frozen=True)
class Moved:
    """A document that changes sides: its measurement, and its page."""

    value: str
    page: Page


def estimated(known: Any, size: npt.NDArray[np.int64], lang: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """Tokens of each document: counted in the shards, or estimated from bytes at the rate of its language."""
    tokens = np.array(known.to_numpy(zero_copy_only=False), np.float64) if known.null_count else known.to_numpy()
    tokens = np.asarray(tokens, np.float64)
    there = ~np.isnan(tokens)
    most = int(lang.max(initial=0)) + 1
    by = [np.bincount(lang[there], weight[there], most) for weight in (tokens, size.astype(np.float64))]
    whole = by[0].sum() / by[1].sum() if by[1].sum() else 0.0
    rate = np.divide(by[0], by[1], out=np.full(most, whole), where=by[1] > 0)
    return np.where(there, tokens, size * rate[lang])
