"""How to train a classifier. Defaults are DCLM's trainer's (baselines/train_fasttext_classifier.py: lr 0.1, dim 100,
epoch 5) but for bigrams, which its README and ChineseWebText use, and a table of bigrams that makes an 80 MB model
where fastText's two million would make one of 800.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from recipes.strict import Strict


class Training(Strict):
    """`holdout` is the share of texts that only judge the model; which ones, a hash of the text decides."""

    kind: Literal["fasttext", "hashing_lr"] = "fasttext"
    text: str = "text"
    holdout: float = Field(default=0.1, gt=0, le=0.5)
    prefix: int = Field(default=200_000, ge=1, le=10_000_000)
    case: Literal["none", "lower"] = "none"
    dim: int = Field(default=100, ge=1, le=1000)
    epoch: int = Field(default=5, ge=1, le=1000)
    lr: float = Field(default=0.1, gt=0, le=10)
    word_ngrams: int = Field(default=2, ge=1, le=5)
    min_count: int = Field(default=1, ge=1)
    buckets: int = Field(default=200_000, ge=1, le=10_000_000)
    autotune_seconds: int = Field(default=0, ge=0, description="0: off; else not repeatable, as it goes by the clock")
    seed: int = Field(default=0, ge=0)
    bits: int = Field(default=18, ge=8, le=24)
    norm: Literal["none", "l2"] = "l2"
    c: float = Field(default=1.0, gt=0, description="inverse strength of the regression's L2 penalty")
