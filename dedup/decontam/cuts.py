"""From places found in a text to what is taken out of it: windows of characters around them, merged, and the pieces
that are left (GPT-3 App. C). Spans are bytes at character boundaries; windows and pieces are counted in characters.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from filters.compiled import kernel
from filters.segment import Bytes, Ints

Spans = npt.NDArray[np.int64]  # (k, 2): start, stop


@kernel
def _widen(data, spans, window):  # type: ignore[no-untyped-def]
    out = np.empty_like(spans)
    for k in range(len(spans)):
        a, b = spans[k]
        for _ in range(window):
            if a == 0:
                break
            a -= 1
            while a > 0 and data[a] & 0xC0 == 0x80:
                a -= 1
        for _ in range(window):
            if b >= len(data):
                break
            b += 1
            while b < len(data) and data[b] & 0xC0 == 0x80:
                b += 1
        out[k, 0], out[k, 1] = a, b
    return out


def widened(data: Bytes, spans: Spans, window: int) -> Spans:
    """Each span with `window` characters more on both sides, as far as the text goes."""
    result: Spans = _widen(data, spans, window)
    return result


def merged(spans: Spans) -> Spans:
    """The union of spans: sorted, apart from each other; spans that touch become one.

    >>> merged(np.array([[5, 9], [0, 2], [8, 12], [2, 3]])).tolist()
    [[0, 3], [5, 12]]
    """
    if len(spans) < 2:
        return spans
    ordered = spans[np.lexsort((spans[:, 1], spans[:, 0]))]
    reach = np.maximum.accumulate(ordered[:, 1])
    new = np.append(True, ordered[1:, 0] > reach[:-1])
    return np.column_stack([ordered[new, 0], reach[np.append(new[1:], True)]])


def group_of(spans: Spans, union: Spans) -> Ints:
    """Which span of `union` each span lies in."""
    return np.searchsorted(union[:, 0], spans[:, 0], side="right") - 1


def pieces(data: Bytes, union: Spans) -> tuple[Spans, Ints]:
    """What is left of a text between the spans of `union`: places and lengths in characters; empty ones are none."""
    edges = np.concatenate([[0], union.ravel(), [len(data)]]).reshape(-1, 2)
    edges = edges[edges[:, 0] < edges[:, 1]]
    begins = np.concatenate([[0], np.cumsum((data & 0xC0) != 0x80)])
    return edges, begins[edges[:, 1]] - begins[edges[:, 0]]
