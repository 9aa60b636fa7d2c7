"""The register: one Parquet file a request, in a folder that runs may share. What was asked, and what it was then.

A row without `doc_id` is what was asked; a row with one is a document that went, with what recognises it elsewhere:
address, hash of the text, signature. No text is kept. A file is written whole and renamed; adding the same request
again joins the rows of both, under a lock, so two runs may add to one register at the same time.
"""

from __future__ import annotations

import fcntl
import io
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.removal.request import Request
from pipelines.schemas import REMOVALS
from tokenization.commit import put, sweep
from tokenization.versions import REGISTER_LOCK, REQUEST, begun_file, requests

FOLDER = "removals"  # a run's own register


@dataclass(frozen=True)
class Entry:
    """One request of a register with all its rows."""

    request: Request
    date: str
    rows: pa.Table

    @property
    def id(self) -> str:
        """The request's id."""
        return self.request.id

    def documents(self) -> pa.Table:
        """The rows of documents that went."""
        return self.rows.filter(self.rows["doc_id"].is_valid())


def file_of(register: Path, request: str) -> Path:
    """Where a request lies."""
    return register / f"request-{request}.parquet"


def entry_of(request: Request, date: str, documents: pa.Table) -> Entry:
    """An entry of what is asked and of `documents` (rows of REMOVALS that say what each is)."""
    empty = dict.fromkeys(REMOVALS.names)
    common = {"request": request.id, "date": date, "reason": request.reason, "near": request.near}
    asked = [{**empty, **common, "kind": kind, "value": value} for kind, value in request.targets]
    return Entry(request, date, pa.concat_tables([pa.Table.from_pylist(asked, REMOVALS), documents.cast(REMOVALS)]))


def read_entry(path: Path) -> Entry:
    """One request; ValueError in a sentence if the file is damaged, or is not what its name says."""
    try:
        rows = pq.read_table(path, schema=REMOVALS, partitioning=None)
        asked = rows.filter(pa.compute.is_null(rows["doc_id"])).to_pylist()
        request = Request.of([(row["kind"], row["value"]) for row in asked], asked[0]["reason"], _near(asked[0]))
    except (pa.ArrowException, OSError, IndexError, ValueError) as error:
        fault = (str(error).splitlines() or [type(error).__name__])[0]
        raise ValueError(f"{path} is damaged ({fault}). Restore it from a copy.") from error
    if path.name != f"request-{request.id}.parquet":
        raise ValueError(f"{path} holds the request {request.id}. It was changed since: restore it from a copy.")
    return Entry(request, asked[0]["date"], rows)


def _near(row: dict[str, object]) -> float | None:
    near = row["near"]
    return None if near is None else float(str(near))


def entries(register: Path) -> list[Entry]:
    """All requests of a register, in the order of their ids."""
    return [read_entry(file_of(register, request)) for request in requests(register)]


def begin(register: Path) -> None:
    """Make the register, unless it is there; ValueError if the folder is something else."""
    with _held(register):
        return


def add(register: Path, entry: Entry) -> bool:
    """Add a request, or what is new of it; returns whether anything was. A kill leaves the register as it was."""
    with _held(register):
        path = file_of(register, entry.id)
        if path.is_file():
            before = read_entry(path)
            known = set(before.rows["doc_id"].to_pylist())
            fresh = pa.array([name not in known for name in entry.rows["doc_id"].to_pylist()], pa.bool_())
            if not pa.compute.any(fresh, min_count=0).as_py():
                return False
            entry = Entry(before.request, before.date, pa.concat_tables([before.rows, entry.rows.filter(fresh)]))
        sink = io.BytesIO()
        pq.write_table(
            entry.rows.sort_by([("doc_id", "ascending"), ("kind", "ascending"), ("value", "ascending")]), sink
        )
        put(path, sink.getvalue())
    return True


def note_begun(run: Path, noted: Sequence[tuple[str, str]]) -> None:
    """Keep a note of the removals, (register, request), that are to be finished; none if there are none."""
    file = begun_file(run)
    if noted:
        put(file, json.dumps(sorted(set(noted))).encode())
    else:
        file.unlink(missing_ok=True)


@contextmanager
def _held(register: Path) -> Iterator[None]:
    """Hold the register for this process, waiting for whoever has it."""
    others = [p for p in register.iterdir() if not p.name.startswith(".")] if register.is_dir() else []
    if stray := next((p for p in others if not REQUEST.fullmatch(p.name)), None):
        raise ValueError(f"{register} holds {stray.name}: it is no register. Name another folder.")
    register.mkdir(parents=True, exist_ok=True)
    with (register / REGISTER_LOCK).open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        sweep(register)
        yield
