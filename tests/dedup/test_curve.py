"""Pairs of texts of known Jaccard are found as often as 1 - (1 - s^r)^b says, within the error of sampling."""

from __future__ import annotations

from functools import cache
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from scipy.stats import binomtest

from dedup.bands import band_hashes, candidate_probability
from dedup.shingles import shingles
from dedup.signatures import signatures

NGRAM, SHINGLES = 5, 150
JACCARDS = (0.4, 0.5, 0.6, 0.65, 0.7, 0.72, 0.75, 0.8, 0.9, 0.95)
SEEDS = 8
UNLIKELY = 7e-6  # two-sided, 4.5 standard deviations


def one_pair(random: np.random.Generator, common: int) -> tuple[str, str]:
    """Two texts of SHINGLES different shingles each, the first `common` of them in both."""
    words = [f"w{k}" for k in random.integers(0, 2**48, 2 * (SHINGLES + NGRAM)).tolist()]
    start = words[: common + NGRAM - 1]
    tails = words[len(start) : SHINGLES + NGRAM - 1], words[SHINGLES + NGRAM - 1 :][: SHINGLES - common]
    return " ".join(start + tails[0]), " ".join(start + tails[1])


def shingle_set(text: str) -> set[tuple[str, ...]]:
    """As Python makes them, from the words themselves."""
    words = text.split()
    return set(zip(*(words[k:] for k in range(NGRAM)), strict=False))


@cache
def pairs(jaccard: float, count: int) -> tuple[pa.LargeStringArray, float]:
    """Texts (left, right, left, right ...) and the Jaccard that every pair has, the nearest one to the value asked."""
    common = round(2 * SHINGLES * jaccard / (1 + jaccard))
    random = np.random.default_rng(round(1000 * jaccard))
    made = [one_pair(random, common) for _ in range(count)]
    exact = common / (2 * SHINGLES - common)
    for a, b in made:
        left, right = shingle_set(a), shingle_set(b)
        assert len(left & right) / len(left | right) == exact
    return pa.array([text for pair in made for text in pair], pa.large_string()), exact


@pytest.mark.parametrize(("bands", "rows", "count"), [(14, 8, 4000), (9, 13, 4000), (450, 20, 800)])
@pytest.mark.parametrize("jaccard", JACCARDS)
def test_found_pairs_follow_the_curve(jaccard: float, bands: int, rows: int, count: int) -> None:
    texts, exact = pairs(jaccard, count)
    assert abs(exact - jaccard) < 0.005
    share, found = 2 * count // SEEDS, 0
    for seed in range(SEEDS):
        signed = signatures(texts.slice(seed * share, share), NGRAM, "word", bands * rows, seed + 1)
        hashes = band_hashes(signed, bands, rows)
        found += int((hashes[0::2] == hashes[1::2]).any(axis=1).sum())
    expected = candidate_probability(exact, bands, rows)
    assert binomtest(found, count, expected).pvalue > UNLIKELY, f"{found} of {count}, expected {expected:.4f}"


def test_rows_agree_as_often_as_shingles_do() -> None:
    texts, exact = pairs(0.6, 4000)
    for scheme in ("affine32", "legacy"):
        signed = signatures(texts.slice(0, 400), NGRAM, "word", 256, scheme=scheme)
        agreeing = (signed[0::2] == signed[1::2]).mean()
        assert abs(agreeing - exact) < 4.5 * np.sqrt(exact * (1 - exact) / (200 * 256))


def test_shingle_hashes_collide_no_more_than_chance() -> None:
    """A million bigrams of numbered words, as alike as words can be: N^2 / 2^33 pairs of equal 32-bit hashes."""
    text = " ".join(f"{a} item{b}" for a in range(1000) for b in range(500))
    hashes, _ = shingles(pa.array([text], pa.large_string()), 2)
    pairs_of = set(pairwise(text.split()))
    expected = len(pairs_of) ** 2 / 2**33
    collisions = len(pairs_of) - len(np.unique(hashes))
    assert abs(collisions - expected) < 5 * np.sqrt(expected)
