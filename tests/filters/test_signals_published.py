"""Dolma's, RedPajama-v2's, data-juicer's and ChineseWebText's signals against plain restatements of their code."""

from __future__ import annotations

import json
import math
import re
import string
import unicodedata
from collections import Counter
from itertools import pairwise
from statistics import median

import numpy as np
import pytest

from filters.codepoints import DATA, character_ranges
from filters.segment import TextView
from filters.signals import measure
from filters.signals.words import stop_words

SPECIAL = {chr(c) for low, high in character_ranges("data_juicer_special") for c in range(low, high + 1)}
RPV2_STOPS = json.loads((DATA / "stop_words_rpv2.json").read_text("utf-8"))
Row = dict[str, float]


def share(part: float, whole: float) -> float:
    return part / whole if whole else 0.0


def grams(words: list[str], n: int) -> list[tuple[str, ...]]:
    return [tuple(words[k : k + n]) for k in range(len(words) - n + 1)]


def size(gram: tuple[str, ...]) -> int:
    return sum(map(len, gram))


def dolma(text: str) -> Row:
    words, lines = text.split(), text.split("\n")
    chars = sum(map(len, words))
    out: Row = {
        "dolma_word_count": len(words),
        "median_word_length": median(map(len, words)) if words else 0.0,
        "max_word_length": max(map(len, words), default=0),
        "dolma_symbol_word_ratio": share(sum("#" in w or "…" in w for w in words), len(words)),
        "dolma_alpha_word_ratio": share(sum(any(c.isalpha() for c in w) for w in words), len(words)),
        "stop_word_occurrences": sum(w in stop_words()["en"] for w in words),
    }
    counts = Counter(lines) if text else Counter[str]()
    out["dolma_dup_line_ratio"] = share(sum(c for c in counts.values() if c > 1), len(lines))
    out["dolma_dup_line_char_ratio"] = sum(len(s) * c for s, c in counts.items() if c > 1) / max(chars, 1)
    for n in (2, 3, 4):
        gram, count = Counter(grams(words, n)).most_common(1)[0] if len(words) >= n else ((), 0)
        out[f"dolma_top_{n}gram_char_ratio"] = size(gram) * count / max(chars, 1)
    for n in range(5, 11):
        tally = Counter(grams(words, n))
        total = sum(c * size(g) for g, c in tally.items())
        out[f"dolma_dup_{n}gram_char_ratio"] = sum(c * size(g) for g, c in tally.items() if c > 1) / max(total, 1)
    return out


def normalize(text: str) -> str:
    text = text.translate(str.maketrans("", "", string.punctuation)).lower().strip()
    return unicodedata.normalize("NFD", re.sub(r"\s+", " ", text))


def rpv2_document(text: str, lang: str) -> Row:
    raw, normal = re.findall(r"\w+|[^\w\s]+", text), normalize(text)
    words = normal.split()
    counts = Counter(words)
    stops = sum(w in RPV2_STOPS.get(lang, ()) for w in raw) if lang != "source" else 0
    return {
        "rps_doc_num_sentences": len(re.findall(r"\b[^.!?]+[.!?]*", text)),
        "rps_doc_word_count": len(words),
        "rps_doc_mean_word_length": share(sum(map(len, words)), len(words)),
        "rps_doc_symbol_to_word_ratio": share(sum(text.count(s) for s in ("#", "...", "…")), len(raw)),
        "rps_doc_frac_no_alph_words": share(sum(not re.search("[a-zA-Z]", w) for w in raw), len(raw)),
        "rps_doc_frac_unique_words": share(len(counts), len(words)),
        "rps_doc_unigram_entropy": -sum(c / len(words) * math.log(c / len(words)) for c in counts.values()),
        "rps_doc_frac_all_caps_words": share(sum(map(str.isupper, raw)), len(raw)),
        "rps_doc_stop_word_fraction": share(stops, len(raw)) if words else 0.0,
        "rps_doc_curly_bracket": share(text.count("{") + text.count("}"), len(text)),
        "rps_doc_lorem_ipsum": share(normal.count("lorem ipsum"), len(normal)),
    }


def rpv2_lines(text: str) -> Row:
    raw = re.findall(r"[^\n]*\n|[^\n]+$", text)
    normal = [normalize(line) for line in raw]
    bullets = tuple("\u2022\u2023\u25b6\u25c0\u25e6\u25a0\u25a1\u25aa\u25ab\u2013")
    n = len(raw)
    return {
        "rps_doc_frac_lines_end_with_ellipsis": share(sum(s.rstrip().endswith(("...", "…")) for s in raw), n),
        "rps_lines_ending_with_terminal_punctution_mark": share(
            sum(s.rstrip().endswith((".", "!", "?", "”")) for s in raw), n
        ),
        "rps_lines_javascript_counts": sum(s.split().count("javascript") for s in normal),
        "rps_lines_num_words": share(sum(len(s.split()) for s in normal), n),
        "rps_lines_uppercase_letter_fraction": share(sum(sum(map(str.isupper, s)) / len(s) for s in raw), n),
        "rps_lines_numerical_chars_fraction": share(sum(share(sum(map(str.isnumeric, s)), len(s)) for s in normal), n),
        "rps_lines_start_with_bulletpoint": share(sum(s.lstrip().startswith(bullets) for s in raw), n),
    }


def rpv2_repetition(text: str) -> Row:
    words = normalize(text).split()
    chars, out = sum(map(len, words)), {}
    for n in (2, 3, 4):
        gram, count = Counter(grams(words, n)).most_common(1)[0] if len(words) >= n else ((), 0)
        out[f"rps_doc_frac_chars_top_{n}gram"] = share(size(gram) * count, chars) if count > 1 else 0.0
    for n in range(5, 11):
        tally = Counter(grams(words, n))
        under = {j for k, g in enumerate(grams(words, n)) if tally[g] > 1 for j in range(k, k + n)}
        out[f"rps_doc_frac_chars_dupe_{n}grams"] = share(sum(len(words[j]) for j in under), chars)
    return out


def strip_special(word: str) -> str:
    kept = [k for k, c in enumerate(word) if c not in SPECIAL]
    return word[kept[0] : kept[-1] + 1] if kept else ""


def juicer(text: str) -> Row:
    words = [w for w in re.split(r" |\n|\t", text) if w]
    refined = [w for w in (strip_special(w.lower()) for w in words) if w]
    tally = Counter(grams(refined, 10))
    windows = Counter(text[k : k + 10] for k in range(len(text) - 9))
    common = sorted(windows.values(), reverse=True)
    most = min(int(np.sqrt(len(common))), sum(c > 1 for c in common))
    return {
        "dj_word_count": sum(bool(strip_special(w)) for w in words),
        "word_rep_10_ratio": share(sum(c for c in tally.values() if c > 1), tally.total()),
        "char_rep_10_ratio": share(sum(common[:most]), windows.total()),
        "alnum_ratio": share(sum(map(str.isalnum, text)), len(text)),
        "special_char_ratio": share(sum(c in SPECIAL for c in text), len(text)),
    }


def chinesewebtext(text: str) -> Row:
    plain = re.sub(" |\n|\t", "", text.strip().lower())
    windows = Counter(plain[k : k + 13] for k in range(len(plain) - 13))
    return {
        "char_13gram_dup_ratio": share(sum(c for c in windows.values() if c > 1), windows.total()),
        "han_ratio": share(len(re.findall(r"[\u4e00-\u9fa5]", text)), len(text)),
    }


def test_equal_to_the_published_code_on_real_and_odd_texts(corpus: TextView) -> None:
    def expected(text: str, lang: str) -> Row:
        plain = text.replace("Σ", "σ")  # of all Python's lower cases, windows.py leaves out the final sigma's
        whole = dolma(text) | rpv2_document(text, lang) | rpv2_lines(text) | rpv2_repetition(text)
        return whole | juicer(text) | chinesewebtext(plain)

    measured = {name: column.to_pylist() for name, column in measure(corpus, list(expected("", "en"))).items()}
    rows = zip(corpus.text.to_pylist(), corpus.lang.to_pylist(), strict=True)
    for i, (text, lang) in enumerate(rows):
        for name, value in expected(text, lang).items():
            assert measured[name][i] == pytest.approx(value, abs=1e-9), (name, text[:80])


def test_every_pair_of_texts_measures_as_it_does_alone(corpus: TextView) -> None:
    names = ["rps_doc_unigram_entropy", "dolma_top_2gram_char_ratio", "char_rep_10_ratio", "rps_lines_num_words"]
    for left, right in pairwise(range(0, len(corpus), 37)):
        pair = TextView(corpus.text.take([left, right]), corpus.lang.take([left, right]))
        for name, column in measure(pair, names).items():
            alone = [measure(TextView(corpus.text.slice(k, 1), corpus.lang.slice(k, 1)), [name])[name][0].as_py()
                     for k in (left, right)]  # fmt: skip
            assert column.to_pylist() == alone, name
