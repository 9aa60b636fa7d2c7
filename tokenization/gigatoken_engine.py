"""`gigatoken`: text buffers in, id buffers out, without a Python object a token; the fastest engine where it fits.

It reads byte-level BPE with the published split patterns, tiktoken's ranks, and SentencePiece BPE with byte pieces;
it refuses anything else with an error. It always takes the spelling of a special token for the token, so special
tokens are not given to it (`ordinary_json`), or texts with such a spelling go to the reference (`Prepared.avoid`).

Traded away: its thread pool. A worker of the pipeline is one process a core, and a pool does not survive a fork.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from tokenization.guard import buffers
from tokenization.hugging_face import HuggingFace
from tokenization.sentence_piece import SentencePiece
from tokenization.tiktoken_ranks import TiktokenRanks
from tokenization.tokenizer import Ids, Offsets, Tokenizer

Encode = Callable[[pa.LargeStringArray], tuple[Ids, Offsets]]
# Its names for the patterns of `tiktoken_ranks.SPLITS` (gigatoken/gigatoken_rs/__init__.pyi).
SCHEMES = {"gpt2": "gpt2", "cl100k": "gpt4", "o200k": "o200k", "qwen": "qwen2"}


@dataclass(frozen=True)
class Prepared:
    """An engine made ready: its encoder, and what texts must not spell when they are given to it."""

    encode: Encode
    avoid: tuple[str, ...] = ()
    unicode_differs: bool = True  # from the reference's tables


def prepare(file: Path, reference: Tokenizer) -> Prepared:
    """The engine for `file`; raises whatever the library raises for a kind of file that it does not read."""
    import gigatoken

    if isinstance(reference, HuggingFace):
        return Prepared(_encoder(gigatoken.Tokenizer.from_json(ordinary_json(file))))
    if isinstance(reference, TiktokenRanks):
        made = gigatoken.Tokenizer.from_tiktoken(file, SCHEMES[reference.split], {})
        return Prepared(_encoder(made), unicode_differs=False)
    assert isinstance(reference, SentencePiece)
    return Prepared(_encoder(gigatoken.Tokenizer.from_sentencepiece(file.read_bytes())), reference.spellings())


def ordinary_json(file: Path) -> str:
    """A `tokenizer.json` without its special tokens, so that no text can become one."""
    described: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    model = described["model"]
    added = described.get("added_tokens") or []
    special = {token["content"] for token in added if HuggingFace.is_special(token)}
    if special & {model.get("unk_token")} or not isinstance(model.get("vocab"), dict):
        raise ValueError("its model has a token for unknown characters, or is no BPE")
    described["added_tokens"] = [token for token in added if token["content"] not in special]
    model["vocab"] = {piece: number for piece, number in model["vocab"].items() if piece not in special}
    described.update(post_processor=None, truncation=None, padding=None)
    return json.dumps(described)


def _encoder(engine: Any) -> Encode:
    import awkward

    def encode(text: pa.LargeStringArray) -> tuple[Ids, Offsets]:
        data, offsets = buffers(text)
        characters = awkward.contents.NumpyArray(data, parameters={"__array__": "char"})
        strings = awkward.contents.ListOffsetArray(
            awkward.index.Index64(offsets), characters, parameters={"__array__": "string"}
        )
        made = engine.encode_batch(awkward.Array(strings), parallel=False).layout.to_packed()
        return np.asarray(made.content.data, np.uint32), np.asarray(made.offsets.data, np.int64)

    return encode
