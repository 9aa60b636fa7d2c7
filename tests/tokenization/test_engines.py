"""Every tokenizer engine: round trips, no smuggled special ids, nothing cut, and sentences for wrong files."""

from __future__ import annotations

import base64
import io
import itertools
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import sentencepiece
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer as Library
from tokenizers import decoders, models, pre_tokenizers, processors

from tokenization import hugging_face
from tokenization.encode import encode_documents, slices
from tokenization.hugging_face import in_pieces
from tokenization.load import load, load_reference
from tokenization.tiktoken_ranks import SPLITS
from tokenization.tokenizer import Tokenizer
from tokenization.train import train_bpe

TEXTS = [
    "The quick brown fox 12345 don't stop.",
    "我们喜欢机器学习，不是吗？今天天气很好。",
    "emoji 🙂👩‍👩‍👧🙂 \t tabs",
    "",
    "Ünïcödé\r\n\n  line\u3000wide",
    "NUL \0 inside \0",
    "<|endoftext|> </s> <s> <unk> <|im_start|> <0x41> <tool> [SEP]",
]


def array(texts: list[str]) -> pa.LargeStringArray:
    return pa.array(texts, pa.large_string())


def write_ranks(file: Path, ranks: dict[bytes, int]) -> Path:
    file.write_bytes(b"".join(base64.b64encode(t) + b" %d\n" % r for t, r in ranks.items()))
    return file


def byte_ranks(*more: bytes) -> dict[bytes, int]:
    return {token: rank for rank, token in enumerate([*(bytes([i]) for i in range(256)), *more])}


def make_json(folder: Path) -> Path:
    """A BPE with an ordinary added token; `</s>` is end-of-text in name only, added as an ordinary token."""
    engine = Library.from_str(train_bpe(TEXTS * 3, 400))
    engine.add_tokens(["<tool>"])
    engine.add_special_tokens(["<|im_start|>"])
    (folder / "tokenizer.json").write_text(engine.to_str())
    return folder / "tokenizer.json"


def make_exported_ranks(folder: Path) -> Path:
    """Ranks exported from a trained BPE: its byte-level letters back to bytes."""
    letters = {v: bytes([k]) for k, v in _byte_letters().items()}
    vocabulary = json.loads(train_bpe(TEXTS * 3, 400))["model"]["vocab"]
    tokens = [t for t, _ in sorted(vocabulary.items(), key=lambda item: item[1]) if t != "<|endoftext|>"]
    exported = {b"".join(letters[c] for c in token): rank for rank, token in enumerate(tokens)}
    return write_ranks(folder / "own.tiktoken", exported)


def _byte_letters() -> dict[int, str]:
    """GPT-2's byte to letter table (bytes_to_unicode of openai/gpt-2 src/encoder.py)."""
    shown = [*range(33, 127), *range(161, 173), *range(174, 256)]
    hidden = [b for b in range(256) if b not in shown]
    return {b: chr(b) for b in shown} | {b: chr(256 + i) for i, b in enumerate(hidden)}


def make_model(folder: Path, **options: object) -> Path:
    out = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter([t.replace("\0", " ") for t in TEXTS * 5 if t]), model_writer=out, vocab_size=380,
        byte_fallback=True, minloglevel=9, normalization_rule_name="identity", remove_extra_whitespaces=False,
        hard_vocab_limit=False, user_defined_symbols=["<|im_start|>", "<|endoftext|>"], **options,
    )  # fmt: skip
    (folder / "sp.model").write_bytes(out.getvalue())
    return folder / "sp.model"


MAKERS: dict[str, Callable[[Path], Path]] = {
    "json": make_json,
    "tiktoken": make_exported_ranks,
    "model": make_model,
    "model_without_eos": lambda folder: make_model(folder, eos_id=-1),
}


@pytest.fixture(scope="module", params=MAKERS)
def tokenizer(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Tokenizer:
    return load(MAKERS[request.param](tmp_path_factory.mktemp("tok")))


def test_round_trip_and_end_of_text(tokenizer: Tokenizer) -> None:
    ids, offsets = encode_documents(tokenizer, array(TEXTS))
    assert (ids.dtype, offsets.dtype, len(offsets)) == (np.uint32, np.int64, len(TEXTS) + 1)
    for text, start, end in zip(TEXTS, offsets[:-1], offsets[1:], strict=True):
        own = ids[start:end]
        assert own[-1] == tokenizer.end_of_text
        assert tokenizer.end_of_text not in own[:-1]  # a text that spells it is only a text
        assert tokenizer.decode(own[:-1]) == text
    assert int(ids.max()) < tokenizer.vocab_size


@settings(max_examples=60, deadline=None)
@given(text=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="▁"), max_size=60))
def test_any_text_comes_back(tokenizer: Tokenizer, text: str) -> None:
    ids, _ = encode_documents(tokenizer, array([text]))
    assert tokenizer.decode(ids[:-1]) == text


def test_nulls_and_no_rows_are_empty(tokenizer: Tokenizer) -> None:
    ids, offsets = encode_documents(tokenizer, pa.array([None, ""], pa.large_string()))
    assert ids.tolist() == [tokenizer.end_of_text] * 2
    assert offsets.tolist() == [0, 1, 2]
    ids, offsets = encode_documents(tokenizer, array([]))
    assert (ids.tolist(), offsets.tolist()) == ([], [0])


def test_slices_change_nothing(tokenizer: Tokenizer, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = encode_documents(tokenizer, array(TEXTS * 4))
    monkeypatch.setattr("tokenization.encode.slices", lambda text: slices(text, 50))
    cut = encode_documents(tokenizer, array(TEXTS * 4).slice(0))
    assert len(list(slices(array(TEXTS * 4), 50))) > 4
    assert all((a == b).all() for a, b in zip(whole, cut, strict=True))


def test_a_sliced_array_is_read_from_its_own_start(tokenizer: Tokenizer) -> None:
    ids, _ = tokenizer.encode_batch(array(TEXTS).slice(1, 1))
    assert tokenizer.decode(ids) == TEXTS[1]


def test_unigram_piece_that_looks_like_the_end_is_cut(tmp_path: Path) -> None:
    """In such a file `</s>` is a piece like any other, and the best one for that spelling."""
    pieces = [("<unk>", 0.0), ("</s>", 0.0), *((c, -5.0) for c in "</s>a ")]
    engine = Library(models.Unigram(pieces, unk_id=0))
    engine.decoder = decoders.Fuse()
    engine.add_special_tokens(["</s>", "<unk>"])
    (tmp_path / "tokenizer.json").write_text(engine.to_str())
    engine.encode_special_tokens = True
    assert 1 in engine.encode("a </s>a").ids  # what the library does by itself
    tokenizer = load(tmp_path / "tokenizer.json")
    ids, offsets = encode_documents(tokenizer, array(["a", "a </s>a</s></s>", "a?"]))
    assert tokenizer.end_of_text == 1
    assert tokenizer.decode(ids[offsets[1] : offsets[2] - 1]) == "a </s>a</s></s>"
    assert ids[offsets[2] : offsets[3]].tolist() == [
        load(tmp_path / "tokenizer.json").encode_batch(array(["a"]))[0][0],
        0,
        1,
    ]


def test_an_ordinary_added_token_stays_one_and_the_end_does_not(tmp_path: Path) -> None:
    described = json.loads(make_json(tmp_path).read_text())
    for token in described["added_tokens"]:
        token["special"] = False
    (tmp_path / "tokenizer.json").write_text(json.dumps(described))
    tokenizer = load(tmp_path / "tokenizer.json")
    tool = next(t["id"] for t in described["added_tokens"] if t["content"] == "<tool>")
    ids, offsets = tokenizer.encode_batch(array(["<tool>", "<|endoftext|>"]))
    assert ids[: offsets[1]].tolist() == [tool]
    assert tokenizer.end_of_text not in ids


def test_a_file_cannot_cut_pad_or_prefix(tmp_path: Path) -> None:
    engine = Library.from_file(str(make_json(tmp_path)))
    plain = load(tmp_path / "tokenizer.json").encode_batch(array(TEXTS))
    engine.enable_truncation(3)
    engine.enable_padding(length=50)
    engine.post_processor = processors.TemplateProcessing(
        single="<|endoftext|> $A", special_tokens=[("<|endoftext|>", 0)]
    )
    (tmp_path / "tokenizer.json").write_text(engine.to_str())
    asked = load(tmp_path / "tokenizer.json").encode_batch(array(TEXTS))
    assert all((a == b).all() for a, b in zip(plain, asked, strict=True))


@pytest.mark.parametrize(
    ("key", "text", "pieces"),
    [
        ("gpt2", "12345 Don't", ["12345", " Don", "'t"]),
        ("cl100k", "12345 Don't", ["123", "45", " Don", "'t"]),
        ("o200k", "12345 Don't", ["123", "45", " Don't"]),
        ("qwen", "12345 Don't", ["1", "2", "3", "4", "5", " Don", "'t"]),
    ],
)
def test_the_split_is_chosen_by_the_name_and_stated(key: str, text: str, pieces: list[str], tmp_path: Path) -> None:
    merges = {p.encode()[:n]: 0 for p in pieces for n in range(2, len(p) + 1)} | {b"12345": 0, b" Don't": 0, b"1234": 0}
    ranks = byte_ranks(*sorted({m[:n] for m in merges for n in range(2, len(m) + 1)}, key=lambda m: (len(m), m)))
    tokenizer = load(write_ranks(tmp_path / f"{key}_base.tiktoken", ranks))
    ids, _ = tokenizer.encode_batch(array([text]))
    assert [tokenizer.decode([int(i)]) for i in ids] == pieces
    assert tokenizer.name == f"{key}_base.tiktoken, {key} split"
    copy = tmp_path / tokenizer.copy_name
    copy.write_bytes((tmp_path / f"{key}_base.tiktoken").read_bytes())
    assert (load(copy).encode_batch(array([text]))[0] == ids).all()


def test_a_published_vocabulary_keeps_its_own_end(tmp_path: Path) -> None:
    """cl100k has ranks 0 to 100,255 and ends documents with 100,257."""
    split = SPLITS["cl100k"]
    extra = (b"%06d" % i for i in range(split.ranks - 256))
    tokenizer = load(write_ranks(tmp_path / "any.tiktoken", byte_ranks(*extra)))
    assert (tokenizer.end_of_text, tokenizer.vocab_size) == (100_257, 100_258)


def test_ids_above_16_bits_are_not_truncated(tmp_path: Path) -> None:
    tokenizer = load(
        write_ranks(tmp_path / "wide.tiktoken", byte_ranks() | {b"th": 65_535 + 100, "我".encode(): 65_536 + 9_999})
    )
    ids, _ = tokenizer.encode_batch(array(["th我"]))
    assert max(ids.tolist()) > 65_535
    assert tokenizer.decode(ids) == "th我"
    assert tokenizer.vocab_size == 65_536 + 9_999 + 2


def test_a_million_blanks_do_not_stop_a_run(tmp_path: Path) -> None:
    """The library's pattern engine gives up on such a text ("Max stack size exceeded")."""
    for key in SPLITS:
        tokenizer = load(write_ranks(tmp_path / f"{key}.tiktoken", byte_ranks(b"  ", b"    ")))
        text = " " * 1_000_000 + "x"
        ids, _ = tokenizer.encode_batch(array([text, "x"]))
        assert tokenizer.decode(ids) == text + "x"


class Wrong:
    name, copy_name, sha256, vocab_size, end_of_text = "wrong", "w", "", 10, 9

    def __init__(self, ids: list[int]) -> None:
        self.ids = ids

    def encode_batch(self, text: pa.LargeStringArray) -> tuple[np.ndarray, np.ndarray]:
        return np.array(self.ids, np.uint32), np.array([0, len(self.ids)])

    def decode(self, ids: object) -> str:
        return ""


def test_an_engine_that_errs_is_not_believed() -> None:
    with pytest.raises(ValueError, match="beyond its 10 ids"):
        encode_documents(Wrong([1, 10]), array(["x"]))
    with pytest.raises(ValueError, match="end-of-text id inside a document"):
        encode_documents(Wrong([1, 9, 2]), array(["x"]))
    assert encode_documents(Wrong([1, 2]), array(["x"]))[0].tolist() == [1, 2, 9]


BPE = {"version": "1.0", "model": {"type": "BPE", "vocab": {"a": 0}, "merges": []}}
ADDED = {
    "id": 99,
    "content": "x",
    "special": True,
    "single_word": False,
    "lstrip": False,
    "rstrip": False,
    "normalized": False,
}


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("x.json", b"{}", "damaged.*it has no model"),
        ("x.json", b"[1]", "damaged"),
        ("x.json", b"\xff\xfe", "damaged"),
        ("x.json", json.dumps({**BPE, "added_tokens": [ADDED]}).encode(), "does not have the id that the file gives"),
        ("x.tiktoken", b"not base64!! 1\n", "line 1 is not 'base64 rank'"),
        ("x.tiktoken", b"YQ== 0\nYg== x\n", "line 2 is not"),
        ("x.tiktoken", b"YQ== 0\n", "byte 0 has no rank"),
        ("x.tiktoken", b"YQ== 0\nYg== 0\n", "given twice"),
        ("x.model", b"garbage", "damaged"),
        ("x.model", b"", "is empty"),
        ("x.txt", b"x", "no tokenizer that Winnow reads"),
    ],
)
def test_wrong_files_get_a_sentence(name: str, content: bytes, says: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match=says) as told:
        load(tmp_path / name)
    assert "\n" not in str(told.value)
    with pytest.raises(FileNotFoundError, match="no tokenizer file"):
        load(tmp_path / f"none-{name}")


def test_pre_tokenizer_of_other_kinds_still_round_trips(tmp_path: Path) -> None:
    """GPT-2's own kind of file, without a split of ours."""
    engine = Library(
        models.BPE(vocab={c: i for i, c in enumerate(sorted(pre_tokenizers.ByteLevel.alphabet()))}, merges=[])
    )
    engine.pre_tokenizer, engine.decoder = pre_tokenizers.ByteLevel(add_prefix_space=False), decoders.ByteLevel()
    (tmp_path / "tokenizer.json").write_text(engine.to_str())
    tokenizer = load(tmp_path / "tokenizer.json")
    assert (tokenizer.end_of_text, tokenizer.vocab_size) == (256, 257)  # a new id after the vocabulary
    ids, offsets = tokenizer.encode_batch(array(TEXTS))
    assert [tokenizer.decode(ids[a:b]) for a, b in itertools.pairwise(offsets)] == TEXTS


@pytest.mark.parametrize(("blanks", "exact"), [("\n", True), ("\n\n\n", True), ("\n\n  ", False), (" ", False)])
def test_a_long_text_in_pieces_gives_the_same_ids(
    blanks: str, exact: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tokenizer = load_reference(make_json(tmp_path))
    text = blanks.join(TEXTS * 20)
    whole = tokenizer.encode_batch(array([text, "x"]))
    calls: list[int] = []
    monkeypatch.setattr(hugging_face, "PIECE", 300)
    monkeypatch.setattr(hugging_face, "in_pieces", lambda t: (calls.append(1), in_pieces(t, 300))[1])
    cut = tokenizer.encode_batch(array([text, "x"]))
    assert len(calls) == 2
    assert len(list(in_pieces(text, 300))) > 5
    if exact:  # there is a line end to cut at; otherwise the text still comes back
        assert all((a == b).all() for a, b in zip(whole, cut, strict=True))
    assert tokenizer.decode(cut[0][: cut[1][1]]) == text


def test_a_tokenizer_that_parts_the_last_line_end_of_some_gets_whole_texts(tmp_path: Path) -> None:
    """GPT-2's pattern has a line's end to itself before text, and joins it to those before it at a text's end."""
    letters = _byte_letters()
    plain = letters[10]
    vocabulary = {letter: number for number, letter in enumerate([*letters.values(), plain * 2])}
    engine = Library(models.BPE(vocabulary, [(plain, plain)]))
    engine.pre_tokenizer, engine.decoder = pre_tokenizers.ByteLevel(add_prefix_space=False), decoders.ByteLevel()
    (tmp_path / "tokenizer.json").write_text(engine.to_str())
    tokenizer = load_reference(tmp_path / "tokenizer.json")
    texts = ["Hello world\n\n", "Another"]
    apart, whole = tokenizer.encode_batch(array(texts))[0], tokenizer.encode_batch(array(["".join(texts)]))[0]
    assert apart.tolist() != whole.tolist()
    assert not tokenizer.in_lines  # type: ignore[attr-defined]


def test_a_tokenizer_that_puts_a_prefix_before_every_piece_gets_whole_texts(tmp_path: Path) -> None:
    engine = Library(models.Unigram([("<unk>", 0.0), ("▁", -2.0), *((c, -5.0) for c in "abc\n")], unk_id=0))
    engine.pre_tokenizer, engine.decoder = pre_tokenizers.Metaspace(), decoders.Metaspace()
    (tmp_path / "tokenizer.json").write_text(engine.to_str())
    tokenizer = load_reference(tmp_path / "tokenizer.json")
    assert isinstance(tokenizer, hugging_face.HuggingFace)
    assert not tokenizer.in_lines
    assert load_reference(make_json(tmp_path)).in_lines  # type: ignore[attr-defined]
