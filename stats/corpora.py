"""What finished runs offer to a plan: tokens by source, and what was measured on the way, read from their manifests.

A run is named by its folder or its manifest; `NAME=PATH` counts all its tokens as the source NAME, otherwise the
manifest's own sources stand. Only manifests are read, so that a plan over a thousand shards takes no longer than
over one.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from tokenization.manifest import Manifest
from tokenization.versions import file_of, latest

COUNT = re.compile(r"([0-9]{1,18}(?:\.[0-9]{1,12})?)(?:e([0-9]{1,2})|([KMBT万亿]))?")
SCALE = {"K": 10**3, "M": 10**6, "B": 10**9, "T": 10**12, "万": 10**4, "亿": 10**8}
MOST = 10**18


def parse_count(text: str, what: str) -> int:
    """A positive whole number: "7B", "350M", "1.4T", "70e9", "70亿"; ValueError in one sentence calls it `what`.

    >>> parse_count("0.35B", "parameters"), parse_count("70e9", "parameters")
    (350000000, 70000000000)
    """
    found = COUNT.fullmatch(text.strip())
    if not found:
        upper = text.strip().upper()
        hint = f" Did you mean {upper}?" if len(text) < 40 and COUNT.fullmatch(upper) else ""
        raise ValueError(f"{what} {text[:40]!r} is no count; write it as 7B, 350M, 1.4T or 70e9.{hint}")
    digits, exponent, letter = found.groups()
    value = Decimal(digits) * (10 ** int(exponent or 0)) * SCALE.get(letter or "", 1)
    if value != value.to_integral_value():
        raise ValueError(f"{what} {text!r} is not a whole number.")
    if not 0 < value <= MOST:
        raise ValueError(f"{what} {text!r} must be above 0 and at most 1e18.")
    return int(value)


@dataclass(frozen=True)
class Offer:
    """Sums over manifests. `sources` is tokens by name; bytes are those of the kept text and of the shards."""

    sources: dict[str, int]
    tokens: int
    documents: int
    text_bytes: int
    shard_bytes: int
    shards: int
    dtypes: tuple[str, ...]
    tokenizers: tuple[str, ...]

    @property
    def bytes_per_token(self) -> float | None:
        """Of text, as measured over all documents; None without tokens."""
        return self.text_bytes / self.tokens if self.tokens else None


def read_offer(named: Sequence[str]) -> Offer:
    """What the runs hold together; FileNotFoundError or ValueError in one sentence. The same manifest twice is refused.

    Names are taken apart as `winnow run` does: `NAME=PATH`, unless there is a file of that whole name.
    """
    sources: Counter[str] = Counter()
    read: dict[Path, Manifest] = {}
    for one in named:
        name, mark, path = one.partition("=")
        if not mark or Path(one).exists():
            name, path = "", one
        elif not name or not path:
            raise ValueError(f"{one!r} is neither a run nor NAME=PATH.")
        file = (latest(Path(path)) or Path(path, file_of(1))) if Path(path).is_dir() else Path(path)
        if file.resolve() in read:
            raise ValueError(f"{file} is given twice; its tokens count once.")
        manifest = read[file.resolve()] = Manifest.read(file)
        sources.update({name: manifest.totals.tokens} if name else {k: c.tokens for k, c in manifest.sources.items()})
    return _sum(dict(sources), list(read.values()))


def _sum(sources: dict[str, int], manifests: list[Manifest]) -> Offer:
    return Offer(
        sources=sources,
        tokens=sum(m.totals.tokens for m in manifests),
        documents=sum(m.totals.documents for m in manifests),
        text_bytes=sum(m.totals.text_bytes for m in manifests),
        shard_bytes=sum(s.bytes for m in manifests for s in m.shards),
        shards=sum(len(m.shards) for m in manifests),
        dtypes=tuple(sorted({m.dtype for m in manifests})),
        tokenizers=tuple(sorted({m.tokenizer.sha256 for m in manifests})),
    )
