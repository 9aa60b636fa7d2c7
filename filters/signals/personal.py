"""How much personal data a text holds, by kind: what a recipe's limits and its what-if look at.

The scanner is that of the scrubber, so a count here is what scrubbing would replace if the text came through as it
is. Overlapping finds go to the kind that stands first in the table of kinds.
"""

from __future__ import annotations

import numpy as np

from filters.pii import KINDS, counted, find
from filters.segment import TextView
from filters.signals.signal import INT, signals


def personal(view: TextView) -> dict[str, np.ndarray]:
    """Spans of every kind in each text."""
    found = counted(find(view.text, list(KINDS)), len(view), list(KINDS))
    return {f"pii_{kind}": counts for kind, counts in found.items()}


SIGNALS = signals(
    personal, tuple((f"pii_{kind.name}", INT, f"{kind.doc}: how many", kind.source) for kind in KINDS.values())
)
