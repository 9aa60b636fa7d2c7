"""Texts on which tokenizers come apart: what an engine has to encode as the reference does before it is believed.

They are made by rule and from a fixed seed, so every process tries the same ones. A sample can only convict: that an
engine is equal on it is no proof for all texts, which is why each part of a run tries its own first texts as well,
and why `benchmarks/encoders.py` compares whole collections.
"""

from __future__ import annotations

import random
import unicodedata
from collections.abc import Iterator, Sequence

import pyarrow as pa

from tokenization.tokenizer import END_NAMES

RUN = 3_000  # characters of one kind in a row: above the length at which libraries change their algorithm
FIXED = (
    "", " ", "   ", "\t", "\n", "\r", "\r\n", "\n\r\n\n \n  \n", " \u3000 \u2028\u2029\u0085 ",
    "\u00a0\u00a0a", "\0", "a\0b\0\0", "\u0301", " \u0301\u0302", "e\u0301\u0301 \u0301x", "\u200d",
    "\ufeffa\ufeff", "\u202eabc\u202c", "�\ufffe\uffff", "🙂👩\u200d👩\u200d👧🏳\ufe0f\u200d🌈 🇩🇪🇨🇳 ☎\ufe0f",
    "I'll WE'LL don'T it'ſ ’s 's'S 'Re'vE", "İıſK", "x²³ ½ Ⅷ ٣٤٥ १२३ １２３ 1234567 3.14,15",
    "_a__b-c--d//e\\\\f", "我们喜欢Python编程，1996年！「引号」", "カタカナひらがな漢字ー々〇",
    "한국어 텍스트 한", "ประเทศไทยภาษา", "ह\u093fन\u094dद\u0940 भ\u093eष\u093e क\u094dषत\u094dर\u093fय",
    "الع\u064eر\u064eب\u0650ي\u064e\u0651ة ע\u05b4ב\u05b0ר\u05b4ית", "𠀀𪛖𰀀 \U000e0041\U0010fffd",
    "camelCaseWord HTTPServer ÄÖÜßẞ ǅ ʰʱ ªº", "def f(x):\n\treturn x  # c\n\n\n", "https://a.b/c?d=e&f=%20#g",
    "<0x41><0x00>▁▁ ▁a", "<|endoftext|", "<<s>>", "[IM[INST]G]",
)  # fmt: skip
ALPHABETS = (
    "abcDEF", "我们学习数据", "0123", " \n\t\r", "!?.,-—…", "'’sStTrR", "\u0301\u093f\u0e31", "カなー",
    "🙂\u200d\ufe0f", "éßЖдΩ", "한국", "שلم", "\0\u007f\u200b", "_<|>[]▁",
)  # fmt: skip


def sample(spellings: Sequence[str], pieces: Sequence[str], seed: int = 0) -> pa.LargeStringArray:
    """Some hundred kilobytes of texts: fixed, of `spellings`, of a vocabulary's `pieces`, long runs and mixtures."""
    texts = [*FIXED, *_contracted(), *_spelled(spellings), *_mixed(seed), *_characters(), *_runs(seed)]
    texts += ["".join(pieces[i : i + 40]) for i in range(0, len(pieces), 40)]
    return pa.array([text.encode("utf-8", "ignore").decode() for text in texts], pa.large_string())


def _contracted() -> Iterator[str]:
    """What GPT-2's pattern cuts off as one piece, after every kind of character: engines miss it after a break."""
    for short in ("'s", "'t", "'re", "'ve", "'m", "'ll", "'d", "'S", "’s"):
        for before in ("", "a", "1", "!", "。", " ", "  ", "\t", "\n", "\r\n", "\n\n", "a\n", ".\n ", "\u00a0"):
            yield from (before + short, f"{before}{short} x", f"{before}{short}ion'\n")


def _spelled(spellings: Sequence[str]) -> Iterator[str]:
    for name in [*END_NAMES, *spellings[:: max(1, len(spellings) // 100)]]:
        yield from (name, f"a{name}b", f" {name}{name}\n", name[:-1], name.lower(), f"我{name} 们")


def _mixed(seed: int) -> Iterator[str]:
    r = random.Random(seed)
    for _ in range(600):
        pools = r.sample(ALPHABETS, r.randint(1, 5))
        yield "".join(r.choice(r.choice(pools)) for _ in range(r.randint(1, 80)))


def _runs(seed: int) -> Iterator[str]:
    r = random.Random(seed + 1)
    for pool in ("a", " ", "\n", "\r\n", "-", "1", "我", "\u0301", "🙂", "\0"):
        yield "x" + pool * RUN + "y"
    for pool in ("abcdefghijklmnopqrstuvwxyz", "我们喜欢机器学习天气", "!?#$%&", "0123456789"):
        yield "".join(r.choices(pool, k=RUN))


def _characters() -> Iterator[str]:
    """Every eleventh character, assigned or not, alone between letters, digits, blanks and marks."""
    points = [p for p in range(0, 0x32000, 11) if unicodedata.category(chr(p)) not in ("Cs", "Co")]
    for i in range(0, len(points), 50):
        yield "".join(f"a{chr(p)}b 1{chr(p)} {chr(p)}!{chr(p)}" for p in points[i : i + 50])
