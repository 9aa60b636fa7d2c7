"""How well numbers part two classes: areas under the ROC and the precision-recall curve, and tables of thresholds.

ROC-AUC is the chance that a good text scores above a bad one, ties counting half (Mann-Whitney); PR-AUC is average
precision, sum of (recall step) x precision, as scikit-learn defines it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Reals = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
THRESHOLDS = (0.01, 0.02, 0.05, *(k / 10 for k in range(1, 10)), 0.95, 0.98, 0.99)


def roc_auc(values: Reals, good: Flags) -> float:
    """Area under the ROC curve; NaN if there is only one class."""
    goods, bads = int(good.sum()), int((~good).sum())
    if not goods or not bads:
        return float("nan")
    from scipy.stats import rankdata  # takes a second to import, and every run imports this package to read texts

    above = float(rankdata(values)[good].sum()) - goods * (goods + 1) / 2
    return above / (goods * bads)


def interval(values: Reals, good: Flags, resamples: int = 2000, seed: int = 0) -> tuple[float, float]:
    """95 % confidence interval of the ROC-AUC by a bootstrap over texts, seeded, classes resampled apart."""
    rng = np.random.default_rng(seed)
    goods, bads = np.flatnonzero(good), np.flatnonzero(~good)
    flags = np.concatenate([np.ones(len(goods), np.bool_), np.zeros(len(bads), np.bool_)])
    areas = [
        roc_auc(values[np.concatenate([rng.choice(goods, len(goods)), rng.choice(bads, len(bads))])], flags)
        for _ in range(resamples)
    ]
    low, high = np.quantile(areas, [0.025, 0.975])
    return float(low), float(high)


def curve(values: Reals, good: Flags) -> tuple[Reals, Reals, Reals]:
    """(thresholds, false positives, true positives) at each distinct value, from the greatest down: counts of bad and
    of good texts at or above it."""
    order = np.argsort(-values, kind="stable")
    ranked, hits = values[order], good[order]
    last = np.append(np.flatnonzero(np.diff(ranked)), len(ranked) - 1)
    true = np.cumsum(hits)[last].astype(np.float64)
    return ranked[last], last + 1 - true, true


def average_precision(values: Reals, good: Flags) -> float:
    """Area under the precision-recall curve, without interpolation; NaN without a good text."""
    if not good.any():
        return float("nan")
    _, false, true = curve(values, good)
    steps = np.diff(np.concatenate(([0.0], true))) / good.sum()
    return float((steps * true / (true + false)).sum())


def at_thresholds(values: Reals, good: Flags, thresholds: Sequence[float] = THRESHOLDS) -> list[dict[str, float]]:
    """For each threshold, what a rule `min = threshold` would keep: precision (NaN if nothing), recall and the share of
    all texts."""
    table = []
    for threshold in thresholds:
        kept = values >= threshold
        precision = float(good[kept].mean()) if kept.any() else float("nan")
        table.append(
            {
                "threshold": threshold,
                "precision": precision,
                "recall": float(kept[good].mean()),
                "kept": float(kept.mean()),
            }
        )
    return table
