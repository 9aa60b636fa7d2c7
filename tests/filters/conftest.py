"""Texts that the tests of signals share: real ones of many languages, and odd ones."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pyarrow as pa
import pytest

from filters.segment import TextView

ODD = (
    "", " ", " \n\t\n ", "\n", "\n\n\n", "...", "。", "。。。！？", "#", "### # #", "a", "🙂" * 50, "🙂 👨‍👩‍👧 🇨🇳 x",
    "\x00a\x00 b\x00", "a\r\nb\r\n\r\nc\r\n", "one\u2028two\x85three\x0bfour\x1cfive", "\nlead and trail\n", "a" * 5000,
    "x\n" * 400, "a\n\nb\n\n\n\na\n\nb", "  same line  \n  same line  \nother\n \n \n", "İSTANBUL İİ ŞİŞLİ İstanbul istanbul",
    "ΟΔΟΣ ΣΟΦΟΣ Σ ΑΣ", "a\u0301-\u0327 o\u0327.\u0301 e\u0301a\u0327\u0301 é ḉ a\u0301\u0327 가나다 각 각", "≠ ≮ a\u037eb \u212b \u2126", "ﬁ ŉ ǆ Ǆ ǅ ß ẞ", "½ ² ٣ ௧ Ⅷ 九",
    "مرحبا بالعالم. كيف حالك؟ نعم", "สวัสดีครับ ผมชื่อ สมชาย", "नमस्ते दुनिया। आप कैसे हैं।", "它們在漢字裏。我们在北京的大学学习，他是老师！没有结尾",
    "先日、不正に改造したiPhoneを販売したとして、商標法違反の疑いで。", "It's 3.5 o'clock... # ok … #\n• The end of that.\n- be with\n* and to",
    "l'eau d’or c'est l'été", "See http://a.b/c, https://d.e and www.f.g or mailto:x@y. WWW.H.I xhttps://j", "Lorem ipsum dolor LOREM IPSUM lorem, ipsum xlorem ipsumy",
    "JavaScript javascript, Javascript! {} {x}", "<?xml version='1.0'?><a>&amp;b</a>", "\ufffd\ufffd\ufffd \ue000 \U000f0001 \x07 end", "12345 67890 12345 67890 1 11 11 1",
    "word " * 300, "ab cd " * 200, "的" * 300, "a b c d e f g h i j k l m n o p a b c d e f g h i j k l m n o p", "\t\u3000mixed\xa0blanks\u2003here\u3000",
    "All Caps Words In This Very Long Title Case Sentence That Goes On And On For Ever. tiny. 1234567890/(1+2)>3{4} 5.",
    " a b c d e f g h i j k l , ab, cd, ef, gh, x | \nVol. 3 of the Facebook page that is long enough to count as one.",
    "'quoted' \"text\"\n(brackets)\nends with dot.\nends with dot. \n？\n", "one. two! three? four... five",
)  # fmt: skip


@pytest.fixture(scope="session")
def corpus(shared_data: Path) -> TextView:
    """Odd texts, then real ones: the first hundred of the gold pages and all of their Chinese and Japanese ones."""
    lines = gzip.decompress((shared_data / "gold_text.jsonl.gz").read_bytes()).splitlines()
    pages = [(g["text"][:20_000], g.get("lang_guess") or "") for g in map(json.loads, lines) if g.get("text")]
    asian = [page for page in pages[100:] if page[1] in ("zh", "ja", "th", "ar", "fr", "ru")]
    odd = [(text, lang) for text in ODD for lang in ("en", "zh", "fr")]
    texts, langs = zip(*odd, *pages[:100], *asian, strict=True)
    return TextView(pa.array(texts, pa.large_string()), pa.array(langs))
