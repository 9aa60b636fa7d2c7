"""A byte-level BPE trained on the kept text: the default tokenizer, for which nothing is downloaded.

What is cut before merging decides what a token can be. The split follows GPT-4o's (tiktoken's o200k_base)
with three changes: digits stand alone, as in Llama; combining marks stay with their letters, so that Thai and
Hindi words stay whole; and a run of Han characters is its own piece, as in Kimi K2's tokenizer, so that Chinese
does not merge with the Latin word beside it. No token is longer than 24 bytes: 8 Han characters or 24 letters.
Without that bound boilerplate sentences, which Chinese writes without blanks, become tokens of their own.

Traded away: the vocabulary is that of one `tokenizer.json`, with one special token.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

END = "<|endoftext|>"
MAX_TOKEN_BYTES = 24
SPLIT = (
    r"\p{Han}+"
    r"|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}&&[^\p{Han}]]+"
    r"|\p{N}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n/]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)


def train_bpe(texts: Iterable[str], vocab_size: int) -> str:
    """`tokenizer.json` of a byte-level BPE with at most `vocab_size` ids, end-of-text among them.

    Equal texts in equal order give equal bytes. A small corpus gives a smaller vocabulary, never below the
    256 bytes and end-of-text; ValueError if there is no text at all.
    """
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(SPLIT), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        special_tokens=[END],
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
        min_frequency=2,
        max_token_length=MAX_TOKEN_BYTES,
    )
    seen = _Characters(texts)
    tokenizer.train_from_iterator(seen, trainer)
    if not seen.count:
        raise ValueError(
            "There is no text to train a tokenizer on. Loosen the recipe's rules, or give --tokenizer FILE."
        )
    return str(tokenizer.to_str(pretty=True))


class _Characters:
    """Hands texts on and counts their characters."""

    def __init__(self, texts: Iterable[str]) -> None:
        self.texts, self.count = texts, 0

    def __iter__(self) -> Iterator[str]:
        for text in self.texts:
            self.count += len(text)
            yield text
