"""Conversations to ids, with the spans that are to be learnt.

Text goes to the engine in stretches that end at special tokens and where an answer begins or ends: the prompt is cut
where it is cut when a model is asked, and no token straddles the border of what is learnt. A special token's id is
written only where the template spells it; all text goes through the engine, which never gives one (tokenization.
tokenizer). An answer's span is its text with its end-of-turn: the special token that follows it, blanks before it
included, or end-of-text after the last answer where the template ends a turn with none.

Traded away: tokens that strip blanks beside them (`lstrip`, `rstrip` of an added token) take none here.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from tokenization.chat.conversations import Bad, Message
from tokenization.chat.template import Piece, Template
from tokenization.encode import slices
from tokenization.hugging_face import HuggingFace
from tokenization.sentence_piece import SentencePiece
from tokenization.tiktoken_ranks import TiktokenRanks
from tokenization.tokenizer import END_NAMES, Ids, Tokenizer

QWEN = {"<|endoftext|>": 151_643, "<|im_start|>": 151_644, "<|im_end|>": 151_645}  # tokenization_qwen.py, Qwen/Qwen-7B


@dataclass(frozen=True)
class Stretch:
    """Text for the engine, or a special token; `learnt` where it is part of an answer."""

    text: str
    special: bool
    learnt: bool


@dataclass(frozen=True)
class Encoded:
    """A conversation's ids, end-of-text last, and its answers as pairs of first and one past the last."""

    ids: Ids
    answers: npt.NDArray[np.uint32]


class ChatTokenizer:
    """An engine with the special tokens of a template; `new` are those that its file does not have, and their ids are
    the first after its vocabulary. ValueError in a sentence if some are missing and `add` is false.
    """

    def __init__(self, engine: Tokenizer, template: Template, add: bool = False) -> None:
        self.engine, self.template = engine, template
        self.specials = specials_of(engine)
        self.new = [spelling for spelling in template.specials if spelling not in self.specials]
        if self.new and not add:
            raise ValueError(f"{engine.name} has no special token {self.new[0]}, which the template {template.name} "
                             "writes. Give the tokenizer made for it, or --add-special for new ids.")  # fmt: skip
        self.vocab_size = max([engine.vocab_size - 1, *self.specials.values()]) + 1
        for spelling in self.new:
            self.specials[spelling] = self.vocab_size
            self.vocab_size += 1
        self.end_of_text = engine.end_of_text
        found = sorted(self.specials, key=len, reverse=True)  # the longest spelling first, as added tokens match
        self.pattern = re.compile("(" + "|".join(map(re.escape, found)) + ")") if found else re.compile("((?!))")

    def stretches(self, messages: Sequence[Message]) -> list[Stretch]:
        """What is encoded, in order; Bad if the template cannot show these messages."""
        out: list[Stretch] = []
        open_turn = False  # an answer's text is written, its end-of-turn is not
        pieces = self.template.pieces(messages)
        for i, piece in enumerate(pieces):
            if piece.number is not None:
                learnt = messages[piece.number].learnt
                out.append(Stretch(piece.text, False, learnt))
                open_turn = learnt
                continue
            out += self._from_template(piece, open_turn, i + 1 == len(pieces))
            open_turn = open_turn and not piece.text
        return _merged(out)

    def _from_template(self, piece: Piece, open_turn: bool, last: bool) -> Iterator[Stretch]:
        """The template's text between contents; its first special token ends an open turn if only blanks precede it.

        After the last content end-of-text does that, if there is no special token.
        """
        parts = self.pattern.split(piece.text)
        ends = open_turn and not parts[0].strip() and (last or len(parts) > 1)
        for i, part in enumerate(parts):
            yield Stretch(part, i % 2 == 1, ends and i < 2)

    def encode(self, conversations: Sequence[Sequence[Stretch]]) -> list[Encoded]:
        """Ids and answers of each; one call of the engine for a few megabytes of text."""
        texts = [s.text for stretches in conversations for s in stretches if not s.special]
        encoded = iter(self._texts(texts))
        return [self._joined(stretches, encoded) for stretches in conversations]

    def _texts(self, texts: Sequence[str]) -> Iterator[Ids]:
        for piece in slices(pa.array(texts, pa.large_string())):
            ids, offsets = self.engine.encode_batch(piece)
            yield from np.split(ids, offsets[1:-1])

    def _joined(self, stretches: Sequence[Stretch], encoded: Iterator[Ids]) -> Encoded:
        parts: list[Ids] = []
        spans: list[list[int]] = []
        at = 0
        for stretch in stretches:
            ids = np.array([self.specials[stretch.text]], np.uint32) if stretch.special else next(encoded)
            if stretch.learnt and len(ids):
                if spans and spans[-1][1] == at:
                    spans[-1][1] = at + len(ids)
                else:
                    spans.append([at, at + len(ids)])
            parts.append(ids)
            at += len(ids)
        if not parts or not len(parts[-1]) or int(parts[-1][-1]) != self.end_of_text:
            if spans and spans[-1][1] == at and not (stretches[-1].special and stretches[-1].learnt):
                spans[-1][1] = at + 1
            parts.append(np.array([self.end_of_text], np.uint32))
        return Encoded(np.concatenate(parts), np.array(spans, np.uint32).reshape(-1))

    def decode(self, ids: Ids) -> str:
        """The text of ids, special tokens spelt; each stretch between special tokens decoded by itself."""
        spelt = {number: spelling for spelling, number in self.specials.items()}
        places = [-1, *(i for i, one in enumerate(ids.tolist()) if one in spelt), len(ids)]
        out = []
        for start, stop in itertools.pairwise(places):
            out.append(spelt[int(ids[start])] if start >= 0 else "")
            out.append(self.engine.decode(ids[start + 1 : stop]) if stop > start + 1 else "")
        return "".join(out)


def with_specials(data: bytes, template: Template, engine: Tokenizer) -> bytes:
    """A tokenizer.json with the template's missing special tokens added to it; other kinds of file cannot hold any."""
    known = specials_of(engine)
    new = [spelling for spelling in template.specials if spelling not in known]
    if not new or not isinstance(engine, HuggingFace):
        return data
    described = json.loads(data)
    first = max(engine.engine.get_vocab(with_added_tokens=True).values(), default=-1) + 1
    plain = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
    added = [{"id": first + i, "content": spelling, **plain} for i, spelling in enumerate(new)]
    described["added_tokens"] = [*(described.get("added_tokens") or []), *added]
    return json.dumps(described, ensure_ascii=False).encode()


def specials_of(engine: Tokenizer) -> dict[str, int]:
    """Spelling to id of the special tokens that a tokenizer file has, end-of-text among them."""
    if isinstance(engine, HuggingFace):
        added = engine.engine.get_added_tokens_decoder()
        found = {token.content: number for number, token in added.items() if token.special}
    elif isinstance(engine, SentencePiece):
        model = engine.engine
        pieces = range(model.get_piece_size())
        found = {model.id_to_piece(i): i for i in pieces if model.is_control(i)}
    elif isinstance(engine, TiktokenRanks) and engine.end_of_text == QWEN["<|endoftext|>"] and "qwen" in engine.name:
        found = dict(QWEN)
    else:
        found = {}
    if engine.end_of_text not in found.values():
        found[END_NAMES[0]] = engine.end_of_text
    return found


def _merged(stretches: Sequence[Stretch]) -> list[Stretch]:
    """Neighbouring texts that are both learnt or both not become one, as an engine would see them."""
    out: list[Stretch] = []
    for one in stretches:
        if not one.text:
            continue
        last = out[-1] if out else None
        if last and not last.special and not one.special and last.learnt == one.learnt:
            out[-1] = Stretch(last.text + one.text, False, one.learnt)
        else:
            out.append(one)
    return out


def checked(encoded: Encoded, tokenizer: ChatTokenizer) -> Encoded:
    """`encoded` if it is whole; Bad if nothing of it can be learnt, or an id is outside the vocabulary."""
    if not len(encoded.answers):
        raise Bad("no_answer", "No token of it is to be learnt.")
    if int(encoded.ids.max()) >= tokenizer.vocab_size:
        raise ValueError(f"{tokenizer.engine.name} gave an id beyond its {tokenizer.vocab_size} ids.")
    return encoded
