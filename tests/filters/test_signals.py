"""Signals against slow and obvious definitions, on real text in English and Chinese."""

from __future__ import annotations

import gzip
import json
import re
from collections import Counter
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from filters.segment import TextView
from filters.signals import SIGNALS, measure
from filters.signals.lines import TERMINAL


def view(*texts: str, lang: str = "en") -> TextView:
    return TextView(pa.array(texts, pa.large_string()), pa.array([lang] * len(texts)))


@pytest.fixture(scope="module")
def real(shared_data: Path) -> list[str]:
    lines = gzip.decompress((shared_data / "gold_text.jsonl.gz").read_bytes()).splitlines()
    texts = [g["text"] for g in map(json.loads, lines) if g.get("text")]
    return texts[:150]


def test_line_rules_on_real_text(real: list[str]) -> None:
    measured = measure(view(*real), ["line_punct_ratio", "short_line_ratio", "dup_line_ratio", "char_count"])
    for i, text in enumerate(real):
        lines = [line.strip(" \t\r\v\f") for line in text.split("\n")]
        filled = [line for line in lines if line]
        punct = sum(line[-1] in TERMINAL for line in filled) / max(len(filled), 1)
        assert measured["line_punct_ratio"][i].as_py() == pytest.approx(punct, abs=1e-9)
        short = sum(len(line) <= 30 for line in filled) / max(len(filled), 1)
        assert measured["short_line_ratio"][i].as_py() == pytest.approx(short, abs=1e-9)
        spans = re.split(r"\n+", text.strip("".join(map(chr, range(33)))))
        repeated = len(spans) - len(set(spans))
        assert measured["dup_line_ratio"][i].as_py() == pytest.approx(repeated / len(spans), abs=1e-9)
        assert measured["char_count"][i].as_py() == len(text)


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
        windows = Counter(joined[k : k + 13] for k in range(len(joined) - 12))
        share = sum(c for c in windows.values() if c > 1) / windows.total()
        assert measured["char_13gram_dup_ratio"][i].as_py() == pytest.approx(share)


def test_words_of_english_and_chinese() -> None:
    english = measure(view("It's 3.5 o'clock... # ok\n• The end of that."), list(SIGNALS))
    assert english["word_count"][0].as_py() == 8
    assert english["stop_word_count"][0].as_py() == 2
    assert english["bullet_line_ratio"][0].as_py() == 0.5
    chinese = measure(view("我们在北京的大学学习。他是老师！", lang="zh"), list(SIGNALS))
    assert chinese["word_count"][0].as_py() < 12  # words, not characters
    assert chinese["sentence_count"][0].as_py() == 2
    assert chinese["stop_word_count"][0].as_py() == 4  # 在 的 他 是
    assert not chinese["is_traditional"][0].as_py()
    assert measure(view("漢字", lang="zh"), ["is_traditional"])["is_traditional"][0].as_py()


def test_empty_and_odd_texts_measure_numbers() -> None:
    texts = ["", " \n\n ", "\n", "...", "。", "a", "🙂" * 50, "a" * 100_000, "x\n" * 50_000]
    for name, column in measure(view(*texts), list(SIGNALS)).items():
        assert column.null_count == 0, name
        assert not any(isinstance(v, float) and (v != v or v > 1e6) for v in column.to_pylist()), name


def test_slices_measure_like_their_own_texts() -> None:
    texts = ["first text here.", "second one.\nwith lines", "third", "第四个"]
    whole = TextView(pa.array(texts, pa.large_string()).slice(1, 2), pa.array(["en", "en"]))
    alone = view(*texts[1:3])
    for name in SIGNALS:
        assert measure(whole, [name])[name].equals(measure(alone, [name])[name]), name
