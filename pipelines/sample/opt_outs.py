"""A small crawl in which every form of opt-out and every way to name a licence is planted, and the truth beside it.

One host a form; on each host that has a file of its own there is a page that it reserves and one that it does not.
The truth has a row a record: the form, whether the page is reserved, what its evidence must say, and its licence.
`NAME.opt-outs.txt` is a list of domains for `winnow run --opt-outs`. Kept apart from the general sample, whose figures
others rely on.
"""

from __future__ import annotations

import html
import json
from pathlib import Path
from random import Random
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.sample.crawl import SampleSummary, member, record
from pipelines.sample.prose import prose
from pipelines.sources.part import doc_id

TRUTH = pa.schema(
    [("doc_id", pa.string()), ("offset", pa.int64()), ("url", pa.string()), ("form", pa.string()),
     ("reserved", pa.bool_()), ("says", pa.string()), ("license_spdx", pa.string()), ("ambiguous", pa.bool_())]
)  # fmt: skip
TOP = "opt-outs.example"
ROBOTS, TDMREP = "/robots.txt", "/.well-known/tdmrep.json"
LONGEST_MATCH = """# longest match; the sitemap belongs to no group
User-agent: GPTBot
User-agent: CCBot
Disallow: /articles/
Allow: /articles/free/
Sitemap: https://longest.opt-outs.example/sitemap.xml

User-agent: *
Disallow: /admin/
"""
EVERYONE = "User-agent: *\nDisallow: /closed/\n"
SEARCH_ONLY = "User-agent: Googlebot\nDisallow: /\n\nUser-agent: Bingbot\nDisallow: /\n"
USAGE = "User-agent: *\nAllow: /\nContent-Usage: / train-ai=n\nContent-Usage: /open/ train-ai=y, search=y\n"
SIGNAL = "User-Agent: *\nContent-Signal: search=yes,ai-train=no\nAllow: /\n"
AI_TXT = "# Spawning AI\n# Prevent datasets from using the following file types\n\nUser-Agent: *\nDisallow: /stories/\nDisallow: *.jpg\n"
AI_TXT_DENY = "# Spec-Version: 1.0\nSite-Name: A site\nTraining: conditional\nTraining-Deny: /premium/\n"
TDM_RULES = [
    {"location": "/books/free/*", "tdm-reservation": 0},
    {"location": "/books/*.html$", "tdm-reservation": 1, "tdm-policy": "https://tdmrep.opt-outs.example/policy.json"},
]
# (host, path of the file, status, body)
FILES: tuple[tuple[str, str, int, str], ...] = (
    ("longest", ROBOTS, 200, LONGEST_MATCH),
    ("everyone", ROBOTS, 200, EVERYONE),
    ("search-only", ROBOTS, 200, SEARCH_ONLY),
    ("unreachable", ROBOTS, 503, "Service Unavailable"),
    ("absent", ROBOTS, 404, "<p>Not here</p>"),
    ("usage", ROBOTS, 200, USAGE),
    ("signal", ROBOTS, 200, SIGNAL),
    ("tdmrep", TDMREP, 200, json.dumps(TDM_RULES)),
    ("ai-txt", "/ai.txt", 200, AI_TXT),
    ("ai-txt-well-known", "/.well-known/ai.txt", 200, AI_TXT_DENY),
    ("soft-404", "/ai.txt", 200, "<!DOCTYPE html><html><body><p>We have no such page, but you may search.</p></body></html>"),
)  # fmt: skip
# (form, host, path, headers, markup in the head, what the evidence says; None: the page is not reserved)
PAGES: tuple[tuple[str, str, str, str, str, str | None], ...] = (
    ("robots.txt", "longest", "/articles/paid", "", "", "Disallow: /articles/"),
    ("robots.txt", "longest", "/articles/free/one", "", "", None),
    ("robots.txt", "longest", "/admin/notes", "", "", None),
    ("robots.txt", "everyone", "/closed/page", "", "", None),
    ("robots.txt", "search-only", "/page", "", "", None),
    ("robots.txt", "unreachable", "/page", "", "", "answered 503: complete disallow (RFC 9309 2.3.1.4)"),
    ("robots.txt", "absent", "/page", "", "", None),
    ("content-usage", "usage", "/page", "", "", "Content-Usage: / train-ai=n"),
    ("content-usage", "usage", "/open/page", "", "", None),
    ("content-signal", "signal", "/page", "", "", "Content-Signal: search=yes,ai-train=no"),
    ("tdm", "tdmrep", "/books/one.html", "", "", "rule 2: location /books/*.html$, tdm-reservation 1"),
    ("tdm", "tdmrep", "/books/free/one.html", "", "", None),
    ("tdm", "tdmrep", "/books/two.html", "", '<meta name="tdm-reservation" content="0">', None),
    ("ai.txt", "ai-txt", "/stories/one", "", "", "Disallow: /stories/"),
    ("ai.txt", "ai-txt", "/news/one", "", "", None),
    ("ai.txt", "ai-txt-well-known", "/premium/one", "", "", "Training-Deny: /premium/"),
    ("ai.txt", "ai-txt-well-known", "/one", "", "", None),
    ("ai.txt", "soft-404", "/one", "", "", None),
    ("tdm", "headers", "/tdm", "tdm-reservation: 1\r\ntdm-policy: https://headers.opt-outs.example/p.json\r\n", "",
     "tdm-reservation:1"),
    ("content-usage", "headers", "/usage", "Content-Usage: train-ai=n, search=y\r\n", "",
     "Content-Usage: train-ai=n, search=y"),
    ("content-usage", "headers", "/usage-yes", "Content-Usage: train-ai=y\r\n", "", None),
    ("noai", "headers", "/tag", "X-Robots-Tag: noai\r\n", "", "x-robots-tag:noai"),
    ("noai", "headers", "/tag-for-a-bot", "X-Robots-Tag: GPTBot: noai, noindex\r\n", "", "x-robots-tag:gptbot: noai"),
    ("noai", "headers", "/tag-for-another", "X-Robots-Tag: otherbot: noai\r\n", "", None),
    ("noai", "headers", "/tag-for-images", "X-Robots-Tag: noimageai\r\n", "", None),
    ("noindex", "headers", "/not-listed", "X-Robots-Tag: noindex\r\n", "", None),
    ("noai", "metas", "/robots", "", '<meta name="ROBOTS" content="NoAI, noimageai">', "robots:noai"),
    ("noai", "metas", "/robots-for-a-bot", "", '<meta name="CCBot" content="noai">', "robots:ccbot: noai"),
    ("tdm", "metas", "/tdm", "", '<meta name="tdm-reservation" content="1">', "tdm-reservation:1"),
    ("domain-list", "www.listed-host", "/page", "", "", f"listed-host.{TOP}"),
    ("domain-list", "not-listed-host", "/page", "", "", None),
)  # fmt: skip
BY, SA = "https://creativecommons.org/licenses/by/4.0/", "https://creativecommons.org/licenses/by-sa/3.0/de/deed.de"
LD = '<script type="application/ld+json">{"@context": "https://schema.org", "@type": "Article", "license": "%s"}</script>'
FIGURE = f'<figure><img src="/a.jpg" alt=""><figcaption>A bridge, <a href="{SA}">CC BY-SA</a></figcaption></figure>'
# (path, markup in the head, markup after the article, markup of the footer, the one licence, ambiguous)
LICENSED: tuple[tuple[str, str, str, str, str | None, bool | None], ...] = (
    ("/rel", "", "", f'<a rel="license" href="{BY}">CC BY 4.0</a>', "CC-BY-4.0", False),
    ("/link", f'<link rel="license" href="{SA}">', "", "", "CC-BY-SA-3.0-DE", False),
    ("/rdfa", "", f'<p about="" >Text: <span property="dct:license" resource="{BY}">free</span></p>', "", "CC-BY-4.0", False),
    ("/json-ld", LD % "https://creativecommons.org/publicdomain/zero/1.0/", "", "", "CC0-1.0", False),
    ("/meta", f'<meta name="dcterms.license" content="{BY}">', "", "", "CC-BY-4.0", False),
    ("/text", "", "", "<p>This work is licensed under a Creative Commons Attribution-NonCommercial 4.0 International License.</p>",
     "CC-BY-NC-4.0", False),
    ("/two", "", "", f'<a rel="license" href="{BY}">CC BY</a> <a rel="license" href="{SA}">CC BY-SA</a>', None, True),
    ("/picture", "", FIGURE, "", None, True),
    ("/none", "", "", "All rights reserved", None, None),
)  # fmt: skip


def write_opt_outs(out: str | Path, seed: int = 0) -> SampleSummary:
    """Write `out` (.warc.gz), its truth (.truth.parquet) and a list of domains (.opt-outs.txt) beside it; the same seed
    gives the same bytes."""
    warc = Path(out)
    if not warc.name.endswith(".warc.gz"):
        raise ValueError(f"{out}: the sample is a .warc.gz file; give it that ending.")
    warc.parent.mkdir(parents=True, exist_ok=True)
    stem = warc.name.removesuffix(".warc.gz")
    truth = warc.with_name(f"{stem}.truth.parquet")
    listed = f"# domains that have opted out\nlisted-host.{TOP}  # and www. with it\nother.example\n"
    warc.with_name(f"{stem}.opt-outs.txt").write_text(listed)
    rows: list[dict[str, Any]] = []
    size = 0
    with warc.open("wb") as sink:
        size += sink.write(member(record("warcinfo", None, b"software: winnow sample\r\n", "application/warc-fields")))
        for row, block in _records(seed):
            rows.append({**row, "offset": size, "doc_id": doc_id(warc.name, size)})
            size += sink.write(member(record("response", row["url"], block)))
    pq.write_table(pa.Table.from_pylist(rows, TRUTH), truth, compression="zstd")
    return SampleSummary(warc, truth, len(rows), size)


def _records(seed: int) -> list[tuple[dict[str, Any], bytes]]:
    """(truth, HTTP response): the pages first, so that the files that speak of them lie in later parts."""
    made = []
    for number, (form, host, path, headers, head, says) in enumerate(PAGES):
        row = {"url": f"https://{host}.{TOP}{path}", "form": form, "reserved": says is not None, "says": says}
        made.append((row, _page(seed, number, headers, head, "", "")))
    for number, (path, head, after, footer, spdx, ambiguous) in enumerate(LICENSED, len(PAGES)):
        row = {"url": f"https://licences.{TOP}{path}", "form": "licence", "reserved": False, "license_spdx": spdx,
               "ambiguous": ambiguous}  # fmt: skip
        made.append((row, _page(seed, number, "", head, after, footer)))
    for host, path, status, body in FILES:
        kind = "application/json" if path == TDMREP else "text/html" if "<" in body else "text/plain"
        answer = f"HTTP/1.1 {status} Answer\r\nContent-Type: {kind}\r\n\r\n{body}"
        made.append(({"url": f"https://{host}.{TOP}{path}", "form": "policy"}, answer.encode()))
    return made


def _page(seed: int, number: int, headers: str, head: str, after: str, footer: str) -> bytes:
    paragraphs = prose("en", Random(f"{seed}:opt-outs:{number}"), 30)
    title, body = html.escape(paragraphs[0][:60]), "".join(f"<p>{html.escape(p)}</p>\n" for p in paragraphs)
    page = (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">{head}<title>{title}</title></head>\n<body>'
        f"<main><article><h1>{title}</h1>{body}</article>{after}</main><footer>{footer}</footer></body></html>"
    )
    return f"HTTP/1.1 200 OK\r\n{headers}Content-Type: text/html; charset=utf-8\r\n\r\n{page}".encode()
