"""The bandings in use are as published; bands meet when their rows are equal and not otherwise."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from datasketch import MinHashLSH

from dedup.bands import PRESETS, band_hashes, candidate_probability, choose, midpoint
from dedup.signatures import signatures

PUBLISHED = {  # bands, rows, hashes, Jaccard of which half is found
    "mh-fineweb": (14, 8, 112, 0.685),
    "mh-refinedweb": (450, 20, 9000, 0.723),
    "mh-dclm": (93, 15, 1395, 0.721),
    "mh-rpv2-0.7": (14, 9, 126, 0.714),
    "mh-rpv2-0.8": (9, 13, 117, 0.819),
    "mh-rpv2-0.9": (5, 25, 125, 0.921),
    "mh-rpv2-1.0": (1, 128, 128, None),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_presets_are_as_published(name: str) -> None:
    bands, rows, hashes, half = PUBLISHED[name]
    preset = PRESETS[name]
    assert (preset.bands, preset.rows, preset.num_perm) == (bands, rows, hashes)
    assert preset.ngram == (13 if "rpv2" in name else 5)
    if half is not None:
        assert round(preset.midpoint, 3) == half


@pytest.mark.parametrize("name", PRESETS)
def test_half_of_the_pairs_are_found_at_the_midpoint(name: str) -> None:
    preset = PRESETS[name]
    assert candidate_probability(preset.midpoint, preset.bands, preset.rows) == pytest.approx(0.5)
    assert midpoint(preset.bands, preset.rows) == preset.midpoint


def test_the_table_of_presets_is_theirs() -> None:
    text = (Path(__file__).resolve().parents[2] / "docs" / "banding.md").read_text("utf-8")
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines() if line.startswith("| `mh-")]
    assert [row[0].strip("`") for row in rows] == list(PRESETS)
    for name, shingle, banding, hashes, half, finds, verify, evidence in rows:
        preset = PRESETS[name.strip("`")]
        chances = [candidate_probability(s, preset.bands, preset.rows) for s in (0.7, 0.8, 0.9)]
        assert int(shingle.split()[0]) == preset.ngram
        assert banding == f"{preset.bands}x{preset.rows}"
        assert hashes == f"{preset.num_perm:,}"
        assert half == f"{preset.midpoint:.3f}"
        assert finds == " / ".join(f"{100 * c:.1f} %" for c in chances)
        assert (float(verify) if verify else None, evidence) == (preset.verify, preset.evidence)


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_signs_and_finds_a_copy(name: str) -> None:
    preset = PRESETS[name]
    words = [f"word{k}" for k in range(60)]
    texts = pa.array([" ".join(words), " ".join(words).upper(), " ".join(reversed(words))], pa.large_string())
    signed = signatures(texts, preset.ngram, "word", preset.num_perm)
    one, copy, other = band_hashes(signed, preset.bands, preset.rows)
    assert (one == copy).all()
    if preset.ngram > 1:
        assert not (one == other).any()


def test_one_band_is_an_exact_match_of_signatures() -> None:
    random = np.random.default_rng(3)
    signed = random.integers(0, 2**32, (200, 128), dtype=np.uint32)
    changed = signed.copy()
    changed[np.arange(200), random.integers(0, 128, 200)] ^= np.uint32(1)
    assert (band_hashes(signed, 1, 128) == band_hashes(signed.copy(), 1, 128)).all()
    assert not (band_hashes(signed, 1, 128) == band_hashes(changed, 1, 128)).any()


@pytest.mark.parametrize(("bands", "rows"), [(14, 8), (9, 13), (1, 128), (128, 1)])
def test_bands_meet_if_and_only_if_their_rows_are_equal(bands: int, rows: int) -> None:
    random = np.random.default_rng(4)
    left = random.integers(0, 3, (3000, 128), dtype=np.uint32)
    right = np.where(random.random(left.shape) < 0.9, left, random.integers(0, 3, left.shape, dtype=np.uint32))
    same = (left == right)[:, : bands * rows].reshape(-1, bands, rows).all(axis=2)
    assert (
        band_hashes(left, bands, rows) == band_hashes(right.astype(np.uint32), bands, rows)
    ).tolist() == same.tolist()


def test_equal_rows_in_different_bands_do_not_meet() -> None:
    hashes = band_hashes(np.full((1, 112), 7, np.uint32), 14, 8)
    assert len(set(hashes[0].tolist())) == 14


def test_a_signature_may_be_longer_than_its_bands_and_not_shorter() -> None:
    signed = np.arange(256, dtype=np.uint32).reshape(2, 128)
    assert (band_hashes(signed, 9, 13) == band_hashes(signed[:, :117], 9, 13)).all()
    with pytest.raises(ValueError, match="128"):
        band_hashes(signed, 14, 10)
    with pytest.raises(ValueError, match="at least one"):
        band_hashes(signed, 0, 8)


@pytest.mark.parametrize("threshold", [0.5, 0.7, 0.8, 0.9, 0.95])
def test_choose_is_datasketch(threshold: float) -> None:
    index = MinHashLSH(threshold=threshold, num_perm=128, weights=(0.3, 0.7))
    assert choose(threshold, 128, (0.3, 0.7)) == (index.b, index.r)


def test_chosen_presets() -> None:
    thestack, slimpajama = PRESETS["mh-thestack"], PRESETS["mh-slimpajama"]
    assert choose(0.7, 256) == (thestack.bands, thestack.rows)
    assert choose(0.8) == (slimpajama.bands, slimpajama.rows)


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
