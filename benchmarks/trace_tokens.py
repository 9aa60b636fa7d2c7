"""How many random tokens of a run lead to the bytes of the crawl that they came from.

    python benchmarks/trace_tokens.py RUN [--tokens 1000] [--seed 0]

Each token is traced to its record; the record is read again at its offset and its text extracted again, and then

* `as extracted`: the text around the token (at most 12 tokens before it and 12 after, in its line) is a substring of
  the text as it was extracted again, before any edit;
* `after edits`: it is not, since an edit or a replacement of personal data touched just this place, but it is one of
  the text extracted again, edited, cut and scrubbed as the run did (or it is a line break alone, which says nothing);
* `documents equal`: the whole document, decoded from its ids, is that text to the character.

A window that begins or ends within a character is trimmed of U+FFFD. A page is extracted again once, however many of
its tokens are asked for.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow as pa

from filters.annotate import final_text
from filters.charset import decode
from filters.extract import Failure, SandboxPool
from filters.pii import find, replaced, searched
from pipelines.cut_rows import cut_texts, read_cuts
from pipelines.refetch import refetch
from pipelines.sources import Record
from stats.run import Run, open_run
from stats.trace import Place, place_of_token
from tokenization.load import load
from tokenization.manifest import Manifest
from tokenization.rewrite import read_shard

WINDOW = 12


def extracted(item: Record, pool: SandboxPool[int]) -> str | None:
    """The text of a record, extracted again; None where the extractor fails on it."""
    if item.text is not None:
        return item.text
    decoded = decode(item.payload, item.charset_header)
    if item.kind == "text":
        return decoded.text
    ((_, result),) = pool.extract_many([(0, decoded.text)])
    return None if isinstance(result, Failure) else result.text


class Pages:
    """A run's documents, each read and extracted again once."""

    def __init__(self, run: Run) -> None:
        self.run, self.pool = run, SandboxPool[int](run.recipe.extract, 1)
        self.tokenizer = load(run.path / "tokenizer.json")
        columns = 'd.doc_id, d.source, d."offset", d.length, s.lang'
        rows = run.rows(f"SELECT {columns} FROM documents d JOIN signals s ON d.doc_id = s.doc_id")
        self.rows = {row[0]: row for row in rows}
        self.texts: dict[str, tuple[str | None, str | None]] = {}
        self.cuts = pa.concat_tables(read_cuts(str(run.path), part["index"]) for part in run.described["parts"])

    def texts_of(self, doc_id: str) -> tuple[str | None, str | None]:
        """(text as extracted again, text after edits, cuts and scrubbing)."""
        if doc_id not in self.texts:
            _, source, offset, length, lang = self.rows[doc_id]
            item = refetch(self.run.described["parts"], doc_id, source, offset, length)
            text = extracted(item, self.pool) if isinstance(item, Record) else None
            self.texts[doc_id] = text, None if text is None else self._final(doc_id, lang, text)
        return self.texts[doc_id]

    def _final(self, doc_id: str, lang: str, text: str) -> str:
        recipe, ids = self.run.recipe, pa.array([doc_id])
        edited = final_text(pa.array([text], pa.large_string()), pa.array([lang], pa.string()), recipe)
        whole = cut_texts(ids, edited, self.cuts)
        spans = find(whole, searched(recipe.scrub.policy, others=True))
        return str(replaced(whole, spans, recipe.scrub.policy, ids)[0].as_py())


def around(ids: np.ndarray, at: int, pages: Pages) -> str:
    """The text around a token, within its line."""
    window = ids[max(0, at - WINDOW) : at + 1 + WINDOW]
    text = pages.tokenizer.decode(window)
    place = len(pages.tokenizer.decode(window[: min(at, WINDOW)]).rstrip("\N{REPLACEMENT CHARACTER}"))
    line = text[text.rfind("\n", 0, place) + 1 :].partition("\n")[0]
    return line.strip("\N{REPLACEMENT CHARACTER} \t")


def judged(place: Place, ids: np.ndarray, pages: Pages) -> str:
    """How a token's text was found again."""
    first, final = pages.texts_of(place.doc_id)
    if first is None or final is None:
        return "not extracted again"
    text = around(ids[:-1], place.at or 0, pages)
    if text and text in first:
        return "as extracted"
    return "after edits" if text in final else "not found"


def main() -> None:
    """Print the figures as one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("--tokens", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    began, found = time.monotonic(), Counter[str]()
    manifest = Manifest.read(given.run / "manifest.json")
    tables = [read_shard(given.run / shard.path) for shard in manifest.shards]
    ends = np.cumsum([shard.tokens for shard in manifest.shards])
    whole: dict[str, bool] = {}
    with open_run(given.run) as run:
        pages = Pages(run)
        for token in random.Random(given.seed).sample(range(int(ends[-1])), given.tokens):
            shard = int(np.searchsorted(ends, token, side="right"))
            at = token - (int(ends[shard - 1]) if shard else 0)
            place = place_of_token(given.run, manifest, shard, at)
            row = pa.compute.index(tables[shard]["doc_id"], place.doc_id).as_py()
            ids = tables[shard]["tokens"][row].values.to_numpy()
            found[judged(place, ids, pages)] += 1
            whole[place.doc_id] = pages.tokenizer.decode(ids[:-1]) == pages.texts_of(place.doc_id)[1]
        pages.pool.close()
    told = {"tokens": given.tokens, **found, "documents": len(whole), "documents equal": sum(whole.values())}
    print(json.dumps({**told, "seconds": round(time.monotonic() - began, 1)}))


if __name__ == "__main__":
    main()
