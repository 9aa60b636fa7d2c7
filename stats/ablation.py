"""What an ablation came to: loss on held-out text by domain, with bands over seeds, and how each recipe stands to raw.

Two things may make a difference chance: the seed (weights and order) and which documents are held out. Recipes are
paired with raw seed by seed, and Student's t gives the first interval; documents are drawn again with replacement
(paired bootstrap, doi:10.1214/aos/1176344552) for the second. A recipe is called better or worse only if both leave
out zero.

Traded away: a model of both at once; with three seeds it would pretend to know more than there is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log, sqrt

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from scipy.stats import t as student

from stats.passing import RAW
from stats.rows import COUNT, table

ALL = "all"
DRAWS = 2_000
LOSS, CHANGE = {"format": ".4f"}, {"format": "+.4f"}
Floats = npt.NDArray[np.float64]
SUMMARY = pa.schema([
    pa.field("recipe", pa.string()), pa.field("tokens", pa.int64(), metadata=COUNT), pa.field("domain", pa.string()),
    pa.field("documents", pa.int64(), metadata=COUNT), pa.field("loss", pa.float64(), metadata=LOSS),
    pa.field("low", pa.float64(), metadata=LOSS), pa.field("high", pa.float64(), metadata=LOSS),
    pa.field("bits a byte", pa.float64(), metadata=LOSS), pa.field("to raw", pa.float64(), metadata=CHANGE),
    pa.field("by seeds, low", pa.float64(), metadata=CHANGE), pa.field("by seeds, high", pa.float64(), metadata=CHANGE),
    pa.field("by documents, low", pa.float64(), metadata=CHANGE),
    pa.field("by documents, high", pa.float64(), metadata=CHANGE), pa.field("verdict", pa.string())])  # fmt: skip
LOSSES = pa.schema([
    pa.field("recipe", pa.string()), pa.field("tokens", pa.int64()), pa.field("seed", pa.int64()),
    pa.field("domain", pa.string()), pa.field("documents", pa.int64()), pa.field("ids", pa.int64()),
    pa.field("nats", pa.float64()), pa.field("loss", pa.float64())])  # fmt: skip


@dataclass(frozen=True)
class Measured:
    """`nats` is (recipes, budgets, seeds, documents); `ids` and `bytes` are of each document, `domains` masks of them.

    The first of `names` is RAW; `budgets` are tokens, ascending.
    """

    names: Sequence[str]
    budgets: Sequence[int]
    seeds: Sequence[int]
    nats: Floats
    ids: npt.NDArray[np.int64]
    bytes: npt.NDArray[np.int64]
    domains: Mapping[str, npt.NDArray[np.bool_]]


def domains(
    languages: Sequence[str], sources: Sequence[str], given: Sequence[str | None]
) -> dict[str, npt.NDArray[np.bool_]]:
    """Masks of documents by domain: all of the run's, by language, by source if there are several, by file given.

    >>> list(domains(["en", "zh", "und"], ["a", "a", ""], [None, None, "mine"]))
    ['all', 'language en', 'language zh', 'file mine']
    """
    own = np.array([name is None for name in given], np.bool_)
    found = {ALL: own} if own.any() else {}
    for what, labels in (("language", languages), ("source", sources)):
        column = np.array(labels, object)
        values = sorted(set(column[own]))
        if what == "language" or len(values) > 1:
            found |= {f"{what} {value}": own & (column == value) for value in values}
    files = np.array(["" if name is None else name for name in given], object)
    return found | {f"file {name}": files == name for name in sorted(set(files[~own]))}


def losses(measured: Measured) -> pa.Table:
    """A row for every model and domain."""
    rows = []
    for r, name in enumerate(measured.names):
        for b, budget in enumerate(measured.budgets):
            for s, seed in enumerate(measured.seeds):
                for domain, mask in measured.domains.items():
                    nats, ids = float(measured.nats[r, b, s, mask].sum()), int(measured.ids[mask].sum())
                    rows.append((name, budget, seed, domain, int(mask.sum()), ids, nats, nats / ids))
    return table(rows, LOSSES)


def summary(measured: Measured) -> pa.Table:
    """A row of SUMMARY for each recipe, budget and domain, the lowest loss first within a domain."""
    rows = []
    for b, budget in enumerate(measured.budgets):
        for domain, mask in measured.domains.items():
            found = [_row(measured, r, b, budget, domain, mask) for r in range(len(measured.names))]
            rows += sorted(found, key=lambda row: row[4])
    return table(rows, SUMMARY)


Row = tuple[str, int, str, int, float, float | None, float | None, float, float | None, float | None, float | None,
            float | None, float | None, str]  # fmt: skip


def _row(measured: Measured, r: int, b: int, budget: int, domain: str, mask: npt.NDArray[np.bool_]) -> Row:
    ids, size = measured.ids[mask], int(measured.bytes[mask].sum())
    nats = measured.nats[r, b][:, mask]
    by_seed = nats.sum(1) / ids.sum()
    low, high = interval(by_seed)
    bits = float(nats.sum(1).mean()) / log(2) / size
    head = (measured.names[r], budget, domain, int(mask.sum()), float(by_seed.mean()), low, high, bits)
    if measured.names[r] == RAW:
        return (*head, None, None, None, None, None, "")
    apart = nats - measured.nats[0, b][:, mask]
    change = apart.sum(1) / ids.sum()
    seeds, documents = interval(change), resampled(apart.mean(0), ids)
    return (*head, float(change.mean()), *seeds, *documents, verdict(seeds, documents))


def interval(values: Floats, level: float = 0.95) -> tuple[float | None, float | None]:
    """Student's t interval of a mean; (None, None) of fewer than two values.

    >>> [round(x, 3) for x in interval(np.array([1.0, 2.0, 3.0]))]
    [-0.484, 4.484]
    """
    if len(values) < 2:
        return None, None
    half = float(student.ppf(0.5 + level / 2, len(values) - 1)) * float(values.std(ddof=1)) / sqrt(len(values))
    return float(values.mean()) - half, float(values.mean()) + half


def resampled(nats: Floats, ids: npt.NDArray[np.int64], draws: int = DRAWS) -> tuple[float, float]:
    """95 % percentile interval of sum(nats) / sum(ids) over documents drawn with replacement; seeded."""
    random = np.random.default_rng(0)
    found = np.empty(draws)
    for i in range(draws):
        chosen = random.integers(0, len(ids), len(ids))
        found[i] = nats[chosen].sum() / ids[chosen].sum()
    low, high = np.quantile(found, [0.025, 0.975])
    return float(low), float(high)


def verdict(seeds: tuple[float | None, float | None], documents: tuple[float, float]) -> str:
    """What both intervals of a change to raw say together.

    >>> verdict((-0.2, -0.1), (-0.3, -0.1)), verdict((-0.2, 0.1), (-0.3, -0.1)), verdict((None, None), (-1, -1))
    ('better', 'unsure', 'one seed')
    """
    if seeds[0] is None or seeds[1] is None:
        return "one seed"
    if max(seeds[1], documents[1]) < 0:
        return "better"
    return "worse" if min(seeds[0], documents[0]) > 0 else "unsure"
