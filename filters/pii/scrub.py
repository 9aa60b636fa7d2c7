"""The text without its personal data, by the recipe's policy, and how much of each kind was found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from filters.pii.kinds import KINDS
from filters.pii.scan import find


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
    spans = find(text, list(policy)).to_pylist()
    counts = {kind: np.zeros(len(text), np.int32) for kind in policy}
    by_row: dict[int, list[dict[str, Any]]] = {}
    for span in spans:
        counts[span["kind"]][span["row"]] += 1
        by_row.setdefault(span["row"], []).append(span)
    out = text.to_pylist()
    for row, found in by_row.items():
        out[row] = replaced(out[row], found, policy)
    return Scrubbed(pa.array(out, pa.large_string()), counts)


def replaced(text: str, spans: list[dict[str, Any]], policy: Mapping[str, str]) -> str:
    """`text` with placeholders for the spans whose policy asks for one.

    >>> replaced("write to a@b.cn", [{"start": 9, "end": 15, "kind": "email"}], {"email": "placeholder"})
    'write to <EMAIL>'
    """
    raw, pieces, at = text.encode(), [], 0
    for span in spans:
        if policy[span["kind"]] == "placeholder":
            pieces += [raw[at : span["start"]], KINDS[span["kind"]].placeholder.encode()]
            at = span["end"]
    return b"".join([*pieces, raw[at:]]).decode()
