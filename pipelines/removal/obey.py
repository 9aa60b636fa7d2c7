"""Job: a run's own requests and those of a shared register in, `removed/` out: what `decide` gives the fate `removed:`.

`removed/` has a part for every part of the run that loses a document, and none where nothing goes, so a part that no
request touches is never made again. The run's own requests mean just the documents that they took out; those of a
register are looked for anew, by all that it remembers. What a run obeys of a register is copied to its own requests,
with the documents that went here, so that the same run without the register obeys it too.

Traded away: each request of the register reads ids, addresses and hashes of the whole run once, in one process.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from pipelines.parts import fingerprint, part_path, read_mark, read_table, write_part
from pipelines.removal.gather import Gathered, gather, register_rows
from pipelines.removal.register import FOLDER, Entry, add, entries, entry_of, file_of, read_entry
from pipelines.schemas import REMOVED
from recipes.model import Recipe
from tokenization.commit import put
from tokenization.manifest import Manifest
from tokenization.versions import latest, requests

ADOPTED = ".adopted.json"  # beside the requests; written after them
PLUS = "+"  # between what a part is made from and the digest of what was removed of it


def own_entries(run: str) -> list[Entry]:
    """The run's own requests that its newest manifest obeys, and those that it took over from a register."""
    own = Path(run, FOLDER)
    if "://" in run or not own.is_dir():
        return []
    newest = latest(Path(run))
    obeyed = adopted(Path(run)) | set(Manifest.read(newest).obeys if newest else ())
    return [read_entry(file_of(own, request)) for request in requests(own) if request in obeyed]


def adopted(run: Path) -> set[str]:
    """Ids of the requests that a run took over from a register: in effect also while there is no manifest of them."""
    note = run / FOLDER / ADOPTED
    return set(json.loads(note.read_bytes())["requests"]) if note.is_file() else set()


def obeyed_by(run: str, register: str | None) -> tuple[str, ...]:
    """Ids of all requests that are to be obeyed when this run is decided."""
    shared = requests(Path(register)) if register else []
    return tuple(sorted({entry.id for entry in own_entries(run)} | set(shared)))


def obey(run: str, indices: Sequence[int], recipe: Recipe, register: str | None) -> None:
    """Write removed/ for all parts that lose a document, and delete those of parts that lose none any more."""
    own = own_entries(run)
    why = {n: (e.id, kind) for e in own for n, kind in zip(*_columns(e.documents()), strict=True)}
    names = {entry.id for entry in own}
    before = set() if "://" in run else adopted(Path(run))
    shared = [entry for entry in entries(Path(register)) if entry.id not in names - before] if register else []
    for entry in shared:
        found = gather(run, indices, recipe, entry.request, entry)
        for doc_id, kind in zip(*_columns(found.taken), strict=True):
            why.setdefault(doc_id, (entry.id, kind))
        if "://" not in run:
            _adopt(Path(run, FOLDER), entry, found, why, recipe, entry.id in names)
    if shared and "://" not in run:
        told = {"requests": sorted(before | {entry.id for entry in shared})}
        put(Path(run, FOLDER, ADOPTED), json.dumps(told).encode())
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


def _adopt(
    own: Path, entry: Entry, found: Gathered, why: dict[str, tuple[str, str]], recipe: Recipe, known: bool
) -> None:  # fmt: skip
    """Add a register's request to the run's own, with the documents that went by it and by no other."""
    mine = pa.array([why[doc_id][0] == entry.id for doc_id in found.taken["doc_id"].to_pylist()], pa.bool_())
    rows = register_rows(found, found.taken.filter(mine), entry.request, entry.date, recipe)
    if not known:  # what a command that was killed left there may name documents that go by another request now
        file_of(own, entry.id).unlink(missing_ok=True)
    add(own, entry_of(entry.request, entry.date, rows))


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
