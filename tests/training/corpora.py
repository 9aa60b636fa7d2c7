"""A small corpus with labels and answers, and its documents as plain lists to compare with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from tokenization.manifest import Count, Manifest, Shard, TokenizerInfo, Totals, file_sha256
from tokenization.shards import schema_for, write_shard

LANGUAGES = ("en", "zh", "de")


def documents(count: int, seed: int = 0, most: int = 90) -> list[dict[str, Any]]:
    """Documents of 2 to `most` ids that end with 0, with labels and one span of answers each."""
    rng, made = np.random.default_rng(seed), []
    for number in range(count):
        ids = [*rng.integers(1, 60, int(rng.integers(1, most))).tolist(), 0]
        half = len(ids) // 2
        made.append({
            "doc_id": f"{number:032x}", "tokens": ids, "language": LANGUAGES[int(rng.integers(3))],
            "source": f"s{number % 2}", "answers": [half, len(ids)] if number % 3 else [0, 1, half, half + 1],
        })  # fmt: skip
    return made


def labelled(
    folder: Path, rows: list[dict[str, Any]], shards: int = 3, form: str = "arrow", answers: bool = False
) -> Path:  # fmt: skip
    """A manifest over these documents, in `shards` files."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "t.json").write_text("{}")
    names = ["language", "source", *(["answers"] if answers else [])]
    plain = schema_for("uint16")
    made = []
    for number, part in enumerate(np.array_split(np.arange(len(rows)), shards)):
        mine = [rows[i] for i in part]
        columns = {name: pa.array([row[name] for row in mine], plain.field(name).type) for name in plain.names}
        columns |= {name: pa.array([row[name] for row in mine]) for name in names}
        path = folder / f"shard-{number:05d}.{form}"
        with pa.OSFile(str(path), "wb") as sink:
            write_shard(sink, pa.table(columns), form, "uint16", "m")
        tokens = sum(len(row["tokens"]) for row in mine)
        made.append(Shard(path=path.name, bytes=path.stat().st_size, sha256=file_sha256(path), documents=len(mine),
                          tokens=tokens))  # fmt: skip
    counts = {
        column: {
            name: Count(
                documents=sum(row[column] == name for row in rows),
                tokens=sum(len(row["tokens"]) for row in rows if row[column] == name),
            )
            for name in sorted({row[column] for row in rows})
        }
        for column in ("language", "source")
    }
    info = TokenizerInfo(name="t", file="t.json", sha256=file_sha256(folder / "t.json"), vocab_size=64, end_of_text=0)
    Manifest.model_validate({
        "recipe": "r", "recipe_hash": "h", "tokenizer": info, "dtype": "uint16", "format": form, "seed": 0,
        "shards": made, "totals": Totals(documents=len(rows), tokens=sum(s.tokens for s in made), text_bytes=1),
        "sources": counts["source"], "languages": counts["language"], "labels": ["language", "source"],
        "answers": answers,
    }).write(folder / "manifest.json")  # fmt: skip
    return folder / "manifest.json"
