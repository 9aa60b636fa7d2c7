"""Edits: what changes a text before it is measured again or kept, each saying how much it took away.

`c4_lines` follows TFDS `c4_utils.py` (terminal punctuation, 5 words); `c4_lines_nopunct` follows datatrove's
C4QualityFilter as FineWeb runs it (no terminal punctuation, 3 words); `t2s` is OpenCC's. Page-level verdicts of
C4 are signals and rules, not edits.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import re2

from filters.signals.chinese import simplify
from recipes.steps import Edit

CITATION = re2.compile(r"\[\d*\]|\[edit\]|\[citation needed\]")
POLICY = ("terms of use", "privacy policy", "cookie policy", "uses cookies", "use of cookies", "use cookies")
END_MARKS = (".", "?", "!", '"', "'")
LONGEST_WORD = 1000


def _c4(text: str, min_words: int, terminal: bool) -> str:
    kept = []
    for raw in text.split("\n"):
        line = raw.strip()
        if len(line) > LONGEST_WORD and max(map(len, line.split())) > LONGEST_WORD:
            continue
        if "[" in line:
            line = CITATION.sub("", line)
        if terminal and (not line.endswith(END_MARKS) or line.endswith("...")):
            continue
        if line.count(" ") + 1 < min_words or len(line.split()) < min_words:
            continue
        lower = line.lower()
        if "javascript" in lower or any(phrase in lower for phrase in POLICY):
            continue
        kept.append(line)
    return "\n".join(kept)


EDITS: dict[str, Callable[[str], str]] = {
    "c4_lines": lambda text: _c4(text, 5, terminal=True),
    "c4_lines_nopunct": lambda text: _c4(text, 3, terminal=False),
    "t2s": simplify,
}


def apply_edit(text: pa.LargeStringArray, lang: pa.StringArray, edit: Edit) -> pa.LargeStringArray:
    """`text` after one edit; texts in other languages than the edit's pass unchanged."""
    change = EDITS[edit.edit]
    wanted = set(edit.languages or ())
    rows = zip(text.to_pylist(), lang.to_pylist(), strict=True)
    return pa.array([change(t) if not wanted or code in wanted else t for t, code in rows], pa.large_string())


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


def removed_words(before, after):
    return pa.array(np.zeros(len(before)))
