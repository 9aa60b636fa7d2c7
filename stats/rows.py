"""A run's documents one by one: what was measured, the fate, and the tokens, for questions that decide again.

Two things a run cannot know without more work, and whoever asks says so: a document that a rule dropped was never
compared with others, so one that would pass counts as kept *at most*; and duplicates stay duplicates even where the
copy that was kept would go. Tokens of a document that is in no shard are an estimate: its bytes of text, at the
tokens a byte of the kept documents of its language, or of all where its language has none.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import pyarrow as pa

from filters.check import check
from filters.rules import columns_read
from filters.sql import quoted
from filters.thresholds import nearest
from recipes.model import Recipe
from recipes.resolve import resolve
from recipes.scores import Score
from stats.gather import gathered
from stats.run import Run

COUNT, SIGNED, SHARE = {"format": ","}, {"format": "+,"}, {"format": ".1%"}
# With a space, so that no measurement is called the same.
FATE, RULE, TOKENS, PART = '"fate now"', '"rule now"', '"tokens now"', '"part of run"'
BYTES = "text_bytes"
# Parts are row for row beside each other, so nothing is hashed but the ids of what is in the shards. A positional join
# runs in one thread; so there is one for each, over parts that follow each other.
BESIDE = f"""
SELECT s.*, c.fate AS {FATE}, c.rule AS {RULE}, {{first}} + s.file AS {PART},
       CASE WHEN s.doc_id = c.also_id THEN true ELSE error('{{told}}') END AS beside
FROM (SELECT {{columns}}, file_index AS file FROM {{signals}}) s
POSITIONAL JOIN (SELECT doc_id AS also_id, fate, rule FROM {{decisions}}) c"""
SOURCE = f"""
(SELECT * EXCLUDE (file, beside, shard_id, n_tokens, gone_id, gone_by)
        REPLACE (coalesce('removed:' || gone_by, {FATE}) AS {FATE}), n_tokens AS {TOKENS} FROM ({{beside}})
 LEFT JOIN {{tokens}} ON doc_id = shard_id
 LEFT JOIN (SELECT doc_id AS gone_id, request AS gone_by FROM removals) ON doc_id = gone_id WHERE beside)"""
SHARDED = "(SELECT doc_id AS shard_id, n_tokens FROM tokens)"
# What every question adds up, for documents alike in whatever it asks: Sums, in its order.
SUMS = f"""count(*), coalesce(sum({BYTES}), 0)::BIGINT, coalesce(sum({TOKENS}), 0)::BIGINT,
    coalesce(sum({BYTES}) FILTER ({TOKENS} IS NOT NULL), 0)::BIGINT"""


@dataclass(frozen=True)
class Sums:
    """So many documents with so many bytes of text; of `counted` of these bytes the `tokens` are known."""

    documents: int = 0
    bytes: int = 0
    tokens: int = 0
    counted: int = 0

    def __add__(self, other: Sums) -> Sums:
        return Sums(
            self.documents + other.documents, self.bytes + other.bytes,
            self.tokens + other.tokens, self.counted + other.counted,
        )  # fmt: skip


class Rates:
    """Tokens a byte of text, by language, as the shards have them; 0 for a run without shards."""

    def __init__(self, sums: Iterable[tuple[str | None, Sums]]) -> None:
        by: dict[str | None, Sums] = {}
        whole = Sums()
        for lang, some in sums:
            by[lang] = by.get(lang, Sums()) + some
            whole += some
        self._by = {lang: some.tokens / some.counted for lang, some in by.items() if some.counted}
        self._whole = whole.tokens / whole.counted if whole.counted else 0.0

    def tokens(self, lang: str | None, sums: Sums) -> float:
        """Counted where they are known, estimated where they are not."""
        return sums.tokens + self._by.get(lang, self._whole) * (sums.bytes - sums.counted)


def ready(run: Run, recipe: Recipe) -> tuple[Recipe, list[str]]:
    """`recipe` as this run can decide it, and notices; ValueError with the remedy if the run did not measure enough.

    A score that was measured needs no file any more. One that was not is left out with its steps where the recipe
    can do without it, as `winnow run` would, and refused where it cannot.
    """
    run.sound()
    check(recipe)
    have = [name for name, *_ in run.rows("DESCRIBE signals")]
    measured = tuple(score for score in recipe.scores if f"score_{score.id}" in have)
    others = tuple(score for score in recipe.scores if score not in measured)
    again = f"Give the same `winnow run` again with --measure-for {recipe.name}"
    try:
        resolved = resolve(recipe.model_copy(update={"scores": others}))
    except FileNotFoundError as error:
        raise ValueError(f"This run was not measured for {recipe.name}. {again} and its files. {error}") from error
    recipe = resolved.recipe.model_copy(update={"scores": (*measured, *resolved.recipe.scores)})
    for wanted in (*columns_read(recipe), BYTES):
        if wanted not in have:
            raise ValueError(
                f"This run has no measurement {wanted}, which {recipe.name} reads.{nearest(wanted, have)} "
                f"{again}: only annotate and what follows from it is done again."
            )
    notices = [notice for notice in resolved.notices if notice != recipe.notice]
    own = {score.id: _definition(score) for score in run.recipe.scores}
    notices += [
        f"Score {score.id} is measured as this run's {run.recipe.name} has it, not as {recipe.name} has it."
        for score in measured
        if own.get(score.id, _definition(score)) != _definition(score)
    ]
    return recipe, notices


def _definition(score: Score) -> dict[str, object]:
    """What decides a score's number, its file apart."""
    return score.model_dump(exclude={"file", "when_missing", "what", "evidence", "source", "note"})


def decided_parts(run: Run) -> list[str]:
    """File names of the parts whose documents are measured and decided, in order."""
    decided = {path.name for path in run.parts("decisions")}
    return [path.name for path in run.parts("signals") if path.name in decided]


def side_by_side(run: Run, columns: Sequence[str], parts: Sequence[str]) -> str:
    """SQL for a row a document of these parts: columns of signals/, FATE, RULE, TOKENS and PART, its place in `parts`.

    TOKENS is NULL for a document that is in no shard. Gathered files stand for the parts where there are any.
    """
    if files := gathered(run, parts):
        names = dict.fromkeys(("doc_id", "lang", BYTES, *columns))
        return f"(SELECT {', '.join([*map(quoted, names), FATE, RULE, TOKENS, PART])} FROM {run.files(files)})"
    return beside(run, columns, parts, 0, SHARDED)


def beside(run: Run, columns: Sequence[str], parts: Sequence[str], base: int, tokens: str) -> str:
    """`side_by_side` from the parts themselves, the first of them counted as number `base`."""
    wanted = ", ".join(map(quoted, dict.fromkeys(("doc_id", "lang", BYTES, *columns))))
    told = f"{run.path / 'decisions'} is not row for row beside signals/. Delete it and run again."
    most = -(-len(parts) // run.threads)
    pieces = [
        BESIDE.format(
            columns=wanted, first=base + first, told=told.replace("'", "''"), **_files(run, parts[first : first + most])
        )
        for first in range(0, len(parts), most)
    ]
    return SOURCE.format(beside=" UNION ALL ".join(pieces), tokens=tokens)


def _files(run: Run, parts: Sequence[str]) -> dict[str, str]:
    return {name: run.files([run.path / name / part for part in parts]) for name in ("signals", "decisions")}


def table(rows: Sequence[Sequence[object]], schema: pa.Schema) -> pa.Table:
    """Rows of Python values as a table of `schema`."""
    columns = list(zip(*rows, strict=True)) or [()] * len(schema)
    arrays = [pa.array(column, field.type) for column, field in zip(columns, schema, strict=True)]
    return pa.Table.from_arrays(arrays, schema=schema)
