"""Packing: nothing lost, nothing cut that fits, and as few sequences as a best-fit written plainly finds."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tokenization.mix import PERIOD, parse, pattern, quotas
from tokenization.packing import Packed, best_fit, chunked

LENGTHS = st.lists(st.integers(1, 40), max_size=60)


def stream(lengths: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """(starts, lengths) of documents that do not touch each other in the stream."""
    sizes = np.array(lengths, np.int64)
    return np.cumsum(sizes + 3) - sizes - 3, sizes


def ids_of(made: Packed, number: int) -> list[int]:
    rows = range(made.firsts[number], made.firsts[number + 1])
    return [i for row in rows for i in range(made.starts[row], made.starts[row] + made.lengths[row])]


@settings(max_examples=150, deadline=None)
@given(lengths=LENGTHS, context=st.integers(1, 30), cut=st.integers(0, 60))
def test_chunks_are_the_documents_end_to_end(lengths: list[int], context: int, cut: int) -> None:
    """Also when they come in two lots, with what the first left over before the second."""
    starts, sizes = stream(lengths)
    whole = [i for s, n in zip(starts, sizes, strict=True) for i in range(s, s + n)]
    found: list[list[int]] = []
    left: tuple[np.ndarray, np.ndarray] = (starts[:0], sizes[:0])
    for lot in (slice(0, cut), slice(cut, None)):
        made, *rest = chunked(np.concatenate((left[0], starts[lot])), np.concatenate((left[1], sizes[lot])), context)
        found += [ids_of(made, k) for k in range(len(made.firsts) - 1)]
        left = rest[0], rest[1]
    count = max(len(whole) - 1, 0) // context
    assert found == [whole[k * context : (k + 1) * context + 1] for k in range(count)]
    over = [i for s, n in zip(*left, strict=True) for i in range(s, s + n)]
    assert over == whole[count * context :]


def plain_best_fit(sizes: list[int], capacity: int) -> Counter[tuple[int, ...]]:
    """Best-fit decreasing as in a textbook: the fullest bin that still takes it, by looking at all."""
    bins: list[list[int]] = []
    for size in sorted(sizes, reverse=True):
        fitting = [b for b in bins if sum(b) + size <= capacity]
        if fitting:
            max(fitting, key=sum).append(size)
        else:
            bins.append([size])
    return Counter(tuple(sorted(b)) for b in bins)


@settings(max_examples=150, deadline=None)
@given(lengths=LENGTHS, context=st.integers(1, 30), seed=st.integers(0, 9))
def test_best_fit_cuts_only_what_cannot_fit(lengths: list[int], context: int, seed: int) -> None:
    starts, sizes = stream(lengths)
    made = best_fit(starts, sizes, context, seed)
    filled = [len(ids_of(made, k)) for k in range(len(made.firsts) - 1)]
    assert all(0 < n <= context + 1 for n in filled)
    pieces = sorted(zip(made.starts.tolist(), made.lengths.tolist(), strict=True))
    wanted = []
    for start, size in zip(starts.tolist(), sizes.tolist(), strict=True):
        while size > context + 1:
            wanted.append((start, context + 1))
            start, size = start + context, size - context
        wanted.append((start, size))
    assert pieces == sorted(wanted)
    sums = Counter(filled)
    plain = plain_best_fit([size for _, size in wanted], context + 1)
    assert sums == Counter(sum(b) for b in plain.elements())
    again = best_fit(starts, sizes, context, seed)
    assert all(np.array_equal(a, b) for a, b in zip(made, again, strict=True))


def test_real_lengths_leave_little_padding() -> None:
    """Log-normal lengths, as web pages have: less than one part in two thousand is padding."""
    sizes = np.random.default_rng(0).lognormal(6, 1.2, 20_000).astype(np.int64) + 1
    made = best_fit(np.cumsum(sizes) - sizes, sizes, 2048, 0)
    places = (len(made.firsts) - 1) * 2049
    assert 0 <= 1 - made.lengths.sum() / places < 0.0005


@pytest.mark.parametrize("shares", [[1.0], [0.3, 0.7], [0.1, 0.2, 0.0001, 0.6999], [1 / 3] * 3, [1e-9, 1 - 1e-9]])
def test_quotas_fill_a_period(shares: list[float]) -> None:
    found = quotas(shares)
    assert sum(found) == PERIOD
    assert all(q >= 1 and abs(q / PERIOD - share) <= 1 / PERIOD for q, share in zip(found, shares, strict=True))
    for period in (0, 5):
        groups, before = pattern(1, period, found)
        assert np.bincount(groups, minlength=len(found)).tolist() == list(found)
        for group, quota in enumerate(found):
            assert before[groups == group].tolist() == list(range(quota))


@pytest.mark.parametrize(
    ("text", "told"),
    [("zh=0.3", "is no share"), ("language:zh=x", "is no share"), ("colour:red=0.5", "is no share"),
     ("language:zh=0", "is no share"), ("language:zh=nan", "is no share"), ("language:zh=1.5", "is no share"),
     ("language:zh=0.6,source:a=0.6", "more than 1"), ("language:zh=0.1,language:zh=0.2", "twice")],
)  # fmt: skip
def test_a_mixture_that_is_none_is_refused(text: str, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        parse(text)
    assert [entry.name for entry in parse("source:a=b:c=0.5, language:zh=0.5")] == ["source:a=b:c", "language:zh"]
