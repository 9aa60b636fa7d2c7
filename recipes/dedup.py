"""Which duplicates a recipe looks for: whole documents by address, text or likeness, and repeated parts of documents.

Published bandings are written as they are, `bands` x `rows`. Where a source publishes only a Jaccard threshold,
`threshold` with `num_perm` asks datasketch for the banding that weighs false pairs and missed ones best. What each
unit finds and leaves is told in docs/dedup-units.md. Traded away: a recipe has one unit below the document, since two
that each spare their own first copies could take both copies of a text.
"""

from __future__ import annotations

from math import comb
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


class Url(Strict):
    """Drop documents of one address: `exact`, `plain` (host, path and query alone), or `c4` as C4's code levels it."""

    normalise: Literal["exact", "plain", "c4"] = "plain"
    evidence: Evidence = "A"
    note: str = ""


MOST_KEYS = 256  # block keys of one document


class SimHash(Strict):
    """Drop documents whose 64-bit SimHashes over `window` words (or characters) differ in at most `distance` bits.

    The bits lie in `blocks` blocks. Two hashes within `distance` agree in at least blocks - distance of them, so
    every choice of so many blocks is a key, and near pairs share one of the C(blocks, distance) keys.
    """

    unit: Literal["word", "char"] = "word"
    window: int = Field(default=6, ge=1, le=64)
    blocks: int = Field(default=6, ge=2, le=64)
    distance: int = Field(default=4, ge=0, le=63)
    evidence: Evidence = "A"
    note: str = ""

    @model_validator(mode="after")
    def _keys(self) -> SimHash:
        if self.distance >= self.blocks:
            raise ValueError(f"distance ({self.distance}) must be under blocks ({self.blocks})")
        if (keys := comb(self.blocks, self.distance)) > MOST_KEYS:
            raise ValueError(
                f"{self.blocks} blocks at distance {self.distance} need {keys:,} keys a document; at most {MOST_KEYS} "
                "are made. Name blocks nearer to distance: distance + 1 blocks need the fewest keys."
            )
        return self


class Lines(Strict):
    """Cut lines, paragraphs or three-sentence spans that an earlier document has, and what a document says twice.

    `unit`: `line` (between newlines; the paragraph of CCNet and Dolma), `paragraph` (between blank lines), `span3`
    (every three sentences in a row). `normalise`: compared as they stand, stripped and in lower case (C4's code), or
    as CCNet does (also digits to 0, its punctuation and control characters out). `first` says whose copy stays:
    the lowest doc_id's, or as in C4's code that of the page whose address has the lowest MD5. `keep = "none"` spares
    no document's copy, as CCNet. A document that was cut is dropped with less than `min_words` or `min_sentences`.
    """

    unit: Literal["line", "paragraph", "span3"] = "line"
    normalise: Literal["none", "lower_strip", "ccnet"] = "lower_strip"
    keep: Literal["first", "none"] = "first"
    first: Literal["doc_id", "url"] = "doc_id"
    min_words: int = Field(default=0, ge=0)
    min_sentences: int = Field(default=0, ge=0)
    evidence: Evidence = "A"
    note: str = ""


class Bloom(Strict):
    """Cut paragraphs (lines) as Bloom filters do, without the filter: exactly, in the order of doc_id.

    `ngram = 0` compares whole lines (Dolma). Otherwise a line goes when more than `threshold` of its n-grams stand
    before it (BFF, DCLM), lines with fewer words than `min_ngram` stay uncompared; `mode = "both"` also drops the
    document when more than `threshold` of all its n-grams do (BFF's old-both). No false positives: no `fp` is needed.
    """

    ngram: int = Field(default=0, ge=0, le=64)
    min_ngram: int = Field(default=0, ge=0, le=64, description="as ngram if 0")
    threshold: float = Field(default=0.8, ge=0, lt=1)
    mode: Literal["paragraph", "both"] = "paragraph"
    evidence: Evidence = "A"
    note: str = ""

    @model_validator(mode="after")
    def _sizes(self) -> Bloom:
        if self.min_ngram > self.ngram:
            raise ValueError(f"min_ngram ({self.min_ngram}) must not be over ngram ({self.ngram})")
        if self.mode == "both" and not self.ngram:
            raise ValueError('mode = "both" counts n-grams: give ngram (DCLM has 13)')
        return self


class Substring(Strict):
    """Cut stretches of at least `min_tokens` tokens that an earlier document, or this one before, has word for word.

    A token is a word, a Han character or a mark, told apart by case. The first copy of every stretch stays whole
    (`keep = "none"`: no document's copy stays). `action = "drop"` drops the document instead of cutting it.
    """

    min_tokens: int = Field(default=50, ge=2, le=100)
    keep: Literal["first", "none"] = "first"
    action: Literal["cut", "drop"] = "cut"
    min_words: int = Field(default=0, ge=0)
    evidence: Evidence = "A"
    note: str = ""


class Dedup(Strict):
    """Which duplicates to look for, and which member of a cluster stays.

    `keep` lists columns of documents/ or signals/, each with a leading "-" for descending, best first;
    ties go to the lowest doc_id, so the choice never depends on the order of work. `sources` comes before `keep`:
    patterns over the source's name (`*` for anything), the first ones preferred.
    """

    url: Url | None = None
    exact: Exact | None = None
    minhash: MinHash | None = None
    simhash: SimHash | None = None
    lines: Lines | None = None
    bloom: Bloom | None = None
    substring: Substring | None = None
    sources: tuple[str, ...] = ()
    keep: tuple[str, ...] = ()

    @property
    def whole(self) -> bool:
        """Whether duplicates of whole documents are looked for."""
        return any(way is not None for way in (self.url, self.exact, self.minhash, self.simhash))

    @property
    def part(self) -> tuple[str, Lines | Bloom | Substring] | None:
        """The unit below the document, with the name of its method in cuts/ and in fates."""
        named = (("lines", self.lines), ("bloom", self.bloom), ("substring", self.substring))
        return next(((name, unit) for name, unit in named if unit is not None), None)

    @model_validator(mode="after")
    def _one_part(self) -> Dedup:
        given = [name for name in ("lines", "bloom", "substring") if getattr(self, name) is not None]
        if len(given) > 1:
            raise ValueError(f"give one of {', '.join(given)}: each cuts by itself, and two could take every copy")
        if self.minhash is not None and self.simhash is not None:
            raise ValueError("give one of minhash, simhash: both look for documents that are about the same")
        return self
