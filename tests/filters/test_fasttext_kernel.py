"""The compiled prediction beside the official library's: the same label, the same probability to five digits."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
from pathlib import Path

import fasttext
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filters.bytewise import buffers
from filters.fasttext_kernel import CELLS, LONG, Classifier
from filters.fasttext_tables import read
from filters.language import PREFIX, identify, model_path
from pipelines.classifier.train import ZEROED

EVERYTHING = 1 << 40
NEAR = 2e-5
Pair = tuple[fasttext.FastText._FastText, Classifier]


@pytest.fixture(scope="module")
def lid() -> Pair:
    model = fasttext.load_model(str(model_path()))
    return model, Classifier(read(model_path(), model))


def agree(pair: Pair, texts: list[str], most: int = EVERYTHING) -> None:
    model, ours = pair
    place, sure = ours.predict(*buffers(pa.array(texts, pa.large_string())), most)
    labels, theirs = model.predict([text[:most].replace("\n", " ") for text in texts])
    names = model.get_labels()
    for text, at, p, label, q in zip(texts, place, sure, labels, theirs, strict=True):
        if not text[:most].strip():
            assert (at, p) == (-1, 0)
            continue
        assert abs(p - min(float(q[0]), 1.0)) < NEAR, text[:200]
        assert names[at] == label[0], text[:200]


@pytest.mark.parametrize("name", ["langid.jsonl.gz", "langid_udhr.jsonl.gz", "quality_dclm_human.jsonl.gz"])
def test_labelled_texts(lid: Pair, name: str, shared_data: Path) -> None:
    with gzip.open(shared_data / name, "rt", encoding="utf-8") as lines:
        texts = [json.loads(line)["text"] for line in lines]
    agree(lid, texts, PREFIX)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.text(alphabet=st.characters(codec="utf-8"), max_size=120), min_size=1, max_size=4))
def test_any_text(lid: Pair, texts: list[str]) -> None:
    agree(lid, texts)


def test_what_the_library_reads_in_its_own_way(lid: Pair) -> None:
    word = "Donaudampfschifffahrtsgesellschaft"
    agree(
        lid,
        ["the old town </s> der alte Mann und das Meer", "</s>", "__label__de the old town", "__label__de", "a\0b c"],
    )
    agree(
        lid,
        ["one\rtwo\x0bthree\x0cfour\tfive", "new\x1cblank\x85here\u2028there\u3000and", "\x1c\x1d", "a", " a ", "é"],
    )
    agree(
        lid,
        [
            word * 2,
            word * 40,
            "今天天气很好我们去公园" * 30,
            "今天天气很好我们去公园",
            "ไปไหนมา" * 20,
            "x" * (LONG - 1),
            "x" * LONG,
        ],
    )


@pytest.mark.parametrize("most", [1, 7, 8, 9, 15, 16, 17, 63, 64])
def test_a_prefix_is_cut_between_characters(lid: Pair, most: int) -> None:
    agree(
        lid,
        ["日本語のテキストですよ" * 9, "naïve café où élève" * 9, "😀 smile 😀" * 9, "a" * most, "é" * most, ""],
        most,
    )


def test_only_strings_with_long_offsets_are_read() -> None:
    with pytest.raises(TypeError, match="large_string"):
        identify(pa.array(["The weather is fine today."] * 3, pa.string()))


def test_more_words_than_are_kept(lid: Pair) -> None:
    """A text's numbers are its own, whatever stood before it in the batch."""
    many = " ".join(f"w{k:x}" for k in range(CELLS))
    texts = [many, "The weather in the old town was fine.", many, "Das Wetter war gestern schön.", "w0 w1"]
    together = lid[1].predict(*buffers(pa.array(texts, pa.large_string())), EVERYTHING)
    for row, text in enumerate(texts):
        alone = lid[1].predict(*buffers(pa.array([text], pa.large_string())), EVERYTHING)
        assert (alone[0][0], alone[1][0]) == (together[0][row], together[1][row])
    agree(lid, [texts[1], texts[3], texts[4]])


MODELS = {
    "all": {}, "ones": {"minn": 1, "maxn": 3}, "few": {"minn": 3, "maxn": 3, "bucket": 17},
    "softmax": {"loss": "softmax"}, "pairs of words": {"wordNgrams": 2}, "words alone": {"maxn": 0},
    "none so long": {"minn": 4, "maxn": 3}, "other labels": {"label": "@@"},
}  # fmt: skip
TRAIN = """
import fasttext, json, sys
for name, options in json.loads(sys.argv[2]).items():
    given = {"loss": "hs", "dim": 16, "thread": 1, "minn": 2, "maxn": 4, "bucket": 1000, "verbose": 0} | options
    lines = open(sys.argv[1] + "/train.txt").read().replace("__label__", options.get("label", "__label__"))
    open(sys.argv[1] + "/lines.txt", "w").write(lines)
    model = fasttext.train_supervised(sys.argv[1] + "/lines.txt", **given)
    model.save_model(f"{sys.argv[1]}/{name}.bin")
    if name == "all":
        model.quantize(qout=True)
        model.save_model(f"{sys.argv[1]}/small output.bin")
"""


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of models; made in a process of their own, as the library takes memory to be zero that need not be."""
    folder = tmp_path_factory.mktemp("models")
    lines = [f"__label__{k % 300} wort{k % 300} {['kalt', 'warm', 'heiß'][k % 3]} nr{k}" for k in range(3000)]
    (folder / "train.txt").write_text("\n".join(lines[:2550]), encoding="utf-8")
    command = [sys.executable, "-c", TRAIN, str(folder), json.dumps(MODELS)]
    subprocess.run(command, check=True, env={**os.environ, **ZEROED})
    return folder


def loaded(file: Path) -> fasttext.FastText._FastText:
    return fasttext.load_model(str(file))


@pytest.mark.parametrize("name", ["all", "ones", "few"])
def test_a_model_that_was_not_quantised(models: Path, name: str) -> None:
    model = loaded(models / f"{name}.bin")
    texts = ["kalt", "warm wort3", "ganz heiß", "unbekannt", "wort7 wort7 warm"]
    agree((model, Classifier(read(models / f"{name}.bin", model))), texts)


def test_tables_outlive_the_model(models: Path) -> None:
    model = loaded(models / "all.bin")
    tables = read(models / "all.bin", model)
    for theirs in (model.f.getOutputMatrix(), model.f.getInputMatrix()):
        for ours in tables:
            assert not np.shares_memory(ours, np.array(theirs, copy=False))


@pytest.mark.parametrize(
    "name", ["softmax", "pairs of words", "words alone", "none so long", "other labels", "small output"]
)
def test_other_models_are_refused(models: Path, name: str) -> None:
    with pytest.raises(ValueError, match="hierarchical softmax"):
        read(models / f"{name}.bin", loaded(models / f"{name}.bin"))


def test_a_file_of_another_format_is_refused(models: Path, tmp_path: Path) -> None:
    raw = bytearray((models / "all.bin").read_bytes())
    raw[4] = 11
    (tmp_path / "old.bin").write_bytes(raw)
    with pytest.raises(ValueError, match="format 12 is read, this file has 11"):
        read(tmp_path / "old.bin", loaded(models / "all.bin"))
