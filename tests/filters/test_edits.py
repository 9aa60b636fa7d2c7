"""C4's line rules, and conversion to simplified characters."""

from __future__ import annotations

import pyarrow as pa
import pytest

from filters.edits import EDITS, apply_edits
from recipes.model import Edit


def run(name: str, text: str) -> str:
    return str(EDITS[name].kernel(pa.array([text], pa.large_string()))[0].as_py())


LINES = {
    "This line has five words.": (True, True),
    "No end mark on this line": (False, True),
    "Trailing dots are no end...": (False, True),
    "Four words are few.": (False, True),
    "Two words.": (False, False),
    "Please enable JavaScript in your browser.": (False, False),
    "We changed our Privacy Policy again today.": (False, False),
    'He said "this is a quote."': (True, True),
    "x" * 1001 + " and five more words here.": (False, False),
}


@pytest.mark.parametrize("line", LINES)
def test_c4_lines(line: str) -> None:
    assert (bool(run("c4_lines", line)), bool(run("c4_lines_nopunct", line))) == LINES[line]


def test_citations_go_and_languages_hold() -> None:
    edit = Edit(kind="edit", id="zh.t2s.v1", edit="t2s", languages=("zh",), evidence="A")
    text, lang = pa.array(["漢字", "漢字"], pa.large_string()), pa.array(["zh", "ja"])
    assert apply_edits(text, lang, [edit])[0].to_pylist() == ["汉字", "漢字"]
    assert run("c4_lines", "The cited[12] fact is well known[citation needed].") == "The cited fact is well known."
