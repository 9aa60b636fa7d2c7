"""Each form of reservation by itself: robots.txt, usage preferences, TDMRep, ai.txt, directives, lists, and their order."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from lxml import html as lxml_html

from filters.annotate import annotate
from filters.columns import RIGHTS_SIGNALS
from filters.rights.aitxt import AiTxt
from filters.rights.directives import index_refusal, refusal
from filters.rights.domains import OptOutLists
from filters.rights.judge import address, judge
from filters.rights.page import header_rights, page_rights
from filters.rights.private import without_personal_data
from filters.rights.robots import RobotsTxt
from filters.rights.schema import EVIDENCE, RIGHTS
from filters.rights.sites import Policy, Site
from filters.rights.tdm import TdmRep
from filters.rights.usage import preference, signal
from pipelines.schemas import DOCUMENTS
from recipes.load import load, parse
from recipes.model import Recipe
from recipes.rights import Rights

AGENTS = ["ccbot", "gptbot", "google-extended"]


def at(path: str) -> str:
    return f"http://site{path}"


CLOSED: dict[str, tuple[str, str, int | None]] = {  # robots.txt, path, line that closes it
    "no group of ours": ("User-agent: *\nDisallow: /\n", "/a", None),
    "one of two names": ("User-agent: GPTBot\nUser-agent: Foo\nDisallow: /\n", "/a", 3),
    "another's group after ours": ("User-agent: GPTBot\nAllow: /\n\nUser-agent: Foo\nDisallow: /\n", "/a", None),
    "blank lines end no group": ("User-agent: ccbot\n\n\nDisallow: /a\n", "/a/b", 4),
    "the longest match allows": ("User-agent: CCBot\nDisallow: /a\nAllow: /a/free\n", "/a/free/1", None),
    "the longest match closes": ("User-agent: CCBot\nAllow: /a\nDisallow: /a/paid\n", "/a/paid/1", 3),
    "of equals Allow wins": ("User-agent: CCBot\nDisallow: /a\nAllow: /a\n", "/a", None),
    "a wildcard and an end": ("User-agent: CCBot\nDisallow: /*.php$\n", "/x/y.php", 2),
    "past the end": ("User-agent: CCBot\nDisallow: /*.php$\n", "/x/y.php?z", None),
    "percent-encoding": ("User-agent: CCBot\nDisallow: /%7Ejoe/\n", "/~joe/x", 2),
    "two groups of one crawler are one": ("User-agent: CCBot\nDisallow: /a\nUser-agent: CCBot\nDisallow: /b\n", "/b", 4),
    "a version after the name": ("User-agent: CCBot/2.0\nDisallow: /\n", "/", 2),
    "a comment": ("User-agent: CCBot # them\nDisallow: /a # not this\n", "/a", 2),
    "an empty Disallow": ("User-agent: CCBot\nDisallow:\n", "/a", None),
    "a sitemap within a group": ("User-agent: GPTBot\nSitemap: https://x/s.xml\nUser-agent: CCBot\nDisallow: /\n", "/", 4),
    "another's many rules": ("User-agent: *\n" + "Disallow: /x\n" * 10_001 + "User-agent: GPTBot\nDisallow: /\n", "/a", 10_004),
    "more rules than are read": ("User-agent: GPTBot\n" + "Disallow: /x\n" * 10_001, "/a", 10_002),
    "a record that is no rule": ("User-agent: GPTBot\nCrawl-delay: 10\n\nUser-agent: Foo\nDisallow: /\n", "/a", 5),
    "case of the path counts": ("User-agent: CCBot\nDisallow: /A\n", "/a", None),
    "a site's page for what it lacks": ("<!DOCTYPE html><html><body>User-agent: CCBot</body></html>", "/a", None),
}  # fmt: skip


@pytest.mark.parametrize("name", CLOSED)
def test_robots_txt(name: str) -> None:
    body, path, line = CLOSED[name]
    said = RobotsTxt(body, AGENTS).closed(at(path))
    assert (said.line if said else None) == line


def test_robots_txt_of_everyone_counts_when_asked_for() -> None:
    body = "User-agent: *\nDisallow: /x\n"
    assert RobotsTxt(body, AGENTS).closed(at("/x")) is None
    said = RobotsTxt(body, [*AGENTS, "*"]).closed(at("/x"))
    assert said is not None
    assert (said.agent, said.line) == ("*", 2)


@pytest.mark.parametrize(
    "body",
    [
        "".join(f"User-agent: a{i}\n" for i in range(20_000)) + "User-agent: ccbot\n" + "Disallow: /x\n" * 20_000,
        "User-agent: ccbot\n" + "".join(f"Disallow: /*{i}*a*a*a*a*a*b\n" for i in range(18_000)),
        "User-agent: ccbot\n" + "Content-Usage: /a*a*a*b train-ai=n\n" * 14_000,
        "User-agent: ccbot\nDisallow: /" + "*a" * 200_000,
        "\n" * 400_000,
    ],
)
def test_hostile_robots_txt_ends_soon(body: str) -> None:
    """Bounded by rules and bytes; the bound is far above what it takes, and far under what quadratic work would."""
    began = time.monotonic()
    robots = RobotsTxt(body, AGENTS)
    for i in range(5):
        robots.closed(at("/" + "a" * 2000 + str(i)))
        robots.usage(at("/" + "a" * 2000 + str(i)), "content-usage")
    assert time.monotonic() - began < 20


def test_a_line_is_counted_once_whomever_it_speaks_to() -> None:
    agents = [f"bot{i}" for i in range(23)]
    names = "".join(f"User-agent: {agent}\n" for agent in agents)
    paths = "".join(f"Disallow: /p{i}\n" for i in range(440))
    robots = RobotsTxt(f"{names}{paths}Disallow: /\n", agents)
    said = robots.closed(at("/a"))
    assert (said.line if said else None, robots.over) == (464, None)
    shared = names + "Disallow: /p\n" * 9_000 + "".join(f"User-agent: {a}\nDisallow: /{a}\n" for a in agents)
    many = RobotsTxt(shared, agents)
    told = many.closed(at("/a"))
    assert told is not None
    assert "more rules" in told.text
    assert many.size < 20_000_000


def test_more_preferences_than_are_read_reserve() -> None:
    for field, value in (("Content-Usage", "train-ai=y"), ("Content-Signal", "ai-train=yes")):
        line = f"{field}: / {value}\n" if field == "Content-Usage" else f"{field}: {value}\n"
        few, many = (RobotsTxt(line * n, AGENTS).usage(at("/"), field.lower()) for n in (500, 501))
        assert few is not None
        assert many is not None
        assert (few.value, many.value, "more rules" in many.text) == ("y", "n", True)
    tabbed = RobotsTxt("User-agent: *\nContent-Usage: /\ttrain-ai=n\n", AGENTS).usage(at("/"), "content-usage")
    assert tabbed is not None
    assert tabbed.value == "n"
    stated = AiTxt("Training: allow\n" * 501, AGENTS).closed(at("/"))
    assert stated is not None
    assert "more rules" in stated.text


def test_usage_preferences_by_path_and_group() -> None:
    robots = RobotsTxt(
        "Content-Usage: train-ai=y\n"
        "User-agent: *\nContent-Usage: / train-ai=y\nContent-Usage: /a train-ai=n\nContent-Usage: /a/b train-ai=y\n"
        "Content-Usage: /c train-ai=y\nContent-Usage: /c train-ai=n\n"
        "User-agent: other\nContent-Usage: / train-ai=n\n"
        "User-agent: gptbot\nContent-Usage: /g train-ai=n\nContent-Signal: ai-train=no, search=yes\n",
        AGENTS,
    )
    said = {path: robots.usage(at(path), "content-usage") for path in ("/", "/a", "/a/b", "/c", "/g")}
    assert {path: (one.value, one.agent) if one else None for path, one in said.items()} == {
        "/": ("y", "*"), "/a": ("n", "*"), "/a/b": ("y", "*"), "/c": ("n", "*"), "/g": ("n", "gptbot"),
    }  # fmt: skip
    signalled = robots.usage(at("/"), "content-signal")
    assert signalled is not None
    assert (signalled.value, signalled.line) == ("n", 12)


def test_usage_values() -> None:
    said = {"train-ai=n": "n", "search=n, train-ai=y": "y", "train-ai=y, train-ai=n;p=1": "n", 'train-ai="n"': None,
            "train-ai=?0": None, "TRAIN-AI=n": None, "": None, "train-ai=n,": None, "train-ai=N": None}  # fmt: skip
    assert {value: preference(value) for value in said} == said
    assert [signal(v) for v in ("ai-train=no", "AI-Train = YES, x", "search=no", "")] == ["n", "y", None, None]


def test_tdmrep_takes_the_first_that_matches() -> None:
    rules = """[{"location": "/free/*", "tdm-reservation": 0}, {"location": "/*.pdf$", "tdm-reservation": "1"}, 7,
      {"location": "/bad", "tdm-reservation": 2}, {"tdm-reservation": 1},
      {"location": "/", "tdm-reservation": 1, "tdm-policy": "https://a/p"}]"""
    tdm = TdmRep(rules)
    numbers = {path: found.number for path in ("/free/x.pdf", "/x.pdf", "/bad", "/") if (found := tdm.first(at(path)))}
    assert numbers == {"/free/x.pdf": 1, "/x.pdf": 2, "/bad": 6, "/": 6}
    for wrong in ("", "{}", "null", "<html>", '{"location": "/"}', "[" * 100_000):
        assert TdmRep(wrong).first(at("/")) is None


def test_ai_txt_of_both_kinds() -> None:
    spawning = AiTxt("User-Agent: *\nDisallow: *.jpg\nDisallow: /art/\n", AGENTS)
    assert [bool(spawning.closed(at(p))) for p in ("/art/1", "/a.jpg", "/text")] == [True, True, False]
    stated = AiTxt("Site-Name: x\nTraining: deny\nTraining-Allow: /free/*\n", AGENTS)
    assert [bool(stated.closed(at(p))) for p in ("/a", "/free/a")] == [True, False]
    assert not AiTxt("<html><p>Not found</p></html>", AGENTS).says
    assert not AiTxt("# nothing\nSite-Name: x\n", AGENTS).says


def test_directives_are_for_who_is_named() -> None:
    agents = {"gptbot"}
    for robots, tag, said in (
        ("noai", None, ("robots", "noai")), ("noimageai,index", None, None), ("gptbot:noai", None, ("robots", "gptbot: noai")),
        (None, "otherbot: noai, noml", None), (None, "otherbot: noindex; noai", ("x-robots-tag", "noai")),
        (None, "gptbot: noindex, noai", ("x-robots-tag", "gptbot: noai")), (None, "max-snippet: 1, noml", ("x-robots-tag", "noml")),
        (None, "unavailable_after: wed, 03 dec 2025 13:09:53 gmt, noai", ("x-robots-tag", "noai")),
        (None, "unavailable_after: 25 jun 2030 15:00:00 pst, noai", ("x-robots-tag", "noai")),
    ):  # fmt: skip
        assert refusal(robots, tag, agents) == said, (robots, tag)
    assert index_refusal("none", None, agents) == ("robots", "none")
    headers = [("x-robots-tag", "GPTBot: noindex"), ("x-robots-tag", "noai"), ("content-usage", "train-ai=y"),
               ("content-usage", "search=n")]  # fmt: skip
    read = header_rights(headers)
    assert (read.x_robots_tag, read.content_usage) == ("gptbot: noindex; noai", "train-ai=y, search=n")


def test_filling_hides_no_refusal() -> None:
    fill = "x" * 30 + ", "
    for headers, said in (
        ([("x-robots-tag", fill * 40 + "noai")], "noai"),
        ([("x-robots-tag", "a: " + fill * 40), ("x-robots-tag", "gptbot: noml")], "gptbot: noml"),
        ([("x-robots-tag", "".join(f"a{i}: noai, " for i in range(200)))], "noai"),
    ):
        tag = header_rights(headers).x_robots_tag
        assert refusal(None, tag, {"gptbot"}) == ("x-robots-tag", said)
        assert len(tag or "") < 10_000
    usage = [("content-usage", "train-ai=y"), ("content-usage", "x=y, " * 200 + "train-ai=n;p")]
    assert preference(header_rights(usage).content_usage or "") == "n"
    metas = f'<meta name="robots" content="{fill * 40}noai"><meta name="ccbot" content="{"index, " * 90}noml">'
    names = "".join(f'<meta name="n{i}" content="x">' for i in range(1_000))
    robots = page_rights(lxml_html.fromstring(f"<html><head>{names}{metas}</head></html>"))["robots"]
    assert refusal(robots, None, ()) == ("robots", "noai")
    robots = page_rights(lxml_html.fromstring(f"<html><head>{metas}</head></html>"))["robots"]
    assert refusal(robots.replace("noai", ""), None, {"ccbot"}) == ("robots", "ccbot: noml")


def test_of_several_reservations_one_that_reserves() -> None:
    for values, said in ((("1", "0"), "1"), (("0", "1"), "1"), (("x", "0"), "0"), (("0, 1",), "1"), (("x",), "x")):
        assert header_rights([("tdm-reservation", value) for value in values]).tdm_reservation == said


def test_lists_are_read_strictly(tmp_path: Path) -> None:
    good = tmp_path / "good.txt"
    good.write_text("# ours\nExample.org.\n\nnews.example.net # only these\nbücher.example\n10.0.0.7\n")
    lists = OptOutLists([str(good)])
    assert lists.of("www.example.org") == ("example.org", "good.txt", 2)
    assert lists.of("xn--bcher-kva.example") == ("xn--bcher-kva.example", "good.txt", 5)
    assert lists.of("10.0.0.7") is not None
    for other in ("notexample.org", "example.net", "org", None):
        assert lists.of(other) is None
    for line in ("https://a.example", "a.example/path", "*.a.example", "a b", "a.example:80", "com", "co.uk", "a..b"):
        bad = tmp_path / "bad.txt"
        bad.write_text(f"a.example\n{line}\n")
        with pytest.raises(ValueError, match=r"bad\.txt:2: .*\."):
            OptOutLists([str(bad)])
    with pytest.raises(FileNotFoundError, match="no opt-out list"):
        OptOutLists([str(tmp_path / "none.txt")])


def policy(path: str, status: int, body: str = "", scheme: str = "https") -> Policy:
    return Policy(path, scheme, f"{scheme}://a.example{path}", status, "2024-01-01T00:00:00Z", "w", 7, "ab" * 32, body)


def test_what_a_server_answers_for_robots_txt() -> None:
    closing = "User-agent: CCBot\nDisallow: /\n"

    def reserved(*found: Policy) -> bool | None:
        said = [e["reserved"] for e in Site(found, "https", AGENTS).evidence(at("/x")) if e["form"] == "robots.txt"]
        return said[0] if said else None

    assert reserved(policy("/robots.txt", 200, closing)) is True
    assert reserved(policy("/robots.txt", 206, closing)) is True
    assert [reserved(policy("/robots.txt", status)) for status in (404, 403, 500, 503, 301)] == [
        False,
        False,
        True,
        True,
        None,
    ]
    # its own scheme is asked first, the other where its own has no answer
    assert reserved(policy("/robots.txt", 404), policy("/robots.txt", 200, closing, "http")) is False
    assert reserved(policy("/robots.txt", 301), policy("/robots.txt", 200, closing, "http")) is True


def documents(*rows: dict[str, Any]) -> pa.RecordBatch:
    empty = dict.fromkeys(DOCUMENTS.names)
    given = [{**empty, "doc_id": f"{i:032x}", "source": "w", "offset": i, "text": "words", "text_hash": "",
              "url": "https://a.example/x", "raw_bytes": 9, "charset_from": "http", **row} for i, row in enumerate(rows)]  # fmt: skip
    return pa.RecordBatch.from_pylist(given, schema=DOCUMENTS)


def test_judged_together() -> None:
    """TDMRep's own order, a no of any usage preference, the union that the recipe honours; and nothing said is null."""
    site = Site(
        [
            policy("/.well-known/tdmrep.json", 200, '[{"location": "/", "tdm-reservation": 1}]'),
            policy("/robots.txt", 200, "User-agent: *\nContent-Usage: / train-ai=y\n"),
        ],
        "https",
        AGENTS,
    )
    rows = judge(
        documents(
            {"tdm_reservation": "0", "tdm_from": "header"},
            {"content_usage_header": "train-ai=n"},
            {"robots": "noindex"},
            {"url": "https://b.example/"},
        ),
        Rights(),
        None,
        lambda name, _: site if name == "a.example" else None,
    ).to_pylist()
    assert [row["tdm_reserved"] for row in rows] == [False, True, True, None]
    assert [row["content_usage"] for row in rows] == ["y", "n", "y", None]
    assert [row["robots_ai"] for row in rows] == [False, False, False, None]
    assert [row["opt_out"] for row in rows] == [
        None, "Content-Usage: train-ai=n", "tdmrep.json:rule 1: location /, tdm-reservation 1", None,
    ]  # fmt: skip
    assert [row["noindex"] for row in rows] == [False, False, True, False]
    assert rows[3]["evidence"] is rows[3]["evidence_hash"] is rows[3]["domain_opted_out"] is None
    assert len({row["evidence_hash"] for row in rows}) == 4
    assert rows[0]["evidence"][0].keys() == {field.name for field in EVIDENCE}
    only = judge(documents({"robots": "noindex", "content_usage_header": "train-ai=n"}), Rights(honour=("noindex",)))
    assert only["opt_out"].to_pylist() == ["robots:noindex"]


def test_signals_without_the_rights_of_sites() -> None:
    """Callers that have documents alone get what pages say; what sites and lists say is null, and a rule passes null."""
    recipe = Recipe(name="tiny", title="T", fidelity="R3", sources=("none",))
    rows = annotate(documents({"robots": "noai"}, {}), [recipe], every=False).select(list(RIGHTS_SIGNALS)).to_pylist()
    assert rows[0]["opt_out"] == "robots:noai"
    assert [row["opted_out"] for row in rows] == [True, False]
    assert all(row[name] is None for row in rows for name in ("robots_ai", "ai_txt", "domain_opted_out"))
    given = pa.RecordBatch.from_pylist(
        [{"doc_id": f"{i:032x}", "reserved": True, "opt_out": "x", "robots_ai": True} for i in range(2)], schema=RIGHTS
    )
    assert annotate(documents({}, {}), [recipe], every=False, rights=given)["robots_ai"].to_pylist() == [True, True]


def test_licences_of_a_row() -> None:
    """A general statement is no second licence; the input's own column and SPDX lines of a file speak of the whole."""
    hit = {"url": None, "said": None, "how": "text", "scope": "page", "place": "footer"}
    by = {**hit, "url": "https://creativecommons.org/licenses/by/4.0/", "how": "rel-license"}
    vague = {**hit, "said": "Creative Commons license"}
    tagged = "/* SPDX-License-Identifier: MIT OR Apache-2.0 */\nint x;"
    rows = judge(
        documents(
            {"license_hits": [by, vague]}, {"license_hits": [vague]}, {"license": "CC0-1.0", "extractor": "given"},
            {"text": tagged, "extractor": "given"}, {"text": tagged, "extractor": "trafilatura"}, {},
        ),
        Rights(),
    ).to_pylist()  # fmt: skip
    assert [(row["license_spdx"], row["license_family"], row["license_ambiguous"]) for row in rows] == [
        ("CC-BY-4.0", "cc-by", False), (None, None, True), ("CC0-1.0", "cc0", False),
        ("MIT OR Apache-2.0", "permissive", False), (None, None, True), (None, None, None),
    ]  # fmt: skip
    assert [len(row["licenses"] or ()) for row in rows] == [2, 1, 1, 1, 1, 0]
    assert rows[3]["licenses"][0]["how"] == "spdx-tag"


def test_evidence_holds_no_personal_data() -> None:
    hit = {
        "url": None,
        "said": "CC BY 4.0, ask jane.doe@corp-mail.com",
        "how": "meta",
        "scope": "page",
        "place": "head",
    }
    linked = {**hit, "said": None, "url": "https://creativecommons.org/licenses/by/4.0/?by=jane.doe@corp-mail.com"}
    site = Site(
        [policy("/robots.txt", 200, "User-agent: CCBot\nDisallow: /m=jane.doe@corp-mail.com\n")], "https", AGENTS
    )
    plain = judge(documents({}, {"robots": "noai"}), Rights())
    assert without_personal_data(plain) is plain
    url = "https://a.example/m=jane.doe@corp-mail.com"
    given = judge(documents({"url": url, "license_hits": [hit, linked]}, {"robots": "noai"}), Rights(), None,
                  lambda *_: site)  # fmt: skip
    clean = without_personal_data(given)
    rows = clean.to_pylist()
    assert "jane" in str(given.to_pylist())
    assert "jane" not in str(rows)
    assert str(rows).count("<EMAIL>") == 4
    assert (rows[0]["license_spdx"], rows[0]["reserved"]) == ("CC-BY-4.0", True)
    assert clean["evidence_hash"][0] != given["evidence_hash"][0]
    assert clean.slice(1).equals(given.slice(1))
    assert without_personal_data(given.slice(0, 0)).num_rows == 0


def test_addresses() -> None:
    assert address("https://user@a.example:443/x#f") == ("a.example", "https", "http://site/x#f")
    assert address("http://a.example:8080") == ("a.example:8080", "http", "http://site/")
    assert address("file:x")[0] is None
    assert address("http://a.example\\x") == ("a.example", "http", "http://site/x")


def test_a_recipe_chooses() -> None:
    mine = b'name = "m"\ntitle = "M"\nfidelity = "R3"\nsources = ["x"]\nextends = "zh-en-general"\n'
    recipe = parse(mine + b'[rights]\nagents = ["*", "CCBot"]\nhonour = ["tdm"]\n', "m.toml")
    assert (recipe.rights.agents, recipe.rights.honour) == (("*", "CCBot"), ("tdm",))
    assert "*" not in load("zh-en-general").rights.agents
    for wrong in (b'agents = ["Mozilla/5.0 (x)"]', b'honour = ["wish"]', b'agent = ["x"]'):
        with pytest.raises(ValueError, match=r"m\.toml"):
            parse(mine + b"[rights]\n" + wrong, "m.toml")
