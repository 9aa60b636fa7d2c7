"""Batches of sequences from a manifest: ids, what is to be learnt of them, and where documents begin.

Which sequence comes when is the plan's to say (`tokenization.plan`); here it is read. The position in the data is a
step number: any step can be asked for, on any number of ranks, and resuming needs nothing else. A document begins after
an end-of-text; where the shards mark answers, which may hold that id, their offsets are asked instead.

A target is the id that comes next, or IGNORED: for padding, for the first id of a document whose sequence is not told
where documents begin (it could only be guessed), and, where the shards mark answers, for all that is no answer.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple, TypeVar

import numba
import numpy as np
import numpy.typing as npt

from tokenization.manifest import Manifest
from tokenization.plan import Layout
from tokenization.plan_files import open_plan
from training.cache import Store
from training.shards import Shards

Ids = npt.NDArray[np.int64]
IGNORED = -100  # PyTorch's ignore_index
SAMPLED = 1 << 24  # ids that the unigram entropy is taken from, where there are more
COUNTED = 1 << 22  # ids counted at a time: bincount makes 8 bytes of each
Made = TypeVar("Made")


class Batch(NamedTuple):
    """Rows of a step. `ids`, `targets`, `documents` (which of its row's, -1 for padding) and `positions` (within the
    document) are all (rows, context)."""

    ids: Ids
    targets: Ids
    documents: Ids
    positions: Ids


class Sequences:
    """The corpus of a manifest as sequences; those that the layout holds out are apart.

    `root` is the manifest's folder, a path or an fsspec URL; `cache` is for what is fetched, unpacked or planned.
    `apart`: no id is to be predicted from another document. ValueError in a sentence if the shards are not what the
    manifest says, or too small for one sequence.
    """

    def __init__(
        self, manifest: Manifest, root: str | Path, layout: Layout, cache: Path, apart: bool = True,
        limit: int = 1 << 40,
    ) -> None:  # fmt: skip
        self.manifest, self.layout, self.apart = manifest, layout, apart
        self.shards = Shards(manifest, Store(str(root), cache, limit))
        self.plan = open_plan(manifest, layout, self.shards.path, cache)
        self.count, self.held_out = self.plan.count, len(self.plan.held_out)
        if self.count < 1:
            raise ValueError(f"The corpus has {self.shards.tokens:,} tokens, too few for one sequence of "
                             f"{layout.context}: use --context.")  # fmt: skip
        self.shards.opened(next(i for i, shard in enumerate(manifest.shards) if shard.tokens))

    def batch(self, step: int, size: int, rank: int = 0, ranks: int = 1) -> Batch:
        """This rank's rows, size / ranks of them, of the global batch of `size` sequences at `step`."""
        places = np.arange(step * size + rank, (step + 1) * size, ranks)
        return self.rows(self.plan.numbers_at(places))

    def rows(self, numbers: Ids) -> Batch:
        """The sequences of these numbers. ValueError if one holds an id that the tokenizer does not have."""
        context, end = self.layout.context, self.manifest.tokenizer.end_of_text
        ids = np.full((len(numbers), context + 1), end, np.int64)
        begins, learnt = np.zeros(ids.shape, np.bool_), np.ones(ids.shape, np.bool_)
        filled = np.empty(len(numbers), np.int64)
        for row, number in enumerate(numbers.tolist()):
            at = 0
            for first, length in self.plan.segments(number):
                self.shards.read(first, ids[row, at : at + length])
                begins[row, at] = True
                if self.manifest.answers:
                    self._answers(first, begins[row, at : at + length], learnt[row, at : at + length])
                at += length
            filled[row] = at
        if (most := int(ids.max(initial=0))) >= self.manifest.tokenizer.vocab_size:
            self._unknown(most)
        ends = -1 if self.manifest.answers else end  # in a conversation, end-of-text may end a turn
        return Batch(ids[:, :-1], *_marked(ids, begins, learnt, filled, ends, self.apart))

    def _answers(self, first: int, begins: npt.NDArray[np.bool_], learnt: npt.NDArray[np.bool_]) -> None:
        """Set where documents begin in a stretch of the stream, and which of its ids are to be learnt."""
        learnt[:] = False
        for document in self.shards.documents(first, first + len(learnt)):
            begins[max(document.first - first, 0)] = True
            spans = self.shards.rows(document.shard)[1]["answers"][document.row].values.to_numpy().astype(np.int64)
            for start, stop in (spans.reshape(-1, 2) + document.first - first).tolist():
                learnt[max(start, 0) : max(stop, 0)] = True

    def held_out_batches(self, size: int, rank: int = 0, ranks: int = 1) -> Iterator[tuple[Ids, Batch]]:
        """(numbers, rows) of this rank's share of what is held out, at most `size` at a time, always the same.

        Every rank gets as many batches, since with FSDP all must call the model as often: where its share is smaller,
        one of no number and a row that is another's.
        """
        mine = self.plan.held_out[rank::ranks]
        for first in range(0, -(-self.held_out // ranks), size):
            numbers = mine[first : first + size]
            yield numbers, self.rows(numbers if len(numbers) else self.plan.held_out[:1])

    def labels(self, numbers: Ids, column: str, names: Mapping[str, int]) -> Ids:
        """`names["column:label"]` of each target's document, (rows, context); -1 for padding and unknown labels."""
        out = np.full((len(numbers), self.layout.context + 1), -1, np.int64)
        for row, number in enumerate(numbers.tolist()):
            at = 0
            for first, length in self.plan.segments(number):
                for document in self.shards.documents(first, first + length):
                    label = self.shards.rows(document.shard)[1][column][document.row].as_py()
                    begins, ends = max(document.first - first, 0), min(document.last - first, length)
                    out[row, at + begins : at + ends] = names.get(f"{column}:{label}", -1)
                at += length
        return out[:, 1:]

    def doc_ids(self, number: int) -> list[str]:
        """The documents of a sequence, in its order."""
        found = (
            d for first, length in self.plan.segments(number) for d in self.shards.documents(first, first + length)
        )
        return [self.shards.rows(d.shard)[1]["doc_id"][d.row].as_py() for d in found]

    def unigram_entropy(self) -> float:
        """Nats a token if each were drawn from the corpus's own frequencies: what a model must get below.

        Of a corpus of more than SAMPLED ids, the first SAMPLED are counted: documents are shuffled already.
        """
        counts = np.zeros(self.manifest.tokenizer.vocab_size, np.int64)
        for first in range(0, min(self.shards.tokens, SAMPLED), COUNTED):
            ids = np.empty(min(COUNTED, self.shards.tokens - first), np.int64)
            self.shards.read(first, ids)
            found = np.bincount(ids, minlength=len(counts))
            if len(found) > len(counts):
                self._unknown(len(found) - 1)
            counts += found
        p = counts[counts > 0] / counts.sum()
        return float(-(p * np.log(p)).sum())

    def _unknown(self, most: int) -> None:
        raise ValueError(f"A shard holds the id {most}, and the manifest's tokenizer has only "
                         f"{self.manifest.tokenizer.vocab_size:,}. Make the run's shards again with this "
                         "tokenizer.")  # fmt: skip


@numba.njit(cache=True, nogil=True)
def _marked(ids, begins, learnt, filled, end, apart):  # type: ignore[no-untyped-def]
    """(targets, documents, positions) of rows of ids; a document begins where `begins` says, and after `end`."""
    rows, wanted = ids.shape
    targets = np.empty((rows, wanted - 1), np.int64)
    documents, positions = np.empty((rows, wanted - 1), np.int64), np.empty((rows, wanted - 1), np.int64)
    for row in range(rows):
        document, position = -1, 0
        for at in range(wanted):
            new = begins[row, at] or (at > 0 and ids[row, at - 1] == end)
            if new and at < filled[row]:
                document, position = document + 1, 0
            if at > 0:
                known = at < filled[row] and learnt[row, at] and not (apart and new)
                targets[row, at - 1] = ids[row, at] if known else IGNORED
            if at < wanted - 1:
                documents[row, at] = document if at < filled[row] else -1
                positions[row, at] = position if at < filled[row] else 0
            position += 1
    return targets, documents, positions


def ahead(make: Callable[[int], Made], numbers: Iterable[int], depth: int) -> Iterator[Made]:
    """`make` of each number in order, up to `depth` of them made by a thread before they are asked for."""
    pool, waiting = ThreadPoolExecutor(1), deque[object]()
    try:
        for number in numbers:
            waiting.append(pool.submit(make, number))
            if len(waiting) > depth:
                yield waiting.popleft().result()  # type: ignore[attr-defined]
        while waiting:
            yield waiting.popleft().result()  # type: ignore[attr-defined]
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
