"""Signals of characters, strings, Chinese script, code and questionable sentences against plain restatements."""

from __future__ import annotations

import re
import subprocess
import unicodedata
from html.parser import HTMLParser
from itertools import groupby
from pathlib import Path

import opencc
import pyarrow as pa
import pytest
import zstandard

from filters.codepoints import CJK_PUNCT_RANGES, HAN_RANGES
from filters.segment import TextView
from filters.signals import measure
from filters.signals.chinese import candidates, simplify
from filters.signals.madlad import ANYWHERE, AT_END

Row = dict[str, float]


def view(*texts: str, lang: str = "en") -> TextView:
    return TextView(pa.array(texts, pa.large_string()), pa.array([lang] * len(texts)))


def within(c: str, ranges: tuple[tuple[int, int], ...]) -> bool:
    return any(low <= ord(c) <= high for low, high in ranges)


def characters(text: str) -> Row:
    n = len(text)
    foreign = [not (within(c, HAN_RANGES) or within(c, CJK_PUNCT_RANGES) or c.isspace()) for c in text]
    bare = text.rstrip()
    while bare and bare[-1] in "\"'”’»)]}）】》」』〉〕":
        bare = bare[:-1]
    kinds = [unicodedata.category(c) for c in text]
    junk = sum(
        c == "\ufffd" or k == "Co" or (k == "Cc" and c not in "\t\n\r") for c, k in zip(text, kinds, strict=True)
    )
    return {
        "char_count": n,
        "digit_ratio": sum(map(str.isdigit, text)) / n if n else 0.0,
        "upper_ratio": sum(map(str.isupper, text)) / n if n else 0.0,
        "whitespace_ratio": sum(map(str.isspace, text)) / n if n else 0.0,
        "punctuation_ratio": sum(k[0] == "P" for k in kinds) / n if n else 0.0,
        "replacement_char_ratio": junk / n if n else 0.0,
        "han_count": sum(within(c, HAN_RANGES) for c in text),
        "cjk_punct_ratio": sum(within(c, CJK_PUNCT_RANGES) for c in text) / n if n else 0.0,
        "longest_char_run": max((len(list(g)) for _, g in groupby(text)), default=0),
        "longest_non_han_run": max((len(list(g)) for odd, g in groupby(foreign) if odd), default=0),
        "first_char_is_ascii": text[:1].isascii() and bool(text),
        "unterminated_end": bool(text.strip()) and (not bare or bare[-1] not in ".!?…。！？；;؟۔।"),
        "has_curly": "{" in text,
        "has_lorem_ipsum": "lorem ipsum" in text.lower(),
        "compression_ratio": compressed(text),
        "code_xml_header": "<?xml version=" in text[:100],
        "code_alpha_chars_per_token": sum(map(str.isalpha, text)) / len(re.split(r"\w+|[^\w\s]+", text)),
        "madlad_questionable_ratio": questionable(text),
    }


def compressed(text: str) -> float:
    raw = text.encode()
    small = zstandard.ZstdCompressor(level=1, write_content_size=False).compress(raw)
    return len(small) / len(raw) if raw else 0.0


CURSED = re.compile(
    "|".join([re.escape(word) for word in ANYWHERE] + [re.escape(word) + r"\Z" for word in AT_END]
             + [r"( ...){9}", r"( ....){9}", r"( [^ ]){9}", r", ..,,? ..,,? ..,,? ..,,?"]), re.DOTALL
)  # fmt: skip


def questionable(text: str) -> float:
    ends = ".!?…。！？؟۔।"
    sentences, now = [], ""
    for k, c in enumerate(text):
        following = text[k + 1 : k + 2]
        if c != "\n":
            now += c
        if c == "\n" or (c in ends and (ord(c) > 0x2FFF or not following or following.isspace())):
            sentences.append(now)
            now = ""
    filled = [s for s in map(str.strip, [*sentences, now]) if s]

    def bad(s: str) -> bool:
        words = s.split()
        titled = len(words) >= 12 and 2 * sum(w[0].isupper() for w in words) > len(words)
        technical = 5 * len(re.findall(r"[0-9{}+/()>]", s)) > len(s)
        return titled or technical or not 20 <= len(s) <= 500 or bool(CURSED.search(s))

    return sum(map(bad, filled)) / len(filled) if filled else 0.0


def test_equal_to_plain_restatements(corpus: TextView) -> None:
    measured = {name: column.to_pylist() for name, column in measure(corpus, list(characters(""))).items()}
    for i, text in enumerate(corpus.text.to_pylist()):
        for name, value in characters(text).items():
            assert measured[name][i] == pytest.approx(value, abs=1e-12), (name, text[:80])


CURSES = (
    "This is a plain sentence, with nothing odd in it", "a mp3 of a song that is long enough", "b a c d e f g h i j k lmnop qrst",
    "it was one two six ten ran the cat sat bed end of", "they were here into that four five nine once upon when",
    "pairs, ab, cd, ef, gh, and so on to the end", "pairs, ab,, cd, ef,, gh, and so on to the end", "pairs, ab, cd, ef and so on to",
    "a price that ends in roubles for each кг.", "ends with a bar after some words |", "nothing a b c d e f g h and no more",
)  # fmt: skip


@pytest.mark.parametrize("sentence", CURSES)
def test_cursed_patterns_are_those_of_the_regular_expressions(sentence: str) -> None:
    measured = measure(view(sentence), ["madlad_questionable_ratio"])["madlad_questionable_ratio"][0].as_py()
    assert measured == questionable(sentence) == bool(CURSED.search(sentence))


def test_links_are_counted_once() -> None:
    text = "http://a.b https://www.c.d www.e.f wwwx ftp://g HTTPS://H awww.i xhttp:/ swww.j 1www.k"
    assert measure(view(text, "www.", "://"), ["url_count"])["url_count"].to_pylist() == [4, 1, 0]


class Text(HTMLParser):
    """Text outside scripts, styles and comments, by the standard library."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.text, self.hidden = "", False

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.hidden = tag in ("script", "style")

    def handle_endtag(self, tag: str) -> None:
        self.hidden = False

    def handle_data(self, data: str) -> None:
        self.text += "" if self.hidden else data


HTML = (
    "<!DOCTYPE html><html><head><style>p {x: 1}</style><script>if (a < b) {c('</p>')}</script></head><body><!-- no -->"
)
HTML += "<p class='a'>" + "Some text &amp; more, 1 < 2. " * 8 + "</p><br/>&#8230; 中文</body></html>"


def test_html_text_ratio() -> None:
    parser = Text()
    parser.feed(HTML)
    parser.close()
    short = "<p>" + "x" * 100 + "</p>"
    measured = measure(view(HTML, short, "y" * 200), ["code_html_text_ratio"])["code_html_text_ratio"].to_pylist()
    assert measured == [pytest.approx(len(parser.text) / len(HTML)), 0.0, 1.0]


def test_traditional_is_what_opencc_changes(corpus: TextView) -> None:
    rows = [
        (t, "zh")
        for t, lang in zip(corpus.text.to_pylist(), corpus.lang.to_pylist(), strict=True)
        if lang in ("zh", "ja")
    ]
    texts = [t for t, _ in rows]
    measured = measure(view(*texts, lang="zh"), ["is_traditional"])["is_traditional"].to_pylist()
    assert measured == [simplify(t) != t for t in texts]
    assert {True, False} == set(measured)


DICTIONARIES = ("TSPhrases", "TSCharacters", "TSCharactersExt", "CJK_Compatibility_Ideographs")


@pytest.mark.parametrize("name", DICTIONARIES)
def test_every_key_of_opencc_that_changes_holds_a_candidate(name: str, tmp_path: Path) -> None:
    home, out, table = Path(opencc.__file__).parent / "clib", tmp_path / "keys.txt", candidates()
    files = ["-i", home / "share" / "opencc" / f"{name}.ocd2", "-o", out]
    subprocess.run([home / "bin" / "opencc_dict", "-f", "ocd2", "-t", "text", *files], check=True, capture_output=True)
    keys = [line.split("\t")[0] for line in out.read_text("utf-8").splitlines() if "\t" in line]
    assert len(keys) > 400
    assert [key for key in keys if not any(table[ord(c)] for c in key) and simplify(key) != key] == []
