"""Perplexity as CCNet measures it (https://github.com/facebookresearch/cc_net, cc_net/perplexity.py and
text_normalizer.py): the whole text is normalised to one line, cut by SentencePiece, and put to a 5-gram model of
Wikipedia in its language.

`kenlm` is an optional extra, as it is published only as source and needs a C++ compiler.
"""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import sentencepiece

from filters.scores.interface import Found, Scorer
from recipes.scores import KenLM

MARKS: dict[int, str | int | None] = {
    **str.maketrans("，。、„”“«»」「《》´∶：？！（）；–～’━〈〉【】％►", ',.,"""""""""\'::?!();-~\'-<>[]%-'),
    ord("—"): " - ",
    ord("．"): ". ",
    ord("…"): "...",
}
CONTROLS: dict[int, str | int | None] = dict.fromkeys((*range(32), *range(127, 160)))
DIGIT = re.compile(r"\d")


def normalise(text: str) -> str:
    """Lower case, no accents, every digit 0, plain punctuation, no control characters: line ends go as well."""
    bare = "".join(c for c in unicodedata.normalize("NFD", text.strip().lower()) if unicodedata.category(c) != "Mn")
    return DIGIT.sub("0", bare).translate(MARKS).translate(CONTROLS)


class KenLMScorer(Scorer[KenLM]):
    """Models are read when the first text of their language comes."""

    def __init__(self, entry: KenLM, path: Path | None, digest: str) -> None:
        super().__init__(entry, digest)
        try:
            import kenlm
        except ImportError as error:
            raise FileNotFoundError(
                f"The score {entry.id!r} needs the library kenlm. Run `pip install 'winnow-corpus[kenlm]'` "
                '(it is compiled, with a C++ compiler and CMake), or give the perplexities as a score of kind "table".'
            ) from error
        self.kenlm = kenlm
        self.folder = Path(path or ".")
        self.known = {p.name.removesuffix(".arpa.bin") for p in self.folder.glob("*.arpa.bin")}
        lacking = [lang for lang in sorted(self.known) if not (self.folder / f"{lang}.sp.model").is_file()]
        if not self.known or lacking:
            raise ValueError(
                f"there is no {lacking[0] if lacking else '<lang>'}.{'sp.model' if lacking else 'arpa.bin'}."
            )
        self.models: dict[str, tuple[Any, Any]] = {}

    def find(self, batch: pa.RecordBatch, text: pa.LargeStringArray, lang: pa.StringArray) -> Found:
        """Perplexities, rounded to one decimal as CCNet's are; null without a model or without text."""
        out = np.full(len(text), np.nan)
        texts = pc.utf8_slice_codeunits(pc.fill_null(text, ""), 0, self.entry.prefix).to_pylist()
        for row, (one, code) in enumerate(zip(texts, lang.to_pylist(), strict=True)):
            if code in self.known and (line := normalise(one)):
                out[row] = self.perplexity(line, code)
        return pa.array(out, mask=np.isnan(out)), None

    def perplexity(self, line: str, lang: str) -> float:
        """10 to the mean negative log10 probability of a piece, the end mark included."""
        if lang not in self.models:
            pieces = sentencepiece.SentencePieceProcessor(model_file=str(self.folder / f"{lang}.sp.model"))
            self.models[lang] = (pieces, self.kenlm.Model(str(self.folder / f"{lang}.arpa.bin")))
        pieces, model = self.models[lang]
        cut = " ".join(pieces.encode(line, out_type=str))
        return round(float(10.0 ** (-model.score(cut) / (len(cut.split()) + 1))), 1)
