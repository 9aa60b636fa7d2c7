"""The sample crawl: pages in eight languages with everything that makes a crawl hard, and the truth beside it.

Page i depends on the seed and on i alone (and a copy on the page it copies), so any size begins like any larger
one. Each record is a gzip member of its own; the truth is a Parquet file with one row a record.
"""

from __future__ import annotations

import gzip
import html
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from dedup.shingles import true_jaccard
from pipelines.sample.prose import lookalike, near_copy, personal, prose
from pipelines.sample.words import CHARSETS, CHROME, LANGUAGES
from pipelines.sources.part import doc_id

TARGETS = (0.3, 0.4, 0.5, 0.7, 0.85, 0.9, 0.95)
KINDS = (("page", 52), ("near_dup", 14), ("exact_dup", 6), ("personal", 10), ("spam", 3), ("noise", 2), ("too_short", 3),
         ("too_long", 0.2), ("opt_out", 3), ("charset", 5), ("damaged", 1), ("not_html", 1), ("not_found", 1))  # fmt: skip
FOUND = pa.list_(pa.struct([("kind", pa.string()), ("value", pa.string()), ("start", pa.int64()), ("end", pa.int64())]))
TRUTH = pa.schema(
    [("doc_id", pa.string()), ("offset", pa.int64()), ("url", pa.string()), ("kind", pa.string()), ("lang", pa.string()),
     ("charset", pa.string()), ("charset_by", pa.string()), ("main_text", pa.string()), ("dup_of", pa.string()),
     ("true_jaccard", pa.float64()), ("opt_out", pa.string()), ("pii", FOUND), ("lookalikes", FOUND)]
)  # fmt: skip


@dataclass(frozen=True)
class SampleSummary:
    """What was written."""

    warc: Path
    truth: Path
    records: int
    bytes: int


def write_sample(out: str | Path, pages: int = 2000, seed: int = 0) -> SampleSummary:
    """Write `out` (.warc.gz) and its truth (.truth.parquet beside it); the same seed gives the same bytes."""
    warc = Path(out)
    if not warc.name.endswith(".warc.gz"):
        raise ValueError(f"{out}: the sample is a .warc.gz file; give it that ending.")
    warc.parent.mkdir(parents=True, exist_ok=True)
    truth = warc.with_name(warc.name.removesuffix(".warc.gz") + ".truth.parquet")
    rows: list[dict[str, Any]] = []
    size = 0
    with warc.open("wb") as sink:
        size += sink.write(member(record("warcinfo", None, b"software: winnow sample\r\n", "application/warc-fields")))
        for number in range(pages):
            row = page(seed, number)
            data = (
                damaged(row, Random(f"{seed}:{number}:damage")) if row["kind"] == "damaged" else member(row.pop("raw"))
            )
            row.pop("raw", None)
            rows.append({**row, "offset": size, "doc_id": doc_id(warc.name, size)})
            size += sink.write(data)
    pq.write_table(pa.Table.from_pylist(rows, TRUTH), truth, compression="zstd")
    return SampleSummary(warc, truth, pages, size)


def page(seed: int, number: int) -> dict[str, Any]:
    """One record and its truth."""
    random = Random(f"{seed}:{number}")
    kind = random.choices([k for k, _ in KINDS], [w for _, w in KINDS])[0]
    lang = random.choices(list(LANGUAGES), [40, 30, 5, 5, 5, 5, 5, 5])[0]
    row: dict[str, Any] = {"url": f"https://site{number % 97}.winnow-sample.org/{lang}/{number}", "kind": kind, "lang": lang,
                           "charset": "utf-8", "charset_by": "http", "pii": [], "lookalikes": []}  # fmt: skip
    if kind in ("near_dup", "exact_dup") and number < 20:
        kind = row["kind"] = "page"
    paragraphs = content(seed, number, row, random)
    row["main_text"] = "\n".join(paragraphs)
    if kind == "charset":
        row["charset"] = random.choice((*CHARSETS[lang], "utf-16"))
        row["charset_by"] = (
            random.choice(("http", "meta", "both", "wrong_http")) if row["charset"] != "utf-16" else "bom"
        )
    row["raw"] = response(row, paragraphs, random)
    return row


def base(seed: int, number: int) -> tuple[str, list[str]]:
    """Language and paragraphs of the page that copies with this number are taken from."""
    random = Random(f"{seed}:{number}:base")
    lang = random.choice(("en", "zh"))
    return lang, prose(lang, random, random.randint(14, 40) if lang == "en" else random.randint(18, 45))


def content(seed: int, number: int, row: dict[str, Any], random: Random) -> list[str]:
    """Main paragraphs by kind, filling in the truth about copies and planted data."""
    kind, lang = row["kind"], row["lang"]
    if kind in ("near_dup", "exact_dup"):
        return copied(seed, number, row, random)
    if kind == "noise":
        row["lang"] = None
        return [" ".join(f"{random.getrandbits(64):016x}" for _ in range(80))]
    if kind == "spam":
        return [" ".join([random.choice(LANGUAGES[lang]["N"])] * 4 + ["$$$ !!!"]) for _ in range(12)] * 3
    sentences = {"too_short": 1, "too_long": 12_000}.get(kind, random.randint(14, 40))
    paragraphs = prose(lang, random, sentences)
    if kind == "personal":
        plant(row, paragraphs, random)
    return paragraphs


def copied(seed: int, number: int, row: dict[str, Any], random: Random) -> list[str]:
    """A family of copies for every ten numbers: the first stands for the original, the others vary it."""
    family = number // 10
    row["lang"], original = base(seed, family)
    row["dup_of"] = f"family:{family}"
    target = 1.0 if row["kind"] == "exact_dup" else random.choice(TARGETS)
    paragraphs = original if target == 1.0 else near_copy(row["lang"], random, original, target)
    row["true_jaccard"] = true_jaccard("\n".join(original), "\n".join(paragraphs), 5)
    return paragraphs


def plant(row: dict[str, Any], paragraphs: list[str], random: Random) -> None:
    """Put personal data and look-alikes into paragraphs, and their places into the truth."""
    chosen = [("pii", *item) for item in personal(row["lang"], random)] + [
        ("lookalikes", *lookalike(row["lang"], random))
    ]
    joint = "" if row["lang"] == "zh" else " "
    for place, (_, _, _, text) in enumerate(chosen):
        at = place % len(paragraphs)
        paragraphs[at] += joint + text
    whole = "\n".join(paragraphs)
    for column, kind, value, _ in chosen:
        start = whole.index(value)
        row[column].append({"kind": kind, "value": value, "start": start, "end": start + len(value)})


def response(row: dict[str, Any], paragraphs: list[str], random: Random) -> bytes:
    """The WARC record of an HTTP response."""
    if row["kind"] == "not_found":
        return record("response", row["url"], b"HTTP/1.1 404 Not Found\r\nContent-Type: text/html\r\n\r\n<p>Gone</p>")
    if row["kind"] == "not_html":
        return record("response", row["url"], b"HTTP/1.1 200 OK\r\nContent-Type: image/png\r\n\r\n\x89PNG\r\n\x1a\n")
    headers, metas = ["HTTP/1.1 200 OK"], list[str]()
    if row["kind"] == "opt_out":
        opt_out(row, headers, metas, random)
    charset = row["charset"]
    declared = {"http": charset, "both": charset, "wrong_http": "iso-8859-1"}.get(row["charset_by"])
    headers.append("Content-Type: text/html" + (f"; charset={declared}" if declared else ""))
    if row["charset_by"] in ("meta", "both", "wrong_http"):
        metas.append(f'<meta charset="{charset}">')
    text = document(row["lang"] or "en", paragraphs, metas, random)
    body = text.encode(charset, "xmlcharrefreplace")
    return record("response", row["url"], "\r\n".join(headers).encode() + b"\r\n\r\n" + body)


def opt_out(row: dict[str, Any], headers: list[str], metas: list[str], random: Random) -> None:
    """One of the machine-readable ways to say no."""
    form = random.choice(("robots:noai", "x-robots-tag:noai", "tdm-reservation:1", "meta-tdm"))
    row["opt_out"] = "tdm-reservation:1" if form == "meta-tdm" else form
    if form == "robots:noai":
        metas.append('<meta name="robots" content="noai, noimageai">')
    elif form == "x-robots-tag:noai":
        headers.append("X-Robots-Tag: noai, noindex")
    elif form == "meta-tdm":
        metas.append('<meta name="tdm-reservation" content="1">')
    else:
        headers += ["tdm-reservation: 1", "tdm-policy: https://winnow-sample.org/policy.json"]


def document(lang: str, paragraphs: list[str], metas: list[str], random: Random) -> str:
    """A whole page: navigation, cookie banner, article, sidebar, footer."""
    nav, cookies, rights = CHROME[lang]
    links = "".join(f'<li><a href="/{i}">{html.escape(name)}</a></li>' for i, name in enumerate(nav.split(" | ")))
    body = "".join(f"<p>{html.escape(p)}</p>\n" for p in paragraphs)
    date = f"20{random.randint(10, 24)}-{random.randint(1, 12):02d}-{random.randint(1, 28):02d}"
    title = html.escape(paragraphs[0][:60])
    article = random.choice(('<article class="post">{}</article>', '<div id="content" class="article-body">{}</div>'))
    return (
        f'<!DOCTYPE html>\n<html lang="{lang}"><head>{"".join(metas)}<title>{title}</title>'
        f'<meta property="article:published_time" content="{date}T08:00:00Z"></head>\n<body>'
        f'<header><nav><ul>{links}</ul></nav></header><div class="cookie-banner">{html.escape(cookies)}</div>\n'
        f'<main>{article.format(f"<h1>{title}</h1>{body}")}</main><aside class="sidebar"><ul>{links}</ul></aside>\n'
        f'<footer><a rel="license" href="https://creativecommons.org/licenses/by/4.0/">CC BY 4.0</a> {rights}</footer>'
        f"</body></html>"
    )


def record(kind: str, url: str | None, block: bytes, mime: str = "application/http; msgtype=response") -> bytes:
    """An uncompressed WARC/1.0 record with a fixed date."""
    target = f"WARC-Target-URI: {url}\r\n" if url else ""
    head = (
        f"WARC/1.0\r\nWARC-Type: {kind}\r\nWARC-Date: 2024-05-01T00:00:00Z\r\n{target}"
        f"WARC-Record-ID: <urn:uuid:{doc_id(url or kind, 0)}>\r\nContent-Type: {mime}\r\nContent-Length: {len(block)}\r\n\r\n"
    )
    return head.encode() + block + b"\r\n\r\n"


def member(data: bytes) -> bytes:
    """A gzip member without a clock in it."""
    return gzip.compress(data, 6, mtime=0)


def damaged(row: dict[str, Any], random: Random) -> bytes:
    """The record, broken: cut short, its checksum wrong, or its data overwritten."""
    data = bytearray(member(row["raw"]))
    way = random.choice(("cut", "crc", "bits"))
    if way == "cut":
        return bytes(data[: len(data) // 2])
    place = len(data) - 6 if way == "crc" else len(data) // 2
    data[place] ^= 0xFF
    return bytes(data)
