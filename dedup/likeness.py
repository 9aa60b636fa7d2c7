"""How alike two documents are: the share of equal positions of their signatures, or the Jaccard of their shingles.

Both take ragged rows (values and bounds), so that one pair costs what its own rows hold and nothing is copied.
"""

from __future__ import annotations

import numpy as np

from filters.compiled import kernel


@kernel
def equal_share(a, a_bounds, b, b_bounds, place):  # type: ignore[no-untyped-def]
    """Share of equal positions of signature i of `a` and signature place[i] of `b`."""
    out = np.empty(len(place), np.float32)
    for i in range(len(place)):
        low, other = a_bounds[i], b_bounds[place[i]]
        width = a_bounds[i + 1] - low
        same = 0
        for k in range(width):
            same += a[low + k] == b[other + k]
        out[i] = np.float32(same / width) if width else np.float32(0)
    return out


@kernel
def set_jaccard(a, a_bounds, b, b_bounds, place):  # type: ignore[no-untyped-def]
    """Jaccard of the sorted sets i of `a` and place[i] of `b`; 0 if both are empty."""
    out = np.empty(len(place), np.float32)
    for i in range(len(place)):
        x, y, same = a_bounds[i], b_bounds[place[i]], 0
        x_end, y_end = a_bounds[i + 1], b_bounds[place[i] + 1]
        total = x_end - x + y_end - y
        while x < x_end and y < y_end:
            if a[x] == b[y]:
                same, x, y = same + 1, x + 1, y + 1
            elif a[x] < b[y]:
                x += 1
            else:
                y += 1
        out[i] = np.float32(same / (total - same)) if total else np.float32(0)
    return out
