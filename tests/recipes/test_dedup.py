"""What a recipe may ask of deduplication, and how it is refused and shown."""

from __future__ import annotations

import io

import pytest
from pydantic import ValidationError
from rich.console import Console

from flows.show_recipe import one, part_text
from recipes.dedup import Bloom, Dedup, Lines, Substring
from recipes.load import load, parse


def test_one_unit_below_the_document() -> None:
    with pytest.raises(ValidationError, match="give one of lines, substring"):
        Dedup(lines=Lines(), substring=Substring())
    assert Dedup().part is None
    assert Dedup(bloom=Bloom()).part == ("bloom", Bloom())


@pytest.mark.parametrize(
    ("block", "told"),
    [
        ('[dedup.lines]\nunit = "page"', "line', 'paragraph' or 'span3"),
        ("[dedup.lines]\nngram = 3", "ngram"),
        ("[dedup.bloom]\nngram = 5\nmin_ngram = 6", "min_ngram"),
        ('[dedup.bloom]\nmode = "both"', "give ngram"),
        ("[dedup.substring]\nmin_tokens = 1", "2"),
        ("[dedup.substring]\nmin_tokens = 1000", "100"),
        ("[dedup.simhash]\nblocks = 4\ndistance = 4", "under blocks"),
        ('[dedup.url]\nnormalise = "c5"', "'exact', 'plain' or 'c4'"),
    ],
)
def test_what_cannot_be_is_refused_with_the_file(block: str, told: str) -> None:
    head = 'name = "mine"\ntitle = "Mine"\nfidelity = "R3"\nsources = ["none"]\n'
    with pytest.raises(ValueError, match=r"mine\.toml") as refused:
        parse((head + block).encode(), "mine.toml")
    assert told in str(refused.value)


def test_another_unit_replaces_an_inherited_one_only_when_that_is_dropped() -> None:
    head = 'name = "mine"\ntitle = "Mine"\nfidelity = "R3"\nsources = ["none"]\nextends = "c4-en"\n'
    with pytest.raises(ValueError, match="give one of lines, substring"):
        parse(f"{head}[dedup.substring]\n".encode(), "mine.toml")
    mine = parse(f'{head}drop = ["dedup.lines"]\n[dedup.substring]\n'.encode(), "mine.toml")
    assert mine.dedup.part == ("substring", Substring())
    assert mine.dedup.url == load("c4-en").dedup.url


@pytest.mark.parametrize(
    ("name", "english", "chinese"),
    [
        ("c4-en", "whose address has the lowest MD5 stays; a cut document needs 3 sentences", "保留地址 MD5 最小者的一份；被删减的文档至少留 3 句"),
        ("ccnet", "no document's copy stays", "各文档的副本均不保留"),
        ("c4-en-span3", "three sentences in a row", "相同的连续三句"),
        ("dolma-v1.5-cc", "in place of a Bloom filter", "以精确比较代替 Bloom 过滤器"),
        ("dclm-baseline", "whose 13-grams more than 0.8 stand before them", "13-gram 有超过 0.8 此前已出现"),
        ("refinedweb", "stretches of 50 tokens and more", "50 词元及以上的相同片段"),
        ("data-juicer-zh", "4-character shingles, 10 blocks, at most 8 bits apart", "4 字符片段，10 块，至多相差 8 位"),
        ("culturax", "documents of one host, path and query", "主机、路径与查询相同的文档"),
    ],
)  # fmt: skip
def test_recipes_show_their_units(name: str, english: str, chinese: str) -> None:
    for zh, words in ((False, english), (True, chinese)):
        out = io.StringIO()
        Console(file=out, width=1000, color_system=None).print(one(name, zh))
        assert words in out.getvalue()


def test_a_unit_in_words() -> None:
    assert part_text(Substring(action="drop", keep="none", min_words=5), zh=False) == (
        "documents go that have: stretches of 50 tokens and more that are the same; no document's copy stays; "
        "a cut document needs 5 words"
    )
