"""Probability of one label by a fastText classifier (https://fasttext.cc/docs/en/python-module.html).

Texts go to the library in one list a batch; it reads a line at a time, so every character that Python's splitlines
breaks at becomes a blank (DCLM joins split lines with blanks before it predicts). Traded away: agreement with the
command-line tool on texts beyond the entry's `prefix`.
"""

from __future__ import annotations

from pathlib import Path

import fasttext
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import rjieba

from filters.scores.interface import Found, Scorer
from recipes.scores import FastText

BREAKS = r"[\n\r\x0b\x0c\x1c-\x1e\x{85}\x{2028}\x{2029}]"
CHINESE = ("zh", "wuu", "yue")
LABEL = "__label__"


def prepare(text: pa.LargeStringArray, lang: pa.StringArray, how: FastText) -> list[str]:
    """Texts as training and prediction see them: cut at `how.prefix` characters, one line, perhaps lower-cased,
    Chinese cut into words by jieba."""
    line = pc.replace_substring_regex(pc.utf8_slice_codeunits(pc.fill_null(text, ""), 0, how.prefix), BREAKS, " ")
    lines: list[str] = (pc.utf8_lower(line) if how.case == "lower" else line).to_pylist()
    if how.segment == "jieba":
        pairs = zip(lines, lang.to_pylist(), strict=True)
        lines = [_words(one, how) if code in CHINESE else one for one, code in pairs]
    return lines


def _words(line: str, how: FastText) -> str:
    words = rjieba.cut(line)
    if how.min_word > 1 or how.stop_words:
        unwanted = frozenset(how.stop_words)
        words = [word for word in words if len(word) >= how.min_word and word not in unwanted]
    return " ".join(words)


def probabilities(model: fasttext.FastText._FastText, lines: list[str], label: str) -> npt.NDArray[np.float64]:
    """Probability of `label` (with its __label__) for each line, in [0, 1]; NaN for a line without a known word."""
    out = np.full(len(lines), np.nan)
    found, scores = model.predict(lines, k=-1) if lines else ([], [])
    for row, (labels, values) in enumerate(zip(found, scores, strict=True)):
        if label in labels:  # with k = -1 it is missing only from an empty line's answer
            out[row] = min(float(values[labels.index(label)]), 1.0)
    return out


class FastTextScorer(Scorer[FastText]):
    """`find` gives null for blank texts, which the model knows nothing about."""

    def __init__(self, entry: FastText, path: Path | None, digest: str) -> None:
        super().__init__(entry, digest)
        fasttext.FastText.eprint = lambda *_: None  # its warning about load_model is not for our users
        self.model = fasttext.load_model(str(path))
        self.label = LABEL + entry.label.removeprefix(LABEL)
        labels = self.model.get_labels()
        if self.label not in labels:
            names = ", ".join(sorted(name.removeprefix(LABEL) for name in labels)[:10])
            raise ValueError(f"the model has no label {entry.label!r}; it has: {names}.")

    def find(self, batch: pa.RecordBatch, text: pa.LargeStringArray, lang: pa.StringArray) -> Found:
        """Probabilities."""
        lines = prepare(text, lang, self.entry)
        values = probabilities(self.model, lines, self.label)
        values[[not line.strip() for line in lines]] = np.nan
        return pa.array(values, mask=np.isnan(values)), None
