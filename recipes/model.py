"""What a recipe is: thresholds and choices over measurements, never code.

A recipe is an ordered list of steps over one document's text (`recipes.steps`), the models and lists that it asks
to be scored by (`recipes.scores`), a choice for extraction, duplicates, scrubbing and tokens, and the mixture that
was published. Everything is checked when the file is read: an unknown key, a second bound on one rule, or a
repeated step id is refused with the file's name.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, model_validator

from recipes.decontaminate import Decontaminate
from recipes.dedup import Dedup
from recipes.mixture import Mixture
from recipes.rights import Rights
from recipes.scores import Score
from recipes.scrub import Scrub, with_limits
from recipes.steps import Edit, Rule, Sample, Step
from recipes.strict import Evidence, Strict

Fidelity = Literal["R0", "R1", "R2", "R3"]


class Extract(Strict):
    """How HTML becomes text. `timeout_s` and `max_bytes` bound one page; past them the page is rejected."""

    extractor: Literal["trafilatura", "resiliparse"] = "trafilatura"
    focus: Literal["precision", "balanced", "recall"] = "balanced"
    fast: bool = False
    comments: bool = False
    timeout_s: float = Field(default=20.0, gt=0, le=600)
    max_bytes: int = Field(default=20_000_000, gt=0)
    evidence: Evidence = "A"
    note: str = ""


class Tokens(Strict):
    """The tokenizer to train when none is given, and the size and format of shards.

    `languages` weighs the training sample: shares of its bytes by language, `*` for all others together; without it
    the sample is like the text. `split` is for `bpe`; docs/tokenizers.md says what each does.
    """

    model: Literal["bpe", "unigram"] = "bpe"
    split: Literal["qwen3.5", "qwen2", "gpt2", "cl100k", "o200k", "nemotron", "deepseek", "han"] = "qwen3.5"
    single_digits: bool = True
    special_tokens: tuple[str, ...] = ()
    languages: dict[str, float] = Field(default={}, description="weights of languages in the training sample")
    vocab_size: int = Field(default=16_384, ge=300, le=1_000_000)
    sample_bytes: int = Field(default=200_000_000, ge=10_000)
    shard_bytes: int = Field(default=256_000_000, ge=1_000, description="kept text per shard, in bytes")
    format: Literal["arrow", "parquet"] = "arrow"
    seed: int = Field(default=0, ge=0)

    @model_validator(mode="after")
    def _trainable(self) -> Tokens:
        wrong = sorted(name for name, weight in self.languages.items() if not 0 < weight < float("inf"))
        if wrong:
            raise ValueError(f"the weight of {wrong[0]} must be a number above 0; leave a language out instead of 0")
        names = self.special_tokens
        if len(set(names)) < len(names) or not all(names) or "<|endoftext|>" in names:
            raise ValueError(
                "special_tokens must differ, be not empty, and leave out <|endoftext|>, which is there always"
            )
        if self.vocab_size < 300 + len(names):
            raise ValueError("vocab_size leaves no room beside the 256 bytes and special_tokens")
        return self


class Recipe(Strict):
    """A whole recipe. `fidelity`: R1 exact logic, R2 near, R3 sketch, R0 not published."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9._-]*$")
    title: str
    title_zh: str = ""
    fidelity: Fidelity
    extends: str | None = Field(default=None, description="the recipe that this one changes; resolved when read")
    notice: str = Field(default="", description="printed before every run; an unpublished recipe must have one")
    notice_zh: str = ""
    sources: tuple[str, ...] = Field(min_length=1)
    assumptions: tuple[str, ...] = ()
    assumptions_zh: tuple[str, ...] = ()
    not_done: tuple[str, ...] = Field(default=(), description="published steps this recipe does not perform")
    not_done_zh: tuple[str, ...] = ()
    extract: Extract = Extract()
    rights: Rights = Rights()
    scores: tuple[Score, ...] = ()
    steps: tuple[Step, ...] = ()
    dedup: Dedup = Dedup()
    decontaminate: Decontaminate | None = None
    scrub: Scrub = Scrub()
    tokens: Tokens = Tokens()
    mixture: Mixture | None = None

    @model_validator(mode="before")
    @classmethod
    def _limits_as_rules(cls, data: Any) -> Any:
        return with_limits(data) if isinstance(data, dict) else data

    @model_validator(mode="after")
    def _unique_ids(self) -> Recipe:
        ids = [s.id for s in (*self.steps, *(self.decontaminate.modes if self.decontaminate else ()))]
        twice = sorted({i for i in ids if ids.count(i) > 1})
        if twice:
            raise ValueError(f"step ids must differ; given twice: {', '.join(twice)}")
        return self

    @model_validator(mode="after")
    def _honest(self) -> Recipe:
        if (self.fidelity == "R0") != self.name.endswith("-unpublished"):
            raise ValueError(f"{self.name}: a recipe is R0 exactly when its name ends in -unpublished")
        if self.fidelity == "R0" and not (self.notice and self.notice_zh):
            raise ValueError(f"{self.name}: an unpublished recipe needs a notice and a notice_zh")
        return self

    @property
    def edits(self) -> tuple[Edit, ...]:
        """The edits, in order; the text that training sees has been through all of them."""
        return tuple(s for s in self.steps if isinstance(s, Edit))

    def placed(self) -> tuple[tuple[Rule | Sample, tuple[Edit, ...]], ...]:
        """Each rule and sampler with the edits that come before it: the version of the text that it looks at."""
        placed: list[tuple[Rule | Sample, tuple[Edit, ...]]] = []
        edits: tuple[Edit, ...] = ()
        for step in self.steps:
            if isinstance(step, Edit):
                edits = (*edits, step)
            else:
                placed.append((step, edits))
        return tuple(placed)
