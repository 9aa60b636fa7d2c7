"""The texts that an ablation's models are judged by: a run's own, and those of files that a person gives.

Traded away: long documents are judged by their beginning, so that one book does not outweigh a thousand pages.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.compute as pc

from tokenization.encode import encode_documents
from tokenization.tokenizer import Tokenizer

LONGEST = 8_000  # characters of a text that are read
HELD = pa.schema(
    [
        pa.field("doc_id", pa.string(), nullable=False),
        pa.field("language", pa.string(), nullable=False),
        pa.field("source", pa.string(), nullable=False),
        pa.field("given", pa.string()),  # name of the file that it came from, if it is not the run's
        pa.field("bytes", pa.int64(), nullable=False),
        pa.field("ids", pa.large_list(pa.uint32()), nullable=False),
    ]
)


def held_out_rows(folder: Path) -> pa.Table:
    """What is held out: rows of HELD."""
    with pa.memory_map(str(folder / "held-out.arrow")) as source:
        return pa.ipc.open_file(source).read_all()


def held_rows(tokenizer: Tokenizer, rows: pa.Table) -> pa.Table:
    """Rows of HELD for texts, each cut to its first LONGEST characters."""
    text = pc.utf8_slice_codeunits(rows["text"].combine_chunks().cast(pa.large_string()), 0, LONGEST)
    ids, offsets = encode_documents(tokenizer, text)
    lists = pa.LargeListArray.from_arrays(pa.array(offsets, pa.int64()), pa.array(ids, pa.uint32()))
    given = rows["given"] if "given" in rows.column_names else pa.nulls(len(text), pa.string())
    columns = [rows["doc_id"], rows["lang"].fill_null("und"), rows["source"], given, pc.binary_length(text), lists]
    flat = [c.combine_chunks() if isinstance(c, pa.ChunkedArray) else c for c in columns]
    return pa.Table.from_arrays([c.cast(f.type) for c, f in zip(flat, HELD, strict=True)], schema=HELD)


def given_texts(files: Sequence[str]) -> Iterator[dict[str, list[Any]]]:
    """Columns for the texts of each file: .txt is one text, .jsonl has an object with `text` a line."""
    for name in files:
        file = Path(name)
        if not file.is_file():
            raise FileNotFoundError(f"There is no file {name}.")
        try:
            texts = _texts_of(file)
        except (UnicodeDecodeError, orjson.JSONDecodeError, KeyError, TypeError) as error:
            raise ValueError(f"{name} cannot be read ({type(error).__name__}). Give UTF-8 text (.txt), or JSON lines "
                             "(.jsonl) with a field text.") from error  # fmt: skip
        if not texts:
            raise ValueError(f"{name} has no text.")
        count = len(texts)
        yield {"doc_id": [f"{file.name}:{i}" for i in range(1, count + 1)], "lang": ["und"] * count,
               "source": [""] * count, "given": [file.name] * count, "text": texts}  # fmt: skip


def _texts_of(file: Path) -> list[str]:
    if file.suffix == ".jsonl":
        rows = [orjson.loads(line) for line in file.read_bytes().splitlines() if line.strip()]
        return [str(row["text"]) for row in rows if row["text"]]
    text = file.read_text(encoding="utf-8")
    return [text] if text.strip() else []
