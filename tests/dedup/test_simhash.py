"""SimHash and address keys against plain Python; near hashes share a key, whatever bits they differ in."""

from __future__ import annotations

import re
from itertools import combinations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from dedup.simhash import block_keys, block_masks, hamming, simhashes
from dedup.urls import normalised, url_keys
from recipes.dedup import SimHash

WORDS = 2**64 - 1


@settings(deadline=None)  # the first call compiles
@given(
    st.integers(0, WORDS),
    st.lists(st.integers(0, 63), max_size=8, unique=True),
    st.sampled_from([(6, 4), (10, 8), (3, 2)]),
)
def test_near_hashes_share_a_key(value: int, flips: list[int], shape: tuple[int, int]) -> None:
    blocks, distance = shape
    other = value
    for bit in flips[:distance]:
        other ^= 1 << bit
    keys = block_keys(np.array([value, other], np.uint64), blocks, distance)
    assert (keys[0] == keys[1]).any()


def test_keys_are_every_choice_of_blocks() -> None:
    masks = block_masks(6, 4)
    assert len(masks) == 15
    whole = [int(m) for m in block_masks(6, 5)]
    assert sum(whole) == WORDS
    assert sorted(bin(m).count("1") for m in whole) == [10, 10, 11, 11, 11, 11]
    assert sorted(map(int, masks)) == sorted(a | b for a, b in combinations(whole, 2))
    with pytest.raises(ValueError, match="distance < blocks"):
        block_masks(4, 4)
    far = np.array([0, WORDS], np.uint64)
    assert not (block_keys(far, 6, 4)[0] == block_keys(far, 6, 4)[1]).any()


def test_votes_against_single_shingles() -> None:
    """The SimHash of a text is the majority of its shingles' own hashes, each counted as often as it stands."""
    words = ["a", "b", "c", "d", "e", "f", "g", "a", "b", "c", "d", "h"]
    shingles = [" ".join(words[i : i + 3]) for i in range(len(words) - 2)]
    single, _ = simhashes(pa.array(shingles, pa.large_string()), "word", 3)
    majority = sum(1 << b for b in range(64) if 2 * sum(int(h) >> b & 1 for h in single) > len(single))
    whole, some = simhashes(
        pa.array([" ".join(words), " ".join(words).upper(), "", " ,. ", "a b"], pa.large_string()), "word", 3
    )
    assert int(whole[0]) == int(whole[1]) == majority
    assert some.tolist() == [True, True, False, False, True]
    assert whole[2] == whole[3] == 0


def test_near_texts_are_near_and_others_far() -> None:
    text = " ".join(f"word{i}" for i in range(400))
    chinese = "".join(chr(0x4E00 + i * 7 % 3000) for i in range(600))
    texts = [text, text.replace("word200", "other"), text[::-1], chinese, chinese[:300] + "的" + chinese[301:]]
    for unit, window in (("word", 6), ("char", 4)):
        hashes, _ = simhashes(pa.array(texts, pa.large_string()), unit, window)
        near, far = hamming(hashes[[0, 3]], hashes[[1, 4]]), hamming(hashes[[0, 0]], hashes[[2, 3]])
        assert near.max() <= 8
        assert far.min() > 12


def test_too_many_keys_are_refused() -> None:
    with pytest.raises(ValidationError, match=r"need 12,870 keys"):
        SimHash(blocks=16, distance=8)
    with pytest.raises(ValidationError, match="under blocks"):
        SimHash(blocks=4, distance=4)


def c4(url: str) -> str:
    """TFDS text/c4_utils.py normalize_url."""
    url = re.sub(r"https?:\/\/(www\.)?", "", url)
    return re.sub(r"\?(utm_|ref|feed).*", "", url).rstrip("/")


URLS = st.lists(
    st.sampled_from(["http://", "https://", "www.", "a.example", "/", "?utm_x=1", "?ref", "?q=", "feed", "&", "\n"])
).map("".join)


@settings(deadline=None)  # the first call compiles
@given(st.lists(URLS, max_size=5))
def test_c4_levels_addresses_as_its_code(urls: list[str]) -> None:
    assert normalised(pa.array(urls, pa.string()), "c4").to_pylist() == [c4(url) for url in urls]


def test_address_keys() -> None:
    urls = pa.array(
        ["https://www.a.example/x/?utm_source=1", "http://a.example/x", "http://a.example/X", None, "", "/"]
    )
    keys, known = url_keys(urls, "c4")
    assert known.tolist() == [True, True, True, False, False, False]
    assert keys[0] == keys[1] != keys[2]
    assert (keys[3:] == 0).all()
    plain, _ = url_keys(pa.array(["http://A.example:80/x/#top", "https://a.example/x"]), "plain")
    assert plain[0] == plain[1]
    exact, _ = url_keys(urls, "exact")
    assert len(set(exact.tolist())) == 5
    with pytest.raises(ValueError, match="no normalisation"):
        url_keys(urls, "c5")
    assert len(url_keys(urls[:0], "c4")[0]) == 0
