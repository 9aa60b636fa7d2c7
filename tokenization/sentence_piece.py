"""SentencePiece `.model` files by the `sentencepiece` library.

Control pieces (`<s>`, `</s>`) and byte pieces cannot come from text there. User-defined pieces can, so
end-of-text is the model's control piece or a new id, never a user-defined piece of that name. A model's own
normalisation (NFKC, blanks) is part of the tokenizer and is applied; decoding does not undo it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import sentencepiece

from tokenization.manifest import file_sha256
from tokenization.tokenizer import END_NAMES, Ids, Offsets, flatten


class SentencePiece:
    """An engine for `*.model`."""

    copy_name, engine_name = "tokenizer.model", "sentencepiece"

    def __init__(self, file: Path) -> None:
        self.engine = sentencepiece.SentencePieceProcessor(model_file=str(file))
        size: int = self.engine.get_piece_size()
        if size == 0:
            raise ValueError("it has no pieces")
        self.name, self.sha256 = file.name, file_sha256(file)
        own = [self.engine.eos_id(), *(self.engine.piece_to_id(name) for name in END_NAMES)]
        self.end_of_text: int = next((i for i in own if 0 <= i < size and self.engine.is_control(i)), size)
        self.vocab_size = max(size, self.end_of_text + 1)

    def spellings(self) -> tuple[str, ...]:
        """The spellings of all pieces that are not of the trained vocabulary.

        Control and unknown pieces, which no text can become here, and user-defined ones, which it becomes always. The
        library does not tell the last: they are the ones of score 0, as is the first piece of a trained BPE.
        """
        engine = self.engine
        ids = [i for i in range(engine.get_piece_size()) if not engine.is_byte(i) and not engine.is_unused(i)]
        apart = (i for i in ids if engine.is_control(i) or engine.is_unknown(i) or engine.get_score(i) == 0)
        return tuple(engine.id_to_piece(i) for i in apart)

    def encode_batch(self, text: pa.LargeStringArray) -> tuple[Ids, Offsets]:
        """Ids of all texts, and their offsets; each text's ids come as one array from the library."""
        texts = [t or "" for t in text.to_pylist()]
        return flatten(self.engine.encode(texts, return_type="numpy", num_threads=1, add_bos=False, add_eos=False))

    def decode(self, ids: Sequence[int] | Ids) -> str:
        """The text of `ids`; an end-of-text that was added to the model says nothing."""
        size = self.engine.get_piece_size()
        return str(self.engine.decode([int(i) for i in ids if int(i) < size]))
