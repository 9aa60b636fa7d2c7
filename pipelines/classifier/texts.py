"""Reading texts from .jsonl, .parquet or .txt, and parting them into what trains and what judges.

A text's sha256 decides its side and its place in the order, so that neither depends on files or their order; a text
given twice counts once, and one given as both good and bad is left out, and both are counted.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq

from filters.scores.interface import digest_of
from filters.scores.lists import is_jsonl, lines, rows

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Examples:
    """Texts by the order of their hashes; `good` and `held` (for judging) are flags of each; `facts` go to the card."""

    texts: list[str]
    good: Flags
    held: Flags
    facts: dict[str, Any]


def read(path: Path, *fields: str) -> Iterator[tuple[Any, ...]]:
    """The fields of each row; of a .txt, each line is the first field. ValueError names a missing field."""
    if not path.is_file():
        raise FileNotFoundError(f"There is no file {path}. Give a .jsonl, .parquet or .txt of texts.")
    if path.suffix == ".parquet":
        file = pq.ParquetFile(path)
        lacking = [name for name in fields if name not in file.schema_arrow.names]
        if lacking:
            raise ValueError(f"{path} has no column {lacking[0]!r}; it has {', '.join(file.schema_arrow.names[:10])}.")
        for batch in file.iter_batches(columns=list(fields), batch_size=1000):
            yield from zip(*(batch[name].to_pylist() for name in fields), strict=True)
    elif is_jsonl(path):
        try:
            yield from rows(path, *fields)
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from error
    elif path.name.removesuffix(".gz").endswith(".txt") and len(fields) == 1:
        yield from ((line,) for line in lines(path))
    else:
        raise ValueError(f"{path} is no .jsonl, .parquet{' or .txt' if len(fields) == 1 else ''} file.")


def gather(good: Sequence[Path], bad: Sequence[Path], field: str, holdout: float) -> Examples:
    """All examples; ValueError if a class has none on either side."""
    found: dict[bytes, tuple[str, set[bool]]] = {}
    facts: dict[str, Any] = {"repeated": 0, "blank": 0, "in_both": 0, "positives": [], "negatives": []}
    for side, name, paths in ((True, "positives", good), (False, "negatives", bad)):
        for path in paths:
            count = 0
            for (text,) in read(path, field):
                count += 1
                if not isinstance(text, str) or not text.strip():
                    facts["blank"] += 1
                    continue
                _, sides = found.setdefault(hashlib.sha256(text.encode("utf-8", "replace")).digest(), (text, set()))
                facts["repeated"] += side in sides
                sides.add(side)
            facts[name].append({"file": path.name, "rows": count, "sha256": digest_of(path)})
    facts["in_both"] = sum(len(sides) == 2 for _, sides in found.values())
    kept = sorted((key, text, next(iter(sides))) for key, (text, sides) in found.items() if len(sides) == 1)
    flags = np.array([side for _, _, side in kept], np.bool_)
    held = np.array([int.from_bytes(key[:4]) < holdout * 2**32 for key, _, _ in kept], np.bool_)
    for name, part in (("training", ~held), ("the hold-out", held)):
        for word, members in (("positive", flags), ("negative", ~flags)):
            if not (part & members).any():
                raise ValueError(f"No {word} text is left for {name}: give more texts, or another --holdout.")
    return Examples([text for _, text, _ in kept], flags, held, facts)
