"""A recipe's edits over a batch of texts, and how much each took away."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from filters.compiled import kernel
from filters.edits.kernels import words
from filters.edits.registry import EDITS
from filters.edits.tables import flags
from filters.segment import buffers
from recipes.steps import Edit


def apply_edit(
    text: pa.LargeStringArray,
    lang: pa.StringArray,
    edit: Edit,
    known: tuple[pa.LargeStringArray, pa.LargeStringArray] | None = None,
) -> pa.LargeStringArray:
    """`text` after one edit; texts in other languages than the edit's pass unchanged.

    `known` are texts and what the edit, in every language, made of them: row by row it saves work where it fits.
    """
    kernel = EDITS[edit.edit].kernel
    text = text.fill_null("") if text.null_count else text
    wanted = np.ones(len(text), np.bool_)
    if edit.languages:
        wanted = np.asarray(pc.fill_null(pc.is_in(lang, pa.array(edit.languages, lang.type)), False))
    if known is not None:
        before, after = known
        same = wanted & np.asarray(pc.equal(text, before))
        text, wanted = pc.if_else(pa.array(same), after, text), wanted & ~same
    if wanted.all():
        return kernel(text)
    if not wanted.any():
        return text
    rows = pa.array(wanted)
    return pc.replace_with_mask(text, rows, kernel(text.filter(rows)))


def apply_edits(
    text: pa.LargeStringArray, lang: pa.StringArray, edits: Sequence[Edit]
) -> tuple[pa.LargeStringArray, dict[str, np.ndarray]]:
    """`text` after all edits in order, and the characters that each took away."""
    removed = {}
    for edit in edits:
        before = pc.utf8_length(text)
        text = apply_edit(text, lang, edit)
        removed[edit.id] = pc.subtract(before, pc.utf8_length(text)).to_numpy(zero_copy_only=False)
    return text, removed


@kernel
def _counts(data, bounds, flags):  # type: ignore[no-untyped-def]
    out = np.zeros(len(bounds) - 1)
    for doc in range(len(out)):
        out[doc] = words(data, bounds[doc], bounds[doc + 1], flags)
    return out


def removed_words(before: pa.LargeStringArray, after: pa.LargeStringArray) -> npt.NDArray[np.float64]:
    """Share of the words of `before` that `after` has no more: 1 - len(new.split()) / len(old.split()); (n,) float64.

    0 for a text without words; negative where an edit made words. RefinedWeb drops a page above 0.05 (DCLM's
    word_removal_ratio_filter).
    """
    old, new = (_counts(*buffers(text), flags()) for text in (before, after))
    # the difference is taken of whole numbers, so that 1 of 20 words is 0.05 and not a little more
    return np.divide(old - new, old, out=np.zeros(len(old)), where=old > 0)
