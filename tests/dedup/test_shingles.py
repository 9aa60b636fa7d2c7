"""Shingle hashes equal a restatement in plain Python over every script, cut at any byte; hostile texts cost little."""

from __future__ import annotations

import subprocess
import sys
import time
import unicodedata
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dedup.shingles import shingles, true_jaccard
from dedup.signatures import signatures
from filters.codepoints import SINGLE_RANGES

MASK = (1 << 64) - 1
SPACES = "\t\n\v\f\r\x85"
EMPTY = 0xFFFFFFFF


def units_of(text: str, unit: str) -> list[bytes]:
    """Lower-case words (or characters), by Python's own tables."""
    out: list[list[str]] = []
    inside = False
    for c in text:
        kind = unicodedata.category(c)[0]
        word = kind in "LNM" or c == "_"
        alone = kind == "L" and any(low <= ord(c) <= high for low, high in SINGLE_RANGES)
        if unit == "char":
            alone, word = kind != "Z" and c not in SPACES, False
        if alone or (word and not inside):
            out.append([])
        if alone or word:
            out[-1].append(c.lower()[0])
        inside = word and not alone
    return [b"\xff" if u == ["\0"] else "".join(u).encode() for u in out]


def unit_hash(unit: bytes) -> int:
    h = 0x9E3779B97F4A7C15
    for k in range(0, len(unit), 8):
        h = (h ^ int.from_bytes(unit[k : k + 8], "little")) * 0xBF58476D1CE4E5B9 & MASK
        h ^= h >> 32
    h = h * 0x94D049BB133111EB & MASK
    return h ^ (h >> 29)


def restated(text: str, ngram: int, unit: str) -> list[int]:
    """Shingle hashes, each worked out by itself."""
    hashes = [unit_hash(u) for u in units_of(text, unit)]
    out = []
    for k in range(max(len(hashes) - ngram + 1, min(len(hashes), 1))):
        s = 0
        for h in hashes[k : k + ngram]:
            s = (s * 0xD1342543DE82EF95 + h) & MASK
        out.append(((s ^ (s >> 32)) * 0x94D049BB133111EB & MASK) >> 32)
    return out


ALPHABETS = (
    *("abcxyzABCXYZ", "0189_", " ", " \n\t.,;:!?-'\"()", "éÀßñÖİ", "абвЖЩЫ", "αβΓςΣ", "我们在北京学习", "ひらカナ"),
    *(
        "ภาษาไทย",
        "हिन्दी",
        "한국어",
        "\u0301\u200b\u00a0\u3000\u2028",
        "😀👩‍👩‍👧🏽",
        "\0\x1b\x7f",
        "\U000e0041\U0010ffff",
    ),
)
PARTS = st.sampled_from(ALPHABETS).flatmap(lambda a: st.text(alphabet=a, max_size=24))
TEXTS = st.one_of(st.text(max_size=60), st.lists(PARTS, max_size=12).map("".join))


@settings(max_examples=400, deadline=None)
@given(st.lists(TEXTS, max_size=5), st.integers(1, 64), st.sampled_from(["word", "char"]))
def test_equal_to_a_restatement(texts: list[str], ngram: int, unit: str) -> None:
    array = pa.array(texts, pa.large_string())
    hashes, first = shingles(array, ngram, unit)
    assert [hashes[a:b].tolist() for a, b in pairwise(first)] == [restated(t, ngram, unit) for t in texts]


def long_text(random: np.random.Generator, size: int) -> str:
    """About `size` characters in runs of one alphabet, some of them long."""
    parts: list[str] = []
    while sum(map(len, parts)) < size:
        alphabet = ALPHABETS[random.integers(len(ALPHABETS))] if random.random() < 0.5 else "abc dE f"
        length = int(
            random.choice([1, 7, 8, 9, 63, 64, 65, 700, 9000], p=[0.2, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.15, 0.05])
        )
        parts.append("".join(random.choice(list(alphabet), length)))
    return "".join(parts)


@pytest.mark.parametrize("unit", ["word", "char"])
def test_chunks_meet_without_a_seam(unit: str) -> None:
    random = np.random.default_rng(9)
    for _ in range(12):
        text = long_text(random, 30_000)
        hashes, _ = shingles(pa.array([text], pa.large_string()), 5, unit)
        assert hashes.tolist() == restated(text, 5, unit)


def test_a_word_may_end_anywhere_in_a_chunk() -> None:
    for before in range(8100, 8230):
        text = "x" * 3 + " " * before + "Abcdefghijklmnop qrs"
        hashes, _ = shingles(pa.array([text], pa.large_string()), 2)
        assert hashes.tolist() == restated(text, 2, "word")


@pytest.mark.parametrize("length", [1, 7, 8, 9, 16, 17, 8183, 8184, 8185, 8192, 8193, 16_384, 20_000])
def test_one_word_of_any_length(length: int) -> None:
    hashes, _ = shingles(pa.array(["A" * length, "a" * length + ".", "a" * (length + 1)], pa.large_string()), 1)
    one, same, other = hashes.tolist()
    assert one == same == restated("a" * length, 1, "word")[0] != other


def test_a_slice_is_as_its_texts() -> None:
    texts = pa.array(["one two three", None, "four five", "", "six seven", "我 eight"], pa.large_string())
    whole, part = signatures(texts, 2, "word", 32), signatures(texts.slice(1, 4), 2, "word", 32)
    assert (whole[1:5] == part).all()
    assert (part[0] == EMPTY).all()


def test_texts_without_a_shingle() -> None:
    texts = pa.array(["", " ", "...!?", "\u3000\n", "one", "one two", "ONE, two."], pa.large_string())
    signed = signatures(texts, 5, "word", 112)
    assert (signed[:4] == EMPTY).all()
    assert (signed[5] == signed[6]).all()
    assert not (signed[4] == signed[5]).any()
    assert len(signatures(pa.array([], pa.large_string()), 5, "word", 112)) == 0


def test_all_shingles_alike_are_one_shingle() -> None:
    texts = pa.array(["spam " * 5, "spam " * 50_000], pa.large_string())
    once, often = signatures(texts, 5, "word", 112)
    assert (once == often).all()


def test_han_kana_and_thai_are_cut_by_character() -> None:
    texts = pa.array(["我们学习机器", "日本語のテスト", "ภาษาไทย", "我们 学习，机器！"], pa.large_string())
    hashes, first = shingles(texts, 3)
    assert np.diff(first).tolist() == [4, 5, 5, 4]
    assert hashes[: first[1]].tolist() == hashes[first[3] :].tolist()  # marks and blanks do not count
    assert true_jaccard("我们学习机器", "我们学习机械", 3) == pytest.approx(3 / 5)


@pytest.mark.parametrize("ngram", [0, 65])
def test_a_shingle_has_bounds(ngram: int) -> None:
    with pytest.raises(ValueError, match="1 to 64"):
        shingles(pa.array(["a"], pa.large_string()), ngram)


def test_an_unknown_unit_is_named() -> None:
    with pytest.raises(ValueError, match="'line'"):
        shingles(pa.array(["a"], pa.large_string()), 5, "line")


def test_bytes_that_are_no_utf8_separate_words() -> None:
    wrong = [
        b"\xff\xfe",
        b"one\x80two",
        b"cut \xe6\x88",
        b"\xf4\x90\x80\x80 high",
        b"\xc0\xaf",
        b"\xed\xa0\x80",
        b"\xf8" * 9,
    ]
    data = b"".join(wrong)
    offsets = np.cumsum([0, *map(len, wrong)]).astype(np.int64)
    array = pa.LargeStringArray.from_buffers(len(wrong), pa.py_buffer(offsets), pa.py_buffer(data))
    hashes, first = shingles(array, 1)
    found = [hashes[a:b].tolist() for a, b in pairwise(first)]
    readable = ["", "one two", "cut", "high", "", "", ""]
    assert found == [restated(t, 1, "word") for t in readable]
    assert signatures(array, 5, "char", 16).shape == (7, 16)


BIG = """
import resource, sys
import pyarrow as pa
from dedup.signatures import signatures
kind, size = sys.argv[1], 50_000_000
signatures(pa.array(["warm up " * 9], pa.large_string()), 5, "word", 128)
text = {"words": "the quick Brown fox, ", "word": "x", "gap": " ", "han": "我们", "greek": "αβΓ "}[kind]
data = pa.py_buffer(text.encode() * (size // len(text.encode())))
offsets = pa.array([0, data.size], pa.int64()).buffers()[1]
array = pa.LargeStringArray.from_buffers(1, offsets, data)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
signatures(array, 5, "word", 128)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


@pytest.mark.parametrize("kind", ["words", "word", "gap", "han", "greek"])
def test_fifty_megabytes_take_little_memory_and_time(kind: str) -> None:
    began = time.monotonic()
    done = subprocess.run([sys.executable, "-c", BIG, kind], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 20_000, "kilobytes beyond the text itself"
    assert time.monotonic() - began < 60
