"""Which duplicates a recipe looks for: whole documents by key or by likeness, and which member of a cluster stays.

Published bandings are written as they are, `bands` x `rows`. Where a source publishes only a Jaccard threshold,
`threshold` with `num_perm` asks datasketch for the banding that weighs false pairs and missed ones best.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, model_validator

from recipes.strict import Evidence, Strict


class Exact(Strict):
    """Drop documents whose text is identical, as it stands or after NFKC, lower case and one-space blanks."""

    normalise: Literal["none", "nfkc_lower_space"] = "nfkc_lower_space"
    evidence: Evidence = "A"
    note: str = ""


class MinHash(Strict):
    """Drop near-duplicates: `bands` x `rows` MinHash over `ngram` words (or characters).

    `verify` (a Jaccard value, estimated from the whole signature or, with `verify_by = "jaccard"`, exact) rejects
    candidate pairs below it; without it every candidate is joined, as FineWeb and RefinedWeb do. `threshold` and
    `num_perm` may stand for `bands` and `rows`. `scheme` names datasketch's permutations.
    """

    ngram: int = Field(default=5, ge=1, le=64)
    unit: Literal["word", "char"] = "word"
    bands: int = Field(default=14, ge=1, le=512)
    rows: int = Field(default=8, ge=1, le=128)
    threshold: float | None = Field(default=None, gt=0, lt=1)
    num_perm: int = Field(default=0, ge=0, le=16_384, description="hashes in a signature; bands x rows if 0")
    scheme: Literal["affine32", "legacy"] = "affine32"
    seed: int = Field(default=1, ge=0)
    verify: float | None = Field(default=None, ge=0, le=1)
    verify_by: Literal["signature", "jaccard"] = "signature"
    scope: Literal["corpus", "language"] = "corpus"
    evidence: Evidence = "A"
    note: str = ""

    @model_validator(mode="before")
    @classmethod
    def _banding(cls, given: Any) -> Any:
        """Let datasketch choose bands and rows for a threshold (`MinHashLSH`, equal weights)."""
        if not isinstance(given, dict) or given.get("threshold") is None or "bands" in given or "rows" in given:
            return given
        if not isinstance(given["threshold"], float) or not 0 < given["threshold"] < 1:
            return given  # the field's own bounds tell what is wrong
        from datasketch import MinHashLSH

        num_perm = given.get("num_perm") or 128
        chosen = MinHashLSH(threshold=given["threshold"], num_perm=num_perm)
        return {**given, "bands": chosen.b, "rows": chosen.r, "num_perm": num_perm}

    @model_validator(mode="after")
    def _hashes(self) -> MinHash:
        if self.num_perm == 0:
            object.__setattr__(self, "num_perm", self.bands * self.rows)
        if self.num_perm < self.bands * self.rows:
            raise ValueError(
                f"{self.bands} bands of {self.rows} rows need {self.bands * self.rows} hashes; num_perm is "
                f"{self.num_perm}. Leave num_perm out, or raise it."
            )
        return self


class Dedup(Strict):
    """Which duplicates to look for, and which member of a cluster stays.

    `keep` lists columns of documents/ or signals/, each with a leading "-" for descending, best first;
    ties go to the lowest doc_id, so the choice never depends on the order of work. `sources` comes before `keep`:
    patterns over the source's name (`*` for anything), the first ones preferred.
    """

    exact: Exact | None = None
    minhash: MinHash | None = None
    sources: tuple[str, ...] = ()
    keep: tuple[str, ...] = ()
