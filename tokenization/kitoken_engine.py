"""`kitoken`: reads nearly every kind of `tokenizer.json` and `*.model`, at a few times the reference's speed.

It is taken for files that `gigatoken` refuses, above all Unigram models and split patterns of one's own. Special
tokens are not given to it either. It hands back lists of Python numbers, so work comes to it in small slices.
"""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa

from tokenization.gigatoken_engine import Prepared, ordinary_json
from tokenization.hugging_face import HuggingFace
from tokenization.sentence_piece import SentencePiece
from tokenization.tokenizer import Ids, Offsets, Tokenizer, flatten


def prepare(file: Path, reference: Tokenizer) -> Prepared:
    """The engine for `file`; raises whatever the library raises for a kind of file that it does not read."""
    from kitoken import Kitoken

    avoid: tuple[str, ...] = ()
    if isinstance(reference, HuggingFace):
        engine = Kitoken.from_tokenizers(ordinary_json(file).encode())
    elif isinstance(reference, SentencePiece):
        engine, avoid = Kitoken.from_sentencepiece(file.read_bytes()), reference.spellings()
    else:
        raise ValueError("it is slower than tiktoken on tiktoken's ranks")

    def encode(text: pa.LargeStringArray) -> tuple[Ids, Offsets]:
        return flatten(engine.encode_all(text.to_pylist(), False))

    return Prepared(encode, avoid)
