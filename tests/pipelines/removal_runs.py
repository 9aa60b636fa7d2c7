"""A whole run of some hundred plain-text pages in fifty shards, made by the jobs themselves without Prefect."""

from __future__ import annotations

import random
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

import pyarrow as pa
import xxhash
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from pipelines import run as runs
from pipelines.annotate import annotate
from pipelines.decide import decide
from pipelines.dedup import deduplicate
from pipelines.extract import extract
from pipelines.options import beam_options
from pipelines.rights import rights
from pipelines.scrub import scrub
from pipelines.sources import plan
from pipelines.tokenize import tokenize
from recipes.dedup import Dedup, Exact, MinHash
from recipes.model import Recipe, Tokens
from recipes.steps import Edit, Rule
from tokenization.rewrite import read_shard

Page = tuple[str, str]  # URL and text
WORDS = [
    "corpus",
    "shard",
    "token",
    "model",
    "page",
    "crawl",
    "letter",
    "river",
    "stone",
    "今天",
    "天气",
    "数据",
    "模型",
    "winter",
    "garden",
    "seven",
    "music",
]
RECIPE = Recipe(
    name="removal", title="Removal", fidelity="R3", sources=("none",),
    steps=(
        Rule(id="tiny.words.v1", signal="word_count", min=3, evidence="A"),
        Edit(kind="edit", id="tiny.lines.v1", edit="c4_lines_nopunct", evidence="A"),
    ),
    dedup=Dedup(exact=Exact(), minhash=MinHash(bands=14, rows=8, seed=3)),
    tokens=Tokens(vocab_size=400, shard_bytes=5_000, sample_bytes=20_000, seed=7),
)  # fmt: skip


def text_of(name: object, sentences: int = 12) -> str:
    """Lines that end in a full stop, one that does not and is edited away, and now and then an address."""
    r = random.Random(str(name))
    lines = [" ".join(r.choices(WORDS, k=9)) + f" {name} {n}." for n in range(sentences)]
    lines.insert(3, "a menu line without an end")
    if r.random() < 0.3:
        lines.insert(5, f"Write to user{r.randint(1, 99)}@mail.example.org for more of it.")
    return "\n".join(lines)


def pages(count: int = 380) -> list[Page]:
    """Pages of ten sites; among them an exact copy, near copies, one that is too short, and one address twice."""
    made = [(f"https://www.site{n % 10}.example/page/{n}", text_of(n)) for n in range(count)]
    made.append(("https://mirror.example.org/copy-of-7", made[7][1]))
    made.append(("https://close.example.org/near-8", made[8][1].replace(" 3.", " and more.")))
    made.append(("https://a.sub.owner.example.net/one", text_of("owner one")))
    made.append(("http://owner.example.net:80/two/", text_of("owner two")))
    made.append(("https://notowner.example.net/three", text_of("other three")))
    made.append(("https://short.example.org/", "too short"))
    return made


def write_crawl(path: Path, content: Sequence[Page]) -> Path:
    """A WARC of plain-text responses, a gzip member each."""
    with path.open("wb") as stream:
        writer = WARCWriter(stream, gzip=True)
        for url, text in content:
            head = StatusAndHeaders("200 OK", [("Content-Type", "text/plain; charset=utf-8")], protocol="HTTP/1.1")
            dated = {"WARC-Date": "2026-01-01T00:00:00Z", "WARC-Record-ID": f"<urn:x:{url}>"}
            record = writer.create_warc_record(
                url, "response", payload=BytesIO(text.encode()), http_headers=head, warc_headers_dict=dated
            )
            writer.write_record(record)
    return path


def make_run(
    run: Path, crawl: Path, register: Path | None = None, recipe: Recipe = RECIPE, against: str | None = None,
    tokenizer: str | None = None,
) -> Path:  # fmt: skip
    """All stages of `winnow run`, one after another; called again, it carries on as that does."""
    where, options, threads = str(run), beam_options(1), beam_options(1, threads=True)
    asked = str(register) if register else None
    runs.begin(where, [str(crawl)], recipe, tokenizer, 40_000, against=against)
    parts = plan([str(crawl)], 40_000, follow_links=against is not None)  # a corpus's inputs are links
    described = runs.load(where)
    described["parts"] = [part.as_dict() for part in parts]
    runs.save(where, described)
    runs.finish_stage(where, "plan", {"parts": len(parts), "records": sum(max(p.records, 0) for p in parts)})
    indices = [part.index for part in parts]
    for name, work in (
        ("extract", lambda: extract(where, parts, recipe, threads)),
        ("rights", lambda: rights(where, indices, recipe, threads)),
        ("annotate", lambda: annotate(where, indices, recipe, (), options)),
        ("dedup", lambda: deduplicate(where, indices, recipe, against, threads)),
        ("decide", lambda: decide(where, indices, recipe, asked, options)),
        ("scrub", lambda: scrub(where, indices, recipe, options)),
        ("tokenize", lambda: tokenize(where, indices, recipe, tokenizer, asked, options)),
    ):
        runs.finish_stage(where, name, work())
    return run


def shards_of(run: Path, names: Sequence[str]) -> pa.Table:
    """The rows of these shards."""
    return pa.concat_tables([read_shard(run / name) for name in names])


def digest(path: Path) -> str:
    return xxhash.xxh3_128_hexdigest(path.read_bytes())
