"""The published vectors of every edit, as tables: TFDS's and datatrove's own tests, DCLM's rules at their bounds."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import opencc
import pyarrow as pa
import pytest

from filters.edits import EDITS, apply_edits, removed_words
from filters.edits.tables import ASKED, flags, lower
from filters.signals.chinese import candidates
from recipes.steps import Edit


def run(name: str, text: str) -> str:
    return str(EDITS[name].kernel(pa.array([text], pa.large_string()))[0].as_py())


LINES = {
    "This line has five words.": (True, True),
    "No end mark on this line": (False, True),
    "Trailing dots are no end...": (False, True),
    "Four words are few.": (False, True),
    "Two words.": (False, False),
    "Please enable JavaScript in your browser.": (False, False),
    "We changed our Privacy Policy again today.": (False, False),
    'He said "this is a quote."': (True, True),
    "Only datatrove's end mark is this'": (False, True),
    "x" * 1000 + " and five more words here.": (True, True),
    "x" * 1001 + " and five more words here.": (False, False),
    "字" * 1001 + " and five more words here.": (False, False),
    # TFDS's test_clean_page
    "This line has enough words and ends in punctuation, Dr. Roberts!": (True, True),
    "Economic History | All Institutions | Open Access Articles | Digital Commons Network": (False, True),
    '"Open Access. Powered by Scholars. Published by Universities."': (True, True),
    "Digital Commons Network™/ Social and Behavioral Sciences...": (False, True),
    "Too few words.": (False, True),
    "You need to enable javascript in your browser in order to see this page.": (False, False),
    "You have JavaScript disabled and that means you can't see this page.": (False, False),
    "Adam Roberts has a cookie policy: always eat them.": (False, False),
    "Colin has a privacy policy: don't share people's secrets.": (False, False),
    "You'd better follow our terms of use!": (False, False),
    # TFDS's test_clean_page_policy, datatrove's test_removes_policy_lines_from_text
    "This line mentions the Terms of Use.": (False, False),
    "Let's talk about the Cookie Policy now.": (False, False),
    "This line should be okay.": (True, True),
    "This site uses cookies for tracking.": (False, False),
    "Another valid line here today.": (True, True),
    "This site made use of cookies.": (False, False),
    "We may use cookies to follow you.": (False, False),
}


@pytest.mark.parametrize("line", LINES)
def test_c4_lines(line: str) -> None:
    assert (bool(run("c4_lines", line)), bool(run("c4_lines_nopunct", line))) == LINES[line]


PAGES = [  # (edit, before, after)
    # TFDS's test_clean_page_citations
    ("c4_lines", "This page has some text.\nSome lines don't end with punctuation\n"
     "And some of these lines end with citations.[3]\n"
     "Or have requested citations[citation needed]. Or the option to edit.[edit]\n",
     "This page has some text.\nAnd some of these lines end with citations.\n"
     "Or have requested citations. Or the option to edit."),
    ("c4_lines", "Five words come before this. [1]", ""),  # a blank is left at the end, and the line is not stripped again
    ("c4_lines_nopunct", "[1] [2] [3]\na b c", "a b c"),  # three words when they are counted
    # datatrove's test_keeps_quality_text
    ("c4_lines_nopunct", "This is a well-written paragraph with several sentences.\n"
     "The content continues with more good information here.",
     "This is a well-written paragraph with several sentences.\nThe content continues with more good information here."),
    ("pipe_lines", "a\n|\n|\n|\nhello ehehe -\n|\n- oi mate\n|\n\nbye",
     "a\n\n\nhello ehehe -\n\n\n- oi mate\n\n\n\nbye"),
    ("strip_urls", "See http://www.example.com/a?b=1 and 10.0.0.1:80/x or plain.example.org now. End.", "See and or now. End."),
    ("strip_urls", "版本3.5，见www.example.com。完", "版本3.5，见。完"),
    ("strip_urls", "没有边界www.example.com获取", "没有边界www.example.com获取"),  # no word boundary after com, as in DCLM
    ("strip_urls", "Mail me: someone@example.co.uk please", "Mail me: please"),
    ("max_two_newlines", "a\n\n\n\nb\n\nc\n", "a\n\nb\n\nc\n"),
    ("dedup_lines", "One line.\nother\n  one LINE. \n\n\nother", "One line.\nother\n\n"),
    ("dedup_paragraphs", "第一段。\n\n第二段。\n\n第一段。 ", "第一段。\n\n第二段。"),
    ("collapse_chars", "太好了！！！！  真的？？\tC++ 100 book……——……... wait!!", "太好了！ 真的？\tC++ 100 book……——……... wait!"),
    ("collapse_chars", "………………停。。。。", "……停。"),
    ("collapse_paragraphs", "一样的段落。\n\n一样的段落。 \n不一样。\n一样的段落。", "一样的段落。\n不一样。\n一样的段落。"),
    ("drop_short_sentences", "Too short. This sentence has quite enough words to stay in the text. No!",
     "This sentence has quite enough words to stay in the text. "),
    ("drop_short_sentences", "太短了。这一个句子有十个以上的汉字。“好！”他说这句话也有十个以上的字。",
     "这一个句子有十个以上的汉字。他说这句话也有十个以上的字。"),
    ("symbols", "★热卖★ 👩‍👩‍👧 二○○八年○ ℃ ① № → 好\ufffd\ue000", "热卖  二○○八年 ℃ ① № → 好"),
    ("symbols", "می\u200cخواهم क्‍ष", "می\u200cخواهم क्‍ष"),  # joiners of a script stay
    ("navbar", "首页 | 新闻 | 体育\nHome > News > Sport\n首页 新闻 体育 财经 娱乐\n他说：好，走吧。\n床前明月光 疑是地上霜 举头望明月 低头思故乡 诗",
     "他说：好，走吧。\n床前明月光 疑是地上霜 举头望明月 低头思故乡 诗"),
    ("zh_blanks", "　　你 好，　世 界 hello 世 界\n 下 一 行", "　　你好，世界 hello 世界\n 下一行"),
    ("cut_unterminated", "第一句。第二句没有完", "第一句。"),
    ("cut_unterminated", "完整的一段。\n页脚 版权所有", "完整的一段。"),
    ("cut_unterminated", "他说：“走吧。”", "他说：“走吧。”"),
    ("cut_unterminated", "See example.com for 3.5 more", ""),
    ("cut_unterminated", "It ended well. But then it", "It ended well."),
    ("han_paragraphs", "这一段有十个以上的汉字在里面。\n短段\nEnglish only here", "这一段有十个以上的汉字在里面。"),
    ("line_ends", "A body line that is long enough to be kept here.\nHome\n\nContact us", "A body line that is long enough to be kept here."),
    ("line_ends", "短诗\n只有短行", "短诗\n只有短行"),
    ("code_copyright", "#!/bin/sh\n# hi\n\n/* Copyright 2020 */int x;", "int x;"),
    ("code_copyright", "/* no notice */\nint x;", "/* no notice */\nint x;"),
    ("latex_strip", "\\documentclass{a}\n\\section{One} text % note\n% gone\nmore\\% here\n\\bibliography{x} end",
     "\\section{One} text\nmore\\% here\n"),
    ("latex_strip", "no sections at all", ""),
    ("ftfy", "schÃ¶n &amp; gut", "schön & gut"),
    ("ftfy", "“你好”，ｗｏｒｌｄ！ﬁ", "“你好”，ｗｏｒｌｄ！ﬁ"),  # the writer's own characters stay
    ("nfc", "e\u0301 Å", "é Å"),
    ("nfkc", "ＡＢ，㎏", "AB,kg"),
    ("t2s", "漢字", "汉字"),
    ("t2s", "意志消沈", "意志消沉"),  # 沈 alone stays: only the phrase changes it
]  # fmt: skip


@pytest.mark.parametrize(("name", "before", "after"), PAGES)
def test_pages(name: str, before: str, after: str) -> None:
    assert run(name, before) == after


RW = {  # line: what is left of it, between two good lines
    "3 likes": None, "1.2K views": None, "1,024 Comments": None, "(12) followers!": "(12) followers!", "* 12 followers!": None, "5 m downloads": "5 m downloads",
    "5m downloads": None, "3 people like this": "3 people like this", "likes 3": "likes 3", "3likes here": "3likes here",
    "Ab": None, "12345": None, "ABcd efgh": "ABcd efgh", "AB cD": None, "AB cd e": "AB cd e", "ABC d": None, "ABCD EFgh ij": "ABCD EFgh ij",
    "one": None, "two words": "two words", "12 34": "12 34", "５ likes": None,
    "3 items in cart": "3", "Items in cart": None, "Your bag: items in cart!": "Your bag:!",
    "some news Read more...": "some news", "some news read moreabc": "some news", "some news Read more… ok": "some news Read more… ok",
    "Sign-in to see this": "to see this", "please sign-in": "please sign-in",
    "one two three four five six seven items in cart": "one two three four five six seven",
    "one two three four five six seven eight items in cart": "one two three four five six seven eight items in cart",
}  # fmt: skip


@pytest.mark.parametrize("line", RW)
def test_refinedweb_lines(line: str) -> None:
    left = run("rw_lines", f"a good line\n{line}\nthe last line").split("\n")
    assert left == ["a good line", *([RW[line]] if RW[line] is not None else []), "the last line"]


def test_upper_case_at_the_bound() -> None:
    assert run("rw_lines", "ABC de") == "ABC de"  # 3 of 6
    assert run("rw_lines", "ABCDe f") == ""  # 4 of 7
    assert run("rw_lines", "ÀÉÇ de") == "ÀÉÇ de"


def test_removed_words_and_the_five_per_cent_rule() -> None:
    words = " ".join("w" * 20)
    before = pa.array([words, words, "", " \u3000", "a b", "a\u2028b c"], pa.large_string())
    after = pa.array([words[:-2], words[:-4], "", "", "a b c", "a"], pa.large_string())
    got = removed_words(before, after)
    assert got.dtype == np.float64
    assert got.tolist() == [0.05, 0.1, 0, 0, -0.5, 2 / 3]
    assert not got[0] > 0.05 and got[1] > 0.05  # 1 of 20 words stays, 2 of 20 drop the page


def test_languages_hold_and_characters_are_counted() -> None:
    edit = Edit(kind="edit", id="zh.t2s.v1", edit="t2s", languages=("zh",), evidence="A")
    short = Edit(kind="edit", id="zh.blanks.v1", edit="zh_blanks", languages=("zh",), evidence="A")
    text, lang = pa.array(["漢 字", "漢 字", "漢 字"], pa.large_string()), pa.array(["zh", "ja", None])
    after, removed = apply_edits(text, lang, [edit, short])
    assert after.to_pylist() == ["汉字", "漢 字", "漢 字"]
    assert [removed["zh.t2s.v1"].tolist(), removed["zh.blanks.v1"].tolist()] == [[0, 0, 0], [1, 0, 0]]


def test_tables_ask_python_of_every_code_point_that_differs() -> None:
    asked = set(ASKED)
    for code in range(0x110000):
        if code not in asked:
            c = chr(code)
            silent = not (c.isspace() or c.isupper() or c.isdigit() or c.isalnum() or c.isdecimal())
            assert silent and c.lower() == c, hex(code)
    several = [c for c in ASKED if len(chr(c).lower()) > 1]
    assert several == [0x130]
    assert lower()[ord("K")] == ord("k") and flags()[ord("_")] & 32


def test_lower_case_never_turns_a_word_character_into_another_kind() -> None:
    """The counter's \\W is asked of the line as it stands, DCLM's of the line in lower case."""
    for code in ASKED:
        kinds = [c == "_" or c.isalnum() for c in chr(code).lower()]
        assert kinds[0] == chr(code).isalnum() or chr(code) == "_", hex(code)
    to_ascii = [c for c in ASKED if c > 0x7F and any(x < "\x80" for x in chr(c).lower())]
    assert to_ascii == [0x130, 0x212A]


def test_t2s_knows_every_phrase_of_opencc(tmp_path: Path) -> None:
    """Read from OpenCC's own tables by the tool that its wheel carries."""
    home = Path(opencc.__file__).parent / "clib"
    known = candidates()
    pairs = 0
    for table in ("TSPhrases", "TSCharacters", "TSCharactersExt", "CJK_Compatibility_Ideographs"):
        out = tmp_path / table
        source = home / "share" / "opencc" / f"{table}.ocd2"
        subprocess.run([home / "bin" / "opencc_dict", "-i", source, "-o", out, "-f", "ocd2", "-t", "text"], check=True)
        for line in out.read_text(encoding="utf-8").splitlines():
            key, values = line.split("\t")
            pairs += 1
            assert values.split(" ")[0] == key or any(known[ord(c)] for c in key), line
    assert pairs > 5000
