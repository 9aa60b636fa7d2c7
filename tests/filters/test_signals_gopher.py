"""Gopher's and FineWeb's signals against a plain restatement of datatrove 0.10.1's filters."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from filters.codepoints import character_ranges
from filters.segment import TextView
from filters.signals import measure
from filters.signals.words import stop_words

PUNCTUATION = {chr(c) for low, high in character_ranges("datatrove_punctuation") for c in range(low, high + 1)}
TERMINAL = tuple(
    chr(c) for low, high in character_ranges("datatrove_terminal_punctuation") for c in range(low, high + 1)
)


def tokens(view: TextView, i: int) -> list[str]:
    t = view.tokens
    return [bytes(t.joined[t.starts[k] : t.starts[k + 1]]).decode() for k in range(t.first[i], t.first[i + 1])]


def share(part: float, whole: float) -> float:
    return part / whole if whole else 0.0


def duplicates(spans: list[str]) -> tuple[int, int]:
    seen: set[str] = set()
    count = chars = 0
    for span in spans:
        count += span in seen
        chars += len(span) * (span in seen)
        seen.add(span)
    return count, chars


def quality(text: str, words: list[str], lang: str) -> dict[str, float]:
    real = [w for w in words if any(c not in PUNCTUATION for c in w)]
    lines = text.splitlines()
    stops = set(stop_words().get(lang, stop_words()["en"]))
    return {
        "token_count": len(words),
        "word_count": len(real),
        "mean_word_length": share(sum(map(len, real)), len(real)),
        "hash_word_ratio": share(text.count("#"), len(words)),
        "ellipsis_word_ratio": share(text.count("...") + text.count("…"), len(words)),
        "bullet_line_ratio": share(sum(s.lstrip().startswith(("•", "-")) for s in lines), len(lines)),
        "ellipsis_line_ratio": share(sum(s.rstrip().endswith(("...", "…")) for s in lines), len(lines)),
        "alpha_word_ratio": share(sum(any(c.isalpha() for c in w) for w in words), len(words)),
        "stop_word_count": len(stops & set(words)),
        "max_line_length": max(map(len, lines), default=0),
    }


def fineweb(text: str, words: list[str]) -> dict[str, float]:
    lines = [line for line in text.split("\n") if line.strip() != ""]
    return {
        "line_count": len(lines),
        "line_punct_ratio": share(sum(line.endswith(TERMINAL) for line in lines), len(lines)),
        "short_line_ratio": share(sum(len(line) <= 30 for line in lines), len(lines)),
        "line_char_dup_ratio": share(duplicates(lines)[1], len(text.replace("\n", ""))),
        "newline_word_ratio": share(text.count("\n"), len(words)),
        "mean_line_length": share(sum(len(line.strip()) for line in lines), len(lines)),
    }


def repetition(text: str, words: list[str]) -> dict[str, float]:
    out: dict[str, float] = {}
    pieces = re.split(r"\n+", text) if text else []
    paragraphs = re.split(r"\n{2,}", text.strip()) if text.strip() else []
    for name, spans in (("line", pieces), ("paragraph", paragraphs)):
        count, chars = duplicates(spans)
        out[f"dup_{name}_ratio"] = share(count, len(spans))
        out[f"dup_{name}_char_ratio"] = share(chars, len(text))
    for n in (2, 3, 4):
        grams = Counter(" ".join(words[k : k + n]) for k in range(len(words) - n + 1))
        gram, count = grams.most_common(1)[0] if grams else ("", 0)
        out[f"top_{n}gram_char_ratio"] = share(len(gram) * count, len(text))
    for n in range(5, 11):
        seen: set[str] = set()
        at = repeated = 0
        while at < len(words) - n + 1:
            gram = "".join(words[at : at + n])
            repeated += len(gram) * (gram in seen)
            at += n if gram in seen else 1
            seen.add(gram)
        out[f"dup_{n}gram_char_ratio"] = share(repeated, len(text))
    return out


def other_lines(text: str) -> dict[str, float]:
    lines = text.split("\n")
    own = re.findall(r"[^\n]*\n|[^\n]+$", text)
    bullets = tuple("\u2022\u2023\u25b6\u25c0\u25e6\u25a0\u25a1\u25aa\u25ab\u2013")
    paragraphs, inside = 0, False
    for line in lines:
        paragraphs += bool(line.strip()) and not inside
        inside = bool(line.strip())
    return {
        "mean_all_line_length": len(text) / len(lines),
        "long_line_count": sum(len(line) >= 200 for line in lines),
        "paragraph_count": paragraphs,
        "bullet_line_ratio_dolma": sum(line.startswith(("*", "-")) for line in lines) / len(lines),
        "bullet_line_ratio_rpv2": share(sum(s.lstrip().startswith(bullets) for s in own), len(own)),
    }


def test_equal_to_datatrove_on_real_and_odd_texts(corpus: TextView) -> None:
    texts, langs = corpus.text.to_pylist(), corpus.lang.to_pylist()
    first = quality("", [], "en") | fineweb("", []) | repetition("", []) | other_lines("")
    measured = {name: column.to_pylist() for name, column in measure(corpus, list(first)).items()}
    for i, (text, lang) in enumerate(zip(texts, langs, strict=True)):
        words = tokens(corpus, i)
        expected = quality(text, words, lang) | fineweb(text, words) | repetition(text, words) | other_lines(text)
        for name, value in expected.items():
            assert measured[name][i] == pytest.approx(value, abs=1e-12), (name, text[:80])
