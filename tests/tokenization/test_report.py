"""The report's figures against sums made by hand and by the library, and tokens that were planted to be of no use."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pytest
from tokenizers import Tokenizer as Library

from tokenization.load import load
from tokenization.report import Report
from tokenization.train import train_bpe

TEXTS = {"en": ["the cat sat on the mat", "the dog  ran\n", ""], "zh": ["我们喜欢机器学习", "我们"]}


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A BPE with two planted tokens: one that no merge makes, and one with a merge that no text here has."""
    described = json.loads(train_bpe([t for texts in TEXTS.values() for t in texts] * 9, 320))
    model = described["model"]
    model["vocab"] |= {"zzz": len(model["vocab"]), "qq": len(model["vocab"]) + 1}
    model["merges"].append(["q", "q"])
    path = tmp_path_factory.mktemp("report") / "tokenizer.json"
    path.write_text(json.dumps(described))
    return path


@pytest.fixture(scope="module")
def report(file: Path) -> Report:
    made = Report([load(file)])
    for language, texts in TEXTS.items():
        for text in texts:  # table by table, as a job adds them
            made.add(language, pa.array([text], pa.large_string()))
    return made


def test_sums_are_those_of_the_texts(file: Path, report: Report) -> None:
    library = Library.from_file(str(file))
    for m in report.measures():
        texts = TEXTS[m.language]
        assert m.documents == len(texts)
        assert m.text_bytes == sum(len(t.encode()) for t in texts)
        assert m.characters == sum(map(len, texts))
        assert m.words == sum(len(t.split()) for t in texts)
        assert m.tokens == sum(len(library.encode(t).ids) for t in texts)
        assert m.bytes_per_token == pytest.approx(m.text_bytes / m.tokens)
        assert m.as_dict()["fertility"] == pytest.approx(m.tokens / m.words, abs=1e-4)
    assert [m.language for m in report.measures()] == ["en", "zh"]  # the most text first


def test_planted_tokens_are_found(file: Path, report: Report) -> None:
    known = Library.from_file(str(file)).get_vocab()
    found = report.vocabulary(5)
    assert found.unreachable == [(known["zzz"], "zzz")]
    assert (known["qq"], "qq") in found.unseen
    seen = {i for texts in TEXTS.values() for t in texts for i in Library.from_file(str(file)).encode(t).ids}
    assert not seen & {i for i, _ in found.unseen}
    lengths = [len(text.encode()) for _, text in found.longest]
    assert lengths == sorted(lengths, reverse=True)
    assert len(found.longest) == 5
    assert found.partial > 128  # single bytes of longer characters
    assert found.size == len(known)
