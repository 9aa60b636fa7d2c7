"""Names of people and street addresses, as a trained spaCy pipeline finds them: an optional extra, by its folder.

The folder is what `Language.to_disk` wrote (https://spacy.io/usage/saving-loading). Its sha256 belongs to the run:
every worker reads the folder again and refuses another. spaCy is imported only where a recipe names a model. Nothing is
unpickled: `filters.pii.model_folder` refuses a folder that could, before spaCy sees it.

A text goes to the pipeline in pieces of CHUNK characters at most, cut after a sentence where there is one, and each
piece begins OVERLAP characters or less before the end of the last one, at a sentence too: time and memory are bounded
whatever a document's length. Traded away: what a pipeline would have learnt from farther away.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from filters.pii.kinds import NAMED
from filters.pii.model_folder import EXTRA, digest_of
from filters.pii.scan import SPANS
from recipes.scrub import Scrub

CHUNK, OVERLAP, BATCH = 2_000, 200, 64
SENTENCE = re.compile(r"[。！？；\n]+|[.!?][\"')\]]*\s+")  # every match consumes what it looks at: linear
Span = tuple[int, int, int, str, str | None]  # row, first and last byte, kind, country


def fitted(scrub: Scrub) -> Scrub:
    """`scrub` with the sha256 of its model, which can be read; one without a model as it is.

    FileNotFoundError or ValueError in a sentence: no model for a kind that takes one, no folder, no pipeline in it,
    a folder that would unpickle, another sha256 than the recipe states, spaCy not installed.
    """
    wanted = [kind for kind, action in scrub.policy.items() if kind in NAMED]
    if scrub.ner is None:
        if wanted:
            raise FileNotFoundError(
                f"scrub.policy names {wanted[0]!r}, which takes a trained model: give the folder of a spaCy pipeline, "
                '[scrub] ner = "FOLDER" in the recipe or --set scrub.ner=FOLDER.'
            )
        return scrub
    digest = digest_of(Path(scrub.ner))
    if scrub.ner_sha256 not in (None, digest):
        raise ValueError(f"The model {scrub.ner} is not the one that was named: its sha256 is {digest}, "
                         f"not {scrub.ner_sha256}. Give that one, or another --out.")  # fmt: skip
    labels = {label for pipe in pipeline(scrub.ner, digest).pipe_labels.values() for label in pipe}
    if labels and not labels & scrub.labels.keys():
        raise ValueError(f"The model {scrub.ner} knows none of the labels {', '.join(scrub.labels)}; it has "
                         f"{', '.join(sorted(labels)[:20])}. Say in scrub.ner_labels which are names.")  # fmt: skip
    return scrub.model_copy(update={"ner_sha256": digest})


@cache
def pipeline(folder: str, digest: str) -> Any:
    """The pipeline of a folder, once a process; ValueError in a sentence if spaCy cannot read it or is not there."""
    try:
        import spacy
    except ImportError as error:
        raise ValueError(EXTRA) from error
    if digest_of(Path(folder)) != digest:
        raise ValueError(f"The model {folder} was changed since the run began. Restore it, or choose another --out.")
    try:
        return spacy.load(Path(folder))
    except Exception as error:
        fault = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise ValueError(f"spaCy cannot read the model {folder}: {fault}") from error


def find_named(text: pa.LargeStringArray, scrub: Scrub) -> pa.RecordBatch:
    """Spans of names and addresses: rows of SPANS, by row and start, none overlapping another; none without a model."""
    if scrub.ner is None or scrub.ner_sha256 is None:
        return batch_of([])
    model = pipeline(scrub.ner, scrub.ner_sha256)
    pieces = (
        (value[start:end], (row, start))
        for row, value in enumerate(text.to_pylist())
        for start, end in (chunks(value) if value else ())
    )
    found: dict[int, set[tuple[int, int, str]]] = {}
    for doc, (row, start) in model.pipe(pieces, as_tuples=True, batch_size=BATCH):
        for entity in doc.ents:
            if (kind := scrub.labels.get(entity.label_)) is not None:
                found.setdefault(row, set()).add((start + entity.start_char, start + entity.end_char, kind))
    rows: list[Span] = []
    for row, spans in sorted(found.items()):
        points = np.frombuffer(text[row].as_py().encode("utf-32-le"), np.uint32)
        widths = 1 + (points > 0x7F).astype(np.int64) + (points > 0x7FF) + (points > 0xFFFF)
        at = np.concatenate([[0], np.cumsum(widths)])
        rows += [(row, int(at[s]), int(at[e]), kind, None) for s, e, kind in _merged(spans)]
    return batch_of(rows)


def chunks(text: str) -> Iterator[tuple[int, int]]:
    """(start, end) of the pieces of a text, each of CHUNK characters at most, overlapping by OVERLAP at most.

    >>> [end - start for start, end in chunks("A sentence of it. " * 200)]
    [1998, 1800]
    """
    borders = [0, *(match.end() for match in SENTENCE.finditer(text)), len(text)]
    start = place = 0
    while True:
        while place < len(borders) - 1 and borders[place + 1] <= start + CHUNK:
            place += 1
        end = borders[place] if borders[place] > start + OVERLAP else min(start + CHUNK, len(text))
        yield start, end
        if end >= len(text):
            return
        back = place
        while back and borders[back - 1] >= end - OVERLAP:
            back -= 1
        start = borders[back] if end - OVERLAP <= borders[back] < end else end - OVERLAP // 2


def _merged(spans: set[tuple[int, int, str]]) -> list[tuple[int, int, str]]:
    """Spans that overlap, of the same words in two pieces, as one: of the first kind, as long as both."""
    out: list[tuple[int, int, str]] = []
    for start, end, kind in sorted(spans):
        if out and start < out[-1][1]:
            out[-1] = (out[-1][0], max(end, out[-1][1]), out[-1][2])
        else:
            out.append((start, end, kind))
    return out


def together(
    spans: pa.RecordBatch, named: pa.RecordBatch, policy: Mapping[str, str], text: pa.LargeStringArray
) -> pa.RecordBatch:  # fmt: skip
    """Both as rows of SPANS, none overlapping another. What has a form or a checksum is taken whole, and of a name or
    address what it leaves; but where only the latter is replaced by `policy`, it is that which is taken whole."""
    if not named.num_rows:
        return spans
    taken, others = _rows(spans), _rows(named)
    acted = [one for one in others if policy.get(one[3], "leave") != "leave"]
    left = [one for one in taken if policy.get(one[3], "leave") == "leave"]
    hit = _hit(left, acted)
    taken = [one for one in taken if one not in hit]
    return batch_of(sorted([*taken, *_left_of(others, taken, text)]))


def _hit(spans: Sequence[Span], others: Sequence[Span]) -> set[Span]:
    """Those of `spans` that meet one of `others`; both in order, and each without overlaps of its own."""
    ends = [(row, end) for row, _, end, *_ in others]
    hit = set()
    for one in spans:
        at = bisect_right(ends, (one[0], one[1]))
        if at < len(others) and others[at][0] == one[0] and others[at][1] < one[2]:
            hit.add(one)
    return hit


def _left_of(spans: Sequence[Span], taken: Sequence[Span], text: pa.LargeStringArray) -> Iterator[Span]:
    """The pieces of `spans` that `taken` does not cover and that hold a letter or digit."""
    ends = [(row, end) for row, _, end, *_ in taken]
    of, raw = -1, b""
    for row, start, end, kind, country in spans:
        first = last = bisect_right(ends, (row, start))
        while last < len(taken) and taken[last][0] == row and taken[last][1] < end:
            last += 1
        inside = taken[first:last]
        if not inside:
            yield row, start, end, kind, country
            continue
        edges = [start, *(edge for one in inside for edge in one[1:3]), end]
        if row != of:
            of, raw = row, text[row].as_py().encode()
        for place, (a, b) in enumerate(pairwise(edges)):
            piece = raw[a:b].decode() if place % 2 == 0 and a < b else ""
            if any(c.isalnum() for c in piece):
                yield row, b - len(piece.lstrip().encode()), a + len(piece.rstrip().encode()), kind, country


def _rows(spans: pa.RecordBatch) -> list[Span]:
    return [tuple(row.values()) for row in spans.to_pylist()]  # type: ignore[misc]


def batch_of(rows: Sequence[Span]) -> pa.RecordBatch:
    """Rows of SPANS."""
    columns = list(zip(*rows, strict=True)) or [()] * len(SPANS)
    return pa.RecordBatch.from_arrays(
        [pa.array(column, field.type) for column, field in zip(columns, SPANS, strict=True)], schema=SPANS
    )
