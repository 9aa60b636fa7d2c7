"""Every fuzz target by name, for the suite's short tries and for benchmarks/fuzz.py's long ones."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.fuzz import crawl, files, texts

CORPUS = Path(__file__).with_name("corpus")
TARGETS: dict[str, Callable[[bytes], None]] = {
    "warc": crawl.warc,
    "arc": crawl.arc,
    "http": crawl.http,
    "charset": crawl.charset,
    "jsonl": crawl.jsonl,
    "parquet": crawl.parquet,
    "url": texts.url,
    "pii": texts.pii,
    "edits": texts.edits,
    "signals": texts.signals,
    "recipe": files.recipe,
    "manifest": files.manifest,
    "removal": files.removal,
    "tokenizer": files.tokenizer,
}


def seeds(target: str) -> list[Path]:
    """The corpus of a target: small files, and what earlier runs found."""
    return sorted((CORPUS / target).iterdir())
