"""Decontamination's kernels against plain Python: units, windows, lines, cuts, and what a document's findings mean."""

from __future__ import annotations

import itertools
import time
import unicodedata
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from dedup.decontam.cuts import merged, pieces, widened
from dedup.decontam.index import Hits
from dedup.decontam.items import Items, load_items
from dedup.decontam.judge import Row, judge
from dedup.decontam.letters import ALONE_RANGES, folded
from dedup.decontam.lines import lines
from dedup.decontam.needles import Needles, needles
from dedup.decontam.units import units
from recipes.decontaminate import AnyMode, EvaluationSet, Ngrams, Overlap, Paragraphs, Substrings, recommended

MIXED = st.text(st.sampled_from("abA Z.,'!- \n\t\u3000我们ー。가ﬁ㈱㎏ÉＡ１é\u0301\u200bٱش\u064bกขﷺ𠮷ß½"), max_size=60)


def large(*texts: str) -> pa.LargeStringArray:
    return pa.array(texts, pa.large_string())


def is_blank(c: str) -> bool:
    return unicodedata.category(c)[0] == "Z" or ord(c) in (*range(9, 14), *range(0x1C, 0x20), 0x85)


def is_alone(c: str) -> bool:
    return any(low <= ord(c) <= high for low, high in ALONE_RANGES)


def plain_units(text: str, by_letter: bool) -> list[tuple[str, int, int]]:
    """(unit, first byte, byte after) as a person would write it."""
    out: list[tuple[str, int, int]] = []
    word, start, stop, at = "", 0, 0, 0
    for c in text:
        width = len(c.encode())
        if is_blank(c) and word:
            out.append((word, start, stop))
            word = ""
        for letter in "" if is_blank(c) else folded(c):
            if by_letter or is_alone(letter):
                if word:
                    out.append((word, start, stop))
                    word = ""
                out.append((letter, at, at + width))
            else:
                start = start if word else at
                word, stop = word + letter, at + width
        at += width
    return [*out, (word, start, stop)] if word else out


@settings(max_examples=300, deadline=None)
@given(MIXED, MIXED, st.booleans())
@example("a㎏b", "xﷺ", True)
def test_units_are_those_of_plain_python(one: str, two: str, by_letter: bool) -> None:
    found = units(large(one, two), by_letter)
    plain = [plain_units(text, by_letter) for text in (one, two)]
    assert found.first.tolist() == [0, len(plain[0]), len(plain[0]) + len(plain[1])]
    both = [*plain[0], *plain[1]]
    assert list(zip(found.start.tolist(), found.stop.tolist(), strict=True)) == [unit[1:] for unit in both]
    hashes: dict[str, int] = {}
    for (unit, *_), h in zip(both, found.hashes.tolist(), strict=True):
        assert hashes.setdefault(unit, h) == h
    assert len(set(hashes.values())) == len(hashes)


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ("Don't stop", "DONT\u3000 STOP!"), ("ﬁne café", "Fine CAFE\u0301"), ("ＡＢＣ　１２", "abc 12"), ("ｶﾞｲﾄﾞ", "ガイド"),
        ("straße", "STRASSE"), ("⽤⼀个字节", "用一个字节"), ("$1,000.50", "100050"), ("soft\u00adhyphen", "softhyphen"),
        ("שָׁלוֹם", "שלום"), ("مُحَمَّد", "محمد"),
    ],
)  # fmt: skip
def test_forms_of_one_text_meet(one: str, two: str) -> None:
    for by_letter in (False, True):
        found = units(large(one, two), by_letter)
        assert found.hashes[: found.first[1]].tolist() == found.hashes[found.first[1] :].tolist() != []


def test_different_letters_stay_different() -> None:
    texts = ["か", "が", "बत", "बीत", "가", "나", "1", "2", "网", "網"]
    found = units(large(*texts))
    each = [tuple(found.hashes[a:b].tolist()) for a, b in itertools.pairwise(found.first)]
    assert len(set(each)) == len(texts)


def items_of(*texts: str) -> Items:
    return Items([f"s:{n}" for n in range(len(texts))], ["s"] * len(texts), large(*texts), "")


def mode(kind: Callable[..., AnyMode], **options: object) -> AnyMode:
    return kind(id="decontam.test.v1", evidence="A", **options)


WORDS = st.lists(st.sampled_from(["a", "b", "c", "中", "D"]), max_size=30)


@settings(max_examples=200, deadline=None)
@given(st.lists(WORDS, min_size=1, max_size=4), st.lists(WORDS, min_size=1, max_size=4), st.integers(2, 5))
def test_windows_are_found_where_plain_python_finds_them(ours: list[list[str]], texts: list[list[str]], n: int) -> None:
    joined = [" ".join(words) for words in texts]
    one = needles(mode(Ngrams, n=n, n_cjk=n, shortest=2, shortest_cjk=2), items_of(*map(" ".join, ours)))
    grams: dict[tuple[str, ...], set[int]] = {}
    for j, words in enumerate(ours):
        low = [word.lower() for word in words]
        size = min(n, len(low))
        for k in range(len(low) - size + 1 if size >= 2 else 0):
            grams.setdefault(tuple(low[k : k + size]), set()).add(j)
    assert one.grams == len(grams)
    wanted = set()
    for d, text in enumerate(joined):
        cut = plain_units(text, False)
        for size in {len(gram) for gram in grams}:
            for k in range(len(cut) - size + 1):
                owners = grams.get(tuple(unit for unit, *_ in cut[k : k + size]))
                if owners:
                    wanted.add((d, cut[k][1], cut[k + size - 1][2], tuple(sorted(owners))))
    found = one.find(large(*joined))
    owned = [tuple(one.owners[one.first[g] : one.first[g + 1]].tolist()) for g in found.gram.tolist()]
    places = (found.doc.tolist(), found.start.tolist(), found.stop.tolist(), owned)
    assert set(zip(*places, strict=True)) == wanted
    assert len(found.doc) == len(wanted)


def test_long_windows_fit_the_ring() -> None:
    words = [f"w{i}" for i in range(400)]
    one = needles(mode(Ngrams, n=255), items_of(" ".join(words)))
    found = one.find(large("x " * 1000 + " ".join(words) + " y" * 10))
    assert len(found.doc) == 400 - 255 + 1
    assert found.start[0] == 2000


@settings(max_examples=100, deadline=None)
@given(st.text(st.sampled_from("ab .中\n"), min_size=0, max_size=40), st.text(st.sampled_from("ab .中\n"), max_size=80))
def test_substrings_are_found_where_plain_python_finds_them(item: str, text: str) -> None:
    one = needles(mode(Substrings, length=4, shortest=4, shortest_cjk=4, count=100), items_of(item))
    letters = "".join(c for c in item if c.isalnum())
    wanted = {letters[k : k + 4] for k in range(len(letters) - 3)}
    drawn = one.grams
    assert drawn <= len(wanted) and (drawn > 0) == bool(wanted)
    found = one.find(large(text))
    raw = text.encode()
    shown = {"".join(c for c in raw[a:b].decode() if c.isalnum()) for a, b in zip(found.start, found.stop, strict=True)}
    assert shown <= wanted
    if item and letters and text == item:
        assert (len(found.doc) > 0) == bool(wanted)


def test_substrings_are_three_of_fifty_drawn_by_the_name() -> None:
    text = " ".join(f"word{i}" for i in range(200))
    items = Items(["s:a", "s:b"], ["s", "s"], large(text, text), "")
    one = needles(mode(Substrings), items)
    assert one.sizes.tolist() == [3, 3]
    assert one.lengths.tolist() == [50, 50]
    assert one.grams == 6  # not the same places for another name
    again = needles(mode(Substrings), items)
    assert np.array_equal(one.owners, again.owners)
    other = needles(mode(Substrings, seed=1), items)
    assert one.find(items.text).start.tolist() != other.find(items.text).start.tolist()


@settings(deadline=None)
@given(st.text(st.sampled_from("ab .中 \t\n"), max_size=60))
def test_lines_are_trimmed_and_found(text: str) -> None:
    found = lines(large(text))
    raw = text.encode()
    shown = [raw[a:b] for a, b in zip(found.start, found.stop, strict=True)]
    assert shown == [line.strip() for line in raw.split(b"\n") if line.strip()]


def test_paragraphs_of_thirteen_words_are_compared_whole() -> None:
    long, short = "one two three four five six seven eight nine ten eleven twelve thirteen", "just a few words"
    item = f"{short}\n{long}"
    exact, loose = (needles(mode(Paragraphs, normalise=how), items_of(item)) for how in ("none", "letters"))
    pages = large(f"x\n  {long} \r\ny", f"a {long}", long.upper() + "!", f"x\n{short}\ny")
    assert exact.find(pages).doc.tolist() == [0]
    assert loose.find(pages).doc.tolist() == [0, 2]


SPANS = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 10)).map(lambda t: (t[0], t[0] + t[1] + 1)), max_size=8)


@given(SPANS)
def test_merged_is_the_union(spans: list[tuple[int, int]]) -> None:
    union = merged(np.array(spans, np.int64).reshape(-1, 2))
    assert {i for a, b in union.tolist() for i in range(a, b)} == {i for a, b in spans for i in range(a, b)}
    assert all(a[1] < b[0] for a, b in zip(union.tolist(), union.tolist()[1:], strict=False))


@settings(deadline=None)
@given(
    st.text(st.sampled_from("a中𠮷"), min_size=1, max_size=30),
    st.integers(0, 29),
    st.integers(1, 5),
    st.integers(0, 40),
)
def test_windows_and_pieces_count_characters(text: str, at: int, size: int, window: int) -> None:
    at = min(at, len(text) - 1)
    end = min(at + size, len(text))
    data = np.frombuffer(text.encode(), np.uint8)
    place = lambda k: len(text[:k].encode())  # noqa: E731
    out = widened(data, np.array([[place(at), place(end)]]), window)
    low, high = max(0, at - window), min(len(text), end + window)
    assert out.tolist() == [[place(low), place(high)]]
    left, lengths = pieces(data, out)
    assert lengths.tolist() == [n for n in (low, len(text) - high) if n]
    assert left.tolist() == [s for s in ([0, place(low)], [place(high), len(data)]) if s[0] < s[1]]


ITEM = "zulu yankee xray whiskey victor uniform tango sierra romeo quebec papa oscar november"


def found_in(text: str, one: Needles) -> list[Row]:
    return judge(text, [one], [one.find(large(text))])


def filler(characters: int) -> str:
    return ("中文填充" * characters)[:characters]


@pytest.mark.parametrize(("length", "kept"), [(199, False), (200, True)])
def test_a_piece_of_200_characters_stays_and_one_of_199_goes(length: int, kept: bool) -> None:
    one = needles(mode(Ngrams), items_of(ITEM))
    text = filler(length) + filler(200) + ITEM + filler(200) + filler(1000)
    rows = found_in(text, one)
    assert all(row.fate is None for row in rows)
    spans = merged(np.array([(row.start, row.end) for row in rows]))
    first = 0 if not kept else len(filler(length).encode())
    assert spans.tolist() == [[first, len((filler(length + 200) + ITEM + filler(200)).encode())]]


@pytest.mark.parametrize(("matches", "gone"), [(9, False), (10, True)])
def test_ten_pieces_stay_and_eleven_go(matches: int, gone: bool) -> None:
    one = needles(mode(Ngrams), items_of(ITEM))
    rows = found_in((filler(700) + ITEM) * matches + filler(700), one)
    assert [row.fate for row in rows if row.fate] == ["filtered:decontam.test.v1"] * gone
    if gone:
        assert (rows[0].value, rows[0].threshold) == ("11 pieces", "<= 10 pieces")
    else:
        assert len(rows) == matches


def test_a_text_of_which_nothing_is_left_goes() -> None:
    one = needles(mode(Ngrams), items_of(ITEM))
    rows = found_in(filler(300) + ITEM + filler(300), one)
    assert [(row.fate, row.value) for row in rows] == [("filtered:decontam.test.v1", "0 pieces")]
    whole = found_in(ITEM, needles(mode(Ngrams, min_piece=0), items_of(ITEM)))
    assert whole[0].fate == "filtered:decontam.test.v1"


def test_the_first_mode_that_lets_go_gives_the_one_fate_and_all_tell_what_they_found() -> None:
    cut = needles(Ngrams(id="a.cut.v1", evidence="A"), items_of(ITEM))
    drop = needles(Substrings(id="a.drop.v1", evidence="A"), items_of(ITEM))
    also = needles(Overlap(id="a.also.v1", evidence="A"), items_of(ITEM))
    text = filler(2000) + ITEM + filler(2000)
    rows = judge(text, [cut, drop, also], [one.find(large(text)) for one in (cut, drop, also)])
    assert [row.fate for row in rows if row.fate] == ["filtered:a.drop.v1"]
    assert {row.method for row in rows} == {"a.cut.v1", "a.drop.v1", "a.also.v1"}
    assert {row.item for row in rows} == {0}


def test_short_items_are_one_window_down_to_the_floor() -> None:
    words = ITEM.split()
    sizes = [needles(mode(Ngrams), items_of(" ".join(words[:k]))).sizes.tolist()[0] for k in (7, 8, 12, 13)]
    assert sizes == [0, 1, 1, 1]
    chinese = "发生火灾时要迅速判断火势的来源朝与火势趋向的方向逃生"
    sizes = [needles(mode(Ngrams), items_of(chinese[:k])).sizes.tolist()[0] for k in (11, 12, 20, 22)]
    assert sizes == [0, 1, 1, 3]


def test_chinese_is_found_between_other_marks_and_widths() -> None:
    item = "网址www.zj.gov.cn中gov表示的是什么机构，请选择一项正确的答案。"
    for one in map(needles, recommended().modes, [items_of(item)] * 3):
        text = (
            filler(600) + "网址ＷＷＷ．ＺＪ．ＧＯＶ．ＣＮ中ＧＯＶ表示的是 什么机构 请选择一项\n正确的答案" + filler(600)
        )
        assert found_in(text, one), one.mode.id
        assert not found_in(filler(3000), one)


def test_overlap_wants_its_share_and_in_one_stretch() -> None:
    words = ITEM.split()
    one = needles(mode(Overlap, n=5, share=0.5, stretch=3), items_of(ITEM))  # 9 windows of 5: at least 5 of them
    enough, little = " ".join(words[:9]), " ".join(words[:8])
    assert found_in(f"start {enough} end", one)
    assert not found_in(f"start {little} end", one)
    apart = " ".join(words[:7]) + filler(3000) + " " + " ".join(words[7:])  # 3 windows, and 2 far from them
    assert not found_in(apart, one)
    assert found_in(apart, needles(mode(Overlap, n=5, share=0.5), items_of(ITEM)))


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from("abc"), min_size=8, max_size=12), st.lists(st.sampled_from("abc"), max_size=20))
def test_jaccard_is_exact(item: list[str], text: list[str]) -> None:
    def grams(words: list[str]) -> set[tuple[str, ...]]:
        return {tuple(words[k : k + 2]) for k in range(len(words) - 1)}

    union, both = grams(item) | grams(text), grams(item) & grams(text)
    true = len(both) / len(union)
    one = needles(mode(Overlap, measure="jaccard", n=2, share=max(true, 0.01)), items_of(" ".join(item)))
    above = needles(mode(Overlap, measure="jaccard", n=2, share=min(true + 0.01, 1)), items_of(" ".join(item)))
    rows = found_in(" ".join(text), one)
    assert bool(rows) == (true > 0)
    if rows:
        assert float(rows[0].value or 0) == pytest.approx(true, abs=1e-3)
    assert not found_in(" ".join(text), above) or true == 1


def test_an_item_named_by_everything_makes_no_rows_without_end() -> None:
    one = needles(mode(Ngrams), items_of(*[ITEM] * 500))
    rows = found_in((ITEM + " ") * 50 + filler(2000), one)
    assert len(rows) == 16
    assert sorted(row.item for row in rows) == list(range(16))
    drop = needles(mode(Ngrams, action="drop"), items_of(*[ITEM] * 500))
    assert len(found_in((ITEM + " ") * 500, drop)) == 64 * 16


@pytest.mark.slow
def test_a_hostile_line_takes_time_in_proportion() -> None:
    modes = recommended().modes
    ours = [needles(one, items_of(ITEM, "a " * 40, "的" * 60)) for one in modes]

    def seconds(size: int) -> float:
        texts = ["a " * (size // 2), "的" * (size // 3), "a" * size, "ﷺ" * (size // 3)]
        began = time.process_time()
        for text in texts:
            judge(text, ours, [one.find(large(text)) for one in ours])
        return time.process_time() - began

    seconds(10_000)
    small, big = seconds(1_000_000), seconds(10_000_000)
    assert big < 25 * small + 1


def test_items_are_read_from_every_kind_of_file(tmp_path: Path) -> None:
    import gzip

    import pyarrow.parquet as pq

    (tmp_path / "a.jsonl.gz").write_bytes(gzip.compress(b'{"q": "one", "c": ["x", {"k": "y"}], "n": 7}\n\n'))
    pq.write_table(pa.table({"question": ["two"], "task_id": ["t/1"]}), tmp_path / "b.parquet")
    (tmp_path / "c.txt").write_text("three\n\nfour\n")
    sets = [EvaluationSet(file=str(tmp_path / "a.jsonl.gz"), fields=("q", "c"), id=("n",), name="mine"),
            EvaluationSet(file=str(tmp_path / "b.parquet")), EvaluationSet(file=str(tmp_path / "c.txt"))]  # fmt: skip
    items = load_items(sets)
    assert items.text.to_pylist() == ["one\nx\ny", "two", "three", "four"]
    assert items.names == ["mine:7", "b:t/1", "c:1", "c:3"]
    (tmp_path / "c.txt").write_text("three\n\nfive\n")
    assert load_items(sets).digest != items.digest


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ('{"question": "a"}\n{"other": 1}\n', "e.jsonl, line 2: none of the fields text, question"),
        ('{"question": "a"}\nnonsense\n', "e.jsonl, line 2: no valid JSON"), ("[1]\n", "line 1: a JSON object"), ("", "holds no item"),
    ],
)  # fmt: skip
def test_a_fault_in_a_set_names_file_and_line(tmp_path: Path, content: str, told: str) -> None:
    file = tmp_path / "e.jsonl"
    file.write_text(content)
    with pytest.raises(ValueError, match=told):
        load_items([EvaluationSet(file=str(file))])
    with pytest.raises(FileNotFoundError, match="no evaluation set"):
        load_items([EvaluationSet(file=str(tmp_path / "nowhere.jsonl"))])


def test_no_hit_is_no_row() -> None:
    one = needles(mode(Ngrams), items_of(ITEM))
    empty = Hits(*(np.empty(0, np.int64) for _ in range(4)))
    assert judge("", [one], [empty]) == [] == judge("text", [one], [one.find(large("text"))])
    assert needles(mode(Ngrams), items_of("Why?")).find(large(ITEM)).doc.tolist() == []
    assert needles(mode(Paragraphs), items_of("Why?")).find(large("Why?")).doc.tolist() == []
