"""Tokenizers behind one small interface: texts in an Arrow array, ids in one flat array.

Three rules hold for every engine. Text from a crawl never becomes a special token: whatever looks like
`<|endoftext|>` in it is encoded as the characters it is. No id is ever at or above `vocab_size`. And nothing
is truncated, padded or prefixed, whatever the file asks for: end-of-text is put in by `tokenization.encode`.

Traded away: the interface has no options. What differs from one engine to the next stays inside its module.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Ids = npt.NDArray[np.uint32]
Offsets = npt.NDArray[np.int64]

# Names under which published tokenizers keep the token that ends a document, in order of preference:
# GPT-2 and Qwen, Llama 3, DeepSeek, Llama and T5, Gemma, BERT.
END_NAMES = ("<|endoftext|>", "<|end_of_text|>", "<｜end▁of▁sentence｜>", "</s>", "<eos>", "[SEP]")
MOST_IDS = 1 << 24  # tables are as long as the greatest id: one token with a far id must not cost gigabytes


class Tokenizer(Protocol):
    """What encoding needs of an engine.

    `name` is for people. `copy_name` is the name under which a copy of the file loads as the same tokenizer.
    `sha256` is of the file that defines it, `vocab_size` the greatest id plus one, `end_of_text` an id below it.
    """

    name: str
    copy_name: str
    sha256: str
    vocab_size: int
    end_of_text: int

    def encode_batch(self, text: pa.LargeStringArray) -> tuple[Ids, Offsets]:
        """Ids of all texts, flat, and n + 1 offsets into them; without end-of-text. A null is an empty text."""
        ...

    def decode(self, ids: Sequence[int] | Ids) -> str:
        """The text of `ids`."""
        ...


class Reference(Tokenizer, Protocol):
    """The library whose format a file has: what the ids of that file are by definition."""

    engine_name: str

    def spellings(self) -> Sequence[str]:
        """What a text may spell that is a token of its own in this file."""
        ...


def within(vocab_size: int) -> int:
    """The size of a vocabulary; ValueError if no vocabulary has it."""
    if vocab_size > MOST_IDS:
        raise ValueError(f"its greatest id is {vocab_size - 1:,}, and ids above {MOST_IDS - 1:,} are not taken")
    return vocab_size


def flatten(rows: Iterable[npt.NDArray[np.integer] | Sequence[int]]) -> tuple[Ids, Offsets]:
    """One array of ids, and the offsets of each row in it.

    >>> ids, offsets = flatten([[7, 70_000], [], [1]])
    >>> ids.tolist(), offsets.tolist()
    ([7, 70000, 1], [0, 2, 2, 3])
    """
    arrays = [np.asarray(row, np.uint32) for row in rows]
    offsets = np.zeros(len(arrays) + 1, np.int64)
    np.cumsum([len(array) for array in arrays], out=offsets[1:])
    return (np.concatenate(arrays) if arrays else np.empty(0, np.uint32)), offsets
