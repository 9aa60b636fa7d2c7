"""The text without its personal data, by the recipe's policy, and how much of each kind was found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from filters.pii.kinds import KINDS
from filters.pii.scan import Span, find


@dataclass(frozen=True)
class Scrubbed:
    """`text` row for row as given; `counts[kind][i]` is how many of that kind text i held."""

    text: pa.LargeStringArray
    counts: dict[str, npt.NDArray[np.int32]]


def scrub(text: pa.LargeStringArray, policy: Mapping[str, str]) -> Scrubbed:
    """Apply a policy (kind -> `placeholder` or `leave`); ValueError for a kind that does not exist."""
    unknown = [kind for kind in policy if kind not in KINDS]
    if unknown:
        raise ValueError(f"scrub.policy names no kind of personal data: {unknown[0]!r}. There are: {', '.join(KINDS)}.")
    counts = {kind: np.zeros(len(text), np.int32) for kind in policy}
    out = []
    for row, value in enumerate(text.to_pylist()):
        spans = find(value or "", list(policy))
        for span in spans:
            counts[span.kind][row] += 1
        out.append(replaced(value or "", spans, policy) if spans else value)
    return Scrubbed(pa.array(out, pa.large_string()), counts)


def replaced(text: str, spans: list[Span], policy: Mapping[str, str]) -> str:
    """`text` with placeholders for the spans whose policy asks for one.

    >>> replaced("write to a@b.cn", [Span(9, 15, "email")], {"email": "placeholder"})
    'write to <EMAIL>'
    """
    pieces, at = [], 0
    for span in spans:
        if policy[span.kind] == "placeholder":
            pieces += [text[at : span.start], KINDS[span.kind].placeholder]
            at = span.end
    return "".join([*pieces, text[at:]])
