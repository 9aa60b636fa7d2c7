"""Units below the document against plain Python: where they lie, whether they are equal, and what is left."""

from __future__ import annotations

import time

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dedup.spans.cuts import LINES, cut_atoms, repeated_within, spans, without
from dedup.spans.units import lines, sentence_spans, token_spans
from tests.dedup.span_oracles import LEVELS, ccnet, words

TRICKY = "aAbB İΣσςß１2٣,.，。！ \t\n\r\u0085\u3000\u00adé́ﬁ的中…—►\x00\x7f"
TEXTS = st.lists(st.text(st.sampled_from(TRICKY), max_size=40), max_size=6)


def array(texts: list[str]) -> pa.LargeStringArray:
    return pa.array(texts, pa.large_string())


@settings(deadline=None)  # the first call compiles
@given(TEXTS, st.sampled_from(["none", "lower_strip", "ccnet"]))
def test_lines_are_equal_just_where_their_levelled_texts_are(texts: list[str], how: str) -> None:
    units = lines(array(texts), "line", how)
    given_lines = [line for text in texts for line in text.split("\n")]
    assert len(units.hashes) == len(given_lines)
    assert np.diff(units.first).tolist() == [text.count("\n") + 1 for text in texts]
    data = [text.encode() for text in texts for _ in text.split("\n")]
    for k, line in enumerate(given_lines):
        assert data[k][units.starts[k] : units.ends[k]] == line.encode()
        assert bool(units.valid[k]) == bool(line.strip())
    keys: dict[str, int] = {}
    for line, value, valid in zip(given_lines, units.hashes.tolist(), units.valid, strict=True):
        if valid:
            assert keys.setdefault(LEVELS[how](line), value) == value
    assert len(set(keys.values())) == len(keys)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Page 12 of 99", "page 34 of 07", True),  # digits, one for one
        ("Page 1 of 9", "page 10 of 9", False),
        ("你好，世界。", "你好世界", True),
        ("Hello, world.", "Hello world", False),  # ASCII marks stay, as in the code
        ("a\tb", "ab", True),  # a control character
        ("a b", "ab", False),
        ("第１章", "第0章", True),  # a wide digit is a digit before it is one of the marks
        ("  x", "x　", True),
    ],
)
def test_ccnets_own_levelling(one: str, other: str, same: bool) -> None:
    assert (ccnet(one) == ccnet(other)) == same
    first, second = lines(array([one, other]), "line", "ccnet").hashes.tolist()
    assert (first == second) == same


def test_paragraphs_lie_between_blank_lines() -> None:
    text = "one\ntwo\n\n\nthree\n\nfour\n"
    units = lines(array([text]), "paragraph", "none")
    assert [text[a:b] for a, b in zip(units.starts, units.ends, strict=True)] == ["one\ntwo", "three", "four\n"]


def test_three_sentences_in_a_row() -> None:
    text = "One here. Two here! Three here?\nFour 在此。Five here."
    units = sentence_spans(array([text, "One here. Two here!", text.replace("One", "1.5")]), "none")
    data = text.encode()
    atoms = [data[a:b].decode() for a, b in zip(units.starts[:5], units.ends[:5], strict=True)]
    assert atoms == ["One here.", "Two here!", "Three here?", "Four 在此。", "Five here."]
    assert units.valid.tolist() == [True] * 3 + [False] * 4 + [True] * 3 + [False] * 2
    assert units.hashes[1] == units.hashes[8]
    assert units.hashes[0] != units.hashes[7]


@settings(deadline=None)  # the first call compiles
@given(st.lists(st.text(st.sampled_from("ab 中,\n"), max_size=30), max_size=4), st.integers(1, 4))
def test_tokens_in_a_row(texts: list[str], width: int) -> None:
    units = token_spans(array(texts), width)
    keys: dict[tuple[str, ...], int] = {}
    for doc, text in enumerate(texts):
        tokens = [text[a:b] for a, b in words(text)]
        begin, end = units.first[doc], units.first[doc + 1]
        data = text.encode()
        found = zip(units.starts[begin:end], units.ends[begin:end], strict=True)
        assert [data[a:b].decode() for a, b in found] == tokens
        assert units.valid[begin:end].sum() == max(len(tokens) - width + 1, 0)
        for i in range(max(len(tokens) - width + 1, 0)):
            value = int(units.hashes[begin + i])
            assert keys.setdefault(tuple(tokens[i : i + width]), value) == value
    assert len(set(keys.values())) == len(keys)


def test_a_short_line_is_one_unit_from_the_least_size_on() -> None:
    units = token_spans(array(["a b c\na b\na"]), 3, 2)
    assert units.valid.tolist() == [True, False, False, True, False, False]
    assert units.group.tolist() == [0, 0, 0, 1, 1, 2]


@settings(deadline=None)  # the first call compiles
@given(TEXTS, st.data())
def test_lines_that_go_leave_the_others_joined(texts: list[str], data: st.DataObject) -> None:
    text = array(texts)
    units = lines(text, "line", "none")
    gone = np.array([data.draw(st.booleans()) for _ in units.hashes], bool)
    owner = np.array([data.draw(st.integers(0, 1)) for _ in units.hashes], np.uint64)
    cut = spans(text, units, cut_atoms(units, gone), (owner, owner), LINES)
    left = without(text, cut.text, cut.start, cut.end).to_pylist()
    kept = iter((~gone).tolist())
    assert left == ["\n".join([line for line in one.split("\n") if next(kept)]) for one in texts]


def test_spans_may_overlap_and_must_lie_within_characters() -> None:
    text = array(["一二三四", "abc", ""])
    where = [np.array(a) for a in ([0, 0, 1], [0, 3, 1], [6, 9, 3])]
    assert without(text, *where).to_pylist() == ["四", "a", ""]
    for wrong in (([0], [1], [3]), ([0], [0], [2]), ([1], [0], [4]), ([2], [0], [1]), ([1], [2], [1])):
        with pytest.raises(ValueError, match="span to cut"):
            without(text, *(np.array(a) for a in wrong))


def test_one_text_against_itself() -> None:
    units = lines(array(["a\nb\na\n\n\na", "b"]), "line", "none")
    again, more = repeated_within(units)
    assert again.tolist() == [False, False, True, False, False, True, False]
    assert more.tolist() == [True, False, True, False, False, True, False]
    grams = token_spans(array(["a b a b\na b a b"]), 2, 2)
    assert repeated_within(grams)[0].tolist() == [False, False, True, False] + [True] * 3 + [False]
    assert repeated_within(grams, by_line=True)[0].tolist() == [False] * 4 + [True] * 3 + [False]


def test_hostile_texts_take_linear_time() -> None:
    units = lines(array(["x"]), "line", "ccnet")  # compiled before the clock starts
    took = []
    for size in (1, 4):
        texts = array(["same\n" * 100_000 * size, "y" * 2_500_000 * size, "Σ" * 200_000 * size, ". " * 500_000 * size])
        began = time.perf_counter()
        for how in ("lower_strip", "ccnet"):
            units = lines(texts, "line", how)
            repeated_within(units)
        sentence_spans(texts, "ccnet")
        token_spans(texts, 50)
        took.append(time.perf_counter() - began)
    assert took[1] < 4 * 4 * took[0]
