"""What ftfy works on is found in bytes; Python's own patterns say what there is to find."""

from __future__ import annotations

import re

import ftfy
import pyarrow as pa
from hypothesis import example, given, settings
from hypothesis import strategies as st

from filters.bytewise import buffers
from filters.edits.encodings import PAIRS, _has_work, repair_all
from tests.filters.edit_oracles import FINEWEB2

# HTML entities, controls as ftfy removes or repairs them (C1 too), escapes of terminals, and marks that it drops
WORK = re.compile(r"&#?[0-9A-Za-z]{1,24};|[\x00-\x08\x0b\x0e-\x1f\x7f-\x9f\u206a-\u206f\ufeff\ufff9-\ufffc]")
PARTS = [
    "&", "#", ";", "amp", "x27", "a" * 24, "9", " ", "\n", "\t", "\x00", "\x0b", "\x0c", "\x0d", "\x0e", "\x1f", "\x7f",
    "\x80", "\x9f", "\xa0", "é", "Ã©", "\u2040", "\u2069", "\u206a", "\u206f", "\u2070", "\u2019", "\ufefe", "\ufeff",
    "\uff00", "\ufff8", "\ufff9", "\ufffc", "\ufffd", "中", "😀", "<b>", "\x1b[1m",
]  # fmt: skip
TEXTS = st.lists(st.lists(st.sampled_from(PARTS), max_size=8).map("".join), min_size=1, max_size=6)


@settings(deadline=None)  # the kernel is compiled at its first call
@given(TEXTS)
@example(["&a", ";", "&amp;", "&", "", "\x7f", "x\x7f", "&" + "a" * 25 + ";", "&#;", "&##1;"])
def test_work_is_found_where_the_pattern_matches(texts: list[str]) -> None:
    found = _has_work(*buffers(pa.array(texts, pa.large_string())), *PAIRS)
    assert found.tolist() == [WORK.search(text) is not None for text in texts]


@settings(deadline=None)  # the kernel is compiled at its first call
@given(TEXTS)
def test_texts_become_what_ftfy_makes_of_them(texts: list[str]) -> None:
    repaired = repair_all(pa.array(texts, pa.large_string())).to_pylist()
    assert repaired == [ftfy.fix_text(text, FINEWEB2) for text in texts]
