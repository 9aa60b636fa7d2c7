"""Job: the kept documents' final text, after the recipe's edits, without what cuts/ and contamination/ take out, to
`personal/` (where its personal data is, by kind) and `kept/` (the text with the recipe's policy done to it).

Finding and replacing bear marks of their own: another policy for the same kinds reads personal/ and searches nothing.
Only places, kinds and counts leave this job; the values stay nowhere. personal/ is written before kept/: a part that
has the second always has the first.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from apache_beam.options.pipeline_options import PipelineOptions

from filters.annotate import final_text
from filters.pii import KINDS, SPANS, counted, find, key_check, key_for, replaced, searched
from filters.pii.ner import find_named, fitted, together
from pipelines.code import made_by, model_libraries
from pipelines.cut_rows import cut_marks, cut_texts, read_cuts
from pipelines.mapping import map_parts
from pipelines.parts import fingerprint, part_path, read_counts, read_mark, read_part, read_table, write_part
from pipelines.removal.obey import marked, plain, removed_of
from pipelines.schemas import KEPT, PERSONAL
from recipes.model import Recipe
from recipes.scrub import MODEL_KINDS

BATCH_ROWS = 1024


def kinds_of(recipe: Recipe) -> list[str]:
    """The kinds that kept/ counts: those of rules, and with a model its own."""
    return [*KINDS, *(MODEL_KINDS if recipe.scrub.ner else ())]


def schema_of(recipe: Recipe) -> pa.Schema:
    """Columns of kept/."""
    return pa.schema([*KEPT, *(pa.field(f"pii_{kind}", pa.int32(), nullable=False) for kind in kinds_of(recipe))])


def scrub(run: str, indices: Sequence[int], recipe: Recipe, options: PipelineOptions) -> dict[str, int]:
    """Write personal/ and kept/ for the whole run; returns documents, bytes of text, and personal data by kind."""
    key_for(recipe.scrub.policy)  # a key that is missing is told before any worker starts
    recipe = recipe.model_copy(update={"scrub": fitted(recipe.scrub)})  # and so is a model
    return map_parts(run, "scrub", indices, scrub_part, options, recipe=recipe)


def scrub_part(index: int, run: str, recipe: Recipe) -> dict[str, int]:
    """Make one part of personal/ and kept/, unless they are there already.

    Each worker takes the key of pseudonyms from its own environment: a runner may write down what a job is given.
    """
    key = key_for(recipe.scrub.policy)
    names = ("documents", "signals", "decisions")
    made_from = [read_mark(part_path(run, name, index)) for name in names]
    steps = [step.model_dump() for step in recipe.steps]
    order = searched(recipe.scrub.policy, others=True)
    found_mark = fingerprint("personal", made_by(), list(map(plain, made_from)), cut_marks(run, index), steps, order,
                             *_model(recipe))  # fmt: skip
    mark = fingerprint("scrub", found_mark, recipe.scrub.policy, key_check(key))
    gone = removed_of(run, index)[1]
    found_mark, mark = marked(found_mark, gone), marked(mark, gone)
    path = part_path(run, "kept", index)
    done = read_counts(path, mark)
    if done is not None and read_counts(part_path(run, "personal", index), found_mark) is not None:
        return done
    work = _PartWork(run, index, recipe, key, found_mark)
    write_part(path, work.batches(), schema_of(recipe), mark, work.counts, before_commit=work.write_personal)
    return dict(work.counts)


def _model(recipe: Recipe) -> list[Any]:
    """What of a model decides where spans are; nothing without one, so that fingerprints stay as they were."""
    scrub = recipe.scrub
    acted = [kind for kind in MODEL_KINDS if scrub.policy.get(kind, "leave") != "leave"]
    return [scrub.ner_sha256, scrub.labels, acted, model_libraries()] if scrub.ner else []


class _PartWork:
    """Makes one part of kept/; gathers counts, and spans where they are not known yet, while rows stream out."""

    def __init__(self, run: str, index: int, recipe: Recipe, key: bytes | None, mark: str) -> None:
        self.run, self.index, self.recipe, self.key, self.mark = run, index, recipe, key, mark
        self.path = part_path(run, "personal", index)
        self.known = read_table(self.path) if read_counts(self.path, mark) is not None else None
        self.found: list[pa.RecordBatch] = []
        self.counts: Counter[str] = Counter(
            documents=0, text_bytes=0, **{f"pii_{kind}": 0 for kind in kinds_of(recipe)}
        )

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Rows of KEPT, with a count for each kind of personal data."""
        cuts = read_cuts(self.run, self.index)
        inputs = (part_path(self.run, name, self.index) for name in ("documents", "signals", "decisions"))
        for documents, languages in _kept_rows(*inputs):
            text = cut_texts(documents["doc_id"], final_text(documents["text"], languages, self.recipe), cuts)
            batch = self._scrubbed(documents, languages, text)
            self.counts["documents"] += batch.num_rows
            self.counts["text_bytes"] += pc.sum(pc.binary_length(batch["text"])).as_py() or 0
            yield batch

    def _scrubbed(
        self, documents: pa.RecordBatch, languages: pa.StringArray, text: pa.LargeStringArray
    ) -> pa.RecordBatch:
        policy, ids = self.recipe.scrub.policy, documents["doc_id"]
        spans = self._spans(ids, text)
        found = counted(spans, len(text), kinds_of(self.recipe))
        for kind, counts in found.items():
            self.counts[f"pii_{kind}"] += int(counts.sum())
        clean = replaced(text, spans, policy, ids, self.key)
        columns = [ids, documents["url"], documents["source"], languages, clean, *map(pa.array, found.values())]
        return pa.RecordBatch.from_arrays(columns, schema=schema_of(self.recipe))

    def _spans(self, ids: pa.StringArray, text: pa.LargeStringArray) -> pa.RecordBatch:
        """Rows of SPANS for a batch: from personal/ where it is, else by searching, and then noted for it."""
        if self.known is not None:
            rows = pc.index_in(self.known["doc_id"], value_set=ids)
            here = self.known.append_column("row", rows).filter(pc.is_valid(rows)).combine_chunks()
            columns = [here[name].combine_chunks() for name in SPANS.names]
            return pa.RecordBatch.from_arrays(columns, schema=SPANS)
        scrub = self.recipe.scrub
        spans = find(text, searched(scrub.policy, others=True))
        if scrub.ner:
            spans = together(spans, find_named(text, scrub), scrub.policy, text)
        columns = [ids.take(spans["row"]), *(spans[name] for name in PERSONAL.names[1:])]
        self.found.append(pa.RecordBatch.from_arrays(columns, schema=PERSONAL))
        return spans

    def write_personal(self) -> None:
        """Write personal/, unless the spans came from there."""
        if self.known is None:
            write_part(self.path, self.found, PERSONAL, self.mark, {"spans": sum(b.num_rows for b in self.found)})


def _kept_rows(documents: str, signals: str, decisions: str) -> Iterator[tuple[pa.RecordBatch, pa.StringArray]]:
    """Kept rows, batch by batch: the three datasets run side by side, row for row."""
    streams = zip(
        read_part(documents, ["doc_id", "url", "source", "text"], BATCH_ROWS),
        read_part(signals, ["doc_id", "lang"], BATCH_ROWS),
        read_part(decisions, ["doc_id", "fate"], BATCH_ROWS),
        strict=True,
    )
    for document, signal, decision in streams:
        if not document["doc_id"].equals(signal["doc_id"]) or not document["doc_id"].equals(decision["doc_id"]):
            raise ValueError(f"{signals} or {decisions} is not row for row beside {documents}; run again.")
        mask = pc.equal(decision["fate"], "kept")
        kept = document.filter(mask)
        if kept.num_rows:
            yield kept, signal["lang"].filter(mask)
