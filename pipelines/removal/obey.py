"""Job: a run's own requests and those of a shared register in, `removed/` out: what `decide` gives the fate `removed:`.

`removed/` has a part for every part of the run that loses a document, and none where nothing goes, so a part that no
request touches is never made again. The run's own requests mean just the documents that they took out; those of a
register are looked for anew, by all that it remembers.

Traded away: each request of the register reads ids, addresses and hashes of the whole run once, in one process.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from pipelines.parts import fingerprint, part_path, read_mark, read_table, write_part
from pipelines.removal.gather import gather
from pipelines.removal.register import FOLDER, Entry, entries, file_of, read_entry
from pipelines.schemas import REMOVED
from recipes.model import Recipe
from tokenization.manifest import Manifest
from tokenization.versions import latest, requests

PLUS = "+"  # between what a part is made from and the digest of what was removed of it


def own_entries(run: str) -> list[Entry]:
    """The run's own requests that its newest manifest obeys."""
    newest, own = (None, Path(run)) if "://" in run else (latest(Path(run)), Path(run, FOLDER))
    if newest is None or not own.is_dir():
        return []
    obeyed = Manifest.read(newest).obeys
    return [read_entry(file_of(own, request)) for request in requests(own) if request in obeyed]


def obeyed_by(run: str, register: str | None) -> tuple[str, ...]:
    """Ids of all requests that are to be obeyed when this run is decided."""
    shared = requests(Path(register)) if register else []
    return tuple(sorted({entry.id for entry in own_entries(run)} | set(shared)))


def obey(run: str, indices: Sequence[int], recipe: Recipe, register: str | None) -> None:
    """Write removed/ for all parts that lose a document, and delete those of parts that lose none any more."""
    own = own_entries(run)
    why = {n: (e.id, kind) for e in own for n, kind in zip(*_columns(e.documents()), strict=True)}
    names = {entry.id for entry in own}
    for entry in entries(Path(register)) if register else []:
        if entry.id not in names:
            for doc_id, kind in zip(*_columns(gather(run, indices, recipe, entry.request, entry).taken), strict=True):
                why.setdefault(doc_id, (entry.id, kind))
    for index in indices:
        rows = _rows(run, index, why) if why else []
        path = part_path(run, "removed", index)
        if rows:
            mark = fingerprint("removed", rows)
            if read_mark(path) != mark:
                table = pa.Table.from_pylist(rows, REMOVED)
                write_part(path, table.to_batches(), REMOVED, mark, {"documents": len(rows)})
        elif "://" not in path:
            Path(path).unlink(missing_ok=True)


def _columns(table: pa.Table) -> tuple[list[str], list[str]]:
    return table["doc_id"].to_pylist(), table["kind"].to_pylist()


def _rows(run: str, index: int, why: dict[str, tuple[str, str]]) -> list[dict[str, str]]:
    ids = read_table(part_path(run, "documents", index), ["doc_id"])["doc_id"]
    mine = ids.filter(pc.is_in(ids, value_set=pa.array(list(why), pa.string()))).to_pylist()
    return [{"doc_id": name, "request": why[name][0], "kind": why[name][1]} for name in mine]


def removed_of(run: str, index: int) -> tuple[pa.Table, str]:
    """One part of removed/, empty where there is none, and its fingerprint, "" there."""
    path = part_path(run, "removed", index)
    mark = read_mark(path)
    return (read_table(path) if mark else REMOVED.empty_table()), mark


def marked(plain: str, removed: str) -> str:
    """The fingerprint of what is made from `plain` without what `removed` takes out of it."""
    return f"{plain}{PLUS}{removed}" if removed else plain


def plain(mark: str) -> str:
    """A fingerprint as it would be had nothing been removed.

    >>> plain(marked("ab", "cd")), plain("ab")
    ('ab', 'ab')
    """
    return mark.partition(PLUS)[0]
