"""`tokenizer.json` by the `tokenizers` library, with what such a file may do to a corpus switched off.

A file may ask for truncation and padding, which would cut or lengthen documents in silence: both are switched
off. It may hold a Unigram or WordPiece model whose vocabulary has `</s>` as an ordinary piece; then even the
library's own `encode_special_tokens` (write them as text) lets the spelling become the id. Such an id is found
after encoding, and the text is encoded again with a cut inside the spelling. The cut costs an odd split there.

Traded away: the library holds half a kilobyte a token while it works, so a text of more than four million
characters goes through it in pieces that end at a line's end, where the file's own splitting allows that.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import tokenizers

from tokenization.manifest import file_sha256
from tokenization.tokenizer import END_NAMES, Ids, Offsets, flatten, within

CUT_ROUNDS = 4
PIECE = 4_000_000  # characters
# Cut as `in_pieces` and the engines cut: after line ends, which a pattern may join or part by what follows them.
LINES = (
    "One line, 12.\n", "two lines\n\n", "three\n \n\n", "four\r\n\r\n", "five \t\n\n\n", "six\u3000\n",
    "第三行。\n\n", "12",
)  # fmt: skip


class HuggingFace:
    """An engine for `tokenizer.json`."""

    copy_name, engine_name = "tokenizer.json", "tokenizers"

    def __init__(self, file: Path) -> None:
        described = json.loads(file.read_text(encoding="utf-8"))
        if not isinstance(described, dict) or not isinstance(described.get("model"), dict):
            raise ValueError("it has no model")
        added: list[dict[str, Any]] = described.get("added_tokens") or []
        for token in added:  # a file may list its end-of-text among the ordinary added tokens
            token["special"] = self.is_special(token)
        self.engine = tokenizers.Tokenizer.from_str(json.dumps(described))
        self.engine.no_truncation()
        self.engine.no_padding()
        self.engine.encode_special_tokens = True  # the library's name for "encode their spelling as text"
        self.name, self.sha256 = file.name, file_sha256(file)
        known: dict[str, int] = self.engine.get_vocab(with_added_tokens=True)
        moved = [token["content"] for token in added if known.get(token["content"]) != token["id"]]
        if moved:
            raise ValueError(f"its added token {moved[0]!r} does not have the id that the file gives it")
        greatest = max(known.values(), default=-1)
        self.end_of_text = next((known[name] for name in END_NAMES if name in known), greatest + 1)
        self.vocab_size = within(max(greatest, self.end_of_text) + 1)
        self.in_lines = False
        self.in_lines = self._encode(["".join(LINES)])[0].tolist() == self._encode(list(LINES))[0].tolist()
        self.forbidden = _forbidden(described, added, self.end_of_text, self.vocab_size)

    @staticmethod
    def is_special(token: Mapping[str, Any]) -> bool:
        """Whether an entry of `added_tokens` is one that no text may become."""
        return bool(token["special"]) or token["content"] in END_NAMES

    def spellings(self) -> tuple[str, ...]:
        """The spellings of added tokens, special or not."""
        return tuple(token.content for _, token in sorted(self.engine.get_added_tokens_decoder().items()))

    def encode_batch(self, text: pa.LargeStringArray) -> tuple[Ids, Offsets]:
        """Ids of all texts, and their offsets."""
        texts = [t or "" for t in text.to_pylist()]
        ids, offsets = self._encode(texts)
        places = np.flatnonzero(self.forbidden[ids])
        if not len(places):
            return ids, offsets
        rows = [ids[a:b] for a, b in itertools.pairwise(offsets)]
        for row in np.unique(np.searchsorted(offsets, places, side="right") - 1):
            rows[row] = self._cut(texts[row])
        return flatten(rows)

    def _encode(self, texts: list[str]) -> tuple[Ids, Offsets]:
        if not self.in_lines or max(map(len, texts), default=0) <= PIECE:
            return flatten(e.ids for e in self.engine.encode_batch_fast(texts, add_special_tokens=False))
        rows = []
        for text in texts:
            pieces = (self.engine.encode_batch_fast([piece], add_special_tokens=False) for piece in in_pieces(text))
            rows.append(flatten(encoded[0].ids for encoded in pieces)[0])
        return flatten(rows)

    def _cut(self, text: str) -> Ids:
        """Ids of a text that spells special tokens, cut after the first character of each spelling."""
        pieces = [text]
        for _ in range(CUT_ROUNDS):
            encoded = self.engine.encode_batch(pieces, add_special_tokens=False)
            shorter: list[str] = []
            for piece, encoding in zip(pieces, encoded, strict=True):
                spans = [s for s, i in zip(encoding.offsets, encoding.ids, strict=True) if self.forbidden[i]]
                edges = sorted({0, len(piece), *(a + 1 for a, b in spans if b > a + 1)})
                shorter += [piece[a:b] for a, b in itertools.pairwise(edges)]
            if shorter == pieces:
                break
            pieces = shorter
        ids, _offsets = flatten(e.ids for e in self.engine.encode_batch_fast(pieces, add_special_tokens=False))
        return ids[~self.forbidden[ids]]  # left over only if one character alone spells a special token

    def decode(self, ids: Sequence[int] | Ids) -> str:
        """The text of `ids`."""
        return str(self.engine.decode([int(i) for i in ids], skip_special_tokens=False))


def in_pieces(text: str, limit: int = PIECE) -> Iterator[str]:
    r"""Cut a text after its last line end in each `limit` characters that no blank follows, or at the limit.

    >>> list(in_pieces("ab\ncd\n efgh", 8)), list(in_pieces("abcdef", 4)), list(in_pieces("", 4))
    (['ab\n', 'cd\n efgh'], ['abcd', 'ef'], [''])
    """
    start = 0
    while len(text) - start > limit:
        stop = text.rfind("\n", start, start + limit) + 1
        while stop > start and text[stop : stop + 1].isspace():
            stop = text.rfind("\n", start, stop - 1) + 1
        stop = stop if stop > start else start + limit
        yield text[start:stop]
        start = stop
    yield text[start:]


def _forbidden(described: dict[str, Any], added: list[dict[str, Any]], end: int, size: int) -> npt.NDArray[np.bool_]:
    """Which ids no text may have: end-of-text and every special token but the one for unknown characters."""
    model = described["model"]
    unknown = model.get("unk_token")
    if model.get("unk_id") is not None:  # Unigram has a list of (piece, score) and an index into it
        unknown = model["vocab"][model["unk_id"]][0]
    forbidden = np.zeros(size, np.bool_)
    forbidden[end] = True
    for token in added:
        forbidden[token["id"]] |= token["special"] and token["content"] != unknown
    return forbidden
