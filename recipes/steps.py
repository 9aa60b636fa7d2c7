"""The steps of a recipe: rules that a document must pass, edits that change its text, samplers that thin what is left.

A *rule* compares one signal with one bound, so that every drop can be reported as "signal S was v, the bound is
t"; what needs arithmetic becomes a signal. A bound may be stated language by language, as FineWeb-2 does. An
*edit* names a change of the text, and every step after it sees the result. A *sampler* keeps a share: by chance,
by score, or by rank; chance comes from the `doc_id`, so a second look decides the same. Traded away: there is no
expression language.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from recipes.strict import Evidence, Strict

STEP_ID = r"^[a-z0-9_]+(\.[a-z0-9_]+)+\.v[0-9]+$"
Number = float | dict[str, float]
LOWER, UPPER = ("min", "above"), ("max", "below")  # the bounds that numbers can have
Threshold = bool | float | str | tuple[str, ...] | dict[str, float]


class Cited(Strict):
    """What every step says of itself. Evidence: C code, P paper, S secondary, M memory, A assumed."""

    id: str = Field(pattern=STEP_ID)
    languages: tuple[str, ...] | None = Field(default=None, min_length=1)
    evidence: Evidence
    source: str = ""
    note: str = ""


class Rule(Cited):
    """Keep a document only if `signal` satisfies the one bound given; otherwise it is `filtered:<id>`.

    `min` keeps values >= it, `max` values <= it, `above` values > it, `below` values < it; each is a number, or
    a table of numbers by language, under which documents of other languages pass. `equals` wants an equal value
    (boolean, number or string), `any_of` a listed string. A rule with `languages` looks only at documents whose
    `lang` is listed. A NULL signal passes: what was not measured cannot convict.
    """

    kind: Literal["rule"] = "rule"
    signal: str
    min: Number | None = None
    max: Number | None = None
    above: Number | None = None
    below: Number | None = None
    equals: bool | float | str | None = None
    any_of: tuple[str, ...] | None = Field(default=None, min_length=1)

    BOUNDS: ClassVar[tuple[str, ...]] = ("min", "max", "above", "below", "equals", "any_of")

    @property
    def bound(self) -> str:
        """The name of the one bound that is set."""
        return next(b for b in self.BOUNDS if getattr(self, b) is not None)

    @property
    def threshold(self) -> Threshold:
        """The value of the one bound that is set."""
        value: Threshold = getattr(self, self.bound)
        return value

    @model_validator(mode="after")
    def _one_bound(self) -> Rule:
        given = [b for b in self.BOUNDS if getattr(self, b) is not None]
        if len(given) != 1:
            raise ValueError(f"rule {self.id}: give exactly one of {', '.join(self.BOUNDS)}, not {given or 'none'}")
        if isinstance(self.threshold, dict) and self.languages is not None:
            raise ValueError(f"rule {self.id}: its {self.bound} is stated by language already; leave out languages")
        if self.threshold == {}:
            raise ValueError(f"rule {self.id}: its {self.bound} names no language")
        return self


class Edit(Cited):
    """Change the text by the named edit of `filters.edits`; steps further down see the result."""

    kind: Literal["edit"]
    edit: str


class Sample(Cited):
    """Keep a share of the documents that come this far; the others are `filtered:<id>`.

    `random` keeps each with probability `p`. `proportional` keeps with probability `signal` (0 to 1; PaLM).
    `pareto` keeps when a draw of Pareto(`alpha`) is above 1 - signal (GPT-3, the Pile): with probability
    (2 - signal)^-alpha. `resample` keeps with the probability that `weights` gives the signal's value: pairs of
    (at least, probability). These four look at one document at a time. `top` keeps the highest `fraction` by
    signal; `percentiles` keeps values from the `low` to the `high` percentile (0 to 100); `domain_cap` keeps at
    most `cap` documents of one registrable domain, highest signal first, or by chance without one. These three
    look at the whole run: at the documents that passed every step before. `per = "language"` ranks each
    language by itself. A NULL signal passes, except under `domain_cap`, where it comes last.
    """

    kind: Literal["sample"]
    method: Literal["random", "proportional", "pareto", "resample", "top", "percentiles", "domain_cap"]
    signal: str | None = None
    p: float | None = Field(default=None, ge=0, le=1)
    alpha: float | None = Field(default=None, gt=0)
    weights: tuple[tuple[float, float], ...] | None = Field(default=None, min_length=1)
    fraction: float | None = Field(default=None, gt=0, le=1)
    low: float | None = Field(default=None, ge=0, le=100)
    high: float | None = Field(default=None, ge=0, le=100)
    cap: int | None = Field(default=None, ge=1)
    per: Literal["run", "language"] = "run"
    seed: int = Field(default=0, ge=0)

    WANTS: ClassVar[dict[str, tuple[str, ...]]] = {
        "random": ("p",),
        "proportional": ("signal",),
        "pareto": ("signal", "alpha"),
        "resample": ("signal", "weights"),
        "top": ("signal", "fraction"),
        "percentiles": ("signal", "low", "high"),
        "domain_cap": ("cap",),
    }
    WHOLE_RUN: ClassVar[tuple[str, ...]] = ("top", "percentiles", "domain_cap")

    @property
    def of_run(self) -> bool:
        """Whether the sampler must see the whole run before it can decide one document."""
        return self.method in self.WHOLE_RUN

    @model_validator(mode="after")
    def _what_its_method_wants(self) -> Sample:
        wanted = self.WANTS[self.method]
        options = ("p", "alpha", "weights", "fraction", "low", "high", "cap", "signal")
        missing = [name for name in wanted if getattr(self, name) is None]
        idle = [name for name in options if getattr(self, name) is not None and name not in wanted]
        if self.method == "domain_cap" and "signal" in idle:
            idle.remove("signal")
        if missing or idle:
            told = [f"it needs {', '.join(missing)}"] * bool(missing) + [f"{', '.join(idle)} has no use"] * bool(idle)
            raise ValueError(f"sampler {self.id}, method {self.method}: {'; '.join(told)}")
        if self.low is not None and self.high is not None and self.low >= self.high:
            raise ValueError(f"sampler {self.id}: low ({self.low:g}) must be under high ({self.high:g})")
        if any(not 0 <= share <= 1 for _, share in self.weights or ()):
            raise ValueError(f"sampler {self.id}: weights are pairs of (at least, probability from 0 to 1)")
        return self


Step = Annotated[Rule | Edit | Sample, Field(discriminator="kind")]


def column(signal: str, edits: tuple[Edit, ...] = ()) -> str:
    """The column of signals/ that holds `signal` measured on the text after `edits`.

    The name spells the edits out, so that two recipes share a column only when they measure the same text.

    >>> column("word_count")
    'word_count'
    >>> cut = Edit(kind="edit", id="c4.lines.v1", edit="c4_nopunct", languages=("en",), evidence="C")
    >>> column("word_count", (cut,))
    'word_count__c4_nopunct_en'
    """
    return "__".join([signal, *("_".join([e.edit, *(e.languages or ())]) for e in edits)])
