"""Job: the kept documents' final text, after the recipe's edits, without what cuts/ and contamination/ take out, and
with personal data replaced, into `kept/`.

Only counts of what was found leave this job, one column a kind; the values stay nowhere.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

import pyarrow as pa
import pyarrow.compute as pc
from apache_beam.options.pipeline_options import PipelineOptions

from filters.annotate import final_text
from filters.pii import KINDS
from filters.pii import scrub as scrub_text
from pipelines.code import made_by
from pipelines.cut_rows import cut_marks, cut_texts, read_cuts
from pipelines.mapping import map_parts
from pipelines.parts import fingerprint, part_path, read_counts, read_mark, read_part, write_part
from pipelines.removal.obey import marked, plain, removed_of
from pipelines.schemas import KEPT
from recipes.model import Recipe

SCHEMA = pa.schema([*KEPT, *(pa.field(f"pii_{kind}", pa.int32(), nullable=False) for kind in KINDS)])
BATCH_ROWS = 1024


def scrub(run: str, indices: Sequence[int], recipe: Recipe, options: PipelineOptions) -> dict[str, int]:
    """Write kept/ for the whole run; returns documents, bytes of text, and personal data found by kind."""
    return map_parts(run, "scrub", indices, scrub_part, options, recipe=recipe)


def scrub_part(index: int, run: str, recipe: Recipe) -> dict[str, int]:
    """Make one part of kept/, unless it is there already."""
    inputs = [part_path(run, name, index) for name in ("documents", "signals", "decisions")]
    steps = [step.model_dump() for step in recipe.steps]
    marks = [read_mark(p) for p in inputs]
    mark = fingerprint("scrub", made_by(), list(map(plain, marks)), cut_marks(run, index), steps, recipe.scrub.policy)
    mark = marked(mark, removed_of(run, index)[1])
    path = part_path(run, "kept", index)
    done = read_counts(path, mark)
    if done is not None:
        return done
    counts: Counter[str] = Counter(documents=0, text_bytes=0)

    def batches() -> Iterator[pa.RecordBatch]:
        cuts = read_cuts(run, index)
        for documents, languages in _kept_rows(*inputs):
            batch = scrub_batch(documents, languages, cuts, recipe)
            counts["documents"] += batch.num_rows
            counts["text_bytes"] += pc.sum(pc.binary_length(batch["text"])).as_py() or 0
            for kind in KINDS:
                counts[f"pii_{kind}"] += pc.sum(batch[f"pii_{kind}"]).as_py() or 0
            yield batch

    write_part(path, batches(), SCHEMA, mark, counts)
    return dict(counts)


def scrub_batch(
    documents: pa.RecordBatch, languages: pa.StringArray, cuts: pa.Table, recipe: Recipe
) -> pa.RecordBatch:  # fmt: skip
    """Rows of KEPT for `documents`: edited, cut, scrubbed, with a count for each kind of personal data."""
    text = cut_texts(documents["doc_id"], final_text(documents["text"], languages, recipe), cuts)
    scrubbed = scrub_text(text, recipe.scrub.policy)
    zeros = pa.array([0] * documents.num_rows, pa.int32())
    found = [pa.array(scrubbed.counts[k], pa.int32()) if k in scrubbed.counts else zeros for k in KINDS]
    columns = [documents["doc_id"], documents["url"], documents["source"], languages, scrubbed.text, *found]
    return pa.RecordBatch.from_arrays(columns, schema=SCHEMA)


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
