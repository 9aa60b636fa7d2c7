"""A version of the text is measured anew only where an edit changed it, and that changes no value."""

from __future__ import annotations

import pyarrow as pa
import pytest

from filters import annotate as annotating
from filters.annotate import _measure, versions
from filters.language import identify
from filters.segment import TextView
from filters.signals import measure
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
    lang = identify(text)[0]
    rows = 0

    def counted(view: TextView, names: list[str]) -> dict[str, pa.Array]:
        nonlocal rows
        rows += len(view) * (view is not first)
        return measure(view, names)

    monkeypatch.setattr(annotating, "measure", counted)
    columns: dict[str, pa.Array] = {}
    tree, first = versions(recipes, every), TextView(text, lang)
    _measure(tree, text, text, first, columns)
    quick, rows = rows, 0
    monkeypatch.setattr(annotating, "_measured_again", lambda names, text, first: counted(TextView(text, lang), names))
    whole: dict[str, pa.Array] = {}
    _measure(tree, text, text, first, whole)
    assert columns.keys() == whole.keys() and len(columns) > 100
    for name, values in whole.items():
        assert pa.array(columns[name]).equals(pa.array(values)), name
    assert quick < rows
