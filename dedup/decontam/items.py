"""Evaluation items as they lie in files: one text each, an id, the set's name, and a digest of all that was read.

All items are held in memory: evaluation sets are small beside a corpus. An item without the fields that were named,
or a damaged line, is an error with file and line, since a test item that is passed over in silence is the very thing
that this work exists to prevent.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq
import zstandard

from recipes.decontaminate import EvaluationSet

TEXTS = ("text", "question", "prompt", "problem", "input", "query", "sentence", "goal")
IDS = ("id", "task_id", "idx")


class Items(NamedTuple):
    """n items: `names` are SET:ID, `sets` the set of each, `text` large_string[n]; `digest` covers bytes and fields."""

    names: list[str]
    sets: list[str]
    text: pa.LargeStringArray
    digest: str


def load_items(sets: Sequence[EvaluationSet]) -> Items:
    """Read every set; FileNotFoundError or ValueError in a sentence that names the file and line."""
    names, of, texts, digest = list[str](), list[str](), list[str](), hashlib.sha256()
    for one in sets:
        path = Path(one.file)
        if not path.is_file():
            raise FileNotFoundError(f"There is no evaluation set at {path}. Give a .jsonl, .parquet or text file.")
        data = path.read_bytes()
        digest.update(hashlib.sha256(data).digest() + one.model_dump_json(exclude={"file"}).encode())
        called = (one.name or path.name.split(".")[0]).replace(":", "_")
        before = len(texts)
        for number, row in enumerate(_rows(path, data), 1):
            where = f"{path}, {'row' if '.parquet' in path.suffixes else 'line'} {number}"
            texts.append(_text(row, one.fields, where))
            names.append(f"{called}:{_id(row, one.id, number, where)}")
        if len(texts) == before:
            raise ValueError(f"{path} holds no item.")
        of += [called] * (len(texts) - before)
    return Items(names, of, pa.array(texts, pa.large_string()), digest.hexdigest())


def _rows(path: Path, data: bytes) -> Iterator[dict[str, Any]]:
    if path.suffix == ".parquet":
        try:
            table = pq.read_table(io.BytesIO(data))
        except pa.ArrowException as error:
            raise ValueError(f"{path} is no Parquet file ({str(error).splitlines()[0]}).") from error
        for batch in table.to_batches():
            yield from batch.to_pylist()
        return
    suffix = path.suffixes[-2:-1] if path.suffix in (".gz", ".zst") else [path.suffix]
    lines = _plain(path, data).splitlines()
    for number, line in enumerate(lines, 1):
        if suffix not in ([".jsonl"], [".json"], [".ndjson"]):
            if line.strip():
                yield {"text": line.decode("utf-8", "replace"), "id": number}
            continue
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            raise ValueError(f"{path}, line {number}: no valid JSON ({error}).") from error
        if not isinstance(row, dict):
            raise ValueError(f"{path}, line {number}: a JSON object is wanted, with a field for the text.")
        yield row


def _plain(path: Path, data: bytes) -> bytes:
    try:
        if path.suffix == ".gz":
            return gzip.decompress(data)
        if path.suffix == ".zst":
            return zstandard.ZstdDecompressor().stream_reader(data).read()
    except (OSError, EOFError, zstandard.ZstdError) as error:
        raise ValueError(f"{path} cannot be unpacked ({error}).") from error
    return data


def _text(row: dict[str, Any], fields: Sequence[str], where: str) -> str:
    chosen = list(fields) or [name for name in TEXTS if isinstance(row.get(name), str)][:1]
    missing = [name for name in chosen if name not in row]
    if missing or not chosen:
        told = f"no field {missing[0]!r}" if missing else f"none of the fields {', '.join(TEXTS)}"
        raise ValueError(f"{where}: {told}. It has {', '.join(map(str, row)) or 'no field'}: name one in fields.")
    return "\n".join(_flat(row[name]) for name in chosen)


def _flat(value: Any) -> str:
    """A field as text: lists and objects of answers line by line.

    >>> _flat(["a", {"label": "A", "text": "b"}, None])
    'a\\nA\\nb\\n'
    """
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        return "\n".join(_flat(one) for one in value)
    return "" if value is None else str(value)


def _id(row: dict[str, Any], fields: Sequence[str], number: int, where: str) -> str:
    chosen = list(fields) or [name for name in IDS if row.get(name) is not None][:1]
    if missing := [name for name in chosen if name not in row]:
        raise ValueError(f"{where}: no field {missing[0]!r} for the id. It has {', '.join(map(str, row))}.")
    return "/".join(str(row[name]) for name in chosen) or str(number)
