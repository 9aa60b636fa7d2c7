"""Tokenizers behind one small interface: texts in an Arrow array, ids in one flat array.

Text from a crawl never becomes a special token: whatever looks like `<|endoftext|>` in it is encoded as the
characters it is. Every document gets the end-of-text id from us, after its own tokens.
"""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import sentencepiece
import tiktoken
import tokenizers

from tokenization.manifest import file_sha256

Ids = npt.NDArray[np.uint32]
Offsets = npt.NDArray[np.int64]
END_NAMES = ("<|endoftext|>", "<|end_of_text|>", "<｜end▁of▁sentence｜>", "</s>", "<eos>", "[SEP]")
# The split patterns that tiktoken's rank files were trained with (tiktoken_ext/openai_public.py).
CL100K = (
    r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{"
    r"L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]|\s+(?!\S)|\s"
)
GPT2 = r"'(?:[sdmt]|ll|ve|re)| ?\p{L}++| ?\p{N}++| ?[^\s\p{L}\p{N}]++|\s++$|\s+(?!\S)|\s"


class Tokenizer(Protocol):
    """What encoding needs."""

    name: str
    sha256: str
    vocab_size: int
    end_of_text: int

    def encode(self, texts: list[str]) -> list[list[int]]:
        """Ids of each text, without end-of-text."""
        ...

    def decode(self, ids: list[int]) -> str:
        """Text of ids."""
        ...


def encode_batch(tokenizer: Tokenizer, text: pa.LargeStringArray) -> tuple[Ids, Offsets]:
    """(ids, offsets[n+1]): each text's ids with end-of-text after them."""
    rows = tokenizer.encode([t or "" for t in text.to_pylist()])
    lengths = np.fromiter((len(r) + 1 for r in rows), np.int64, len(rows))
    offsets = np.concatenate((np.zeros(1, np.int64), np.cumsum(lengths)))
    ids = np.empty(int(offsets[-1]), np.uint32)
    for row, start, end in zip(rows, offsets[:-1], offsets[1:], strict=True):
        ids[start : end - 1] = row
        ids[end - 1] = tokenizer.end_of_text
    if len(ids) and int(ids.max()) >= tokenizer.vocab_size:
        raise ValueError(f"{tokenizer.name} gave an id beyond its vocabulary of {tokenizer.vocab_size}.")
    return ids, offsets


def load(path: str) -> Tokenizer:
    """A tokenizer from `tokenizer.json`, `*.tiktoken` or SentencePiece `*.model`, told by the ending."""
    file = Path(path)
    if not file.is_file():
        raise FileNotFoundError(f"There is no tokenizer file {path}.")
    engines = {".json": HuggingFace, ".tiktoken": Tiktoken, ".model": SentencePiece}
    engine = engines.get(file.suffix)
    if engine is None:
        raise ValueError(f"{path} is no tokenizer that Winnow reads: tokenizer.json, *.tiktoken or *.model.")
    try:
        made: Tokenizer = engine(file)  # type: ignore[assignment]
    except FileNotFoundError:
        raise
    except Exception as error:
        raise ValueError(f"{path} is damaged or of another kind: {error}.") from error
    return made


class HuggingFace:
    """`tokenizer.json` by the tokenizers library."""

    def __init__(self, file: Path) -> None:
        self.engine = tokenizers.Tokenizer.from_file(str(file))
        self.name, self.sha256 = file.name, file_sha256(file)
        known = self.engine.get_vocab(with_added_tokens=True)
        greatest = max(known.values(), default=-1)
        end = next((known[n] for n in END_NAMES if n in known), None)
        self.end_of_text = greatest + 1 if end is None else end
        self.vocab_size = max(greatest, self.end_of_text) + 1
        self.special = [t.content for t in self.engine.get_added_tokens_decoder().values() if t.special]
        self.engine.encode_special_tokens = True  # "encode them as text"

    def encode(self, texts: list[str]) -> list[list[int]]:
        """Ids of each text."""
        return [e.ids for e in self.engine.encode_batch_fast(texts, add_special_tokens=False)]

    def decode(self, ids: list[int]) -> str:
        """Text of ids."""
        return str(self.engine.decode(ids, skip_special_tokens=False))


class Tiktoken:
    """A rank file: one `base64 rank` a line. The split pattern is GPT-2's for up to 51,000 ranks, else cl100k's."""

    def __init__(self, file: Path) -> None:
        lines = [line.split() for line in file.read_bytes().splitlines() if line.strip()]
        ranks = {base64.b64decode(token, validate=True): int(rank) for token, rank in lines}
        pattern = GPT2 if len(ranks) <= 51_000 else CL100K
        self.end_of_text = max(ranks.values()) + 1
        self.vocab_size = self.end_of_text + 1
        self.engine = tiktoken.Encoding(
            file.stem,
            pat_str=pattern,
            mergeable_ranks=ranks,
            special_tokens={"<|endoftext|>": self.end_of_text},
        )
        self.name, self.sha256 = file.name, file_sha256(file)

    def encode(self, texts: list[str]) -> list[list[int]]:
        """Ids of each text."""
        return self.engine.encode_ordinary_batch(texts, num_threads=1)

    def decode(self, ids: list[int]) -> str:
        """Text of ids."""
        return self.engine.decode(ids)


class SentencePiece:
    """A SentencePiece model; its own `</s>` ends a document."""

    def __init__(self, file: Path) -> None:
        self.engine = sentencepiece.SentencePieceProcessor(model_file=str(file))
        self.name, self.sha256 = file.name, file_sha256(file)
        size, end = self.engine.get_piece_size(), self.engine.eos_id()
        self.end_of_text = end if end >= 0 else size
        self.vocab_size = max(size, self.end_of_text + 1)

    def encode(self, texts: list[str]) -> list[list[int]]:
        """Ids of each text."""
        return list(self.engine.encode(texts, num_threads=1))

    def decode(self, ids: list[int]) -> str:
        """Text of ids."""
        return str(self.engine.decode(ids))
