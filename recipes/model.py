"""What a recipe is: thresholds and choices over measurements, never code.

A recipe is an ordered list of steps over one document's text. A *rule* names a signal and the values under
which a document stays; an *edit* changes the text, and every rule after it sees the edited text. Exact and
near-duplicate search, scrubbing and extraction choices follow. Everything is checked when the file is read:
an unknown key, a second bound on one rule, or a repeated rule id is refused with the file's name.

Traded away: there is no expression language. A rule compares one signal with one bound, so that every
drop can be reported as "signal S was v, the bound is t". What needs arithmetic becomes a signal.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from recipes.mixture import Mixture

Fidelity = Literal["R0", "R1", "R2", "R3"]
Evidence = Literal["C", "P", "S", "M", "A"]
RULE_ID = r"^[a-z0-9_]+(\.[a-z0-9_]+)+\.v[0-9]+$"


class Strict(BaseModel):
    """Base of every recipe model: frozen, and an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Rule(Strict):
    """Keep a document only if `signal` satisfies the one bound given; otherwise it is `filtered:<id>`.

    `min` keeps values >= it, `max` values <= it, `above` values > it, `below` values < it, `equals` equal
    values (numbers, booleans or strings), `any_of` listed strings. A rule with `languages` looks only at
    documents whose `lang` is listed. A NULL signal passes: what was not measured cannot convict.
    """

    kind: Literal["rule"] = "rule"
    id: str = Field(pattern=RULE_ID)
    signal: str
    min: float | None = None
    max: float | None = None
    above: float | None = None
    below: float | None = None
    equals: bool | float | str | None = None
    any_of: tuple[str, ...] | None = None
    languages: tuple[str, ...] | None = None
    evidence: Evidence
    source: str = ""
    note: str = ""

    BOUNDS: ClassVar[tuple[str, ...]] = ("min", "max", "above", "below", "equals", "any_of")

    @property
    def bound(self) -> str:
        """The name of the one bound that is set."""
        return next(b for b in self.BOUNDS if getattr(self, b) is not None)

    @property
    def threshold(self) -> bool | float | str | tuple[str, ...]:
        """The value of the one bound that is set."""
        value: bool | float | str | tuple[str, ...] = getattr(self, self.bound)
        return value

    @model_validator(mode="after")
    def _one_bound(self) -> Rule:
        given = [b for b in self.BOUNDS if getattr(self, b) is not None]
        if len(given) != 1:
            raise ValueError(f"rule {self.id}: give exactly one of {', '.join(self.BOUNDS)}, not {given or 'none'}")
        return self


class Edit(Strict):
    """Change the text by the named edit of `filters.edits`; rules further down see the result."""

    kind: Literal["edit"]
    id: str = Field(pattern=RULE_ID)
    edit: str
    languages: tuple[str, ...] | None = None
    evidence: Evidence
    source: str = ""
    note: str = ""


Step = Annotated[Rule | Edit, Field(discriminator="kind")]


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


class Exact(Strict):
    """Drop documents whose text is identical, as it stands or after NFKC, lower case and one-space blanks."""

    normalise: Literal["none", "nfkc_lower_space"] = "nfkc_lower_space"
    evidence: Evidence = "A"
    note: str = ""


class MinHash(Strict):
    """Drop near-duplicates: `bands` x `rows` MinHash over `ngram` words (or characters).

    `verify` (a Jaccard value estimated from the whole signature) rejects candidate pairs below it;
    without it every candidate is joined, as FineWeb and RefinedWeb do.
    """

    ngram: int = Field(default=5, ge=1, le=64)
    unit: Literal["word", "char"] = "word"
    bands: int = Field(default=14, ge=1, le=512)
    rows: int = Field(default=8, ge=1, le=128)
    seed: int = Field(default=1, ge=0)
    verify: float | None = Field(default=None, ge=0, le=1)
    scope: Literal["corpus", "language"] = "corpus"
    evidence: Evidence = "A"
    note: str = ""

    @property
    def num_perm(self) -> int:
        """Hashes in one signature: bands times rows."""
        return self.bands * self.rows


class Dedup(Strict):
    """Which duplicates to look for, and which member of a cluster stays.

    `keep` lists columns of documents/ or signals/, each with a leading "-" for descending, best first;
    ties go to the lowest doc_id, so the choice never depends on the order of work.
    """

    exact: Exact | None = None
    minhash: MinHash | None = None
    keep: tuple[str, ...] = ()


Policy = Literal["placeholder", "leave"]


class Scrub(Strict):
    """Policy per kind of personal data; kinds not named are left alone."""

    policy: dict[str, Policy] = Field(default_factory=dict)
    evidence: Evidence = "A"
    note: str = ""


class Tokens(Strict):
    """The tokenizer to train when none is given, and the size and format of shards."""

    vocab_size: int = Field(default=16_384, ge=300, le=1_000_000)
    sample_bytes: int = Field(default=200_000_000, ge=10_000)
    shard_bytes: int = Field(default=256_000_000, ge=1_000, description="kept text per shard, in bytes")
    format: Literal["arrow", "parquet"] = "arrow"
    seed: int = Field(default=0, ge=0)


class Recipe(Strict):
    """A whole recipe. `fidelity`: R1 exact logic, R2 near, R3 sketch, R0 not published."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9._-]*$")
    title: str
    title_zh: str = ""
    fidelity: Fidelity
    sources: tuple[str, ...] = Field(min_length=1)
    assumptions: tuple[str, ...] = ()
    not_done: tuple[str, ...] = Field(default=(), description="published steps this recipe does not perform")
    extract: Extract = Extract()
    steps: tuple[Step, ...] = ()
    dedup: Dedup = Dedup()
    scrub: Scrub = Scrub()
    tokens: Tokens = Tokens()
    mixture: Mixture | None = None

    @model_validator(mode="after")
    def _unique_ids(self) -> Recipe:
        ids = [s.id for s in self.steps]
        twice = sorted({i for i in ids if ids.count(i) > 1})
        if twice:
            raise ValueError(f"step ids must differ; given twice: {', '.join(twice)}")
        return self

    @property
    def edits(self) -> tuple[Edit, ...]:
        """The edits, in order; the text that training sees has been through all of them."""
        return tuple(s for s in self.steps if isinstance(s, Edit))

    def placed_rules(self) -> tuple[tuple[Rule, tuple[Edit, ...]], ...]:
        """Each rule with the edits that come before it: the version of the text that it looks at."""
        placed: list[tuple[Rule, tuple[Edit, ...]]] = []
        edits: tuple[Edit, ...] = ()
        for step in self.steps:
            if isinstance(step, Edit):
                edits = (*edits, step)
            else:
                placed.append((step, edits))
        return tuple(placed)


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
