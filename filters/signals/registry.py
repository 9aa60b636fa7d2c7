"""Every signal by name, with its type, what it means, where it comes from, and the kernel that measures it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from filters.segment import TextView
from filters.signals import lines, repetition, words

Kernel = Callable[[TextView], dict[str, np.ndarray]]


@dataclass(frozen=True)
class Signal:
    """One measurement of a text."""

    name: str
    type: pa.DataType
    doc: str
    source: str
    kernel: Kernel


GOPHER, FINEWEB, C4, CWT = (
    "arXiv:2112.11446 A1.1",
    "arXiv:2406.17557 3.6",
    "arXiv:1910.10683 2.2",
    "arXiv:2311.01149",
)
INT, REAL, FLAG = pa.int64(), pa.float64(), pa.bool_()
TABLE: tuple[tuple[str, pa.DataType, str, str, Kernel], ...] = (
    ("char_count", INT, "characters", C4, words.measure),
    ("word_count", INT, "tokens that are no symbols", GOPHER, words.measure),
    ("token_count", INT, "tokens, symbols included", GOPHER, words.measure),
    ("mean_word_length", REAL, "mean characters of a word", GOPHER, words.measure),
    ("alpha_word_ratio", REAL, "share of tokens with a letter", GOPHER, words.measure),
    ("hash_word_ratio", REAL, "'#' for each token", GOPHER, words.measure),
    ("ellipsis_word_ratio", REAL, "ellipses for each token", GOPHER, words.measure),
    ("stop_word_count", INT, "distinct stop words of the text's language (zh, else en)", GOPHER, words.measure),
    ("han_ratio", REAL, "share of characters in U+4E00-9FA5", CWT, words.measure),
    ("is_traditional", FLAG, "Chinese text that changes when converted to simplified", CWT, words.measure),
    ("has_curly", FLAG, "holds '{'", C4, words.measure),
    ("has_lorem_ipsum", FLAG, "holds 'lorem ipsum'", C4, words.measure),
    ("line_count", INT, "lines that are not blank", FINEWEB, lines.measure),
    ("mean_line_length", REAL, "mean characters of a line that is not blank", CWT, lines.measure),
    ("bullet_line_ratio", REAL, "share of lines that begin with a bullet", GOPHER, lines.measure),
    ("ellipsis_line_ratio", REAL, "share of lines that end in an ellipsis", GOPHER, lines.measure),
    ("line_punct_ratio", REAL, "share of lines that end in terminal punctuation", FINEWEB, lines.measure),
    ("short_line_ratio", REAL, "share of lines of at most 30 characters", FINEWEB, lines.measure),
    ("line_char_dup_ratio", REAL, "characters in repeated lines over all but newlines", FINEWEB, lines.measure),
    ("newline_word_ratio", REAL, "newlines for each token", FINEWEB, lines.measure),
    ("sentence_count", INT, "sentences, by terminal marks", C4, lines.measure),
    ("dup_line_ratio", REAL, "share of lines that repeat an earlier one", GOPHER, repetition.measure),
    ("dup_line_char_ratio", REAL, "characters in repeated lines over all", GOPHER, repetition.measure),
    ("dup_paragraph_ratio", REAL, "share of paragraphs that repeat an earlier one", GOPHER, repetition.measure),
    ("dup_paragraph_char_ratio", REAL, "characters in repeated paragraphs over all", GOPHER, repetition.measure),
    ("char_13gram_dup_ratio", REAL, "share of 13-character windows that occur twice", CWT, repetition.measure),
    *((f"top_{n}gram_char_ratio", REAL, f"characters in the commonest {n}-gram over all", GOPHER, repetition.measure)
      for n in (2, 3, 4)),
    *((f"dup_{n}gram_char_ratio", REAL, f"characters in repeated {n}-grams over all", GOPHER, repetition.measure)
      for n in range(5, 11)),
)  # fmt: skip
SIGNALS: dict[str, Signal] = {row[0]: Signal(*row) for row in TABLE}


def measure(view: TextView, names: Sequence[str]) -> dict[str, pa.Array]:
    """The named signals of a batch; a kernel that measures several of them runs once."""
    measured: dict[str, np.ndarray] = {}
    for kernel in dict.fromkeys(SIGNALS[name].kernel for name in names):
        measured.update(kernel(view))
    return {name: pa.array(measured[name], SIGNALS[name].type) for name in names}
