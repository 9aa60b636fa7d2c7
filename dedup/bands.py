"""Bands: rows of a signature hashed together, so that equal bands meet in one bucket; and the bandings in use.

Which pairs meet follows one curve, 1 - (1 - s^r)^b for Jaccard s (`candidate_probability`). `PRESETS` are the bandings
that published corpora were made with. Where a source names only a threshold, `choose` asks datasketch for a banding;
traded away there: knowing the authors' own.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from dedup.signatures import Signatures
from dedup.units import absorb, finish
from filters.compiled import kernel
from recipes.strict import Evidence


@kernel
def _bands(signatures, bands, rows):  # type: ignore[no-untyped-def]
    out = np.empty((len(signatures), bands), np.uint64)
    for doc in range(len(signatures)):
        row = signatures[doc]
        for band in range(bands):
            h = np.uint64(band)
            for r in range(band * rows, (band + 1) * rows):
                h = absorb(h + np.uint64(0x9E3779B97F4A7C15), np.uint64(row[r]))
            out[doc, band] = finish(h)
    return out


def band_hashes(signatures: Signatures, bands: int, rows: int) -> npt.NDArray[np.uint64]:
    """64-bit hashes (texts x bands); the band's number is part of its hash. Columns past bands x rows are not read.

    ValueError if a signature is shorter than bands x rows.
    """
    if bands < 1 or rows < 1 or signatures.shape[1] < bands * rows:
        raise ValueError(
            f"{bands} bands of {rows} rows need signatures of at least {max(bands, 1) * max(rows, 1)} hashes, and at "
            f"least one of each; these have {signatures.shape[1]}. Sign with a larger num_perm."
        )
    result: npt.NDArray[np.uint64] = _bands(np.ascontiguousarray(signatures), bands, rows)
    return result


def candidate_probability(jaccard: float, bands: int, rows: int) -> float:
    """Chance that a pair of this Jaccard shares a band: 1 - (1 - s^r)^b (Leskovec et al., MMDS, 3.4).

    >>> round(candidate_probability(0.8, 14, 8), 4)
    0.9235
    """
    return float(1 - (1 - jaccard**rows) ** bands)


def midpoint(bands: int, rows: int) -> float:
    """The Jaccard of which half of the pairs are found.

    >>> round(midpoint(450, 20), 3)
    0.723
    """
    return float((1 - 0.5 ** (1 / bands)) ** (1 / rows))


@cache
def choose(threshold: float, num_perm: int = 128, weights: tuple[float, float] = (0.5, 0.5)) -> tuple[int, int]:
    """(bands, rows) that datasketch's MinHashLSH takes for a threshold: least weighted area of false pairs and missed.

    `weights` are those of false and of missed pairs, and sum to 1. A quarter of a second for 1,024 hashes.

    >>> choose(0.9, 128)
    (5, 25)
    """
    from datasketch import MinHashLSH  # half a second of imports, needed only here

    index = MinHashLSH(threshold=threshold, num_perm=num_perm, weights=weights)
    return index.b, index.r


@dataclass(frozen=True)
class Banding:
    """A banding in use: shingles of `ngram` words, `bands` x `rows`, where it is from, how well known.

    Evidence: C read in code, P in the paper, S in a secondary source, M from memory, A assumed here. `verify` is the
    Jaccard below which the source drops candidates.
    """

    ngram: int
    bands: int
    rows: int
    evidence: Evidence
    source: str
    verify: float | None = None

    @property
    def num_perm(self) -> int:
        """Hashes in a signature."""
        return self.bands * self.rows

    @property
    def midpoint(self) -> float:
        """The Jaccard of which half of the pairs are found."""
        return midpoint(self.bands, self.rows)


RPV2 = "RedPajama-V2 quality signals, github.com/togethercomputer/RedPajama-Data, arXiv:2411.12372"
PRESETS = {
    "mh-fineweb": Banding(5, 14, 8, "C", "github.com/huggingface/datatrove examples/fineweb.py; arXiv:2406.17557"),
    "mh-refinedweb": Banding(5, 450, 20, "S", "RefinedWeb, arXiv:2306.01116, appendix: 450 bands of 20"),
    "mh-dclm": Banding(5, 93, 15, "S", "DCLM, arXiv:2406.11794, the MinHash variant; 5 words from memory"),
    "mh-rpv2-0.7": Banding(13, 14, 9, "C", RPV2),
    "mh-rpv2-0.8": Banding(13, 9, 13, "C", RPV2),
    "mh-rpv2-0.9": Banding(13, 5, 25, "C", RPV2),
    "mh-rpv2-1.0": Banding(13, 1, 128, "C", RPV2),
    # Sources that leave the banding open. Verified ones get a banding that finds most of what passes; the other two
    # have what `choose` makes of the published threshold and number of hashes (128 if that is open, too).
    "mh-gopher": Banding(13, 14, 9, "A", "Gopher, arXiv:2112.11446, appendix A: 13-grams, J > 0.8", 0.8),
    "mh-opt": Banding(5, 14, 9, "A", "OPT, arXiv:2205.01068, 2.3: J >= 0.95 over all corpora, nothing else", 0.95),
    "mh-gpt3": Banding(1, 10, 1, "A", "GPT-3, arXiv:2005.14165, appendix A: 10 hashes of Spark's MinHashLSH", 0.8),
    "mh-slimpajama": Banding(13, 9, 13, "M", "SlimPajama, github.com/Cerebras/modelzoo: 13-grams, J 0.8"),
    "mh-thestack": Banding(5, 25, 10, "S", "The Stack, arXiv:2211.15533: 5-grams, 256 permutations, J 0.7"),
}
