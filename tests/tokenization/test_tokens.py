"""Tokenizers, shards and the manifest: round trips, no smuggled special ids, no silent change."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import sentencepiece

from tokenization.manifest import Manifest, json_schema
from tokenization.shards import batches, dtype_for, order_keys, schema_for, shard_of
from tokenization.tokenizer import Tokenizer, encode_batch, load
from tokenization.train import train_bpe

TEXTS = [
    "The quick brown fox 12345.",
    "我们喜欢机器学习，<|endoftext|> 不是吗？",
    "emoji 🙂🙂 \t tabs",
    "",
    "Ünïcödé\n\nline",
]


@pytest.fixture(scope="module", params=["json", "tiktoken", "model"])
def tokenizer(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Tokenizer:
    folder = tmp_path_factory.mktemp("tok")
    if request.param == "json":
        (folder / "tokenizer.json").write_text(train_bpe(iter(TEXTS * 3), 400))
        return load(str(folder / "tokenizer.json"))
    if request.param == "tiktoken":
        ranks = [bytes([i]) for i in range(256)] + [b"th", b"the", "我".encode()]
        lines = [base64.b64encode(r) + b" " + str(i).encode() for i, r in enumerate(ranks)]
        (folder / "own.tiktoken").write_bytes(b"\n".join(lines))
        return load(str(folder / "own.tiktoken"))
    corpus = folder / "corpus.txt"
    corpus.write_text("\n".join(TEXTS * 5))
    sentencepiece.SentencePieceTrainer.train(
        input=str(corpus), model_prefix=str(folder / "sp"), vocab_size=330, byte_fallback=True, minloglevel=9,
        normalization_rule_name="identity", remove_extra_whitespaces=False, hard_vocab_limit=False,
    )  # fmt: skip
    return load(str(folder / "sp.model"))


def test_round_trip_and_end_of_text(tokenizer: Tokenizer) -> None:
    texts = [t.replace("\t", " ").replace("\n", " ") if "sp" in tokenizer.name else t for t in TEXTS]
    ids, offsets = encode_batch(tokenizer, pa.array(texts, pa.large_string()))
    for text, start, end in zip(texts, offsets[:-1], offsets[1:], strict=True):
        own = ids[start:end].tolist()
        assert own[-1] == tokenizer.end_of_text
        assert tokenizer.end_of_text not in own[:-1]  # text that spells it is only text
        assert tokenizer.decode(own[:-1]) == text
    assert int(ids.max()) < tokenizer.vocab_size


def test_training_twice_gives_the_same_bytes() -> None:
    assert train_bpe(iter(TEXTS * 20), 500) == train_bpe(iter(TEXTS * 20), 500)


def test_wrong_files_get_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text("{}")
    (tmp_path / "x.txt").write_text("")
    with pytest.raises(ValueError, match="damaged or of another kind"):
        load(str(tmp_path / "x.json"))
    with pytest.raises(ValueError, match="no tokenizer that Winnow reads"):
        load(str(tmp_path / "x.txt"))
    with pytest.raises(FileNotFoundError):
        load(str(tmp_path / "none.json"))


def test_ids_beyond_16_bits_are_kept() -> None:
    assert (dtype_for(65_536), dtype_for(65_537)) == ("uint16", "uint32")
    assert schema_for("uint32").field("tokens").type.value_type == pa.uint32()


def test_shards_in_order_are_the_shuffled_order() -> None:
    ids = [f"{i:032x}" for i in range(1000)]
    keys = order_keys(ids, 3)
    shards = shard_of(np.sort(keys), 7)
    assert (np.diff(shards) >= 0).all()
    assert set(shards.tolist()) == set(range(7))
    assert (order_keys(ids, 3) == keys).all()
    assert (order_keys(ids, 4) != keys).any()


def test_batches_keep_every_row_once() -> None:
    schema = schema_for("uint16")
    rows = [{"doc_id": str(i), "tokens": [i % 7] * 40_000} for i in range(60)]
    made = list(batches(pa.Table.from_pylist(rows, schema)))
    assert len(made) > 1
    assert [d for b in made for d in b["doc_id"].to_pylist()] == [str(i) for i in range(60)]
    assert batches(schema.empty_table()) is not None
    assert list(batches(schema.empty_table())) == []


MANIFEST = {
    "recipe": "r", "recipe_hash": "h", "dtype": "uint16", "format": "arrow", "seed": 0, "shards": [],
    "tokenizer": {"name": "t", "file": "t.json", "sha256": "0" * 64, "vocab_size": 9, "end_of_text": 0},
    "totals": {"documents": 0, "tokens": 0, "text_bytes": 0}, "sources": {}, "languages": {},
}  # fmt: skip


def test_manifest_refuses_paths_that_leave_it(tmp_path: Path) -> None:
    path = tmp_path / "manifest.json"
    shard = {"bytes": 1, "sha256": "0" * 64, "documents": 1, "tokens": 1}
    for bad in ("/etc/passwd", "../../x", "a/../../b"):
        path.write_text(json.dumps({**MANIFEST, "shards": [{**shard, "path": bad}]}))
        with pytest.raises(ValueError, match="leads outside"):
            Manifest.read(path)
    path.write_text(json.dumps({**MANIFEST, "surprise": 1}))
    with pytest.raises(ValueError, match="surprise"):
        Manifest.read(path)


def test_manifest_finds_tampering(tmp_path: Path) -> None:
    path = tmp_path / "manifest.json"
    path.write_text(json.dumps(MANIFEST))
    assert "missing" in Manifest.read(path).problems(tmp_path)[0]
    (tmp_path / "t.json").write_text("other")
    assert "sha256" in Manifest.read(path).problems(tmp_path)[0]


def test_schema_file_is_in_step() -> None:
    schema = Path(__file__).resolve().parents[2] / "tokenization" / "manifest.schema.json"
    assert schema.read_text() == json_schema()
