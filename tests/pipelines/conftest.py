"""Small runs ready for dedup: documents/ and signals/ of given texts, cut into parts as asked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pyarrow as pa
import pytest
import xxhash

from pipelines.parts import part_path, write_part

DOCUMENT = pa.schema(
    [("doc_id", pa.string()), ("source", pa.string()), ("url", pa.string()), ("text", pa.large_string())]
)
SIGNAL = pa.schema([("doc_id", pa.string()), ("lang", pa.string()), ("word_count", pa.int64())])
Make = Callable[..., tuple[str, list[int]]]


def name_of(text: str, number: int = 0) -> str:
    """A doc_id that depends on nothing but the text (and which copy of it this is)."""
    return xxhash.xxh3_128_hexdigest(f"{number}:{text[:2000]}:{len(text)}".encode())


def address(text: str) -> str | None:
    """An address that texts share whose first two words are the same; some have none."""
    words = text.split()
    return f"https://www.site.example/{words[0]}/{words[1]}" if len(words) > 1 and len(words[0]) % 3 else None


@pytest.fixture
def make_run(tmp_path: Path) -> Make:
    """make_run(name, [(doc_id, text)...], parts, lang=..., source=...) -> (run folder, part numbers)."""

    def make(
        name: str, texts: Sequence[tuple[str, str]], parts: int = 1, lang: str = "en", source: str = "a"
    ) -> tuple[str, list[int]]:
        run = str(tmp_path / name)
        size = max(1, -(-len(texts) // parts))
        for index in range(parts):
            mine = texts[index * size : (index + 1) * size]
            documents = [{"doc_id": i, "source": source, "url": address(t), "text": t} for i, t in mine]
            mark = xxhash.xxh3_128_hexdigest(repr(mine).encode())
            signals = [{"doc_id": i, "lang": lang, "word_count": len(t.split())} for i, t in mine]
            for dataset, rows, schema in (("documents", documents, DOCUMENT), ("signals", signals, SIGNAL)):
                batch = pa.RecordBatch.from_pylist(rows, schema=schema)
                write_part(part_path(run, dataset, index), [batch], schema, mark, {})
        return run, list(range(parts))

    return make
