"""How sure a share is, and whether it changed by more than chance: Wilson's interval, and the alarm made of it."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist

FEW = 30  # documents before a step, below which nothing is alarmed
Z = 1.959963984540054  # two-sided 95 %


def wilson(part: float, whole: float, z: float = Z) -> tuple[float, float]:
    """Interval of a share by Wilson 1927 (doi:10.1080/01621459.1927.10502953); (0, 1) of nothing.

    >>> [round(x, 4) for x in wilson(96, 100)]
    [0.9016, 0.9843]
    """
    if whole <= 0:
        return 0.0, 1.0
    share, square = part / whole, z * z / whole
    middle, half = share + square / 2, z * sqrt(share * (1 - share) / whole + square / (4 * whole))
    return max(0.0, (middle - half) / (1 + square)), min(1.0, (middle + half) / (1 + square))


@dataclass(frozen=True)
class Change:
    """A share's relative change in one step, with its interval, and what to make of it."""

    change: float | None
    low: float | None
    high: float | None
    few: bool
    alert: bool


def changed(before: int, after: int, all_before: int, all_after: int, alert: float, asked: int = 1) -> Change:
    """How a group's share changed when `after` of its `before` documents stayed, and `all_after` of all.

    The interval is Wilson's, 95 %, of the group's rate of staying, over the rate of all. An alarm wants FEW documents,
    a change of more than `alert`, and no zero in the interval that is widened for `asked` groups (Bonferroni), so that
    of a thousand domains fifty are not alarmed by chance.

    >>> changed(3, 0, 1000, 900, 0.1).alert, changed(300, 0, 1000, 600, 0.1).alert
    (False, True)
    """
    few = before < FEW
    if not (before and all_before and all_after):
        return Change(None, None, None, few, False)
    rate = all_after / all_before
    change = after / before / rate - 1
    low, high = (bound / rate - 1 for bound in wilson(after, before))
    if few or abs(change) <= alert:
        return Change(change, low, high, few, False)
    wide = NormalDist().inv_cdf(1 - 0.025 / max(asked, 1))
    least, most = (bound / rate - 1 for bound in wilson(after, before, wide))
    return Change(change, low, high, few, not least <= 0 <= most)
