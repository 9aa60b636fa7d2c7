"""One part's signatures, and the keyed hashes by which near-duplicates meet: what dedup does before its shuffle.

Only documents that pass the recipe's rules are signed. A band's hash and the document's number are all that is
handed on, as Arrow batches keyed by band and bucket; signatures/ keeps the rest for when pairs are verified.
"""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import xxhash

from dedup.bands import band_hashes
from dedup.exact import content_hashes
from dedup.signatures import signatures
from filters.annotate import final_text
from filters.rules import columns_read, first_failing
from pipelines.code import made_by
from pipelines.parts import fingerprint, part_path, read_counts, read_mark, read_part, read_table, write_part
from pipelines.rank import ranks_mark, with_ranks
from recipes.model import Recipe

SIGNATURE = pa.schema(
    [
        pa.field("doc_id", pa.string(), nullable=False),
        pa.field("row", pa.uint32(), nullable=False),
        pa.field("lang", pa.string()),
        pa.field("content", pa.string(), nullable=False),
        pa.field("keys", pa.list_(pa.float64()), nullable=False),
        pa.field("signature", pa.list_(pa.uint32()), nullable=False),
    ]
)


def sign_part(index: int, run: str, recipe: Recipe) -> str:
    """Make one part of signatures/, unless it is there already; returns its path."""
    documents, signals = part_path(run, "documents", index), part_path(run, "signals", index)
    steps = [step.model_dump() for step in recipe.steps]
    marks = [read_mark(documents), read_mark(signals), ranks_mark(run, index, recipe)]
    mark = fingerprint("sign", made_by(), marks, steps, recipe.dedup.model_dump())
    path = part_path(run, "signatures", index)
    if read_counts(path, mark) is None:
        write_part(path, _signed(index, run, recipe), SIGNATURE, mark, {})
    return path


def _signed(index: int, run: str, recipe: Recipe) -> Iterator[pa.RecordBatch]:
    """Rows of SIGNATURE for the documents that pass the rules."""
    start, minhash = 0, recipe.dedup.minhash
    documents, signals = part_path(run, "documents", index), part_path(run, "signals", index)
    wanted = dict.fromkeys([*columns_read(recipe), *(name.removeprefix("-") for name in recipe.dedup.keep)])
    measured = with_ranks(run, index, read_table(signals, list(wanted)), recipe)
    for document in read_part(documents, ["doc_id", "text"]):
        signal = measured.slice(start, document.num_rows).combine_chunks().to_batches()[0]
        rows = passing(signal, recipe)
        kept, lang = document.take(rows), signal["lang"].take(rows)
        text = final_text(kept["text"], lang, recipe)
        how = recipe.dedup.exact.normalise if recipe.dedup.exact else "none"
        signed = (
            signatures(text, minhash.ngram, minhash.unit, minhash.num_perm, minhash.seed)
            if minhash
            else np.empty((len(text), 0), np.uint32)
        )
        keys = np.column_stack(
            [_order_key(signal.take(rows), name) for name in recipe.dedup.keep] or [np.zeros(len(text))]
        )
        yield pa.RecordBatch.from_arrays(
            [
                kept["doc_id"],
                pa.array(rows.to_numpy() + start, pa.uint32()),
                lang,
                pa.array(content_hashes(text, how), pa.string()),
                pa.array(keys.tolist(), pa.list_(pa.float64())),
                pa.array(list(signed), pa.list_(pa.uint32())),
            ],
            schema=SIGNATURE,
        )
        start += document.num_rows


def passing(signals: pa.RecordBatch, recipe: Recipe) -> pa.Array:
    """Row numbers of documents that no rule drops."""
    numbered = signals.append_column("row_number", pa.array(np.arange(signals.num_rows)))
    with duckdb.connect(config={"threads": 1}) as connection:
        connection.register("s", pa.Table.from_batches([numbered]))
        query = f"SELECT row_number FROM s WHERE ({first_failing(recipe)}) IS NULL ORDER BY row_number"
        return connection.sql(query).to_arrow_table()["row_number"].combine_chunks()


def _order_key(signals: pa.RecordBatch, name: str) -> npt.NDArray[np.float64]:
    """A column of signals/ as a key whose smallest value is best; nulls are NaN and come last."""
    values = signals[name.removeprefix("-")].cast(pa.float64()).to_numpy(zero_copy_only=False)
    return -values if name.startswith("-") else values


def keyed_hashes(index: int, run: str, recipe: Recipe, buckets: int) -> Iterator[tuple[str, bytes]]:
    """(band and bucket, Arrow batch of (hash, document)) for one part."""
    table = read_table(sign_part(index, run, recipe))
    docs = (np.uint64(index) << np.uint64(32)) | table["row"].to_numpy().astype(np.uint64)
    columns: list[npt.NDArray[np.uint64]] = []
    if recipe.dedup.exact:
        columns.append(np.array([int(h[:16], 16) for h in table["content"].to_pylist()], np.uint64))
    if recipe.dedup.minhash and table.num_rows:
        minhash = recipe.dedup.minhash
        signed = signature_matrix(table["signature"], minhash.num_perm)
        some = (signed != np.uint32(0xFFFFFFFF)).any(axis=1)  # an empty text resembles nothing
        hashes = band_hashes(signed, minhash.bands, minhash.rows)
        if minhash.scope == "language":  # no band of one language may meet a band of another
            hashes ^= _lang_hashes(table["lang"])[:, None]
        hashes[~some] = docs[~some, None]
        columns += list(hashes.T)
    for band, hashes in enumerate(columns):
        bucket = hashes % np.uint64(buckets)
        for b in np.unique(bucket).tolist():
            mine = bucket == b
            yield f"{band:04d}-{b:06d}", _packed(hash=hashes[mine], doc=docs[mine])


def _lang_hashes(lang: pa.ChunkedArray) -> npt.NDArray[np.uint64]:
    coded = lang.combine_chunks().dictionary_encode()
    known = np.array(
        [xxhash.xxh3_64_intdigest(code.encode()) for code in coded.dictionary.to_pylist()] + [0], np.uint64
    )
    rows: npt.NDArray[np.uint64] = known[coded.indices.fill_null(len(known) - 1).to_numpy(zero_copy_only=False)]
    return rows


def signature_matrix(column: pa.ChunkedArray, width: int) -> npt.NDArray[np.uint32]:
    return column.combine_chunks().flatten().to_numpy().reshape(-1, width)


def _packed(**columns: npt.NDArray[np.uint64]) -> bytes:
    batch = pa.RecordBatch.from_pydict(dict(columns))
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as out:
        out.write_batch(batch)
    return sink.getvalue().to_pybytes()
