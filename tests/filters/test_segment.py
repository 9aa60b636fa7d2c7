"""Tokens against a plain restatement, words of each language, and texts made to be slow."""

from __future__ import annotations

import time

import numpy as np
import pyarrow as pa
import pytest

from filters.bytewise import copy_and_hash, hash_bytes
from filters.codepoints import CLASSES, DIGIT, LETTER, MARK, OTHER, SINGLE, SPACE
from filters.segment import TextView, pieces
from filters.segmenters import segmenter_versions
from filters.tokens import word_hash


def view(*texts: str, lang: str = "en") -> TextView:
    return TextView(pa.array(texts, pa.large_string()), pa.array([lang] * len(texts), pa.string()))


def words(text: str, lang: str) -> list[str]:
    t = view(text, lang=lang).tokens
    return [bytes(t.joined[t.starts[k] : t.starts[k + 1]]).decode() for k in range(t.first[0], t.first[1])]


def plain(text: str) -> list[str]:
    """The rule of filters/tokens.py, character by character."""
    kinds = [int(CLASSES[ord(c)]) for c in text]
    out, i = [], 0
    while i < len(text):
        start, kind = i, kinds[i]
        i += 1
        if kind == SPACE:
            continue
        if kind == OTHER:
            while i < len(text) and text[i] == text[start]:
                i += 1
        elif kind == SINGLE:
            while i < len(text) and kinds[i] == MARK:
                i += 1
        else:
            while i < len(text) and kinds[i] not in (SPACE, SINGLE):
                if kinds[i] == OTHER:
                    number = text[i] in ".," and kinds[i - 1] == DIGIT
                    follows = DIGIT if kinds[i - 1] == DIGIT else LETTER
                    if not (text[i] in "'’" or number) or i + 1 == len(text) or kinds[i + 1] != follows:
                        break
                i += 1
        out.append(text[start:i])
    return out


def test_tokens_of_real_and_odd_texts(corpus: TextView) -> None:
    for text in corpus.text.to_pylist():
        assert words(text, "de") == plain(text), text[:80]


def test_english_loses_no_character_but_blanks(corpus: TextView) -> None:
    for text in [*corpus.text.to_pylist(), *(f"one{c}two{c}" for c in map(chr, range(0x3001)) if c.isspace())]:
        assert "".join(words(text, "en")) == "".join(text.split()), text[:80]


WORDS = {
    ("zh", "我们在北京的大学学习。"): ["我们", "在", "北京", "的", "大学", "学习", "。"],
    ("ja", "先日、東京で本を買いました。"): ["先日", "、", "東京", "で", "本", "を", "買い", "ま", "した", "。"],
    ("th", "สวัสดีครับผม"): ["สวัสดี", "ครับ", "ผม"],
    ("km", "សួស្តីពិភពលោក"): ["សួស្តី", "ពិភពលោក"],
    ("fr", "L'eau d’or, c'est aujourd'hui."): ["L'", "eau", "d’", "or", ",", "c'", "est", "aujourd'", "hui", "."],
    ("it", "l'acqua è un'altra"): ["l'", "acqua", "è", "un'", "altra"],
    ("en", "It's o'clock 3.5 1,000..."): ["It", "'s", "o'clock", "3.5", "1,000", "..."],
    ("", "漢字か"): ["漢", "字", "か"],
}  # fmt: skip


@pytest.mark.parametrize(("lang", "text"), WORDS)
def test_words_of_each_language(lang: str, text: str) -> None:
    assert words(text, lang) == WORDS[lang, text]


def test_a_batch_of_many_languages_keeps_its_rows() -> None:
    texts = {"en": "One two.", "zh": "我们在北京", "th": "สวัสดีครับ", "xx": "", "fr": "l'eau"}
    t = TextView(pa.array(texts.values(), pa.large_string()), pa.array(texts)).tokens
    assert np.diff(t.first).tolist() == [len(words(text, lang)) for lang, text in texts.items()] == [3, 3, 2, 0, 2]


def test_pieces_are_bounded_and_lose_nothing() -> None:
    text = "一二三。四五\n六七八九十" * 50
    for size in (1, 2, 7, 100, 10_000):
        found = list(pieces(text, size))
        assert "".join(found) == text
        assert max(map(len, found)) <= size
    assert list(pieces("")) == [""]


@pytest.mark.parametrize("lang", ["zh", "ja", "th", "en"])
@pytest.mark.parametrize("unit", ["我来到北京清华大学日本語カタ", "ก", "𠀀", "a", "がガ"])
def test_ten_megabytes_without_a_blank_are_cut(lang: str, unit: str) -> None:
    text = unit * (10_000_000 // len(unit.encode()))
    began = time.perf_counter()
    t = view(text, lang=lang).tokens
    assert t.lengths.sum() == len(text)
    assert time.perf_counter() - began < 60  # a minute is a bug, not a slow machine


def test_a_hash_is_of_the_bytes_alone() -> None:
    raw = np.frombuffer(b"x" + b"the wordier words" + bytes(8), np.uint8).copy()
    for size in range(17):
        assert int(hash_bytes(raw, 1, 1 + size)) == word_hash("the wordier words"[:size])


def test_a_copied_word_has_the_hash_of_its_bytes() -> None:
    data = np.frombuffer(bytes(range(97, 123)) * 3, np.uint8)
    for start in range(len(data)):
        for stop in range(start + 1, min(start + 30, len(data)) + 1):
            out = np.full(64, 7, np.uint8)
            assert copy_and_hash(data, start, stop, out, 3) == hash_bytes(data, start, stop)
            assert bytes(out[3 : 3 + stop - start]) == bytes(data[start:stop])


@pytest.mark.parametrize("lang", ["zh", "ja", "th"])
def test_lines_are_cut_as_they_are_alone(lang: str) -> None:
    """Also those too long to be kept, and those that were cut before."""
    lines = ["研究生命起源", "", " 東京都に住む ", "ภาษาไทย", "南京市长江大桥" * 100, "研究生命起源", "\t"]
    assert words("\n".join(lines), lang) == [word for line in lines for word in words(line, lang)]


def test_versions_name_every_segmenter() -> None:
    found = segmenter_versions()
    assert found["zh"].startswith("rjieba ") and found["ja"] == found["th"] and found["ja"].startswith("icu4py ")
    assert found["*"].startswith("unicode ")
