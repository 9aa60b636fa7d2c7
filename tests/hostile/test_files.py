"""Recipes, manifests, tokenizers and lists from a stranger: one sentence each, in bounded time and memory."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from filters.check import check
from filters.rules import fails
from pipelines.removal.request import read_list
from recipes.load import load
from recipes.resolve import Missing, resolve
from recipes.steps import Rule
from tests.hostile.bounds import bounded
from tokenization.load import load_reference
from tokenization.manifest import Manifest

HEAD = 'name = "mine"\ntitle = "Mine"\nfidelity = "R3"\nsources = ["none"]\n'
STEP = HEAD + '[[steps]]\nkind = "rule"\nid = "{id}"\nsignal = "{signal}"\nevidence = "A"\n{bound}\n'
RECIPES = {
    "nested_deep": ("x = " + "[" * 100_000, "nests too deep"),
    "keys_nested_deep": (".".join(["a"] * 100_000) + " = 1", "mine.toml"),
    "number_of_5000_digits": ("seed = " + "9" * 5000, "no valid TOML"),
    "two_megabytes": ("#" * (2 << 20), "which no recipe has"),
    "lists_for_tables": ('extends = "zh-en-general"\nsteps = [1]\n', "list of tables"),
    "number_for_drop": ('extends = "zh-en-general"\ndrop = 7\n', "drop must be a list"),
    "id_that_is_a_list": ('extends = "zh-en-general"\n[[change]]\nid = ["x"]\n', "is no string"),
    "extends_a_path": ('extends = "../../etc/passwd"\n', "no shipped recipe"),
    "sql_in_an_id": (STEP.format(id="a.b.v1' OR 1=1 --", signal="word_count", bound="min = 3"), "should match pattern"),
    "sql_in_a_bound": (STEP.format(id="a.b.v1", signal="word_count", bound="min = \"3 OR 1=1\""), "min"),
    "not_a_number": (STEP.format(id="a.b.v1", signal="word_count", bound="min = nan"), "finite"),
    "bytes_that_are_no_text": ("\ud800", "no valid TOML"),
}  # fmt: skip


@pytest.mark.parametrize("name", RECIPES)
def test_hostile_recipe(name: str, tmp_path: Path) -> None:
    text, says = RECIPES[name]
    path = tmp_path / "mine.toml"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    with bounded(), pytest.raises(ValueError, match=says) as told:
        load(str(path))
    assert "mine.toml" in str(told.value)


def test_sql_in_a_signals_name_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(STEP.format(id="a.b.v1", signal="1) OR (1=1", bound="min = 3"))
    with pytest.raises(ValueError, match="signal"):
        check(load(str(tmp_path / "mine.toml")))


@pytest.mark.parametrize("value", ["en' OR '1'='1", "en') OR ('1'='1", "'; DROP TABLE t; --", "\\'", "en\0", '"lang"'])
def test_sql_in_a_value_stays_a_value(value: str) -> None:
    rule = Rule(id="a.b.v1", signal="lang", any_of=(value,), evidence="A")
    asked = duckdb.sql(f"SELECT lang, {fails(rule, ())} FROM (SELECT unnest(['en', $1]) AS lang)", params=[value])
    assert asked.fetchall() == [("en", True), (value, False)]


@pytest.mark.parametrize("file", ["/nowhere/words.txt", "../../../nowhere/words.txt"])
def test_a_recipe_that_names_a_file_elsewhere_is_told(file: str, tmp_path: Path) -> None:
    score = f'[[scores]]\nid = "w"\nkind = "words"\nfile = "{file}"\nwhat = "A list."\nevidence = "A"\n'
    (tmp_path / "mine.toml").write_text(HEAD + "steps = []\n" + score)
    with pytest.raises(Missing, match="which is not there"):
        resolve(load(str(tmp_path / "mine.toml")))


def manifest(**changes: Any) -> bytes:
    """A manifest that is sound but for what is changed."""
    tokenizer = {"name": "t", "file": "tokenizer.json", "sha256": "0" * 64, "vocab_size": 300, "end_of_text": 299}
    shard = {"path": "tokens/a.arrow", "bytes": 1, "sha256": "1" * 64, "documents": 1, "tokens": 2}
    found: dict[str, Any] = {
        "recipe": "r", "recipe_hash": "h", "tokenizer": tokenizer, "dtype": "uint16", "format": "arrow", "seed": 0,
        "shards": [shard], "totals": {"documents": 1, "tokens": 2, "text_bytes": 3}, "sources": {}, "languages": {},
    }  # fmt: skip
    for key, value in changes.items():
        found[key] = (
            {**tokenizer, **value} if key == "tokenizer" else [{**shard, **value}] if key == "shards" else value
        )
    return json.dumps(found).encode()


MANIFESTS: dict[str, Callable[[], bytes]] = {
    "shard_outside": lambda: manifest(shards={"path": "../../etc/passwd"}),
    "shard_absolute": lambda: manifest(shards={"path": "/etc/passwd"}),
    "shard_by_drive": lambda: manifest(shards={"path": "C:\\x"}),
    "tokenizer_outside": lambda: manifest(tokenizer={"file": "a/../../x"}),
    "tokens_past_64_bits": lambda: manifest(shards={"tokens": 1 << 70}),
    "tokens_of_5000_digits": lambda: manifest().replace(b'"tokens": 2', b'"tokens": ' + b"9" * 5000),
    "ids_past_32_bits": lambda: manifest(dtype="uint32", tokenizer={"vocab_size": 1 << 40}),
    "nested_deep": lambda: b"[" * 1_000_000,
    "no_json": lambda: b"\xff\0" * 1000,
    "many_unknown_keys": lambda: json.dumps({str(i): i for i in range(50_000)}).encode(),
}


@pytest.mark.parametrize("name", MANIFESTS)
def test_hostile_manifest(name: str, tmp_path: Path) -> None:
    path = tmp_path / "manifest.json"
    path.write_bytes(MANIFESTS[name]())
    with bounded(30, 600), pytest.raises(ValueError, match=r"manifest\.json is no valid manifest"):
        Manifest.read(path)


def test_a_manifest_whose_shard_is_a_device_or_a_pipe_is_told(tmp_path: Path) -> None:
    (tmp_path / "tokens").mkdir()
    (tmp_path / "tokens" / "a.arrow").symlink_to("/dev/zero")
    (tmp_path / "manifest.json").write_bytes(manifest())
    with bounded(5):
        problems = Manifest.read(tmp_path / "manifest.json").problems(tmp_path)
    assert ["is missing" in problem for problem in problems] == [True, True]


def bpe(**changes: Any) -> bytes:
    """A tokenizer.json with a small BPE model."""
    model = {"type": "BPE", "vocab": {"a": 0, "b": 1, "ab": 2}, "merges": ["a b"]}
    top = {key: changes.pop(key) for key in ("added_tokens", "normalizer", "pre_tokenizer") if key in changes}
    return json.dumps({"version": "1.0", "added_tokens": [], "model": {**model, **changes}, **top}).encode()


RANKS = [base64.b64encode(bytes([i])) + b" %d" % i for i in range(256)]
SPECIAL = {
    "content": "<s>",
    "special": True,
    "single_word": False,
    "lstrip": False,
    "rstrip": False,
    "normalized": False,
}
TOKENIZERS: dict[str, tuple[str, Callable[[], bytes]]] = {
    "cyclic_merges": (".json", lambda: bpe(merges=["a b", "ab a", "a ab"])),
    "far_id": (".json", lambda: bpe(vocab={"a": 0, "b": 4_000_000_000})),
    "far_added_token": (".json", lambda: bpe(added_tokens=[{"id": 4_000_000_000, **SPECIAL}])),
    "panic_in_the_library": (".json", lambda: bpe(normalizer={"type": "Precompiled", "precompiled_charsmap": "AAAA"})),
    "broken_pattern": (".json", lambda: bpe(pre_tokenizer={"type": "Split", "pattern": {"Regex": "("}})),
    "nested_deep": (".json", lambda: b"[" * 1_000_000),
    "wrong_types": (".json", lambda: bpe(added_tokens="ab")),
    "unigram_without_pieces": (".json", lambda: b'{"model": {"type": "Unigram", "unk_id": 5, "vocab": []}}'),
    "ranks_with_a_far_id": (".tiktoken", lambda: b"\n".join([*RANKS[:-1], b"/w== 4000000000"])),
    "ranks_with_a_huge_number": (".tiktoken", lambda: b"\n".join([*RANKS[:-1], b"/w== " + b"9" * 5000])),
    "sentencepiece_that_lies": (".model", lambda: b"\x0a\xff\xff\xff\xff\x0f" * 100),
}  # fmt: skip


@pytest.mark.parametrize("name", TOKENIZERS)
def test_hostile_tokenizer(name: str, tmp_path: Path) -> None:
    ending, make = TOKENIZERS[name]
    path = tmp_path / f"tokenizer{ending}"
    path.write_bytes(make())
    with bounded(), pytest.raises(ValueError, match="is damaged or is no tokenizer"):
        load_reference(path)


def test_a_tokenizer_of_a_gigabyte_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "tokenizer.json"
    with path.open("wb") as sink:
        sink.truncate(1 << 30)
    with bounded(5), pytest.raises(ValueError, match="which no tokenizer has"):
        load_reference(path)


@pytest.mark.parametrize(
    ("content", "says"),
    [(b"co.uk\n", "public suffix"), (b"\xff\n", "not UTF-8"), (b"a" * 1_000_000 + b".com\n", "no domain"),
     ("\u202eexample.com\n".encode(), "no domain"), (b"http://a b/\n", "no URL"), (b"#\n" * 500_000, "names nothing")],
)  # fmt: skip
def test_hostile_removal_list(content: bytes, says: str, tmp_path: Path) -> None:
    path = tmp_path / "list.txt"
    path.write_bytes(content)
    with bounded(), pytest.raises(ValueError, match=says):
        read_list(path)
