"""How text is cut before a vocabulary is trained on it: published patterns, and one of Winnow's own.

What is cut decides what a token can be. `qwen3.5`, the default, keeps letters with their combining marks, so that Thai
and Hindi words stay whole, and lets each digit stand alone, as in Llama. `han` moreover parts Han from other letters,
as Kimi K2's does. Fast encoders know published patterns to the letter and no others: a vocabulary of another pattern
(`han`, or any pattern with digits parted by `single_digits`) is encoded at a tenth of the speed or less.

Sources: gpt2 src/encoder.py; tiktoken_ext/openai_public.py; the tokenizer.json of Qwen2, Qwen3.5, DeepSeek-V3 and
Nemotron 3, as `gigatoken` 0.10 has them.
"""

from __future__ import annotations

from typing import Literal

from tokenizers import Regex, pre_tokenizers

Split = Literal["qwen3.5", "qwen2", "gpt2", "cl100k", "o200k", "nemotron", "deepseek", "han"]

_LOWER, _UPPER = r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]", r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]"
_SHORT = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)"
_BLANKS = r"\s*[\r\n]+|\s+(?!\S)|\s+"
_OTHER = r"[^\r\n\p{L}\p{N}]?"
PATTERNS: dict[Split, tuple[str, ...]] = {
    "qwen3.5": (rf"{_SHORT}|{_OTHER}[\p{{L}}\p{{M}}]+|\p{{N}}| ?[^\s\p{{L}}\p{{M}}\p{{N}}]+[\r\n]*|{_BLANKS}",),
    "qwen2": (rf"{_SHORT}|{_OTHER}\p{{L}}+|\p{{N}}| ?[^\s\p{{L}}\p{{N}}]+[\r\n]*|{_BLANKS}",),
    "gpt2": (),  # the library's own ByteLevel has it
    "cl100k": (rf"{_SHORT}|{_OTHER}\p{{L}}+|\p{{N}}{{1,3}}| ?[^\s\p{{L}}\p{{N}}]+[\r\n]*|{_BLANKS}",),
    "o200k": (
        rf"{_OTHER}{_UPPER}*{_LOWER}+{_SHORT}?|{_OTHER}{_UPPER}+{_LOWER}*{_SHORT}?"
        rf"|\p{{N}}{{1,3}}| ?[^\s\p{{L}}\p{{N}}]+[\r\n/]*|{_BLANKS}",
    ),
    "nemotron": (
        rf"{_OTHER}{_UPPER}*{_LOWER}+|{_OTHER}{_UPPER}+{_LOWER}*"
        rf"|\p{{N}}| ?[^\s\p{{L}}\p{{N}}]+[\r\n/]*|{_BLANKS}",
    ),
    "deepseek": (
        r"\p{N}{1,3}",
        "[一-龥\u3040-ゟ゠-ヿ]+",
        r'[!"#$%&' r"'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^" "\r\n"
        r"\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[" "\r\n"
        r"]*|\s*[" "\r\n" r"]+|\s+(?!\S)|\s+",
    ),
    "han": (
        rf"\p{{Han}}+|{_OTHER}[\p{{L}}\p{{M}}&&[^\p{{Han}}]]+|\p{{N}}| ?[^\s\p{{L}}\p{{N}}]+[\r\n/]*|{_BLANKS}",
    ),
}  # fmt: skip
GROUPS_DIGITS = {"gpt2", "cl100k", "o200k", "deepseek"}


def pre_tokenizer(split: Split, single_digits: bool) -> pre_tokenizers.PreTokenizer:
    """The cut of `split`, then bytes as letters; `single_digits` parts digits first where the pattern groups them."""
    cuts = [pre_tokenizers.Split(Regex(pattern), "isolated") for pattern in PATTERNS[split]]
    if single_digits and split in GROUPS_DIGITS:
        cuts = [pre_tokenizers.Split(Regex(r"\p{N}"), "isolated"), *cuts]
    last = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=split == "gpt2")
    return pre_tokenizers.Sequence([*cuts, last]) if cuts else last
