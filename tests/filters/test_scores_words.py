"""Word lists against C4's own regular expression and slow Python, on made and real texts."""

from __future__ import annotations

import gzip
import json
import random
import re
from pathlib import Path

import pyarrow as pa
import pytest

from filters.scores import load, search
from recipes.scores import Words

Lists = dict[str, list[str]]


def entry(**given: object) -> Words:
    return Words.model_validate({"kind": "words", "id": "bad", "what": "a list of words", "evidence": "C", **given})


def numbers(
    score: Words, texts: list[str], langs: list[str] | str = "en", path: Path | None = None
) -> list[float | None]:
    codes = [langs] * len(texts) if isinstance(langs, str) else langs
    batch = pa.RecordBatch.from_pydict({"doc_id": [str(i) for i in range(len(texts))]})
    scorer = load(score, str(path) if path else None)
    result: list[float | None] = scorer.score(batch, pa.array(texts, pa.large_string()), pa.array(codes)).to_pylist()
    return result


@pytest.fixture(scope="module")
def ldnoobw(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Lists]:
    lists: Lists = {}
    for line in gzip.decompress((shared_data / "badwords_ldnoobw.jsonl.gz").read_bytes()).splitlines():
        row = json.loads(line)
        lists.setdefault(row["lang"], []).append(row["phrase"])
    return shared_data / "badwords_ldnoobw.jsonl.gz", lists


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("bad", 1), ("Bad, BAD!", 2), ("badly", 0), ("a_bad", 0), ("bad1", 0), ("1bad", 0), ("ébad", 0), ("badé", 0),
        ("(bad)", 1), ("bad\nbad bad", 3), ("", 0), ("very bad word", 1), ("so bad a thing", 2), ("bad中", 0),
    ],
)  # fmt: skip
def test_flanked_by_no_letter(text: str, count: int) -> None:
    assert numbers(entry(words=["bad", "bad a thing"]), [text]) == [count]


@pytest.mark.parametrize(
    ("match", "lang", "count"),
    [("auto", "en", 0), ("auto", "zh", 1), ("auto", "ja", 1), ("auto", "th", 1), ("auto", "yue", 1), ("auto", "ko", 0),
     ("word", "zh", 0), ("substring", "en", 1)],
)  # fmt: skip
def test_substring_for_languages_without_blanks(match: str, lang: str, count: int) -> None:
    assert numbers(entry(words=["xyz"], match=match), ["axyzb"], lang) == [count]


def test_measures() -> None:
    text = "ads here, ads there\nbuy now: spam\n"
    for measure, value in (("count", 3), ("distinct", 2), ("any", 1), ("per_line", 2 / 3), ("per_word_ratio", 3 / 7)):
        assert numbers(entry(words=["ads", "spam", "none"], measure=measure), [text, "clean"]) == [
            pytest.approx(value),
            0,
        ]


def test_mc4_exceptions(ldnoobw: tuple[Path, Lists]) -> None:
    path, lists = ldnoobw
    assert {"sm", "グロ", "女の子"} <= set(lists["ja"]) and "性" in lists["zh"]
    texts, langs = ["可能性", "女の子とグロ", "sm", "sm"], ["zh", "ja", "ja", "en"]
    strict = entry(measure="any")
    assert numbers(strict, texts, langs, path) == [1, 1, 1, 0]
    assert (
        numbers(entry(measure="any", allow={"ja": ["sm", "グロ", "女の子"], "zh": ["性"]}), texts, langs, path)
        == [0] * 4
    )


def test_real_texts_as_c4_finds_them(ldnoobw: tuple[Path, Lists], shared_data: Path) -> None:
    path, lists = ldnoobw
    rows = [json.loads(line) for line in gzip.decompress((shared_data / "toxicity.jsonl.gz").read_bytes()).splitlines()]
    rows = rows[:600] + rows[-600:]
    patterns = {
        "en": re.compile(r"(?:\W|^)({})(?:\W|$)".format("|".join(re.escape(w) for w in lists["en"]))),
        "zh": re.compile("|".join(re.escape(w) for w in lists["zh"])),
    }
    expected = [float(bool(patterns[row["lang"]].search(row["text"].lower()))) for row in rows]
    assert {row["lang"] for row in rows} == {"en", "zh"} and 100 < sum(expected) < 1100
    assert numbers(entry(measure="any"), [r["text"] for r in rows], [r["lang"] for r in rows], path) == expected


def test_language_without_a_list_is_null(ldnoobw: tuple[Path, Lists]) -> None:
    assert numbers(entry(), ["x", "x", "x"], ["en", "sw", ""], ldnoobw[0]) == [0, None, None]
    assert numbers(entry(languages=["en"], words=["x"]), ["x", "x"], ["de", "en"]) == [None, 1]


def test_windows_lose_and_double_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = random.Random(7)
    texts = ["".join(rng.choice("abé中 ") for _ in range(rng.randrange(40))) for _ in range(200)]
    words = ["a", "ab", "aba", "é中", "b a", "中中中"]
    slow = [sum(len(re.findall(f"(?={re.escape(w)})", t)) for w in words) for t in texts]
    for window in (1, 3, 17, 1 << 20):
        monkeypatch.setattr(search, "WINDOW", window)
        assert numbers(entry(words=words, match="substring"), texts) == slow


def test_hostile_text_is_counted_within_memory() -> None:
    text = "性" * 3_000_000 + "\0" + "a" * 1_000_000
    assert numbers(entry(words=["性", "a"], match="substring"), [text]) == [4_000_000]


def test_text_lists_have_comments_and_categories(tmp_path: Path) -> None:
    file = tmp_path / "words.txt"
    file.write_text("\ufeff# comment\nporn\tBAD\n\n  other  \n", encoding="utf-8")
    assert numbers(entry(measure="distinct"), ["bad other porn # comment"], path=file) == [2]
    file.write_text("# nothing\n")
    with pytest.raises(ValueError, match=r"'bad' cannot read .*words\.txt.*no words.*a list of words"):
        load(entry(), str(file))


def test_what_is_missing_is_said() -> None:
    with pytest.raises(
        FileNotFoundError, match=r"'bad' needs a file: a list of words\. Give it with --file bad=PATH\."
    ):
        load(entry())
    with pytest.raises(
        FileNotFoundError, match=r"'bad' has no file at /nowhere/x\.txt.*a list of words.*--file bad=PATH"
    ):
        load(entry(when_missing="skip"), "/nowhere/x.txt")
    assert numbers(entry(when_missing="skip"), ["a", "b"]) == [None, None]


def test_a_list_is_given_once() -> None:
    with pytest.raises(ValueError, match="`words` or `file`, not both"):
        entry(words=["a"], file="b.txt")


def test_digest_is_of_the_bytes(tmp_path: Path) -> None:
    import hashlib

    file = tmp_path / "a.txt"
    file.write_text("one\n")
    first = load(entry(), str(file))
    assert first.digest == hashlib.sha256(b"one\n").hexdigest() and load(entry(), str(file)) is first
    file.write_text("two, longer\n")
    second = load(entry(), str(file))
    assert second.digest != first.digest
    assert load(entry(words=["a"])).digest != load(entry(words=["b"])).digest
