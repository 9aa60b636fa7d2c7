"""A vocabulary trained on texts: byte-level BPE or Unigram. The default tokenizer, for which nothing is downloaded.

BPE is trained by `tokenizers` and written as `tokenizer.json`; no token is longer than 24 bytes: 8 Han characters or
24 letters. Without that bound boilerplate sentences, which Chinese writes without blanks, become tokens of their own.
Unigram (Kudo 2018, arXiv:1804.10959) is trained by `sentencepiece` with one thread and written as `tokenizer.model`,
with the 256 bytes as pieces, no normalisation and digits parted; the trainer in `tokenizers` gave other vocabularies
for other numbers of threads. `gigatoken` trains BPE too, but with one pattern and no bound on a token's length.

Traded away: the patterns of `tokenization.splits` are for BPE; SentencePiece cuts at blanks and scripts in its own way.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import sentencepiece
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from tokenization.splits import Split, pre_tokenizer

END = "<|endoftext|>"
MAX_TOKEN_BYTES = 24
LINE_BYTES = 4_000  # of a text without line ends that Unigram learns from at a time
NO_TEXT = "There is no text to train a tokenizer on. Loosen the recipe's rules, or give --tokenizer FILE."


def train_bpe(
    texts: Iterable[str],
    vocab_size: int,
    split: Split = "qwen3.5",
    single_digits: bool = True,
    special: Sequence[str] = (),
) -> str:
    """`tokenizer.json` of a byte-level BPE with at most `vocab_size` ids, end-of-text and `special` among them.

    Equal texts in equal order give equal bytes. A small corpus gives a smaller vocabulary, never below the
    256 bytes and end-of-text; ValueError if there is no text at all.
    """
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizer(split, single_digits)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        special_tokens=[END, *special],
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
        min_frequency=2,
        max_token_length=MAX_TOKEN_BYTES,
    )
    seen = _Characters(texts)
    tokenizer.train_from_iterator(seen, trainer)
    if not seen.count:
        raise ValueError(NO_TEXT)
    return str(tokenizer.to_str(pretty=True))


def train_unigram(
    texts: Iterable[str], vocab_size: int, single_digits: bool = True, special: Sequence[str] = ()
) -> bytes:
    """`tokenizer.model` of a Unigram with byte pieces and about `vocab_size` ids.

    Equal texts in equal order give equal bytes. ValueError in a sentence if there is no text, or too little room.
    """
    out = io.BytesIO()
    seen = _Characters(texts)
    options: dict[str, Any] = {
        "model_type": "unigram", "byte_fallback": True, "split_digits": single_digits, "num_threads": 1,
        "normalization_rule_name": "identity", "remove_extra_whitespaces": False, "add_dummy_prefix": False,
        "allow_whitespace_only_pieces": True, "max_sentencepiece_length": MAX_TOKEN_BYTES, "hard_vocab_limit": False,
        "bos_id": -1, "eos_piece": END, "eos_id": 1, "control_symbols": list(special), "minloglevel": 9,
    }  # fmt: skip
    try:
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=_lines(seen), model_writer=out, vocab_size=vocab_size, **options
        )
    except RuntimeError as error:
        if not seen.count:
            raise ValueError(NO_TEXT) from error
        told = " ".join(str(error).split()).rpartition("] ")[2][:200].rstrip(".")
        raise ValueError(f"sentencepiece could not train {vocab_size} pieces ({told}). Give another size.") from error
    return out.getvalue()


def _lines(texts: Iterable[str]) -> Iterator[str]:
    """Lines without NUL, which the library refuses, in pieces that it does not skip as too long."""
    for text in texts:
        for line in text.replace("\0", " ").split("\n"):
            yield from (line[i : i + LINE_BYTES // 4] for i in range(0, len(line), LINE_BYTES // 4))


class _Characters:
    """Hands texts on and counts their characters."""

    def __init__(self, texts: Iterable[str]) -> None:
        self.texts, self.count = texts, 0

    def __iter__(self) -> Iterator[str]:
        for text in self.texts:
            self.count += len(text)
            yield text
