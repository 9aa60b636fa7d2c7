"""One batch of documents to its row of measurements: every signal on the text as it was extracted, and what the
rules of one or several recipes ask of the text after their edits.

Recipes that begin with the same edits share a version of the text (filters/versions.py); so a run measured for many
recipes costs far less than as many runs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from filters.columns import DOCUMENT_SIGNALS, REMOVED, RIGHTS_SIGNALS, removed_column
from filters.edits import apply_edits
from filters.language import identify
from filters.pii import counted
from filters.pii.ner import find_named
from filters.rights.judge import judge
from filters.scores import Scorer, score_types
from filters.signals import SIGNALS
from filters.urls import registrable_domain
from filters.versions import Versions, versions, walk
from recipes.model import Recipe
from recipes.scrub import MODEL_KINDS
from recipes.steps import column


def signals_schema(recipe: Recipe, *others: Recipe, every: bool = True) -> pa.Schema:
    """The columns of signals/ under this recipe, and measured for `others` too."""
    recipes = (recipe, *others)
    fields = [pa.field("doc_id", pa.string(), nullable=False)]
    fields += [pa.field(name, kind) for name, kind in DOCUMENT_SIGNALS.items()]
    for version in walk(versions(recipes, every)):
        fields += [pa.field(column(name, version.edits), _type(name)) for name in version.signals]
        if version.counted:
            fields.append(pa.field(removed_column(version.edits[-1]), pa.int64()))
    fields += [pa.field(name, pa.int32()) for name in named_columns(recipes)]
    types = {name: kind for one in recipes for score in one.scores for name, kind in score_types(score).items()}
    return pa.schema([*fields, *(pa.field(name, kind) for name, kind in types.items())])


def named_columns(recipes: Sequence[Recipe]) -> list[str]:
    """What a rule reads of the first recipe's model of names and addresses: nothing is asked of it for no rule."""
    read = {step.signal for recipe in recipes for step, _ in recipe.placed()}
    return [name for kind in MODEL_KINDS if (name := f"pii_{kind}") in read and recipes[0].scrub.ner]


def _type(name: str) -> pa.DataType:
    return pa.float64() if name == REMOVED else SIGNALS[name].type


class Annotator:
    """What a run measures, planned once; called with batches."""

    def __init__(
        self, recipes: Sequence[Recipe], scorers: Mapping[str, Scorer[Any]] | None = None, every: bool = True
    ) -> None:
        self.recipes, self.scorers = recipes, scorers or {}
        self.versions, self.named = versions(recipes, every), named_columns(recipes)
        self.schema = signals_schema(*recipes, every=every)

    def __call__(self, batch: pa.RecordBatch, rights: pa.RecordBatch | None = None) -> pa.RecordBatch:
        """The batch's row of measurements for each document, in its order; `annotate` says what `rights` are."""
        text, own = batch["text"], self.recipes[0]
        lang, score = identify(text)
        rights = judge(batch, own.rights) if rights is None else rights
        columns: dict[str, pa.Array] = {
            "doc_id": batch["doc_id"],
            "lang": lang,
            "lang_score": score,
            **{name: rights[column] for name, column in RIGHTS_SIGNALS.items()},
            "domain": registrable_domain(batch["url"]),
            "title_only": title_only(text, batch["title"]),
            "text_density": text_density(batch),
            "text_bytes": pc.cast(pc.binary_length(text), pa.int64()),
        }
        columns.update(Versions(self.versions, text, lang).measure())
        for scorer in self.scorers.values():  # on the text as extracted, so that recipes can share a score
            columns.update(scorer.columns(batch, text, lang))
        if self.named:
            found = counted(find_named(text, own.scrub), len(text), MODEL_KINDS)
            columns.update({name: pa.array(found[name.removeprefix("pii_")]) for name in self.named})
        return pa.RecordBatch.from_arrays([columns[name] for name in self.schema.names], schema=self.schema)


def annotate(
    batch: pa.RecordBatch,
    recipes: Sequence[Recipe],
    scorers: Mapping[str, Scorer[Any]] | None = None,
    every: bool = True,
    rights: pa.RecordBatch | None = None,
) -> pa.RecordBatch:
    """Measure a batch of DOCUMENTS for `recipes`, the run's own first; rows come back in the same order.

    Without `every`, only what their rules read is measured: a run that nobody will ask anything else costs less.
    `rights` are the batch's rows of RIGHTS; without them only what pages and their headers say is known, and what
    sites and lists say is null.
    """
    return Annotator(recipes, scorers, every)(batch, rights)


def title_only(text: pa.LargeStringArray, title: pa.StringArray) -> pa.BooleanArray:
    """Whether a text says no more than its page's title; false where the page has none."""
    plain = pc.utf8_trim_whitespace(pc.fill_null(text, ""))
    heading = pc.cast(pc.utf8_trim_whitespace(pc.fill_null(title, "")), pa.large_string())
    return pc.and_(pc.equal(plain, heading), pc.not_equal(heading, ""))


def text_density(batch: pa.RecordBatch) -> pa.DoubleArray:
    """Characters of text for each byte of the page; NULL where the input was text already."""
    density = pc.divide(pc.cast(pc.utf8_length(batch["text"]), pa.float64()), pc.cast(batch["raw_bytes"], pa.float64()))
    return pc.if_else(pc.equal(batch["charset_from"], "given"), pa.scalar(None, pa.float64()), density)


def final_text(text: pa.LargeStringArray, lang: pa.StringArray, recipe: Recipe) -> pa.LargeStringArray:
    """The text that dedup compares and training sees: after all the recipe's edits."""
    return apply_edits(text, lang, recipe.edits)[0]
