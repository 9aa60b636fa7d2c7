"""All that one request takes out of one run, and what it only resembles: the same answer for `winnow remove` and for a
later run that obeys the register.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.removal import near
from pipelines.removal.match import FOUND, NEAR, NO_TEXT, Wanted, distinct, find, found_in, parts_of
from pipelines.removal.register import Entry
from pipelines.removal.request import Request
from pipelines.schemas import REMOVALS
from recipes.model import Recipe


@dataclass(frozen=True)
class Gathered:
    """`taken`, `close`: rows of FOUND, in the run's order. `earlier`: (doc_id, generation) that an earlier corpus has.

    `signed` are the signatures of the first rows asked for, by doc_id; empty where the recipe signs nothing.
    """

    taken: pa.Table
    close: pa.Table
    earlier: list[tuple[str, str]]
    signed: dict[str, bytes]


def gather(
    run: str, indices: Sequence[int], recipe: Recipe, request: Request, known: Entry | None = None
) -> Gathered:  # fmt: skip
    """What `request` means in this run; `known` is what a register knows of it."""
    direct = find(run, indices, request, known)
    signed = near.signatures_of(run, direct, recipe) if near.signed_by(recipe) and direct.num_rows else None
    names = direct["doc_id"].to_pylist()
    _, repeated = near.duplicates(run, indices, direct)
    here = repeated.filter(pc.is_null(repeated["kept_in"])) if repeated.num_rows else repeated
    close = distinct(
        pa.concat_tables([_kept(run, indices, here), _alike(run, indices, direct, signed, known, request, recipe)])
    )
    close = close.filter(pc.invert(pc.is_in(close["doc_id"], value_set=pa.array(names, pa.string()))))
    far = (
        pa.nulls(close.num_rows, pa.bool_())
        if request.near is None
        else pc.greater_equal(close["similarity"], request.near)
    )
    first = distinct(pa.concat_tables([direct, close.filter(pc.fill_null(far, False))]))
    held, _ = near.duplicates(run, indices, first)
    taken = distinct(pa.concat_tables([first, held]))
    left = close.filter(pc.invert(pc.is_in(close["doc_id"], value_set=taken["doc_id"].combine_chunks())))
    rows = {} if signed is None else dict(zip(names, (row.tobytes() for row in signed), strict=True))
    away = [(row["doc_id"], row["kept_in"]) for row in repeated.to_pylist() if row["kept_in"]]
    return Gathered(taken, left, away, rows)


def _kept(run: str, indices: Sequence[int], repeated: pa.Table) -> pa.Table:
    """The documents that were kept in the place of found ones, with their likeness."""
    if not repeated.num_rows:
        return FOUND.empty_table()
    of = dict(zip(repeated["kept_id"].to_pylist(), repeated["doc_id"].to_pylist(), strict=True))
    share = {row["kept_id"]: row["similarity"] for row in repeated.to_pylist()}
    share |= {row["kept_id"]: 1.0 for row in repeated.to_pylist() if row["method"] == "exact"}
    wanted = Wanted(of, {}, frozenset(), {})
    found = pa.concat_tables([FOUND.empty_table(), *(found_in(t, i, wanted) for i, t in parts_of(run, indices))])
    likeness = pa.array([share[name] for name in found["doc_id"].to_pylist()], pa.float64())
    kinds = pa.array([NEAR] * found.num_rows, pa.string())
    found = found.set_column(FOUND.get_field_index("similarity"), "similarity", likeness)
    return found.set_column(FOUND.get_field_index("kind"), "kind", kinds)


def _alike(
    run: str, indices: Sequence[int], direct: pa.Table, signed: near.Signed | None, known: Entry | None,
    request: Request, recipe: Recipe,
) -> pa.Table:  # fmt: skip
    """Documents whose signatures are near those of found ones, or of what the register remembers."""
    how = near.signed_by(recipe)
    if how is None:
        return FOUND.empty_table()
    names = direct["doc_id"].to_pylist()
    rows = [] if signed is None else list(signed)
    if known is not None and request.near is not None:
        for row in known.documents().filter(pc.field("signed_by") == how).to_pylist():
            if row["doc_id"] not in names:
                names.append(row["doc_id"])
                rows.append(np.frombuffer(row["signed"], np.uint32))
    if not rows:
        return FOUND.empty_table()
    bound = near.OFFERED if request.near is None else min(request.near, near.OFFERED)
    return near.alike(run, indices, np.stack(rows), names, bound, recipe)


def register_rows(found: Gathered, taken: pa.Table, request: Request, date: str, recipe: Recipe) -> pa.Table:
    """Rows of REMOVALS for the documents `taken`: what recognises each elsewhere, and no text."""
    how, rows = near.signed_by(recipe), []
    for row in taken.to_pylist():
        signed = found.signed.get(row["doc_id"])
        rows.append({
            "request": request.id, "date": date, "reason": request.reason, "near": request.near, "kind": row["kind"],
            "value": row["value"], "doc_id": row["doc_id"], "url": row["url"],
            "text_hash": None if row["text_hash"] == NO_TEXT else row["text_hash"], "similarity": row["similarity"],
            "signed": signed, "signed_by": how if signed else None,
        })  # fmt: skip
    return pa.Table.from_pylist(rows, REMOVALS)
