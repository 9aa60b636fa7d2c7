"""Bands: rows of a signature hashed together, so that equal bands meet in one bucket."""

from __future__ import annotations

import numba
import numpy as np
import numpy.typing as npt

from dedup.signatures import Signatures
from filters.segment import mix


@numba.njit(cache=True, nogil=True)  # type: ignore[misc]
def _bands(signatures, bands, rows):  # type: ignore[no-untyped-def]
    out = np.empty((len(signatures), bands), np.uint64)
    for doc in range(len(signatures)):
        for band in range(bands):
            h = np.uint64(band)
            for r in range(band * rows, (band + 1) * rows):
                h = mix(h * np.uint64(0x9E3779B97F4A7C15) + np.uint64(signatures[doc, r]))
            out[doc, band] = h
    return out


def band_hashes(signatures: Signatures, bands: int, rows: int) -> npt.NDArray[np.uint64]:
    """64-bit hashes (texts x bands); the band's number is part of its hash."""
    result: npt.NDArray[np.uint64] = _bands(signatures, bands, rows)
    return result


def candidate_probability(jaccard: float, bands: int, rows: int) -> float:
    """Chance that a pair of this Jaccard shares a band: 1 - (1 - s^r)^b (Leskovec et al., MMDS, 3.4).

    >>> round(candidate_probability(0.8, 14, 8), 4)
    0.9235
    """
    return 1 - (1 - jaccard**rows) ** bands
