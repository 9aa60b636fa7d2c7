"""Edits of source files, as RedPajama v1 ran them: a leading copyright comment, and what of LaTeX is no prose.

Sources: togethercomputer/RedPajama-Data, `data_prep/github/github_clean_dedup_local.py` and
`data_prep/arxiv/arxiv_cleaner.py` (f54b86f). Both are followed as written, oddities included: every leading line
that begins with #, // or -- goes (#include too), and a LaTeX comment takes the character before its % along.
Traded away: LaTeX macros are not expanded, since expansion has no bound on hostile input.
"""

from __future__ import annotations

import pyarrow as pa
import re2

from filters.compiled import kernel, step
from filters.edits.caseless import match
from filters.edits.kernels import copy, edit, room, skip
from filters.edits.tables import SPACE, flags
from filters.scan import find_byte

FIRST_LINES = 100
SECTION = re2.compile(
    r"(?s)\\(?:(?:chapter|part|section|subsection|subsubsection)\*?(?:\[.*?\])?\{.*?\}"
    r"|paragraph\*?(?:\[.*?\])?\{.*?\}\\subparagraph\*?(?:\[.*?\])?\{.*?\})"
)
COMMENT_LINE = re2.compile(r"(?m)^%.*\n?")
COMMENT = re2.compile(r"(?m)[^\\]%.+$")
BACK_MATTER = re2.compile(
    r"(?s)\\appendix|\\begin\{references\}|\\begin\{REFERENCES\}|\\begin\{thebibliography\}|\\bibliography\{.*?\}"
)


@step
def _comment_line(data, i, stop, flags):  # type: ignore[no-untyped-def]
    """Whether the line is empty, or begins with //, # or -- after white space."""
    if i == stop:
        return True
    i = skip(data, i, stop, flags, SPACE)
    if i < stop and data[i] == 0x23:
        return True
    return i + 1 < stop and data[i] == data[i + 1] and (data[i] == 0x2F or data[i] == 0x2D)


@step
def _block_comment(data, i, end):  # type: ignore[no-untyped-def]
    """[start, end) of the first /* */ in [i, end); empty if there is none."""
    while i + 1 < end and not (data[i] == 0x2F and data[i + 1] == 0x2A):
        i += 1
    start = i
    i += 2
    while i + 1 < end:
        if data[i] == 0x2A and data[i + 1] == 0x2F:
            return start, i + 2
        i += 1
    return end, end


@kernel
def _copyright(data, bounds, flags):  # type: ignore[no-untyped-def]
    out, offsets = room(bounds)
    o = 0
    for doc in range(len(bounds) - 1):
        i, end = bounds[doc], bounds[doc + 1]
        while i <= end:
            stop = find_byte(data, i, end, 0x0A)
            if not _comment_line(data, i, stop, flags):
                break
            i = stop + 1
        i = min(i, end)
        top, lines = i, 0
        while top < end and lines < FIRST_LINES:
            top = find_byte(data, top, end, 0x0A)
            lines += 1
            top += lines < FIRST_LINES
        top = min(top, end)
        start, stop = _block_comment(data, i, top)
        found = False
        for j in range(start, stop):
            if data[j] | 0x20 == 0x63 and match(data, j, stop, b"copyright", True) >= 0:
                found = True
                break
        if found:
            o = copy(data, i, start, out, o)
            i = stop
        o = copy(data, i, end, out, o)
        offsets[doc + 1] = o
    return out, offsets


def strip_latex(text: str) -> str:
    """One LaTeX file without what comes before its first section, its comments and its back matter; "" if it has
    no section.
    """
    section = SECTION.search(text)
    if not section:
        return ""
    text = COMMENT_LINE.sub("", text[section.start() :])
    text = COMMENT.sub("", text)
    back = BACK_MATTER.search(text)
    return text[: back.start()] if back else text


def code_copyright(text: pa.LargeStringArray) -> pa.LargeStringArray:
    """Leading lines of #, // or -- go, then the first /* */ of the next 100 lines if it says "copyright"."""
    return edit(text, _copyright, flags())


def latex_strip(text: pa.LargeStringArray) -> pa.LargeStringArray:
    """`strip_latex` of every text."""
    return pa.array([strip_latex(t or "") for t in text.to_pylist()], pa.large_string())
