"""Pairs, components and clusters as pure functions, against searches by hand."""

from __future__ import annotations

from itertools import combinations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from dedup.clusters import Members, clustered
from dedup.components import both_ways, components, is_settled, large_star, small_star
from dedup.pairs import ALL_PAIRS, bits, likely, star, unique_pairs

HASHES = st.lists(st.integers(0, 12), max_size=60)


def u64(values: list[int]) -> np.ndarray:
    return np.array(values, np.uint64)


def joined(pairs: set[tuple[int, int]], nodes: set[int]) -> set[frozenset[int]]:
    label = {n: n for n in nodes}
    for a, b in pairs:
        old, new = label[a], label[b]
        label = {k: new if v == old else v for k, v in label.items()}
    return {frozenset(k for k in label if label[k] == v) for v in set(label.values())}


@settings(max_examples=200, deadline=None)
@given(HASHES)
def test_a_star_joins_what_all_pairs_join(hashes: list[int]) -> None:
    left, right = star(u64(hashes), np.arange(len(hashes), dtype=np.uint64) * np.uint64(7))
    assert len(left) == len(hashes) - len(set(hashes))
    all_pairs = {(a, b) for a, b in combinations(range(len(hashes)), 2) if hashes[a] == hashes[b]}
    found = {(int(a) // 7, int(b) // 7) for a, b in zip(left, right, strict=True)}
    assert found <= all_pairs
    assert joined(found, set(range(len(hashes)))) == joined(all_pairs, set(range(len(hashes))))


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 6)), max_size=50), st.randoms())
def test_likely_pairs_are_all_pairs_of_different_marks(rows: list[tuple[int, int]], chance: object) -> None:
    hashes, marks = u64([h for h, _ in rows]), u64([m for _, m in rows])
    left, right, settled = likely(hashes, marks, np.arange(len(rows), dtype=np.uint64))
    for a, b, done in zip(left.tolist(), right.tolist(), settled.tolist(), strict=True):
        assert rows[a][0] == rows[b][0] and done == (rows[a][1] == rows[b][1])
    groups = {
        (rows[a][0], frozenset((rows[a][1], rows[b][1]))) for a, b in zip(left.tolist(), right.tolist(), strict=True)
    }
    wanted = {
        (rows[a][0], frozenset((rows[a][1], rows[b][1])))
        for a, b in combinations(range(len(rows)), 2)
        if rows[a][0] == rows[b][0]
    }
    assert groups == wanted


def test_a_full_bucket_is_linear_past_the_bound() -> None:
    n = 50_000
    marks = np.random.default_rng(1).permutation(n).astype(np.uint64)
    left, _, settled = likely(np.zeros(n, np.uint64), marks, np.arange(n, dtype=np.uint64))
    assert n - 1 <= len(left) <= 2 * n and not settled.any()
    few = ALL_PAIRS
    left, _, _ = likely(np.zeros(few, np.uint64), marks[:few], np.arange(few, dtype=np.uint64))
    assert len(left) == few * (few - 1) // 2


@settings(max_examples=200, deadline=None)
@given(st.lists(st.integers(0, 2**64 - 1), min_size=2, max_size=12), st.integers(0, 64))
def test_simhash_pairs_are_settled_by_their_bits(marks: list[int], distance: int) -> None:
    left, right, settled = likely(
        np.zeros(len(marks), np.uint64), u64(marks), np.arange(len(marks), dtype=np.uint64), distance
    )
    found = {frozenset((marks[a], marks[b])) for a, b in zip(left.tolist(), right.tolist(), strict=True)}
    wanted = {frozenset((a, b)) for a, b in combinations(marks, 2) if (a ^ b).bit_count() <= distance}
    assert found == wanted and settled.all()
    assert [bits(np.uint64(m)) for m in marks] == [m.bit_count() for m in marks]


def test_unique_pairs_say_where_each_was_first() -> None:
    left, right, at = unique_pairs(u64([3, 1, 1, 2]), u64([1, 3, 2, 1]))
    assert list(zip(left.tolist(), right.tolist(), strict=True)) == [(1, 2), (1, 3)]
    assert at.tolist() == [2, 0]
    assert [len(x) for x in unique_pairs(u64([]), u64([]))] == [0, 0, 0]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)).filter(lambda p: p[0] != p[1]), max_size=60))
def test_stars_and_memory_find_the_same_components(edges: list[tuple[int, int]]) -> None:
    left, right = u64([a for a, _ in edges]), u64([b for _, b in edges])
    nodes, lowest = components(left, right)
    assert {frozenset(nodes[lowest == low].tolist()) for low in lowest} == joined(
        set(edges), {n for e in edges for n in e}
    )
    assert all(low == min(nodes[lowest == low]) for low in lowest)
    left, right, _ = unique_pairs(left, right)
    for _ in range(20):
        low, high = large_star(*both_ways(left, right))
        after = small_star(high, low)
        if is_settled((left, right), after):
            break
        left, right = after
    else:
        raise AssertionError("not settled")
    found = dict(zip(right.tolist(), left.tolist(), strict=True))
    assert {int(n): found.get(int(n), int(n)) for n in nodes} == dict(zip(nodes.tolist(), lowest.tolist(), strict=True))


def members(**changed: object) -> Members:
    n = 4
    given: dict[str, object] = {
        "label": u64([5, 5, 5, 9]),
        "ids": np.stack([np.zeros(n, np.uint64), u64([3, 1, 2, 7])], axis=1),
        "content": np.stack([u64([1, 2, 1, 1]), np.zeros(n, np.uint64)], axis=1),
        "url": np.zeros(n, np.uint64),
        "order": [np.zeros(n)],
        "signed": np.array([[1, 2], [1, 3], [4, 3], [1, 2]], np.uint32),
    }
    return Members(**(given | changed))  # type: ignore[arg-type]


def test_the_first_by_rank_stays_and_ties_go_to_the_lowest_id() -> None:
    found = clustered(members())
    assert found.kept.tolist() == [1, 1, 1, 3] == found.lowest.tolist()
    assert found.size.tolist() == [3, 3, 3, 1]
    assert found.same_text.tolist() == [True, False, False, False]  # row 2 ranks before row 0
    found = clustered(members(order=[np.array([0.0, np.nan, -1.0, 0.0])]))
    assert found.kept.tolist() == [2, 2, 2, 3] and found.lowest.tolist() == [1, 1, 1, 3]
    assert found.same_text.tolist() == [True, False, False, False]


def test_a_partner_is_the_member_most_like_it_that_ranks_before() -> None:
    found = clustered(members(content=np.stack([u64([1, 2, 3, 4]), np.zeros(4, np.uint64)], axis=1)))
    assert found.partner.tolist() == [1, 1, 1, 3]  # ranked 1, 2, 0: row 0 is like row 1 by half, like row 2 not at all
    assert found.similarity.tolist() == [0.5, 1.0, 0.5, 1.0]
    assert found.partner_similarity.tolist() == [0.5, 1.0, 0.5, 1.0]
    bare = clustered(members(signed=np.empty((4, 0), np.uint32)))
    assert np.isnan(bare.similarity[1:3]).tolist() == [False, True]  # identical to itself; nothing known of the other
