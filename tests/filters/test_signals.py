"""Signals on texts small enough to count by hand, and on hostile ones."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest

from filters.segment import TextView
from filters.signals import SIGNALS, measure


def view(*texts: str, lang: str = "en") -> TextView:
    return TextView(pa.array(texts, pa.large_string()), pa.array([lang] * len(texts)))


def gopher_duplicates(words: list[str], n: int, chars: int) -> float:
    seen: set[str] = set()
    repeated = at = 0
    while at < len(words) - n + 1:
        gram = "\0".join(words[at : at + n])
        if gram in seen:
            repeated += sum(map(len, words[at : at + n]))
            at += n
        else:
            seen.add(gram)
            at += 1
    return repeated / chars


def test_repetition_on_plain_words() -> None:
    random = np.random.default_rng(0)
    texts = [" ".join(f"w{w}" for w in random.integers(0, k, 200)) for k in (3, 10, 50, 1000)]
    names = ["top_2gram_char_ratio", "dup_5gram_char_ratio", "dup_10gram_char_ratio", "char_13gram_dup_ratio"]
    measured = measure(view(*texts), names)
    for i, text in enumerate(texts):
        words = text.split()
        grams = Counter(pairwise(words))
        top, count = grams.most_common(1)[0]
        assert measured["top_2gram_char_ratio"][i].as_py() == pytest.approx(len(" ".join(top)) * count / len(text))
        for n in (5, 10):
            expected = gopher_duplicates(words, n, len(text))
            assert measured[f"dup_{n}gram_char_ratio"][i].as_py() == pytest.approx(expected)
        joined = "".join(words)
        windows = Counter(joined[k : k + 13] for k in range(len(joined) - 13))
        share = sum(c for c in windows.values() if c > 1) / windows.total()
        assert measured["char_13gram_dup_ratio"][i].as_py() == pytest.approx(share)


def test_words_of_english_and_chinese() -> None:
    english = measure(view("It's 3.5 o'clock... # ok\n• The end of that."), list(SIGNALS))
    assert (
        english["word_count"][0].as_py() == 10
    )  # spaCy cuts "It's", and the bullet is none of datatrove's punctuation
    assert english["stop_word_count"][0].as_py() == 2
    assert english["bullet_line_ratio"][0].as_py() == 0.5
    chinese = measure(view("我们在北京的大学学习。他是老师！", lang="zh"), list(SIGNALS))
    assert chinese["word_count"][0].as_py() < 12  # words, not characters
    assert chinese["sentence_count"][0].as_py() == 2
    assert chinese["stop_word_count"][0].as_py() == 4  # 在 的 他 是
    assert not chinese["is_traditional"][0].as_py()
    assert measure(view("漢字", lang="zh"), ["is_traditional"])["is_traditional"][0].as_py()


def test_odd_texts_measure_numbers(corpus: TextView) -> None:
    texts = [
        "a" * 1_000_000,
        "x\n" * 50_000,
        "\u0301" * 100_000,
        "漢" * 200_000,
        "<!--" * 50_000,
        "<script" * 30_000,
        "&" * 100_000,
    ]
    views = [corpus, *(view(t, lang=lang) for t in texts for lang in ("en", "zh", "ja"))]
    for batch in views:
        for name, column in measure(batch, list(SIGNALS)).items():
            assert column.null_count == 0, name
            assert not any(isinstance(v, float) and (v != v or abs(v) > 1e6) for v in column.to_pylist()), name
            assert not any(v < 0 for v in column.to_pylist()), name


def test_an_empty_batch_measures_nothing() -> None:
    assert all(len(column) == 0 for column in measure(view(), list(SIGNALS)).values())


def test_slices_measure_like_their_own_texts() -> None:
    texts = ["first text here.", "second one.\nwith lines", "third", "第四个"]
    whole = TextView(pa.array(texts, pa.large_string()).slice(1, 2), pa.array(["en", "en"]))
    alone = view(*texts[1:3])
    for name in SIGNALS:
        assert measure(whole, [name])[name].equals(measure(alone, [name])[name]), name
