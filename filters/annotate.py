"""One batch of documents to its row of measurements: every signal on the text as it was extracted, and what the
recipe's rules ask of the text after its edits. Each version of the text is segmented once.
"""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from filters.edits import apply_edits
from filters.language import identify
from filters.rights import noindex, opt_out_evidence
from filters.segment import TextView
from filters.signals import SIGNALS, measure
from recipes.model import Edit, Recipe, column

DOCUMENT_SIGNALS = {
    "lang": pa.string(),
    "lang_score": pa.float64(),
    "opt_out": pa.string(),
    "opted_out": pa.bool_(),
    "noindex": pa.bool_(),
}


def edited_columns(recipe: Recipe) -> dict[tuple[Edit, ...], list[str]]:
    """For each version of the text that a rule looks at after edits: the signals it needs there."""
    needed: dict[tuple[Edit, ...], list[str]] = {}
    for rule, edits in recipe.placed_rules():
        if edits and rule.signal in SIGNALS and rule.signal not in needed.setdefault(edits, []):
            needed[edits].append(rule.signal)
    return needed


def removed_column(edit: Edit) -> str:
    """The column with the characters that an edit took away."""
    return f"removed_chars_{edit.id.replace('.', '_')}"


def signals_schema(recipe: Recipe) -> pa.Schema:
    """The columns of signals/ under this recipe."""
    fields = [pa.field("doc_id", pa.string(), nullable=False)]
    fields += [pa.field(name, kind) for name, kind in DOCUMENT_SIGNALS.items()]
    fields += [pa.field(name, signal.type) for name, signal in SIGNALS.items()]
    for edits, names in edited_columns(recipe).items():
        fields += [pa.field(column(name, edits), SIGNALS[name].type) for name in names]
    fields += [pa.field(removed_column(edit), pa.int64()) for edit in recipe.edits]
    return pa.schema(fields)


def annotate(batch: pa.RecordBatch, recipe: Recipe) -> pa.RecordBatch:
    """Measure a batch of DOCUMENTS; rows come back in the same order."""
    text = batch["text"]
    lang, score = identify(text)
    evidence = opt_out_evidence(batch)
    columns: dict[str, pa.Array] = {
        "doc_id": batch["doc_id"],
        "lang": lang,
        "lang_score": score,
        "opt_out": evidence,
        "opted_out": pc.is_valid(evidence),
        "noindex": noindex(batch),
        **measure(TextView(text, lang), list(SIGNALS)),
    }
    needed = edited_columns(recipe)
    for step in range(1, len(recipe.edits) + 1):
        edits = recipe.edits[:step]
        text, removed = apply_edits(text, lang, edits[-1:])
        columns[removed_column(edits[-1])] = pa.array(removed[edits[-1].id], pa.int64())
        if names := needed.get(edits):
            measured = measure(TextView(text, lang), names)
            columns.update({column(name, edits): values for name, values in measured.items()})
    schema = signals_schema(recipe)
    return pa.RecordBatch.from_arrays([columns[name] for name in schema.names], schema=schema)


def final_text(text: pa.LargeStringArray, lang: pa.StringArray, recipe: Recipe) -> pa.LargeStringArray:
    """The text that dedup compares and training sees: after all the recipe's edits."""
    return apply_edits(text, lang, recipe.edits)[0]
