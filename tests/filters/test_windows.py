"""Repeated windows of long texts, counted in buckets, against a plain count."""

from __future__ import annotations

from collections import Counter
from math import isqrt
from random import Random

import pyarrow as pa
import pytest

from filters.segment import TextView
from filters.signals.windows import LARGE, by_10, by_13
from filters.tokens import CHUNK


def view(text: str, lang: str = "en") -> TextView:
    return TextView(pa.array([text], pa.large_string()), pa.array([lang]))


def made(kind: str) -> str:
    random = Random(kind)
    size = LARGE + 50_000
    if kind == "alike":
        return "x" * size
    if kind == "halves":
        half = "".join(random.choices("abcdefgh 中文", k=size // 2))
        return half + half
    return "".join(random.choices("ab c中", k=size))


@pytest.mark.parametrize("kind", ["alike", "halves", "few letters"])
def test_long_texts_are_counted_as_short_ones_are(kind: str) -> None:
    text = made(kind)
    plain = text.strip().replace(" ", "")
    cut = Counter(plain[i : i + 13] for i in range(len(plain) - 13))
    assert by_13(view(text))["char_13gram_dup_ratio"][0] == sum(n for n in cut.values() if n > 1) / (len(plain) - 13)
    windows = len(text) - 9
    tens = Counter(text[i : i + 10] for i in range(windows))
    repeating = sorted((n for n in tens.values() if n > 1), reverse=True)
    assert by_10(view(text))["char_rep_10_ratio"][0] == sum(repeating[: isqrt(len(tens))]) / windows


def test_english_without_a_blank_is_cut_every_chunk() -> None:
    tokens = view("y" * (3 * CHUNK + 5) + " end").tokens
    assert tokens.lengths.tolist() == [CHUNK, CHUNK, CHUNK, 5, 3]
