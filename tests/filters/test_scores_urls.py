"""Block lists and URL words: squidGuard's and datatrove's ways, against slow Python."""

from __future__ import annotations

import gzip
import json
import random
import re
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from filters.scores import load, score_types
from filters.scores.hashes import find_rows, hash_rows
from filters.urls import hosts, icann_domain
from recipes.scores import UrlList, UrlWords


def listed(**given: object) -> UrlList:
    return UrlList.model_validate({"kind": "url_list", "id": "ut1", "what": "a list", "evidence": "C", **given})


def worded(**given: object) -> UrlWords:
    return UrlWords.model_validate({"kind": "url_words", "id": "w", "what": "three lists", "evidence": "C", **given})


def found(
    score: UrlList | UrlWords, urls: list[str | None], path: Path | None = None
) -> list[tuple[float | None, str | None]]:
    batch = pa.RecordBatch.from_pydict({"url": pa.array(urls, pa.string())})
    blank = pa.array([""] * len(urls))
    columns = load(score, str(path) if path else None).columns(batch, blank.cast(pa.large_string()), blank)
    assert {name: values.type for name, values in columns.items()} == score_types(score)
    return list(zip(*(c.to_pylist() for c in columns.values()), strict=True))


ENTRIES = [
    "Bad.com",
    "*.worse.org",
    "http://page.net/Path/",
    "1.2.3.4",
    "中文.中国",
    "www.site.net/x",
    "sub.deep.example.co.uk",
]


@pytest.mark.parametrize(
    ("url", "subdomains", "registrable", "exact"),
    [
        ("http://bad.com/", 1, 1, 1),
        ("http://WWW.BAD.COM.:80/x", 1, 1, 0),
        ("http://a.b.bad.com", 1, 1, 0),
        ("http://notbad.com", 0, 0, 0),
        ("http://bad.com.evil.net", 0, 0, 0),
        ("http://bad.com@good.com/", 0, 0, 0),
        ("http://good.com@bad.com/", 1, 1, 1),
        ("https://page.net/Path", 1, 1, 1),
        ("https://user@www.page.net:443/Path/#x", 1, 1, 1),
        ("http://page.net/path", 0, 0, 0),
        ("http://page.net/Path/more", 0, 0, 0),
        ("http://page.net/", 0, 0, 0),
        ("http://site.net/x", 1, 1, 1),
        ("http://1.2.3.4/x", 1, 1, 1),
        ("http://5.1.2.3.4/", None, None, None),
        ("http://1.2.3.5/", 0, 0, 0),
        ("http://www.xn--fiq228c.xn--fiqs8s/", 1, 1, 0),
        ("http://x.sub.deep.example.co.uk", 1, 0, 0),
        ("http://deep.example.co.uk", 0, 0, 0),
        ("nonsense", None, None, None),
        (None, None, None, None),
    ],
)
def test_block_list(url: str | None, subdomains: int | None, registrable: int | None, exact: int | None) -> None:
    for mode, value in (("subdomains", subdomains), ("registrable", registrable), ("exact", exact)):
        number, category = found(listed(entries=ENTRIES, hosts=mode), [url])[0]
        assert number == value, mode
        assert category == ("entries" if value else None)


def test_ut1_folder(tmp_path: Path) -> None:
    for name, domains, urls in (("adult", "a.com\nboth.com\n", "c.com/dir\n"), ("games", "both.com\nx.a.com\n", "")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "domains").write_text(domains)
        (tmp_path / name / "urls").write_text(urls)
        (tmp_path / name / "expressions").write_text("(never|read)\n")
    urls = [
        "http://a.com",
        "http://x.a.com",
        "http://both.com",
        "http://c.com/dir",
        "http://c.com/",
        "http://never.com",
    ]
    expected = ["adult", "games", "adult,games", "adult", None, None]
    assert [category for _, category in found(listed(), urls, tmp_path)] == expected
    assert [n for n, _ in found(listed(categories=["games"]), urls, tmp_path)] == [0, 1, 1, 0, 0, 0]
    assert [n for n, _ in found(listed(), urls, tmp_path / "games")] == [0, 1, 1, 0, 0, 0]
    empty = tmp_path / "none"
    empty.mkdir()
    with pytest.raises(ValueError, match="no file named domains or urls"):
        load(listed(), str(empty))


def test_whole_ut1_sample(shared_data: Path) -> None:
    path = shared_data / "urls_ut1.jsonl.gz"
    rows = [json.loads(line) for line in gzip.decompress(path.read_bytes()).splitlines()]
    lists: dict[str, set[str]] = {}
    for row in rows:
        lists.setdefault(row["domain"].lower().strip("."), set()).add(row["category"])
    picked = random.Random(1).sample(rows, 1500)
    urls: list[str | None] = [f"http://{row['domain']}/" for row in picked]
    urls += [f"http://sub.{row['domain']}/p" for row in picked] + [f"http://x{row['domain']}/" for row in picked]
    names = hosts(pa.array(urls)).to_pylist()
    for url, name, (number, category) in zip(urls, names, found(listed(), urls, path), strict=True):
        if name is None:
            assert number is None
            continue
        parents = [name.split(".", k)[k] for k in range(name.count(".") + 1)]
        hit = next((lists[p] for p in parents if p in lists), None)
        assert (number, category) == (float(hit is not None), ",".join(sorted(hit)) if hit else None), url


def datatrove(url: str, strict: set[str], hard: set[str], soft: set[str], least: int) -> str | None:
    """URLFilter's word rules, on a lower-cased URL."""
    words = set(re.split(r"[^a-zA-Z0-9]+", url.lower()))
    if any(word in re.sub(r"[^a-zA-Z0-9]+", "", url.lower()) for word in strict):
        return "strict"
    if words & hard:
        return "hard"
    return "soft" if len(words & soft) >= least else None


def test_url_words_as_datatrove(tmp_path: Path) -> None:
    strict, hard, soft = {"xxxporn", "sexy7"}, {"escort", "cam"}, {"girl", "hot", "teen", "chat"}
    for name, words in (("strict", strict), ("hard", hard), ("soft", soft)):
        (tmp_path / f"{name}.txt").write_text("# list\n" + "\n".join(sorted(words)) + "\n")
    rng = random.Random(3)
    pieces = [
        "xxx",
        "porn",
        "xxx-porn",
        "escort",
        "CAM",
        "camera",
        "girl",
        "Hot",
        "hot",
        "teen",
        "chat",
        "a",
        "news",
        "7",
        "sexy",
    ]
    urls = [
        "http://"
        + "".join(rng.choice(pieces) + rng.choice(["", "-", ".", "/", "_", "ü"]) for _ in range(rng.randrange(1, 7)))
        + "z.com/"
        for _ in range(3000)
    ]
    valid = hosts(pa.array(urls)).is_valid().to_pylist()
    for least in (1, 2, 3):
        expected = [datatrove(u, strict, hard, soft, least) if ok else None for u, ok in zip(urls, valid, strict=True)]
        assert len({*expected}) == 4
        got = found(worded(soft_min=least, ignore="punctuation"), list(urls), tmp_path)
        assert [category for _, category in got] == expected
        assert [number for number, _ in got] == [
            None if not ok else float(e is not None) for ok, e in zip(valid, expected, strict=True)
        ]


@pytest.mark.parametrize(
    ("url", "category"),
    [
        ("http://xx-x.po.rn.com/", "strict"), ("http://xxx_porn.com/", None), ("http://a.com/e-s-cort", None),
        ("http://a.com/?q=Escort", "hard"), ("http://a.com/escorts", None), ("http://girl.com/girl/girl", None),
        ("http://girl.com/hot", "soft"), ("http://a.com/" + "hot" * 300_000 + "/x-x-x-p-o-r-n", "strict"),
        ("http://a.com/\0escort\0", "hard"), ("not a url: escort", None),
    ],
)  # fmt: skip
def test_url_words(url: str, category: str | None, tmp_path: Path) -> None:
    (tmp_path / "banned_subwords.txt").write_text("xxx-porn\n")
    (tmp_path / "hard.txt").write_text("escort\n")
    (tmp_path / "soft.txt").write_text("girl\nhot\n")
    assert found(worded(strict="banned_subwords.txt"), [url], tmp_path)[0][1] == category
    with pytest.raises(ValueError, match=r"no strict\.txt in it, but banned_subwords\.txt.*three lists"):
        load(worded(), str(tmp_path))


def test_large_lists_are_small() -> None:
    keys = np.sort(hash_rows(pa.array([f"site{i}.com" for i in range(300_000)])))
    assert keys.nbytes == 8 * 300_000 and len(np.unique(keys)) == 300_000
    some = find_rows(pa.array(["site5.com", "site299999.com", "site300000.com", None]), keys)
    assert (some >= 0).tolist() == [True, True, False, False]


def test_registrable_mode_compares_host_and_domain_only() -> None:
    assert icann_domain("x.sub.deep.example.co.uk") == "example.co.uk"
    assert found(listed(entries=["example.co.uk"], hosts="registrable"), ["http://x.sub.example.co.uk/"])[0][0] == 1
    batch = pa.RecordBatch.from_pydict({"doc_id": ["a"]})
    blank = pa.array([""], pa.large_string())
    assert load(listed(entries=["a.com"])).score(batch, blank, pa.array(["en"])).to_pylist() == [None]
