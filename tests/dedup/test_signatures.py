"""Signatures equal datasketch's bit for bit; bands find pairs as the formula says; buckets cost linear."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from datasketch import MinHash
from hypothesis import given, settings
from hypothesis import strategies as st

from dedup.bands import band_hashes, candidate_probability
from dedup.exact import content_hashes
from dedup.shingles import shingles, true_jaccard
from dedup.signatures import signatures, signatures_of


def reference(hashes: np.ndarray, num_perm: int, seed: int) -> np.ndarray:
    made = MinHash(num_perm=num_perm, seed=seed, hashfunc=int)
    made.update_batch(list(hashes))
    return made.hashvalues


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.text(max_size=120), min_size=1, max_size=8),
    st.integers(1, 7),
    st.sampled_from(["word", "char"]),
    st.sampled_from([16, 112]),
    st.integers(0, 3),
)
def test_equal_to_datasketch(texts: list[str], ngram: int, unit: str, num_perm: int, seed: int) -> None:
    array = pa.array([t.encode("utf-8", "replace").decode() for t in texts], pa.large_string())
    hashes, first = shingles(array, ngram, unit)
    made = signatures(array, ngram, unit, num_perm, seed)
    for row, (low, high) in enumerate(pairwise(first)):
        assert (made[row] == reference(hashes[low:high], num_perm, seed)).all()


TABLE = {
    (14, 8): (0.0533, 0.5645, 0.7716, 0.9235, 0.9884, 0.9996, 1),
    (450, 20): (0.0004, 0.3018, 0.7605, 0.9946, 1, 1, 1),
    (93, 15): (0.0028, 0.3576, 0.7138, 0.9642, 0.9998, 1, 1),
    (14, 9): (0.0270, 0.4382, 0.6647, 0.8670, 0.9750, 0.9990, 1),
    (9, 13): (0.0011, 0.0839, 0.1946, 0.3988, 0.6864, 0.9286, 0.9985),
    (5, 25): (0, 0.0007, 0.0038, 0.0187, 0.0831, 0.3110, 0.8030),
}


@pytest.mark.parametrize("banding", TABLE)
def test_candidate_probability(banding: tuple[int, int]) -> None:
    for jaccard, expected in zip((0.5, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95), TABLE[banding], strict=True):
        assert candidate_probability(jaccard, *banding) == pytest.approx(expected, abs=6e-5)


@pytest.mark.parametrize("jaccard", [0.5, 0.7, 0.8, 0.9])
def test_pairs_are_found_as_the_formula_says(jaccard: float) -> None:
    pairs, size = 1500, 200
    shared = round(2 * size * jaccard / (1 + jaccard))
    random = np.random.default_rng(5)
    rows = []
    for _ in range(pairs):
        drawn = random.integers(0, 2**32, 2 * size - shared, dtype=np.uint32)
        rows += [drawn[:size], np.concatenate((drawn[:shared], drawn[size:]))]
    first = np.concatenate(([0], np.cumsum([len(r) for r in rows])))
    bands = band_hashes(signatures_of(np.concatenate(rows), first, 112, 1), 14, 8)
    found = (bands[0::2] == bands[1::2]).any(axis=1).mean()
    true = shared / (2 * size - shared)
    expected = candidate_probability(true, 14, 8)
    assert abs(found - expected) < 4.5 * np.sqrt(max(expected * (1 - expected), 1e-3) / pairs)


def test_shingles_of_short_and_chinese_texts() -> None:
    texts = pa.array(["", "one two", "我们学习机器", "ONE, two!"], pa.large_string())
    hashes, first = shingles(texts, 5)
    assert np.diff(first).tolist() == [0, 1, 2, 1]
    assert hashes[first[1]] == hashes[first[3]]  # case and punctuation do not count
    assert true_jaccard("a b c", "a b c", 2) == 1.0
    assert true_jaccard("", "a", 2) == 0.0


def test_content_hash_sees_through_case_width_and_blanks() -> None:
    texts = pa.array(["Ａbc  d\n e", "abc d e ", "abc d f"], pa.large_string())
    a, b, c = content_hashes(texts, "nfkc_lower_space")
    assert a.tolist() == b.tolist() != c.tolist()
    assert len({tuple(h) for h in content_hashes(texts, "none").tolist()}) == 3
