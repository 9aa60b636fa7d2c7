"""A small run made by hand, straight with pyarrow, in which everything holds; tests break it in one place each."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xxhash

from filters.annotate import signals_schema
from filters.columns import removed_column
from filters.pii import KINDS
from pipelines.removal.register import add, entry_of
from pipelines.removal.request import Request, doc_target
from pipelines.schemas import DECISIONS, DOCUMENTS, DUPLICATES, KEPT, PERSONAL, REJECTS, REMOVALS
from recipes.model import Recipe
from recipes.steps import Edit, Rule
from tokenization.manifest import Count, Manifest, Shard, TokenizerInfo, Totals, file_sha256
from tokenization.shards import schema_for, write_shard

RECIPE = Recipe(
    name="tiny", title="Tiny", fidelity="R3", sources=("none",),
    steps=(
        Rule(id="tiny.words.v1", signal="word_count", min=3, evidence="A"),
        Edit(kind="edit", id="tiny.lines.v1", edit="c4_lines_nopunct", evidence="A"),
    ),
)  # fmt: skip
SCHEMAS = {
    "documents": DOCUMENTS,
    "rejects": REJECTS,
    "signals": signals_schema(RECIPE),
    "duplicates": DUPLICATES,
    "decisions": DECISIONS,
    "personal": PERSONAL,
    "kept": pa.schema([*KEPT, *(pa.field(f"pii_{kind}", pa.int32(), nullable=False) for kind in KINDS)]),
}
# (part, offset, url, text, language, fate): two parts of one WARC, and part 1's last is a near copy of part 0's first.
PAGES = [
    (0, 100, "https://a.example/one", "one two three four five", "en", "kept"),
    (0, 200, "https://a.example/short", "too short", "en", "filtered:tiny.words.v1"),
    (0, 300, "http://b.example/copy", "one two three four five", "en", "duplicate:exact"),
    (0, 400, "https://b.example/zh/", "今天 天气 很 好", "zh", "kept"),
    (1, 1000, None, "six seven eight nine ten", "en", "kept"),
    (1, 1100, "https://a.example/near", "one two three four six", "en", "duplicate:minhash"),
]
REFUSED = [
    (0, 500, "https://a.example/png", "http.not_html", "The content type is image/png."),
    (1, 1200, None, "warc.damaged", "The record has no end."),
]
VOCAB, END = 300, 299
Rows = list[dict[str, Any]]


def doc_id(offset: int) -> str:
    return xxhash.xxh3_128_hexdigest(f"crawl.warc.gz\0{offset}".encode())


def row_of(schema: pa.Schema, **given: Any) -> dict[str, Any]:
    return {name: given.get(name) for name in schema.names}


def write(path: Path, rows: Rows, schema: pa.Schema, mark: str, counts: dict[str, int]) -> None:
    """One part, with the footer that jobs write."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with pq.ParquetWriter(path, schema) as out:
        out.write_table(pa.Table.from_pylist(rows, schema))
        out.add_key_value_metadata({"winnow.fingerprint": mark, "winnow.counts": json.dumps(counts)})


def change(
    path: Path, how: Callable[[Rows], Rows], counts: dict[str, int] | None = None, mark: str | None = None
) -> None:
    """Write a part again with other rows, under the footer that it had unless another is given."""
    table = pq.read_table(path)
    footer = pq.read_metadata(path).metadata
    was = json.loads(footer[b"winnow.counts"])
    kept_mark = footer[b"winnow.fingerprint"].decode() if mark is None else mark
    nullable = pa.schema([f.with_nullable(True) for f in table.schema])
    write(path, how(table.to_pylist()), nullable, kept_mark, was if counts is None else {**was, **counts})


def set_row(number: int, **values: Any) -> Callable[[Rows], Rows]:
    return lambda rows: [{**row, **values} if i == number else row for i, row in enumerate(rows)]


def tokens_of(text: str) -> list[int]:
    return [*text.encode(), END]


def write_tokens(run: Path, rows: Rows) -> None:
    """One shard with these rows, and the manifest that fits it."""
    (run / "tokens").mkdir(exist_ok=True)
    (run / "tokenizer.json").write_text("{}")
    path = run / "tokens" / "shard-00000.arrow"
    with pa.OSFile(str(path), "wb") as sink:
        write_shard(sink, pa.Table.from_pylist(rows, schema_for("uint16")), "arrow", "uint16", "mark")
    languages = {doc_id(p[1]): p[4] for p in PAGES}
    by: dict[str, list[int]] = {}
    for row in rows:
        entry = by.setdefault(languages.get(row["doc_id"], "en"), [0, 0])
        entry[0], entry[1] = entry[0] + 1, entry[1] + len(row["tokens"])
    documents, tokens = len(rows), sum(len(row["tokens"]) for row in rows)
    shard = Shard(path="tokens/shard-00000.arrow", bytes=path.stat().st_size, sha256=file_sha256(path),
                  documents=documents, tokens=tokens)  # fmt: skip
    info = TokenizerInfo(name="t", file="tokenizer.json", sha256=file_sha256(run / "tokenizer.json"),
                         vocab_size=VOCAB, end_of_text=END)  # fmt: skip
    made = Manifest(
        recipe="tiny", recipe_hash="h", tokenizer=info, dtype="uint16", format="arrow", seed=0, shards=(shard,),
        totals=Totals(documents=documents, tokens=tokens, text_bytes=1),
        sources={"crawl.warc.gz": Count(documents=documents, tokens=tokens)},
        languages={lang: Count(documents=d, tokens=t) for lang, (d, t) in by.items()},
    )  # fmt: skip
    (run / "manifest.json").write_bytes(made.as_bytes())


def rows_of(part: int) -> dict[str, Rows]:
    """All datasets of one part."""
    out: dict[str, Rows] = {name: [] for name in SCHEMAS}
    for _, offset, url, text, lang, fate in (p for p in PAGES if p[0] == part):
        common = {"doc_id": doc_id(offset), "url": url, "source": "crawl.warc.gz", "offset": offset, "length": 90,
                  "text": text, "text_hash": xxhash.xxh3_128_hexdigest(text.encode()), "lang": lang}  # fmt: skip
        words = len(text.split())
        found = {"pii_email": int(offset in (100, 200))}
        taken = found | {removed_column(RECIPE.edits[0]): 7 if offset == 400 else 0}
        out["documents"].append(row_of(SCHEMAS["documents"], **common))
        out["signals"].append(
            row_of(SCHEMAS["signals"], **common, word_count=words, text_bytes=len(text.encode()), **taken)
        )
        dropped = {"rule": "tiny.words.v1", "value": str(words), "threshold": ">= 3"} if "tiny" in fate else {}
        out["decisions"].append(row_of(DECISIONS, doc_id=doc_id(offset), fate=fate, **dropped))
        if offset in (100, 300, 1100):
            method = "kept" if fate == "kept" else fate.partition(":")[2]
            out["duplicates"].append(
                row_of(DUPLICATES, doc_id=doc_id(offset), cluster_id=min(map(doc_id, (100, 300, 1100))),
                       kept_id=doc_id(100), cluster_size=3, similarity=0.75 if offset == 1100 else 1.0, method=method)
            )  # fmt: skip
        if fate == "kept":
            found = {f"pii_{kind}": int(kind == "email" and offset == 100) for kind in KINDS}
            if offset == 100:
                out["personal"].append(row_of(PERSONAL, doc_id=doc_id(offset), start=0, end=3, kind="email"))
            out["kept"].append(row_of(SCHEMAS["kept"], **common, **found))
    for _, offset, url, reason, detail in (r for r in REFUSED if r[0] == part):
        out["rejects"].append(row_of(REJECTS, doc_id=doc_id(offset), source="crawl.warc.gz", offset=offset, length=50,
                                     url=url, reason=reason, detail=detail))  # fmt: skip
    return out


def counts_of(rows: dict[str, Rows]) -> dict[str, dict[str, int]]:
    """What each dataset's footer says."""
    documents, rejects = len(rows["documents"]), len(rows["rejects"])
    methods = Counter(row["method"] for row in rows["duplicates"])
    pii = {f"pii_{kind}": sum(row[f"pii_{kind}"] for row in rows["kept"]) for kind in KINDS}
    return {
        "documents": {"records": documents + rejects + 1, "documents": documents, "rejects": rejects,
                      "skipped.warcinfo": 1},
        "rejects": {"rejects": rejects},
        "signals": {"documents": documents},
        "duplicates": {"clusters": methods["kept"], "exact": methods["exact"], "minhash": methods["minhash"]},
        "decisions": dict(Counter(row["fate"] for row in rows["decisions"])),
        "personal": {"spans": len(rows["personal"])},
        "kept": {"documents": len(rows["kept"]), "text_bytes": sum(len(r["text"].encode()) for r in rows["kept"]), **pii},
    }  # fmt: skip


def make_run(run: Path) -> Path:
    """The whole run, finished and sound."""
    stages: dict[str, Counter[str]] = {}
    stage_of = {
        "documents": "extract",
        "signals": "annotate",
        "duplicates": "dedup",
        "decisions": "decide",
        "kept": "scrub",
    }
    parts = []
    for part in (0, 1):
        rows = rows_of(part)
        counts = counts_of(rows)
        for name, schema in SCHEMAS.items():
            mark = f"{'extract' if name in ('documents', 'rejects') else name}-{part}"
            write(run / name / f"part-{part:05d}.parquet", rows[name], schema, mark, counts[name])
            if name in stage_of:
                stages.setdefault(stage_of[name], Counter()).update(counts[name])
        parts.append({"index": part, "kind": "warc", "source": "crawl.warc.gz", "path": "/crawls/crawl.warc.gz",
                      "start": 1000 * part, "end": 1000 * (part + 1), "records": counts["documents"]["records"],
                      "digest": "d", "files": []})  # fmt: skip
    kept = [page for page in PAGES if page[5] == "kept"]
    write_tokens(run, [{"doc_id": doc_id(page[1]), "tokens": tokens_of(page[3])} for page in reversed(kept)])
    stages["plan"] = Counter(parts=2, records=sum(p["records"] for p in parts))
    stages["tokenize"] = Counter(documents=3, tokens=sum(len(tokens_of(p[3])) for p in kept), shards=1)
    described = {
        "inputs": ["/crawls/crawl.warc.gz"], "recipe": json.loads(RECIPE.model_dump_json(exclude_none=True)),
        "parts": parts, "versions": {}, "seeds": {}, "tokenizer": None,
        "stages": {name: {"state": "done", "counts": dict(counts)} for name, counts in stages.items()},
    }  # fmt: skip
    (run / "run.json").write_text(json.dumps(described))
    return run


def obeyed(run: Path, offset: int) -> None:
    """As if a request had taken out one more document; shards stay, as they do for one that is in none."""
    asked = entry_of(Request.of([doc_target(doc_id(offset))], "asked"), "2026-11-25", REMOVALS.empty_table())
    gone = {**asked.rows.to_pylist()[0], "doc_id": doc_id(offset)}
    add(run / "removals", entry_of(asked.request, asked.date, pa.Table.from_pylist([gone], REMOVALS)))
    manifest = Manifest.read(run / "manifest.json")
    manifest.model_copy(update={"obeys": (*manifest.obeys, asked.id)}).write(run / "manifest.json")


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A sound run in a folder whose name is a pattern and holds a quote: it must be taken as it stands."""
    return make_run(tmp_path / "a [run]'s *folder")
