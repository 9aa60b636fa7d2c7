"""tiktoken's rank files: one `base64 rank` a line, and the split pattern they were trained with.

A rank file does not name its pattern, and ids under another pattern are other ids. The pattern is taken from
the file's name (`cl100k`, `o200k`, `gpt2`, `r50k`, `p50k`, `qwen`), else from a published number of ranks, else
it is cl100k's; the tokenizer's name states the choice. Encoding is `encode_ordinary`: nothing in a text is special.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import tiktoken

from tokenization.manifest import file_sha256
from tokenization.tokenizer import END_NAMES, Ids, Offsets, flatten, within


@dataclass(frozen=True)
class Split:
    """A published pattern with its vocabulary's number of ranks and the id that ends a document there."""

    pattern: str
    ranks: int
    end_of_text: int


_CASED = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
# The first three: tiktoken_ext/openai_public.py of tiktoken 0.14; qwen: tokenization_qwen.py of Qwen/Qwen-7B.
SPLITS = {
    "gpt2": Split(r"'(?:[sdmt]|ll|ve|re)| ?\p{L}++| ?\p{N}++| ?[^\s\p{L}\p{N}]++|\s++$|\s+(?!\S)|\s", 50_256, 50_256),
    "cl100k": Split(
        r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+"
        r"|\s++$|\s*[\r\n]|\s+(?!\S)|\s",
        100_256,
        100_257,
    ),
    "o200k": Split(
        r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+" + _CASED
        + r"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*" + _CASED
        + r"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+",
        199_998,
        199_999,
    ),
    "qwen": Split(
        r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*"
        r"|\s*[\r\n]+|\s+(?!\S)|\s+",
        151_643,
        151_643,
    ),
}  # fmt: skip
# Characters. Llama 3's tokenizer.py cuts at 400,000 for the same reason, there in every text; here in those that fail.
PIECE = 100_000
ALIASES = {"r50k": "gpt2", "p50k": "gpt2"}


def split_for(stem: str, ranks: int) -> str:
    """The key of SPLITS for a file's name without ending and its number of ranks.

    >>> split_for("o200k_base", 1000), split_for("p50k_base", 50_280), split_for("mine", 151_643), split_for("x", 9)
    ('o200k', 'gpt2', 'qwen', 'cl100k')
    """
    lower = stem.lower()
    named = [ALIASES.get(key, key) for key in (*SPLITS, *ALIASES) if key in lower]
    counted = [key for key, split in SPLITS.items() if split.ranks == ranks]
    return (named + counted + ["cl100k"])[0]


class TiktokenRanks:
    """An engine for `*.tiktoken`; `split` is a key of SPLITS."""

    engine_name = "tiktoken"

    def __init__(self, file: Path) -> None:
        ranks = read_ranks(file)
        key = split_for(file.stem, len(ranks))
        split = SPLITS[key]
        ids = set(ranks.values())
        greatest = max(ids)
        published = len(ranks) >= split.ranks and split.end_of_text not in ids
        self.end_of_text = split.end_of_text if published else greatest + 1
        self.vocab_size = within(max(greatest, self.end_of_text) + 1)
        special = {END_NAMES[0]: self.end_of_text}
        self.engine = tiktoken.Encoding(file.stem, pat_str=split.pattern, mergeable_ranks=ranks, special_tokens=special)
        self.split, self.special = key, tuple(special)
        self.name, self.copy_name = f"{file.name}, {key} split", f"tokenizer.{key}.tiktoken"
        self.sha256 = file_sha256(file)

    def spellings(self) -> tuple[str, ...]:
        """The spelling of end-of-text; a rank file has no other special token."""
        return self.special

    def encode_batch(self, text: pa.LargeStringArray) -> tuple[Ids, Offsets]:
        """Ids of all texts, and their offsets; each text's ids come as one array from the library."""
        return flatten(self._encode(t or "") for t in text.to_pylist())

    def _encode(self, text: str) -> Ids:
        try:
            return self.engine.encode_to_numpy(text, disallowed_special=())
        except ValueError:  # "Max stack size exceeded for backtracking": a run of a million blanks does it
            pieces = (text[i : i + PIECE] for i in range(0, len(text), PIECE))
            return np.concatenate([self.engine.encode_to_numpy(p, disallowed_special=()) for p in pieces])

    def decode(self, ids: Sequence[int] | Ids) -> str:
        """The text of `ids`."""
        return str(self.engine.decode([int(i) for i in np.asarray(ids)]))


def read_ranks(file: Path) -> dict[bytes, int]:
    """Token bytes to rank; ValueError with the line that is wrong, or if some byte has no token of its own."""
    ranks: dict[bytes, int] = {}
    for number, line in enumerate(file.read_bytes().splitlines(), 1):
        if not line.strip():
            continue
        try:
            token, rank = line.split()
            ranks[base64.b64decode(token, validate=True)] = int(rank)
        except (ValueError, binascii.Error) as error:
            raise ValueError(f"line {number} is not 'base64 rank'") from error
    if len(set(ranks.values())) != len(ranks) or min(ranks.values(), default=0) < 0:
        raise ValueError("a rank is negative or is given twice")
    missing = next((byte for byte in range(256) if bytes([byte]) not in ranks), None)
    if missing is not None:
        raise ValueError(f"byte {missing} has no rank, so not every text could be encoded")
    return ranks
