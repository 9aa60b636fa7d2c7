"""The trained BPE: equal bytes from equal text, splits that are documented, and small corpora."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tokenizers import Tokenizer

from tokenization.train import END, MAX_TOKEN_BYTES, train_bpe

REPO = Path(__file__).resolve().parents[2]
TEXTS = [
    "The committee read 2024 reports and the committee wrote 17 more of them. ",
    "我喜欢Python编程，微信公众号关注我们，微信公众号关注我们。",
    "ประเทศไทย हिन्दी भाषा русский язык العربية",
    "def f(x):\n    return x  # comment\n\n\n",
]
SCRIPT = """
import hashlib, random, sys
from tokenization.train import train_bpe
r = random.Random(5)
words = ["".join(r.choices("abcdefgh我们学习", k=r.randint(1, 6))) for _ in range(800)]
texts = (" ".join(r.choices(words, k=50)) for _ in range(300))
print(hashlib.sha256(train_bpe(texts, 1500).encode()).hexdigest())
"""


def test_equal_text_gives_equal_bytes_in_any_process() -> None:
    """Many words have equal counts here; neither hash seeds nor threads may choose between them."""
    digests = set()
    for seed, threads in (("1", "1"), ("2", "2"), ("3", "4")):
        environment = {**os.environ, "PYTHONHASHSEED": seed, "RAYON_NUM_THREADS": threads, "PYTHONPATH": str(REPO)}
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT], env=environment, capture_output=True, text=True, check=True
        )
        digests.add(done.stdout)
    assert len(digests) == 1


def test_tokens_keep_to_the_splits() -> None:
    made = Tokenizer.from_str(train_bpe(TEXTS * 50, 2000, "han"))
    letters = [t for t in made.get_vocab() if t != END]
    texts = [made.decoder.decode([t]) for t in letters]
    digits = [t for t in texts if any(c.isdigit() for c in t)]
    assert sorted(digits) == [str(d) for d in range(10)]
    assert max(len(t) for t in letters) <= MAX_TOKEN_BYTES
    han = [t for t in texts if any("\u4e00" <= c <= "\u9fff" for c in t)]
    assert any(len(t) > 1 for t in han)  # words are found
    # And not glued to Latin or punctuation; U+FFFD stands for the first bytes of one more Han character.
    assert all(all("\u4e00" <= c <= "\u9fff" or c == "\ufffd" for c in t) for t in han)
    assert "微信公众号关注我们" not in texts  # nor grown into sentences
    pre = [TEXTS[2][a:b] for _, (a, b) in made.pre_tokenizer.pre_tokenize_str(TEXTS[2])]
    default = Tokenizer.from_str(train_bpe(TEXTS, 300)).pre_tokenizer.pre_tokenize_str(TEXTS[2])
    assert pre == [TEXTS[2][a:b] for _, (a, b) in default]
    assert pre == ["ประเทศไทย", " हिन्दी", " भाषा", " русский", " язык", " العربية"]  # vowel signs stay with their word


def test_a_small_corpus_gives_a_small_vocabulary() -> None:
    made = json.loads(train_bpe(["ab ab"], 5000))
    assert len(made["model"]["vocab"]) < 265
    assert made["model"]["vocab"][END] == 0
    assert [t["content"] for t in made["added_tokens"]] == [END]


@pytest.mark.parametrize("texts", [[], ["", ""]])
def test_no_text_gets_a_sentence(texts: list[str]) -> None:
    with pytest.raises(ValueError, match="There is no text to train a tokenizer on"):
        train_bpe(texts, 500)
