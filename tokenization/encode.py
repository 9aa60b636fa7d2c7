"""From texts to the token lists that shards hold: every document's ids with end-of-text after them.

Work goes to the engine in slices of a few megabytes, since some engines build a Python object a token on the
way; so memory depends on the slice (or on one long document) and not on the batch. Ends are put in and ids are
checked in one pass over them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numba
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tokenization.tokenizer import Ids, Offsets, Tokenizer

SLICE_BYTES = 4 << 20


def encode_documents(tokenizer: Tokenizer, text: pa.LargeStringArray) -> tuple[Ids, Offsets]:
    """Flat ids of all documents, each ended by `end_of_text`, and n + 1 offsets.

    ValueError if the engine gives an id outside its vocabulary, or end-of-text inside a document.
    """
    parts = [tokenizer.encode_batch(piece) for piece in slices(text)]
    lengths = np.concatenate([np.diff(part[1]) for part in parts]) if parts else np.empty(0, np.int64)
    offsets = np.zeros(len(lengths) + 1, np.int64)
    np.cumsum(lengths + 1, out=offsets[1:])
    ids = np.empty(int(offsets[-1]), np.uint32)
    row, greatest, ended = 0, 0, False
    for part, starts in parts:
        greatest_here, ended_here = _with_ends(part, starts, offsets[row:], ids, np.uint32(tokenizer.end_of_text))
        row, greatest, ended = row + len(starts) - 1, max(greatest, greatest_here), ended or ended_here
    if greatest >= tokenizer.vocab_size:
        raise ValueError(f"{tokenizer.name} gave the id {greatest}, beyond its {tokenizer.vocab_size} ids.")
    if ended:
        raise ValueError(f"{tokenizer.name} gave its end-of-text id inside a document.")
    return ids, offsets


@numba.njit(cache=True, nogil=True)  # type: ignore[misc]
def _with_ends(part: Any, starts: Any, offsets: Any, out: Any, end: Any) -> Any:
    """Put documents at their offsets, each with its end; the greatest id, and whether `end` was among them."""
    greatest, ended = 0, False
    for row in range(len(starts) - 1):
        at = offsets[row]
        for i in range(starts[row], starts[row + 1]):
            one = part[i]
            greatest, ended = max(greatest, one), ended or one == end
            out[at] = one
            at += 1
        out[at] = end
    return greatest, ended


def slices(text: pa.LargeStringArray, limit: int = SLICE_BYTES) -> Iterator[pa.LargeStringArray]:
    """Cut an array into runs of rows of about `limit` bytes, at least one row each.

    >>> [len(piece) for piece in slices(pa.array(["aaaa", "aa", "a", "aaaaaaaa", "a"], pa.large_string()), 8)]
    [4, 1]
    """
    sizes = pc.fill_null(pc.binary_length(text), 0).to_numpy(zero_copy_only=False)
    starts = np.cumsum(sizes) - sizes
    edges = np.unique(np.concatenate(([0], np.flatnonzero(np.diff(starts // limit)) + 1, [len(text)])))
    for start, stop in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        yield text.slice(start, stop - start)
