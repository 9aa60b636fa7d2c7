"""Texts made to be slow, huge or odd: every edit ends, stays within bounds, and gives valid UTF-8."""

from __future__ import annotations

import unicodedata

import pyarrow as pa
import pytest

from filters.edits import EDITS

MANY = 200_000
HOSTILE = {
    "a million lines": "a\n" * 1_000_000,
    "equal lines": "the same line again\n" * MANY,
    "blank lines": " \n" * MANY,
    "newlines": "\n" * 1_000_000,
    "one huge line": "word " * MANY,
    "one huge word": "x" * 2_000_000,
    "brackets": "[" * MANY + "1" * MANY,
    "open citations": "[1" * MANY,
    "points": "." * 1_000_000,
    "domains": "a.com" * MANY,
    "addresses": "1.2.3." * MANY,
    "schemes": "http://" * MANY,
    "blanks": " " * 1_000_000 + "example.com",
    "wide blanks": "　" * MANY + "字",
    "open comments": "/*" * MANY,
    "headers": "\\section[" * MANY,
    "percent": "%" * MANY,
    "sigmas": "Σ'" * MANY,
    "ignorable": "Σ" + "'" * 1_000_000 + "Σ",
    "circles": "○" * MANY,
    "joiners": "\u200d" * MANY,
    "marks": "e" + "\u0315\u0300" * 50_000,
    "ligature": "ﷺ" * MANY,
    "nested entities": "&" + "amp;" * MANY,
    "deeply nested entities": "&&#97;mp;" * 50_000,
    "nested escapes": "\x1b[" * 50_000 + "1m" * 50_000,
    "entities": "&amp" * MANY,
    "mojibake": "Ã©" * 50_000,
    "growing entities": "&nGt;" * MANY,
    "c1": "\x85" * MANY,
    "nested mojibake": "Ã\x83Â\x83Ã\x82Â" * 10_000,
    "nul": "\x00" * MANY,
    "carriage returns": "\r" * MANY,
    "policies": "use of cookie " * MANY,
    "letters of anchors": "jJkKvVfF" * MANY,
    "end marks": "。！？" * MANY,
    "quotes": "”" * MANY,
    "pipes": "|" * MANY + "\n" + "| \n" * MANY,
}
GROWS = {"nfkc": 11, "nfc": 3, "ftfy": 2}  # largest multiple of the input's bytes; the others never grow


@pytest.mark.timeout(180)
@pytest.mark.parametrize("name", EDITS)
def test_bounded_on_hostile_texts(name: str) -> None:
    for what, text in HOSTILE.items():
        after = EDITS[name].kernel(pa.array([text], pa.large_string()))
        after.validate(full=True)
        assert len(after) == 1
        assert len(after[0].as_py().encode()) <= GROWS.get(name, 1) * len(text.encode()), what


def test_combining_marks_past_the_limit_pass_unchanged() -> None:
    """CPython sorts a run of marks by insertion: 100,000 of them take minutes."""
    short, long = "e" + "\u0315\u0300" * 64, "e" + "\u0315\u0300" * 65
    text = pa.array([short, long], pa.large_string())
    for name, form in (("nfc", "NFC"), ("nfkc", "NFKC")):
        assert EDITS[name].kernel(text).to_pylist() == [unicodedata.normalize(form, short), long]  # type: ignore[arg-type]


def test_no_character_grows_past_the_stated_multiple() -> None:
    for code in range(0x110000):
        if 0xD800 <= code <= 0xDFFF:
            continue
        c = chr(code)
        size = len(c.encode())
        assert len(unicodedata.normalize("NFKC", c).encode()) <= 11 * size
        assert len(unicodedata.normalize("NFC", c).encode()) <= 3 * size
