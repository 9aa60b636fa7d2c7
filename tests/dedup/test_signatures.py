"""Signatures equal datasketch's bit for bit, and serve as its objects; buckets cost linear."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from datasketch import MinHash, MinHashLSH
from hypothesis import given, settings
from hypothesis import strategies as st

from dedup.bands import band_hashes
from dedup.exact import content_hashes
from dedup.shingles import shingles, true_jaccard
from dedup.signatures import Scheme, as_datasketch, signatures, signatures_of


def reference(hashes: np.ndarray, num_perm: int, seed: int, scheme: str = "affine32") -> np.ndarray:
    made = MinHash(num_perm=num_perm, seed=seed, hashfunc=int, scheme=scheme)
    made.update_batch(list(hashes))
    return made.hashvalues


SCHEMES = st.sampled_from(["affine32", "legacy"])


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.text(max_size=120), min_size=1, max_size=8),
    st.integers(1, 7),
    st.sampled_from(["word", "char"]),
    st.sampled_from([1, 15, 16, 17, 63, 64, 112, 117, 200]),
    st.integers(0, 3),
    SCHEMES,
)
def test_equal_to_datasketch(texts: list[str], ngram: int, unit: str, num_perm: int, seed: int, scheme: Scheme) -> None:
    array = pa.array([t.encode("utf-8", "replace").decode() for t in texts], pa.large_string())
    hashes, first = shingles(array, ngram, unit)
    made = signatures(array, ngram, unit, num_perm, seed, scheme)
    assert made.dtype == np.uint32
    assert (made == signatures_of(hashes, first, num_perm, seed, scheme)).all()
    for row, (low, high) in enumerate(pairwise(first)):
        assert (made[row] == reference(hashes[low:high], num_perm, seed, scheme)).all()


EDGES = st.sampled_from([0, 1, 2, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, 0xFFFFFFFF])


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.one_of(EDGES, st.integers(0, 2**32 - 1)), max_size=40), st.integers(1, 150), st.integers(0, 9), SCHEMES
)
def test_equal_to_datasketch_for_any_hashes(given: list[int], num_perm: int, seed: int, scheme: Scheme) -> None:
    hashes = np.array(given, np.uint32)
    made = signatures_of(hashes, np.array([0, len(given)]), num_perm, seed, scheme)
    assert (made[0] == reference(hashes, num_perm, seed, scheme)).all()


@pytest.mark.parametrize("scheme", ["affine32", "legacy"])
def test_equal_to_datasketch_over_three_thousand_texts(scheme: Scheme) -> None:
    random = np.random.default_rng(8)
    words = np.array([f"Word{k}" for k in range(3000)] + ["naïve", "我们", "Ω", "x" * 40])
    lengths = random.geometric(1 / 90, 3000) - 1
    array = pa.array([" ".join(random.choice(words, n)) for n in lengths], pa.large_string())
    hashes, first = shingles(array, 5)
    made = signatures(array, 5, "word", 128, scheme=scheme)
    for row, (low, high) in enumerate(pairwise(first)):
        assert (made[row] == reference(hashes[low:high], 128, 1, scheme)).all()


@pytest.mark.parametrize("scheme", ["affine32", "legacy"])
@pytest.mark.parametrize("num_perm", [1395, 9000])
def test_equal_to_datasketch_for_many_permutations_and_a_long_text(scheme: Scheme, num_perm: int) -> None:
    text = " ".join(f"w{k}" for k in range(5000))
    hashes, _ = shingles(pa.array([text], pa.large_string()), 5)
    made = signatures(pa.array([text], pa.large_string()), 5, "word", num_perm, 3, scheme)
    assert (made[0] == reference(hashes, num_perm, 3, scheme)).all()


def test_an_unknown_scheme_is_named() -> None:
    with pytest.raises(ValueError, match="'affine64'"):
        signatures(pa.array(["a"], pa.large_string()), 1, "word", 16, scheme="affine64")  # type: ignore[arg-type]


@pytest.mark.parametrize("scheme", ["affine32", "legacy"])
def test_rows_serve_as_datasketch_objects(scheme: Scheme) -> None:
    random = np.random.default_rng(6)
    words = [f"w{k}" for k in range(400)]
    texts = []
    for _ in range(60):
        start = random.integers(0, 300)
        first = words[start : start + 90]
        texts += [" ".join(first), " ".join(w if random.random() > 0.02 else "new" for w in first)]
    array = pa.array([*texts, ""], pa.large_string())
    signed = signatures(array, 3, "word", 128, 5, scheme)
    made = [as_datasketch(row, 5, scheme) for row in signed]
    hashes, first_of = shingles(array, 3)
    theirs = []
    for low, high in pairwise(first_of):
        theirs.append(MinHash(num_perm=128, seed=5, hashfunc=int, scheme=scheme))
        theirs[-1].update_batch(list(hashes[low:high]))
    assert made == theirs
    assert made[-1].is_empty()
    assert made[0].jaccard(made[1]) == theirs[0].jaccard(theirs[1]) == (signed[0] == signed[1]).mean()
    made[0].update(123)  # goes on as theirs does
    theirs[0].update(123)
    assert made[0] == theirs[0]
    assert (signed[0] == signatures(array, 3, "word", 128, 5, scheme)[0]).all(), "the row itself is untouched"
    index = MinHashLSH(num_perm=128, params=(14, 9))
    for key, one in enumerate(made[1:], 1):
        index.insert(key, one)
    bands = band_hashes(signed, 14, 9)
    for key in range(1, len(made)):
        meeting = (bands[1:] == bands[key]).any(axis=1).nonzero()[0] + 1
        assert sorted(index.query(theirs[key])) == meeting.tolist()


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
