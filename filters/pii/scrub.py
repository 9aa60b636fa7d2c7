"""The text without its personal data: an action for each span that was found, by the recipe's policy.

Finding and replacing are apart: spans are rows (`filters.pii.scan.SPANS`) until the last moment, so another policy
costs no new scan. Only texts that hold a span to replace are touched; all others are the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from filters.pii.kinds import KINDS, NAMED
from filters.pii.pseudonym import key_for, normalised, pseudonym
from filters.pii.scan import find
from filters.pii.surrogate import MOST, Wanted, surrogates

AROUND = 96  # bytes on either side of a surrogate that the scanner sees when it is asked about it


class _Found(NamedTuple):
    row: int
    start: int
    end: int
    kind: str


@dataclass(frozen=True)
class Scrubbed:
    """`text` row for row as given; `counts[kind][i]` is how many of that kind text i held."""

    text: pa.LargeStringArray
    counts: dict[str, npt.NDArray[np.int32]]


def scrub(text: pa.LargeStringArray, policy: Mapping[str, str], key: bytes | None = None) -> Scrubbed:
    """Find the kinds that `policy` names, and replace them; ValueError for a kind that does not exist."""
    spans = find(text, searched(policy))
    return Scrubbed(replaced(text, spans, policy, key=key), counted(spans, len(text), list(policy)))


def searched(policy: Mapping[str, str], others: bool = False) -> list[str]:
    """The kinds to look for, first those that win where spans overlap: those that the policy replaces.

    With `others` every other kind follows, so that what a policy leaves is counted too.
    """
    unknown = [kind for kind in policy if kind not in KINDS and kind not in NAMED]
    if unknown:
        raise ValueError(f"scrub.policy names no kind of personal data: {unknown[0]!r}. There are: {', '.join(KINDS)}.")
    first = [kind for kind in KINDS if policy.get(kind, "leave") != "leave"]
    return first + [kind for kind in KINDS if kind not in first and (others or kind in policy)]


def counted(spans: pa.RecordBatch, rows: int, kinds: Sequence[str]) -> dict[str, npt.NDArray[np.int32]]:
    """How many spans of each kind each of `rows` texts has, as (rows,) arrays."""
    at = spans["row"].to_numpy(zero_copy_only=False)
    names = spans["kind"]
    return {
        kind: np.bincount(at[pc.equal(names, kind).to_numpy(zero_copy_only=False)], minlength=rows).astype(np.int32)
        for kind in kinds
    }


def replaced(
    text: pa.LargeStringArray,
    spans: pa.RecordBatch,
    policy: Mapping[str, str],
    doc_ids: pa.StringArray | None = None,
    key: bytes | None = None,
) -> pa.LargeStringArray:
    """`text` with the policy's action done to every span; `doc_ids` seed surrogates, `key` makes pseudonyms.

    >>> text = pa.array(["write to a@b.cn"], pa.large_string())
    >>> replaced(text, find(text, ["email"]), {"email": "placeholder"}).to_pylist()
    ['write to <EMAIL>']
    """
    acted = [kind for kind, action in policy.items() if action != "leave"]
    spans = spans.filter(pc.is_in(spans["kind"], value_set=pa.array(acted, pa.string())))
    if not spans.num_rows:
        return text
    key = key if key is not None else key_for(policy)
    rows = [_Found(*row) for row in zip(*(spans[name].to_pylist() for name in _Found._fields), strict=True)]
    documents = [
        _Rewriter(
            policy, doc_ids[row].as_py() if doc_ids is not None else str(row), key, text[row].as_py(), list(found)
        )
        for row, found in groupby(rows, key=lambda span: span.row)
    ]
    wanted = [one for document in documents for one in document.wanted()]
    made = iter(surrogates(wanted) if wanted else ())
    for document in documents:
        document.known = {named: next(made) for named in document.known}
    mask = np.zeros(len(text), np.bool_)
    mask[[document.spans[0].row for document in documents]] = True
    return pc.replace_with_mask(text, pa.array(mask), pa.array([d.text() for d in documents], pa.large_string()))


class _Rewriter:
    """The replacing in one document; a value met again gets what it got before."""

    def __init__(self, policy: Mapping[str, str], seed: str, key: bytes | None, text: str, spans: list[_Found]) -> None:
        self.policy, self.seed, self.key, self.data, self.spans = policy, seed, key, text.encode(), spans
        self.known: dict[tuple[str, str], str | None] = {}

    def wanted(self) -> Iterator[Wanted]:
        """The values that want a surrogate, each once, MOST of them."""
        for span in self.spans:
            value = self._value(span)
            named = (span.kind, normalised(value))
            if self.policy[span.kind] != "surrogate" or named in self.known or len(self.known) == MOST:
                continue
            self.known[named] = None
            before = self.data[max(span.start - AROUND, 0) : span.start].decode(errors="ignore")
            after = self.data[span.end : span.end + AROUND].decode(errors="ignore")
            yield Wanted(f"{self.seed}\0{span.kind}\0{len(self.known)}", span.kind, value, before, after)

    def text(self) -> str:
        """The text with everything replaced."""
        pieces, at = [], 0
        for span in self.spans:
            pieces += [self.data[at : span.start], self._instead(span).encode()]
            at = span.end
        return b"".join([*pieces, self.data[at:]]).decode()

    def _value(self, span: _Found) -> str:
        return self.data[span.start : span.end].decode()

    def _instead(self, span: _Found) -> str:
        placeholder, action = (KINDS.get(span.kind) or NAMED[span.kind]).placeholder, self.policy[span.kind]
        if action == "placeholder":
            return placeholder
        if action == "pseudonym":
            assert self.key is not None  # key_for has seen to it
            return pseudonym(span.kind, self._value(span), placeholder, self.key)
        return self.known.get((span.kind, normalised(self._value(span)))) or placeholder
