"""A version of the text is measured anew only where an edit changed it, and that changes no value."""

from __future__ import annotations

from collections.abc import Callable

import pyarrow as pa
import pytest

from filters import versions as versioned
from filters.edits import apply_edit
from filters.language import identify
from filters.segment import TextView
from filters.versions import Versions, versions
from recipes.load import available, load

TEXTS = [
    "",
    "Plain words that no rule touches, one after another, until the line ends.",
    "A line with javascript in it.\nAnother line that stays as it is, with a stop.\nno end",
    "3 likes\nRead more...\nTERMS OF USE\nThe rest of this page says something sensible about rivers [citation needed].",
    "我们在学习机器翻译。这是一个测试！\n没有标点的一行\n版权所有",
    "繁體中文的網頁，內容與簡體不同。😀",
]


@pytest.mark.parametrize("every", [True, False])
def test_values_are_those_of_measuring_every_row(every: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    recipes = [load(name) for name in available()]
    text = pa.array(TEXTS * 3, pa.large_string())
    lang, tree = identify(text)[0], versions(recipes, every)
    rows = 0

    def counted(view: TextView, key: object, work: Callable[[], object]) -> object:
        nonlocal rows
        rows += 0 if view.knows(key) else len(view)
        return once(view, key, work)

    once = TextView.once
    monkeypatch.setattr(TextView, "once", counted)
    columns = Versions(tree, text, lang).measure()
    quick, rows = rows, 0
    monkeypatch.setattr(Versions, "_earlier", lambda self, view, edits: iter(()))
    monkeypatch.setattr(versioned, "Applied", lambda before, after: None)
    whole = Versions(tree, text, lang).measure()
    assert columns.keys() == whole.keys() and len(columns) > 100
    for name, values in whole.items():
        assert pa.array(columns[name]).equals(pa.array(values)), name
    assert quick < rows


def test_an_edit_takes_what_it_made_of_a_text_before() -> None:
    text, other, made = (
        pa.array(texts, pa.large_string())
        for texts in (["a \n b", "two", "three"], ["x", "two", "three"], ["X", "TWO", "THREE"])
    )
    known, lang = (other, made), pa.array(["en", "en", "de"])
    edit = next(edit for edit in load("refinedweb").edits if edit.edit == "max_two_newlines")
    assert apply_edit(text, lang, edit, known).to_pylist() == ["a \n b", "TWO", "THREE"]
    english = edit.model_copy(update={"languages": ("en",)})
    assert apply_edit(text, lang, english, known).to_pylist() == ["a \n b", "TWO", "three"]
