"""The filled sheet read back, strictly, and the keyword library run over the technical sample: what both samples say.

A sheet counts only if it is the one that was drawn: the same items, each once, each verdict `pass` or `fail` (合格 or
不合格), a fail with its risk, a verdict with its reviewer. The first fault is told with file and line. An item without
a verdict is not reviewed, and no rate is told as met before all are.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import orjson
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pydantic import ConfigDict, Field, ValidationError, model_validator

from filters.scores.lists import lines
from filters.scores.search import WORD, Search
from filters.scores.words import UNSPACED
from recipes.strict import Strict
from stats.papers.risks import RISKS
from stats.papers.samples import FORMAT, TECH, ids_digest

VERDICTS = {"pass": "pass", "fail": "fail", "合格": "pass", "不合格": "fail"}
UNNAMED = "(no category)"


class Header(Strict):
    """The sheet's first line."""

    format: Literal["winnow.tc260_sheet/1"]
    recipe: str
    recipe_hash: str
    manifest_sha256: str
    seed: int
    items: int = Field(ge=1)
    population: int = Field(ge=1)
    sources: dict[str, int]
    ids_sha256: str
    how: str = ""


class Item(Strict):
    """One item, as it came back."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)
    number: int
    doc_id: str
    source: str
    domain: str
    lang: str
    text: str
    cut: bool
    verdict: str | None
    risk: str | None
    reviewer: str | None
    note: str | None

    @model_validator(mode="after")
    def _judged(self) -> Item:
        if self.verdict is not None and self.verdict not in VERDICTS:
            raise ValueError(
                f"verdict is {self.verdict!r}; write pass or fail (合格 or 不合格), or null if not reviewed"
            )
        failed = self.verdict is not None and VERDICTS[self.verdict] == "fail"
        if failed and self.risk not in RISKS:
            raise ValueError(f"a fail needs its risk, one of A.1.a to A.5.b; risk is {self.risk!r}")
        if not failed and self.risk is not None:
            raise ValueError(f"risk {self.risk!r} is given, but the verdict is no fail")
        if self.verdict is not None and not (self.reviewer or "").strip():
            raise ValueError("a verdict needs its reviewer")
        return self


@dataclass
class Rate:
    """How many of how many passed."""

    passed: int = 0
    reviewed: int = 0
    items: int = 0

    @property
    def share(self) -> float | None:
        """0 to 1; None if nothing was reviewed."""
        return self.passed / self.reviewed if self.reviewed else None


@dataclass
class Manual:
    """What the filled sheet says."""

    header: Header
    whole: Rate = field(default_factory=Rate)
    sources: dict[str, Rate] = field(default_factory=dict)
    risks: Counter[str] = field(default_factory=Counter)
    reviewers: Counter[str] = field(default_factory=Counter)


@dataclass
class Technical:
    """What the keyword library finds in the technical sample; `library` counts entries by category."""

    whole: Rate
    population: int
    seed: str
    sources: dict[str, Rate]
    categories: Counter[str]
    library: Counter[str]


def read_sheet(path: str | Path) -> Manual:
    """Read a sheet; FileNotFoundError, or ValueError with file, line and remedy."""
    file = Path(path)
    if not file.is_file():
        raise FileNotFoundError(
            f"There is no sheet {path}. `winnow papers RUN` writes papers/tc260_manual_sample.jsonl."
        )
    rows = _rows(file)
    number, first = next(rows, (1, {}))
    manual = Manual(_checked(Header, first, f"{path}:{number}"))
    seen: dict[str, int] = {}
    for number, row in rows:
        item = _checked(Item, row, f"{path}:{number}")
        if item.doc_id in seen:
            raise ValueError(f"{path}:{number}: the item {item.doc_id} stands in line {seen[item.doc_id]} already.")
        seen[item.doc_id] = number
        _count(manual, item)
    if len(seen) != manual.header.items or ids_digest(list(seen)) != manual.header.ids_sha256:
        raise ValueError(
            f"{path}: this is not the sample that was drawn: line 1 tells of {manual.header.items:,} items, and "
            f"{len(seen):,} stand here, or others. Fill in the sheet that `winnow papers` wrote, with all its lines."
        )
    return manual


def _rows(file: Path) -> Iterator[tuple[int, Any]]:
    with file.open("rb") as stream:
        for number, text in enumerate(stream, 1):
            if not text.strip():
                continue
            try:
                yield number, orjson.loads(text)
            except orjson.JSONDecodeError as error:
                raise ValueError(f"{file}:{number}: no JSON object ({error}). One item stands in one line.") from error


def _checked(model: type[Any], row: Any, where: str) -> Any:
    try:
        return model.model_validate(row)
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(map(str, first["loc"]))
        told = f"{name}: {first['msg']}" if name else str(first["msg"]).removeprefix("Value error, ")
        hint = f" The first line of a sheet tells of its sample ({FORMAT})." if model is Header else ""
        raise ValueError(f"{where}: {told}.{hint}") from error


def _count(manual: Manual, item: Item) -> None:
    rates = (manual.whole, manual.sources.setdefault(item.source, Rate()))
    for rate in rates:
        rate.items += 1
    if item.verdict is None:
        return
    passed = VERDICTS[item.verdict] == "pass"
    for rate in rates:
        rate.reviewed += 1
        rate.passed += passed
    manual.reviewers[(item.reviewer or "").strip()] += 1
    if item.risk is not None:
        manual.risks[item.risk] += 1


def check_keywords(sample: str | Path, keywords: str | Path) -> Technical:
    """Run a library, an entry a line or `category<TAB>entry`, over a technical sample; faults as for `read_sheet`.

    An entry counts as a whole word, and as a part of one where it or the text is written without spaces.
    """
    for name, what in ((sample, "sample: `winnow papers RUN` writes papers/tc260_tech_sample.parquet"),
                       (keywords, "keyword library: an entry a line, or category, tab and entry")):  # fmt: skip
        if not Path(name).is_file():
            raise FileNotFoundError(f"There is no file {name}. It is the {what}.")
    entries = _entries(Path(keywords))
    file = pq.ParquetFile(sample)
    if not file.schema_arrow.equals(TECH):
        raise ValueError(f"{sample} is no technical sample. `winnow papers RUN` writes tc260_tech_sample.parquet.")
    words = sorted(entries)
    machine, category = Search(words), [entries[word] for word in words]
    marks = file.metadata.metadata or {}
    found = Technical(Rate(), int(marks.get(b"winnow.population", b"0")), marks.get(b"winnow.seed", b"").decode(), {},
                      Counter(), Counter(entries.values()))  # fmt: skip
    for batch in file.iter_batches(1024):
        hits = _hits(machine, batch)
        for row, source in enumerate(batch["source"].to_pylist()):
            for rate in (found.whole, found.sources.setdefault(source, Rate())):
                rate.items += 1
                rate.reviewed += 1
                rate.passed += row not in hits
            found.categories.update({category[which] for which in hits.get(row, ())})
    return found


def _entries(path: Path) -> dict[str, str]:
    entries: dict[str, str] = {}
    for text in lines(path):
        category, tab, word = text.rpartition("\t")
        low = pc.utf8_lower(word.strip()).as_py()
        if low:
            entries[low] = category.strip() if tab and category.strip() else UNNAMED
    if not entries:
        raise ValueError(f"{path} has no entries. Write one a line, or category, tab and entry.")
    return entries


def _hits(machine: Search, batch: pa.RecordBatch) -> dict[int, set[int]]:
    """Numbers of the entries that each text of a batch holds; texts without one are left out."""
    spaced = [lang not in UNSPACED for lang in batch["lang"].to_pylist()]
    out: dict[int, set[int]] = {}
    text = pc.utf8_lower(batch["text"])
    for inside, wanted in ((WORD, True), (None, False)):
        for row, which in zip(*(found.tolist() for found in machine.find(text, inside)), strict=True):
            if spaced[row] is wanted:
                out.setdefault(row, set()).add(which)
    return out
