"""Chat files in; shards, a manifest with `answers`, rejects and counts out.

Every line is a conversation, a reject or blank, and `chat.json` says how many of each. A conversation's doc_id is that
of a record of a run: xxh3_128 of the file's name, a zero byte, and here the line's number. The folder appears whole.

Traded away: what a conversation's language is; all count as `und`.
"""

from __future__ import annotations

import hashlib
import itertools
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
import orjson
import pyarrow as pa
import xxhash
from pydantic import BaseModel, ConfigDict, Field

from tokenization.chat.conversations import Bad, conversation
from tokenization.chat.encode import ChatTokenizer, Encoded, Stretch, checked, with_specials
from tokenization.chat.lines import lines
from tokenization.chat.template import Template, load_template
from tokenization.commit import put
from tokenization.corpus import ANSWERS, Scatter
from tokenization.exports.target import finished, placed, write_note
from tokenization.load import load_reference
from tokenization.manifest import Count, Manifest, Shard, TokenizerInfo, Totals, dtype_for, file_sha256
from tokenization.shards import token_lists
from tokenization.shuffle import shard_count

NOTE = "chat.json"
BATCH_BYTES, BATCH_LINES = 4 << 20, 4096


class ChatOptions(BaseModel):
    """What `winnow chat` can be told; unknown options are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    files: tuple[str, ...] = Field(min_length=1)
    tokenizer: str
    template: str
    out: str
    seed: int = Field(default=0, ge=0)
    shard_bytes: int = Field(default=256_000_000, ge=1_000)
    add_special: bool = False


@dataclass(frozen=True)
class Line:
    """A conversation ready to be encoded, and where it stood."""

    source: str
    doc_id: str
    number: int
    stretches: Sequence[Stretch]


class Work:
    """One pass over the lines; counts what became of each, and keeps the rejects."""

    def __init__(self, tokenizer: ChatTokenizer, rejects: IO[bytes]) -> None:
        self.tokenizer, self.rejects = tokenizer, rejects
        self.counts: Counter[str] = Counter(lines=0, conversations=0, rejects=0, blank=0, tokens=0, answers=0, learnt=0)
        self.reasons: Counter[str] = Counter()
        self.sources: dict[str, list[int]] = {}
        self.text_bytes = 0

    def tables(self, named: dict[str, Path]) -> Iterator[pa.Table]:
        """Rows for the shards, a few megabytes of conversations at a time."""
        batch: list[Line] = []
        size = 0
        for line in self._ready(named):
            batch.append(line)
            size += sum(len(stretch.text) for stretch in line.stretches)
            if size >= BATCH_BYTES or len(batch) >= BATCH_LINES:
                yield self._table(batch)
                batch, size = [], 0
        if batch:
            yield self._table(batch)

    def _ready(self, named: dict[str, Path]) -> Iterator[Line]:
        for name, file in named.items():
            for number, line in lines(file):
                self.counts["lines"] += 1
                if line is not None and not line.strip():
                    self.counts["blank"] += 1
                    continue
                try:
                    if line is None:
                        raise Bad("too_long", "The line has more than 64 MiB.")
                    stretches = self.tokenizer.stretches(conversation(line))
                except Bad as bad:
                    self._reject(name, number, bad)
                    continue
                yield Line(name, xxhash.xxh3_128_hexdigest(f"{name}\0{number}".encode()), number, stretches)

    def _reject(self, source: str, number: int, bad: Bad) -> None:
        self.counts["rejects"] += 1
        self.reasons[bad.reason] += 1
        row = {"source": source, "line": number, "reason": bad.reason, "detail": bad.detail}
        self.rejects.write(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE))

    def _table(self, batch: Sequence[Line]) -> pa.Table:
        encoded = self.tokenizer.encode([line.stretches for line in batch])
        kept: list[tuple[Line, Encoded]] = []
        for line, one in zip(batch, encoded, strict=True):
            try:
                kept.append((line, checked(one, self.tokenizer)))
            except Bad as bad:
                self._reject(line.source, line.number, bad)
        for line, one in kept:
            self._count(line, one)
        columns = [
            pa.array([line.doc_id for line, _ in kept], pa.string()),
            token_lists(*_flat([one.ids for _, one in kept]), dtype_for(self.tokenizer.vocab_size)),
            _lists([one.answers for _, one in kept]),
        ]
        return pa.Table.from_arrays(columns, names=["doc_id", "tokens", "answers"])

    def _count(self, line: Line, one: Encoded) -> None:
        pairs = one.answers.astype(np.int64).reshape(-1, 2)
        learnt = int((pairs[:, 1] - pairs[:, 0]).sum())
        self.counts.update(conversations=1, tokens=len(one.ids), answers=len(pairs), learnt=learnt)
        self.text_bytes += sum(len(stretch.text.encode()) for stretch in line.stretches)
        source = self.sources.setdefault(line.source, [0, 0])
        source[0], source[1] = source[0] + 1, source[1] + len(one.ids)


def write_chat(options: ChatOptions) -> dict[str, Any]:
    """Write the folder; returns its note, also if it is there already and was made from the same.

    ValueError or FileNotFoundError in a sentence if a file, the template or the tokenizer cannot be used, or no line
    is a conversation.
    """
    template, named = load_template(options.template), _named(options.files)
    engine = load_reference(options.tokenizer)
    wanted = {
        "schema_version": "winnow.chat/1", "template": template.name, "template_sha256": _sha256(template),
        "tokenizer_sha256": engine.sha256, "inputs": {name: file_sha256(file) for name, file in named.items()},
        "asked": options.model_dump(include={"seed", "shard_bytes", "add_special"}),
    }  # fmt: skip
    if (there := finished(Path(options.out), wanted, NOTE)) is not None:
        return there
    with placed(Path(options.out)) as folder:
        data = Path(options.tokenizer).read_bytes()
        copy = folder / engine.copy_name
        put(copy, with_specials(data, template, engine) if options.add_special else data)
        tokenizer = ChatTokenizer(load_reference(copy), template, options.add_special)
        (folder / "template.jinja").write_text(template.source, encoding="utf-8")
        with (folder / "rejects.jsonl").open("wb") as rejects:
            work = Work(tokenizer, rejects)
            shards = _shards(folder, work, named, options)
        _manifest(folder, copy, work, shards, options, _hash(wanted)).write(folder / "manifest.json")
        special = {spelling: tokenizer.specials[spelling] for spelling in template.specials}
        told = {"counts": dict(work.counts), "reasons": dict(sorted(work.reasons.items())), "special_tokens": special}
        return write_note(folder, {**wanted, **told}, NOTE)


def _shards(folder: Path, work: Work, named: dict[str, Path], options: ChatOptions) -> tuple[Shard, ...]:
    number = shard_count(sum(file.stat().st_size for file in named.values()), options.shard_bytes)
    with Scatter(folder, dtype_for(work.tokenizer.vocab_size), number, options.seed, (ANSWERS,)) as scatter:
        for table in work.tables(named):
            scatter.add(table)
        counts = work.counts
        if not counts["conversations"]:
            commonest = work.reasons.most_common(1)
            why = f"; most often: {commonest[0][0]}" if commonest else ""
            raise ValueError(f"None of {counts['lines']:,} lines is a conversation that can be used{why}.")
        if counts["conversations"] + counts["rejects"] + counts["blank"] != counts["lines"]:
            raise ValueError(f"{counts['lines']:,} lines were read, and not every one is accounted for.")
        return scatter.finish()


def _manifest(
    folder: Path, file: Path, work: Work, shards: tuple[Shard, ...], options: ChatOptions, digest: str
) -> Manifest:
    tokenizer, counts = work.tokenizer, work.counts
    info = TokenizerInfo(name=tokenizer.engine.name, file=file.name, sha256=file_sha256(file),
                         vocab_size=tokenizer.vocab_size, end_of_text=tokenizer.end_of_text)  # fmt: skip
    totals = Totals(documents=counts["conversations"], tokens=counts["tokens"], text_bytes=work.text_bytes)
    sources = {name: Count(documents=n, tokens=tokens) for name, (n, tokens) in sorted(work.sources.items())}
    return Manifest(
        recipe=f"chat-{tokenizer.template.name}", recipe_hash=digest, tokenizer=info,
        dtype=dtype_for(tokenizer.vocab_size), format="arrow", seed=options.seed, shards=shards, totals=totals,
        sources=sources, languages={"und": Count(documents=totals.documents, tokens=totals.tokens)}, answers=True,
    )  # fmt: skip


def _named(files: Sequence[str]) -> dict[str, Path]:
    """Inputs by name: NAME=PATH, or the file's own name; ValueError if two have the same."""
    named: dict[str, Path] = {}
    for given in files:
        name, mark, path = given.partition("=")
        file = Path(path) if mark and not Path(given).exists() else Path(given)
        name = name if mark and not Path(given).exists() else file.name
        if not file.is_file():
            raise FileNotFoundError(f"There is no file {file}.")
        if name in named:
            raise ValueError(f"Two files are called {name}. Give one of them a name: NAME={file}")
        named[name] = file
    return named


def _flat(rows: Sequence[np.ndarray[Any, Any]]) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    offsets = np.array([0, *itertools.accumulate(map(len, rows))], np.int64)
    return (np.concatenate(rows) if rows else np.empty(0, np.uint32)), offsets


def _lists(rows: Sequence[np.ndarray[Any, Any]]) -> pa.ListArray:
    values, offsets = _flat(rows)
    return pa.ListArray.from_arrays(
        pa.array(offsets, pa.int32()), pa.array(values.astype(np.uint32)), type=ANSWERS.type
    )


def _sha256(template: Template) -> str:
    described = orjson.dumps([template.source, template.variables, template.specials], option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(described).hexdigest()


def _hash(wanted: dict[str, Any]) -> str:
    return hashlib.sha256(orjson.dumps(wanted, option=orjson.OPT_SORT_KEYS)).hexdigest()
