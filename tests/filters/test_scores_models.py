"""Scores by models: fastText, hashed regression against scikit-learn, KenLM against its own ARPA file, tables."""

from __future__ import annotations

import gzip
import json
import math
from pathlib import Path

import fasttext
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pydantic import TypeAdapter

from filters.scores import load, score_types
from filters.scores.hashing_lr import Features, save, vectors
from filters.scores.kenlm_model import normalise
from recipes.scores import FastText, HashingLR, KenLM, Score, Table

SCORE: TypeAdapter[Score] = TypeAdapter(Score)
COMMON = {"id": "m", "what": "a model", "evidence": "A"}
TEXTS = [
    "good words here\nand there",
    "bad bad spam\u2028offers",
    "",
    "  \n",
    "日本語 テキスト\x1cx",
    "a\0b",
    "unknown",
]


def large(texts: list[str]) -> pa.LargeStringArray:
    return pa.array(texts, pa.large_string())


def batch(count: int, **columns: list[str]) -> pa.RecordBatch:
    return pa.RecordBatch.from_pydict({"doc_id": [f"d{i}" for i in range(count)], **columns})


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ft")
    rows = ["__label__hq good words here and there", "__label__cc bad spam offers", "__label__mid 我们 学习 中文"] * 30
    (folder / "train.txt").write_text("\n".join(rows), encoding="utf-8")
    trained = fasttext.train_supervised(
        str(folder / "train.txt"), dim=10, epoch=50, thread=10, bucket=100, wordNgrams=2, verbose=0
    )  # with fewer than ten threads fastText 0.9.3 starts from memory that it never wrote
    trained.save_model(str(folder / "m.bin"))
    return folder / "m.bin"


def test_fasttext_is_dclm_s_way(model: Path) -> None:
    score = FastText.model_validate({**COMMON, "kind": "fasttext", "label": "hq"})
    got = load(score, str(model)).score(batch(len(TEXTS)), large(TEXTS), pa.array(["en"] * len(TEXTS))).to_pylist()
    raw = fasttext.load_model(str(model))
    for text, value in zip(TEXTS, got, strict=True):
        if not text.strip():
            assert value is None
            continue
        labels, values = raw.predict([" ".join(text.strip().splitlines())], k=3)
        assert value == pytest.approx(dict(zip(labels[0], values[0], strict=True))["__label__hq"], abs=1e-6)
    assert got[0] > 0.9 > 0.1 > got[1]


def test_fasttext_cuts_chinese_and_prefixes(model: Path) -> None:
    ask = {**COMMON, "kind": "fasttext", "label": "__label__mid"}
    text, lang = large(["我们学习中文"]), pa.array(["zh"])
    whole = load(FastText.model_validate(ask), str(model)).score(batch(1), text, lang)[0].as_py()
    cut = load(FastText.model_validate({**ask, "segment": "jieba"}), str(model)).score(batch(1), text, lang)[0].as_py()
    assert cut > 0.9 > whole
    short = FastText.model_validate({**ask, "label": "hq", "prefix": 10})
    a, b = (
        load(short, str(model))
        .score(batch(2), large(["good words bad spam", "good words"]), pa.array(["en"] * 2))
        .to_pylist()
    )
    assert a == b
    lower = FastText.model_validate({**ask, "label": "hq", "case": "lower"})
    a, b = (
        load(lower, str(model)).score(batch(2), large(["GOOD words", "good words"]), pa.array(["en"] * 2)).to_pylist()
    )
    assert a == b
    long = FastText.model_validate({**ask, "segment": "jieba", "min_word": 2, "stop_words": ["中文"]})
    only = load(FastText.model_validate(ask), str(model)).score(batch(1), large(["我们 学习"]), lang)[0].as_py()
    assert load(long, str(model)).score(batch(1), large(["我们的学习是中文"]), lang)[0].as_py() == only


def test_wrong_models_are_refused(model: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"'m' cannot read .*no label 'nope'; it has: cc, hq, mid.*a model"):
        load(FastText.model_validate({**COMMON, "kind": "fasttext", "label": "nope"}), str(model))
    (tmp_path / "x.bin").write_bytes(b"no model at all")
    with pytest.raises(ValueError, match=r"'m' cannot read .*x\.bin as fasttext"):
        load(FastText.model_validate({**COMMON, "kind": "fasttext", "label": "hq"}), str(tmp_path / "x.bin"))
    np.savez(
        tmp_path / "evil.npz", weights=np.array([{"a": 1}], object), bias=np.zeros(1), features=np.zeros(1, np.uint8)
    )
    with pytest.raises(ValueError, match=r"as hashing_lr.*"):
        load(HashingLR.model_validate({**COMMON, "kind": "hashing_lr"}), str(tmp_path / "evil.npz"))


def test_hashed_regression_is_scikit_learn_s(shared_data: Path, tmp_path: Path) -> None:
    text_of = pytest.importorskip("sklearn.feature_extraction.text")
    linear = pytest.importorskip("sklearn.linear_model")
    lines = gzip.decompress((shared_data / "gold_text.jsonl.gz").read_bytes()).splitlines()
    texts = (
        [g["text"] for g in map(json.loads, lines) if g.get("text")][:200] + TEXTS + ["ab\x1ccd\u3000ef\x85gh abc abcd"]
    )
    texts = [t.lower() for t in texts if len(t.lower()) == len(t)]
    for norm in ("l2", "none"):
        how = Features(bits=18, case="lower", norm=norm)
        theirs = text_of.HashingVectorizer(
            n_features=1 << 18, analyzer=str.split, alternate_sign=False, norm=None if norm == "none" else norm
        ).transform(texts)
        ours = vectors(large(texts), how, 10_000_000)
        assert (ours != theirs).nnz == 0
        target = np.arange(len(texts)) % 2
        fitted = linear.LogisticRegression(max_iter=500).fit(theirs, target)
        save(tmp_path / f"{norm}.npz", fitted.coef_[0], float(fitted.intercept_[0]), how)
        score = HashingLR.model_validate({**COMMON, "kind": "hashing_lr"})
        got = load(score, str(tmp_path / f"{norm}.npz")).score(
            batch(len(texts)), large(texts), pa.array(["en"] * len(texts))
        )
        expected = fitted.predict_proba(theirs)[:, 1]
        for value, wanted, one in zip(got.to_pylist(), expected, texts, strict=True):
            assert value == (wanted if one.split() else None)


ARPA = """\\data\\
ngram 1=5
ngram 2=2

\\1-grams:
-1.0\t<unk>\t0
-99\t<s>\t-0.3
-1.2\t</s>\t0
-0.5\t\u2581hello\t-0.2
-0.7\t\u2581world\t-0.1

\\2-grams:
-0.1\t<s> \u2581hello
-0.2\t\u2581hello \u2581world

\\end\\
"""


def test_kenlm_is_ccnet_s(tmp_path: Path) -> None:
    pytest.importorskip("kenlm")
    import sentencepiece

    (tmp_path / "corpus.txt").write_text("hello world hello world\n" * 50)
    sentencepiece.SentencePieceTrainer.train(
        input=str(tmp_path / "corpus.txt"), model_prefix=str(tmp_path / "en.sp"), vocab_size=10, model_type="word",
        hard_vocab_limit=False, minloglevel=2,
    )  # fmt: skip
    (tmp_path / "en.arpa.bin").write_text(ARPA, encoding="utf-8")
    score = KenLM.model_validate({**COMMON, "kind": "kenlm"})
    texts, langs = large(["Hello WORLD", "hello there", "\n", "hello"]), pa.array(["en", "en", "en", "fr"])
    got = load(score, str(tmp_path)).score(batch(4), texts, langs).to_pylist()
    both = -0.1 + -0.2 + -0.1 + -1.2  # hello | <s>; world | hello; back off from world to the end
    odd = -0.1 + (-0.2 + -1.0) + -1.2  # hello | <s>; unknown; end
    assert got == [round(10 ** (-both / 3), 1), pytest.approx(round(10 ** (-odd / 3), 1)), None, None]
    (tmp_path / "de.arpa.bin").write_text(ARPA, encoding="utf-8")
    with pytest.raises(ValueError, match=r"there is no de\.sp\.model"):
        load(score, str(tmp_path))


def test_ccnet_normalisation() -> None:
    assert normalise(" Café №12：“Ünï”…\nnext ") == 'cafe №00:"uni"...next'


def test_tables(tmp_path: Path) -> None:
    pq.write_table(pa.table({"doc_id": ["d2", "d0", None, "d1"], "grade": [3, 5, 1, None]}), tmp_path / "t.parquet")
    by_id = Table.model_validate({**COMMON, "kind": "table", "key": "doc_id", "value": "grade"})
    blank, lang = large([""] * 4), pa.array(["en"] * 4)
    assert load(by_id, str(tmp_path / "t.parquet")).score(batch(4), blank, lang).to_pylist() == [5, None, 3, None]
    rows = [{"url": "http://a", "score": 0.25}, {"url": "http://b", "score": 1}, {"url": "http://a", "score": 0.25}]
    (tmp_path / "t.jsonl.gz").write_bytes(gzip.compress("\n".join(map(json.dumps, rows)).encode()))
    by_url = Table.model_validate({**COMMON, "kind": "table"})
    docs = batch(4, url=["http://b", "http://a", "http://c", ""])
    assert load(by_url, str(tmp_path / "t.jsonl.gz")).score(docs, blank, lang).to_pylist() == [1, 0.25, None, None]
    (tmp_path / "bad.jsonl").write_text('{"url": "a", "score": 1}\n{"url": "a", "score": 2}\n')
    with pytest.raises(ValueError, match="rows repeat a url, with another score"):
        load(by_url, str(tmp_path / "bad.jsonl"))
    (tmp_path / "lacks.jsonl").write_text('{"url": "a", "score": 1}\n{"url": "a"}\n')
    with pytest.raises(ValueError, match="line 2 is no JSON object with url, score"):
        load(by_url, str(tmp_path / "lacks.jsonl"))
    with pytest.raises(ValueError, match="no column 'grades'; there are: doc_id, grade"):
        load(by_id.model_copy(update={"value": "grades"}), str(tmp_path / "t.parquet"))
    assert math.isclose(load(by_url, str(tmp_path / "t.jsonl.gz")).values.sum(), 1.25)  # type: ignore[attr-defined]


def test_no_rows_give_no_rows(model: Path, tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_text("a.com\n")
    (tmp_path / "strict.txt").write_text("a\n")
    (tmp_path / "t.jsonl").write_text('{"url": "a", "score": 1}\n')
    save(tmp_path / "m.npz", np.ones(1 << 8), 0.0, Features(bits=8))
    none = batch(0, url=[]).cast(pa.schema([("doc_id", pa.string()), ("url", pa.string())]))
    for kind, path, more in (
        ("fasttext", model, {"label": "hq", "segment": "jieba"}), ("hashing_lr", tmp_path / "m.npz", {}),
        ("words", tmp_path / "list.txt", {"measure": "per_word_ratio"}), ("url_list", tmp_path / "list.txt", {}),
        ("url_words", tmp_path, {"hard": "", "soft": ""}), ("table", tmp_path / "t.jsonl", {}),
    ):  # fmt: skip
        for languages in (None, ["en"]):
            entry = SCORE.validate_python({**COMMON, "kind": kind, "languages": languages, **more})
            columns = load(entry, str(path)).columns(none, large([]), pa.array([], pa.string()))
            assert {name: (len(v), v.type) for name, v in columns.items()} == {
                n: (0, t) for n, t in score_types(entry).items()
            }


def test_a_skipped_score_has_its_columns() -> None:
    entry = SCORE.validate_python({**COMMON, "kind": "url_list", "when_missing": "skip"})
    columns = load(entry).columns(batch(2), large(["", ""]), pa.array(["en", "en"]))
    assert {name: v.type for name, v in columns.items()} == score_types(entry) and load(entry).digest == ""
    assert all(v.null_count == 2 for v in columns.values())


def test_entries_are_strict() -> None:
    with pytest.raises(ValueError, match="Extra inputs"):
        SCORE.validate_python({**COMMON, "kind": "words", "file": "a.txt", "labels": "x"})
    with pytest.raises(ValueError, match="does not match any of the expected tags"):
        SCORE.validate_python({**COMMON, "kind": "bert"})
    with pytest.raises(ValueError, match="should match pattern"):
        SCORE.validate_python({**COMMON, "kind": "kenlm", "id": "A b"})
    entry = SCORE.validate_python({**COMMON, "kind": "words", "words": ["a"], "allow": {"zh": ["b"]}})
    assert SCORE.validate_json(entry.model_dump_json()) == entry
