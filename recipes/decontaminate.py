"""What a recipe does about evaluation sets: which items, how they are looked for, and what a finding costs.

The items are the user's: `[[decontaminate.sets]]` names files, `--decontaminate PATH` adds one, and a recipe that gets
none is refused or goes on without this step and says so (`when_missing`), as with scores. Modes are tried in their
order; each has a versioned id, which is the fate of a document that leaves, and its source. Traded away: items are not
fetched, since a test set that was fetched by a name is not the one that you evaluate with.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from recipes.steps import STEP_ID
from recipes.strict import Evidence, Strict


class EvaluationSet(Strict):
    """A file of items: .jsonl, .parquet (each also .gz, .zst where it is text) or lines of text.

    `fields` are read as one text, lists joined line by line; without it the first that is there of text, question,
    prompt, problem, input, query, sentence, goal. `id` names what tells items apart (several are joined by "/");
    without it, id, task_id or idx, else the line's number. `name` is what reports call the set, the file's if empty.
    """

    file: str
    name: str = ""
    fields: tuple[str, ...] = ()
    id: tuple[str, ...] = ()


class Mode(Strict):
    """What all modes have. `action = "cut"` takes the match and `window` characters on each side out of the text, and
    pieces shorter than `min_piece` characters with it; a text in more than `max_pieces` pieces, or without any left,
    goes whole (GPT-3 App. C: 200, 200, 10). `action = "drop"` lets every document with a match go.
    """

    id: str = Field(pattern=STEP_ID)
    action: Literal["cut", "drop"] = "drop"
    window: int = Field(default=200, ge=0, le=100_000)
    min_piece: int = Field(default=200, ge=0, le=100_000)
    max_pieces: int = Field(default=10, ge=1, le=100_000)
    evidence: Evidence
    source: str = ""
    note: str = ""


class Ngrams(Mode):
    """An item's `n` words in a row anywhere in a document: lower case, no punctuation, cut at blanks (GPT-3 App. C).

    Where no blanks are written a character is a unit, and an item that is at least half such has windows of `n_cjk`.
    An item shorter than that is one window, if it has `shortest` units (`shortest_cjk`), the 8 of GPT-3's analysis of
    its evaluation (8 <= N <= 13); else it is not looked for. Windows in more than `common` documents are ignored.
    """

    kind: Literal["ngrams"] = "ngrams"
    action: Literal["cut", "drop"] = "cut"
    n: int = Field(default=13, ge=2, le=255)
    n_cjk: int = Field(default=20, ge=2, le=255)
    shortest: int = Field(default=8, ge=1, le=255)
    shortest_cjk: int = Field(default=12, ge=1, le=255)
    common: int | None = Field(default=10, ge=1)

    @model_validator(mode="after")
    def _floors(self) -> Ngrams:
        if self.shortest > self.n or self.shortest_cjk > self.n_cjk:
            raise ValueError(f"{self.id}: shortest must not be above n, nor shortest_cjk above n_cjk")
        return self


class Substrings(Mode):
    """Any of `count` random runs of `length` letters and digits of an item, spaces and symbols left out (GPT-4's
    report, App. C: 3 of 50, the whole item if it is shorter). Items under `shortest` letters are not looked for; the
    places come from the item's id and `seed`.
    """

    kind: Literal["substrings"] = "substrings"
    length: int = Field(default=50, ge=4, le=255)
    count: int = Field(default=3, ge=1, le=1000)
    shortest: int = Field(default=20, ge=4, le=255)
    shortest_cjk: int = Field(default=12, ge=4, le=255)
    seed: int = Field(default=0, ge=0)


class Overlap(Mode):
    """Documents that share windows of `n` with an item: a share of the item's (`containment`, PaLM's 70 % of 8-grams),
    or of all that either has (`jaccard`, Gopher's 13-grams, which compares whole documents). With `stretch`, the item's
    windows must stand together, in so many times the bytes of the item: long documents have many windows by chance.
    """

    kind: Literal["overlap"] = "overlap"
    measure: Literal["containment", "jaccard"] = "containment"
    n: int = Field(default=8, ge=1, le=255)
    n_cjk: int = Field(default=13, ge=1, le=255)
    shortest: int = Field(default=8, ge=1, le=255)
    shortest_cjk: int = Field(default=12, ge=1, le=255)
    share: float = Field(default=0.7, gt=0, le=1)
    stretch: float | None = Field(default=None, ge=1, le=1000)


class Paragraphs(Mode):
    """A whole line of an item that is a whole line of a document (Dolma against Paloma): the same bytes but for blanks
    at its ends, or with `normalise = "letters"` the same letters and digits. Lines under `min_words` do not count."""

    kind: Literal["paragraphs"] = "paragraphs"
    normalise: Literal["none", "letters"] = "none"
    min_words: int = Field(default=13, ge=1, le=1000)


AnyMode = Annotated[Ngrams | Substrings | Overlap | Paragraphs, Field(discriminator="kind")]


class Decontaminate(Strict):
    """Evaluation sets and the modes in which they are looked for; `what` tells a person which files to give."""

    sets: tuple[EvaluationSet, ...] = ()
    when_missing: Literal["refuse", "skip"] = "refuse"
    what: str = Field(default="The evaluation sets that the model will be judged by.", min_length=1)
    modes: tuple[AnyMode, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _unique_ids(self) -> Decontaminate:
        ids = [mode.id for mode in self.modes]
        if twice := sorted({i for i in ids if ids.count(i) > 1}):
            raise ValueError(f"mode ids must differ; given twice: {', '.join(twice)}")
        return self


def recommended() -> Decontaminate:
    """What a recipe without this section gets for `--decontaminate`: GPT-3's 13-grams, GPT-4's substrings, and half of
    an item's 5-grams in one place, which finds items with a word or two changed (figures in docs/decontamination.md).
    """
    loose = Overlap(
        id="decontam.overlap.v1", action="cut", n=5, n_cjk=8, share=0.5, stretch=3, evidence="A", note="measured here"
    )
    return Decontaminate(
        modes=(
            Ngrams(id="decontam.ngram.v1", evidence="M", source="arXiv:2005.14165 App. C"),
            Substrings(id="decontam.substring.v1", action="cut", evidence="S", source="arXiv:2303.08774 App. C"),
            loose,
        )
    )
