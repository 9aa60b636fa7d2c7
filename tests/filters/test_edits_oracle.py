"""Every edit equals its plain restatement: over real pages of many languages, and over odd texts made to break it."""

from __future__ import annotations

import gzip
import importlib.util
import json
import unicodedata
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from filters.edits import EDITS

HERE = Path(__file__).parent


def _load(name: str) -> object:
    spec = importlib.util.spec_from_file_location(name, HERE / f"{name}.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


ORACLES = _load("edit_oracles").ORACLES  # type: ignore[attr-defined]


def run(name: str, texts: list[str]) -> list[str]:
    after = EDITS[name].kernel(pa.array(texts, pa.large_string()))
    after.validate(full=True)
    return [str(t) for t in after.to_pylist()]


def same(name: str, texts: list[str]) -> None:
    for before, got in zip(texts, run(name, texts), strict=True):
        want = ORACLES[name](before)
        assert got == want, (before, got, want)


def gold(path: Path) -> list[str]:
    texts = [t for line in gzip.decompress(path.read_bytes()).splitlines() if (t := json.loads(line).get("text"))]
    assert len(texts) > 500, f"{path} has only {len(texts)} texts"
    return texts


def test_every_edit_has_an_oracle_and_says_where_it_comes_from() -> None:
    assert set(ORACLES) == set(EDITS)
    for name, edit in EDITS.items():
        assert edit.name == name and edit.doc.count("\n") == 0 and "(" in edit.doc


@pytest.mark.parametrize("name", EDITS)
def test_equals_the_oracle_on_real_pages(name: str, shared_data: Path) -> None:
    same(name, gold(shared_data / "gold_text.jsonl.gz"))


@pytest.mark.parametrize("name", EDITS)
def test_equals_the_oracle_on_chinese(name: str, shared_data: Path) -> None:
    texts = [t for f in ("gold_text", "langid", "langid_udhr", "toxicity") for t in gold(shared_data / f"{f}.jsonl.gz")]
    chinese = [t for t in texts if sum("\u4e00" <= c <= "\u9fff" for c in t) > 20]
    assert len(chinese) > 500
    # as lines of one page, as one line with blanks between, and each by itself
    same(name, [*chinese, *(j.join(chinese[i : i + 9]) for j in ("\n", "　") for i in range(0, len(chinese), 9))])


@pytest.mark.parametrize("name", EDITS)
def test_equals_the_oracle_in_every_language_at_hand(name: str, shared_data: Path) -> None:
    texts = gold(shared_data / "langid.jsonl.gz") + gold(shared_data / "langid_udhr.jsonl.gz")
    # paragraphs of five languages each
    same(name, ["\n".join(texts[i : i + 5]) for i in range(0, len(texts), 5)])


PIECES = [
    "", " ", "\n", "\n\n", "\n\n\n", "\r\n", "\r", "\t", "\v", "\f", "\x00", "\x1c", "\x1f", "\x85", "\xa0",
    "\u2028", "\u2029", "\u3000", "\u200b", "\u200d", "\ufeff", "\ufffd", "a", "A", "É", "é", "ß", "İ", "ı", "ſ", "k",
    "Σ", "ΟΔΟΣ", "οδοσ", "'", "ͅ", "\u0301", "Dž", "1", "12", "٣", "²", "½", "½ likes", "3 likes", "1.2K views", "7 LIKES",
    "5k  followers!", "٣ likes", "3 li\u212aes", "items in cart", "Items In Cart", "ıtemſ İn cart", "Read more...", "read more…",
    "READ MORE abc", "Sign-in", "ſıgn-in", "Sign-in now", "LOUD LINE", "word", "five words make a line.", "[1]", "[edit]",
    "[citation needed]", "[٣]", "[", "]", "javascript", "JavaScript", "Privacy Policy", "uses coo\u212aies", "\u212a", "use of [1]cookies",
    "coo[2]kie policy", "terms of use", '"', ".", "..", "...", "....", "!", "?", "!!", "。", "。。", "！", "？", "…", "……", "………",
    "—", "———", "，", "、", "”", "）", "|", "| |", " | ", ">", "·", "首页", "新闻", "你好", "世界", "汉字漢字體驗", "二○○八年", "○", "★",
    "☆", "👩‍👩‍👧", "❤️", "🇨🇳", "한국어", "かな", "x" * 30, "字" * 15, "w" * 1001, "http://", "https://", "ftp://", "www.example.com",
    "example.com/a?b=c", "EXAMPLE.COM", "example.公司", "example.comé", "1.2.3.4", "300.1.1.1", "10.0.0.1:80/x", "a@b.co.uk", ".com",
    "//", "#", "--", "/*", "*/", "/* Copyright */", "copyrıght", "%", "\\%", "\\section{", "\\section*[x]", "}", "{", "\\appendix",
    "\\bibliography{", "\\begin{references}", "\\paragraph{a}\\subparagraph{b}", "&amp;", "&#65;", "â€™", "Ã©", "\x1b[31m", "<",
    "ﬁ", "Œ", "Ã", "Â ", "В”В", "\u212b", "A\u030a", "ﷺ", "㎏", "Ａ",
]  # fmt: skip
ODD_TEXT = st.lists(
    st.one_of(st.sampled_from(PIECES), st.sampled_from([" ", "\n", ". "]), st.text(max_size=3)), max_size=25
)
EDGES = [
    [], ["\n"], ["a\n"], ["\na"], ["", "\n\n", ""], ["a\n\n\nb"], ["a", "\n", "a", "\n\n", "a"], ["\r\n"], ["|"], ["|\n|"],
    ["12\n 12 \nx y"], ["A" * 10 + "a" * 10], ["A" * 11 + "a" * 10], ["[1] [2] [3]\na b c"], ["-" * 400 + ".com"],
    ["a" * 300 + ".com b"], ["a." * 200 + "com"], ["Σ" * 50 + "'" * 50],
    ["ΟΔΟΣ\nοδος\nοδοσ"], ["Σ\nσ\nς"], ["Α'Σ'\nα'ς'\nα'σ'"], ["İx\ni\u0307x"], ["a.com.公司/x b"],
    ["we use coo\u212aies here. Yes.\nwe use coo\u212bies here."], ["1" * 600000 + " " + "1" * 600000],
]  # fmt: skip


@pytest.mark.parametrize("name", EDITS)
def test_equals_the_oracle_on_edges(name: str) -> None:
    same(name, ["".join(edge) for edge in EDGES if not (name == "strip_urls" and len("".join(edge)) > 10**6)])
    same(name, PIECES)


@settings(max_examples=60, deadline=None)
@example(texts=[["a\n\n", "a"], ["b", "\n\n\n", "b"]])
@example(texts=[["a\u0301", "Items In Cart b"], ["\u0301", "sign-in x"]])
@given(st.lists(ODD_TEXT, min_size=20, max_size=60))
def test_equals_the_oracle_on_odd_texts(texts: list[list[str]]) -> None:
    joined = ["".join(pieces) for pieces in texts]
    for name in EDITS:
        same(name, joined)


def test_a_slice_and_nulls_are_read_where_they_lie() -> None:
    text = pa.array(["cut me", "a b c d\na b c d", None, "x y z"], pa.large_string())[1:]
    for name, edit in EDITS.items():
        assert edit.kernel(text).to_pylist() == run(name, ["a b c d\na b c d", "", "x y z"])
    assert all(edit.kernel(text[:0]).to_pylist() == [] for edit in EDITS.values())


@pytest.mark.parametrize("name", ["nfc", "nfkc"])
def test_every_character_alone_after_another_and_taken_apart(name: str) -> None:
    """What is passed over as its own normal form is told by tables: no character may be missing from them."""
    chars = [chr(code) for code in range(0x110000) if unicodedata.category(chr(code)) not in ("Cn", "Cs", "Co")]
    apart = [unicodedata.normalize(form, char) for char in chars for form in ("NFD", "NFKD")]
    joining = [f"{first}{second}" for first in "aக각" for second in chars]
    same(name, [*chars, *joining, *{*apart}])
