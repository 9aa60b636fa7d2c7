"""Documents that are near those of a request: duplicates that only they kept out, and others that resemble them.

The members of a cluster whose kept document goes must not come back in its place, so they go with it. Every other
likeness is offered with its estimated Jaccard index, and taken only if the request says how near is near enough.

Every signature of the run is compared with every one of the request: n x m x width comparisons of integers, in one
numba loop that stops early where the bound cannot be reached any more. Traded away: for a request of tens of thousands
of documents on a run of many millions, the bands of signatures/ would find most of them in less time, and not all.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from dedup.keys import keys_of, signature_width
from filters.annotate import final_text
from filters.compiled import kernel
from pipelines.parts import fingerprint, part_path, read_table
from pipelines.removal.match import DUPLICATE, NEAR, found_rows
from pipelines.signature import matrix
from recipes.model import Recipe

OFFERED = 0.8  # likeness from which documents are told of, where the request names none
Signed = npt.NDArray[np.uint32]


def signed_by(recipe: Recipe) -> str | None:
    """How this recipe signs texts; equal where signatures can be compared. None if it does not."""
    minhash = recipe.dedup.minhash
    if minhash is None:
        return None
    how = (minhash.ngram, minhash.unit, minhash.num_perm, minhash.seed, minhash.scheme)
    return fingerprint("minhash", how, signature_width(recipe.dedup))


def signatures_of(run: str, found: pa.Table, recipe: Recipe) -> Signed:
    """(rows x width) signatures of the found documents' texts after the edits, whether or not the rules kept them."""
    out = np.zeros((found.num_rows, signature_width(recipe.dedup)), np.uint32)
    parts = found["part"].to_numpy()
    for part in np.unique(parts).tolist():
        mine = np.flatnonzero(parts == part)
        rows = found["row"].take(pa.array(mine))
        documents = read_table(part_path(run, "documents", part), ["text", "url"]).take(rows)
        lang = read_table(part_path(run, "signals", part), ["lang"])["lang"].take(rows).combine_chunks()
        text = final_text(documents["text"].combine_chunks(), lang, recipe)
        url = documents["url"].combine_chunks() if recipe.dedup.url else None
        out[mine] = keys_of(text, lang, url, recipe.dedup).signed
    return out


def duplicates(run: str, indices: Sequence[int], found: pa.Table) -> tuple[pa.Table, pa.Table]:
    """(rows of FOUND, (kept_id, of, similarity, kept_in)): what only these kept out, and what these repeat.

    The first are the other members of clusters whose kept document was found. The second are the documents, here or in
    an earlier corpus, that a found one was a duplicate of.
    """
    ids = pa.array(found["doc_id"].to_pylist(), pa.string())
    columns = ["doc_id", "kept_id", "similarity", "method", "kept_in"]
    out, repeated = [found.slice(0, 0)], []
    for index in indices:
        path = part_path(run, "duplicates", index)
        if not Path(path).is_file():
            continue
        table = read_table(path, columns).filter(pc.field("method") != "kept")
        mine = pc.is_in(table["doc_id"], value_set=ids)
        repeated.append(table.filter(mine))
        held = table.filter(pc.and_(pc.is_in(table["kept_id"], value_set=ids), pc.invert(mine)))
        if held.num_rows:
            documents = read_table(part_path(run, "documents", index), ["doc_id", "url", "text_hash"])
            rows = pc.index_in(held["doc_id"], value_set=documents["doc_id"].combine_chunks()).to_pylist()
            why = [(DUPLICATE, kept) for kept in held["kept_id"].to_pylist()]
            out.append(found_rows(documents, index, rows, why, held["similarity"].to_pylist()))
    kept = pa.concat_tables(repeated) if repeated else pa.table({name: [] for name in columns})
    return pa.concat_tables(out), kept.filter(pc.invert(pc.is_in(kept["kept_id"], value_set=ids)))


def alike(
    run: str, indices: Sequence[int], signed: Signed, names: Sequence[str], bound: float, recipe: Recipe
) -> pa.Table:  # fmt: skip
    """Rows of FOUND: documents of signatures/ whose Jaccard with one of `signed` is estimated at `bound` or more.

    `names` are the doc_ids of `signed`; documents of these names are left out. A signature of an empty text, all ones,
    resembles nothing.
    """
    from pipelines.removal.match import FOUND

    out = [FOUND.empty_table()]
    some = ~(signed == np.uint32(0xFFFFFFFF)).all(axis=1)
    if not signed.shape[1] or not some.any():
        return out[0]
    width, own = signed.shape[1], pa.array(names, pa.string())
    wanted, of = np.ascontiguousarray(signed[some]), np.array(names, object)[some]
    for index in indices:
        path = part_path(run, "signatures", index)
        if not Path(path).is_file():
            continue
        table = read_table(path, ["row", "signed"])
        best, equal = _nearest(matrix(table["signed"], np.uint32, width), wanted, int(np.ceil(bound * width - 1e-9)))
        hits = np.flatnonzero(best >= 0)
        if len(hits):
            documents = read_table(part_path(run, "documents", index), ["doc_id", "url", "text_hash"])
            rows = table["row"].to_numpy()[hits]
            fresh = pc.invert(pc.is_in(documents["doc_id"].take(pa.array(rows)), value_set=own)).to_numpy()
            why = [(NEAR, str(name)) for name in of[best[hits[fresh]]]]
            share = (equal[hits[fresh]] / width).tolist()
            out.append(found_rows(documents, index, rows[fresh].tolist(), why, share))
    return pa.concat_tables(out)


@kernel
def _nearest(signed, wanted, least):  # type: ignore[no-untyped-def]
    """(row of `wanted` most like each row of `signed`, equal places); -1 where fewer than `least` are equal.

    Places are compared sixteen at a time, which the compiler makes one instruction or two of.
    """
    count, width = signed.shape
    best, most = np.full(count, -1, np.int64), np.zeros(count, np.int64)
    for i in range(count):
        need: Any = least
        row = signed[i]
        for j in range(len(wanted)):
            equal: Any = 0
            other, k = wanted[j], 0
            for _ in range(width // 16):
                same = np.int32(0)
                for m in range(16):
                    same += np.int32(row[k + m] == other[k + m])
                equal += same
                k += 16
                if equal + width - k < need:
                    break
            else:
                for m in range(k, width):
                    equal += np.int32(row[m] == other[m])
                if equal >= need:
                    best[i], most[i] = j, equal
                    need = equal + 1
    return best, most
