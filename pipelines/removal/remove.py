"""Job: a manifest and a request in, the next version of the manifest out.

Only shards that hold a document of the request are written again, under new names; all others are shared with the
version before, which stays whole. Nothing that a manifest names is touched, and the one moment at which the run changes
is the rename of the new manifest: killed before it, the old version stands, and the next command clears what was begun.
A shared register is told before the run changes, and a note in the run says so until it has: what was asked is never
in a run alone, where a later run could not know it, and a run that does not obey it yet is told for what it is.

What is asked is looked for in documents/, so the run's folder must be there; which shard a document is in is computed.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from pipelines import run as runs
from pipelines.parts import part_path, read_table
from pipelines.removal.gather import Gathered, gather, register_rows
from pipelines.removal.obey import adopted
from pipelines.removal.register import FOLDER, Entry, add, begin, entry_of, file_of, note_begun, read_entry
from pipelines.removal.request import Request
from pipelines.removal.samples import drop_report
from recipes.model import Recipe
from tokenization import rewrite
from tokenization.commit import sweep
from tokenization.manifest import Manifest
from tokenization.scatter import UNKNOWN_LANGUAGE
from tokenization.versions import SHARD, Version, half_done, history, pending, requests, version_in
from tokenization.versions import file_of as manifest_name


class NothingFoundError(ValueError):
    """No document of the run is what was asked for: nothing was written."""


@dataclass(frozen=True)
class Opened:
    """A finished run: its folder, its recipe, its parts, and the versions of its manifest."""

    folder: Path
    recipe: Recipe
    indices: list[int]
    versions: list[Version]

    @property
    def now(self) -> Version:
        """The version that stands."""
        return self.versions[-1]

    def entries(self) -> list[Entry]:
        """The run's own requests that are in effect."""
        own = self.folder / FOLDER
        found = set(requests(own)) & set(self.now.manifest.obeys) if own.is_dir() else set()
        return [read_entry(file_of(own, request)) for request in sorted(found)]


@dataclass(frozen=True)
class Outcome:
    """What became of a request. `documents` and `near` are rows of FOUND with the column `fate`.

    `done` says that it was obeyed before and nothing had to be written; `earlier` names documents whose text an earlier
    corpus holds; `shards` are the numbers of those written again.
    """

    request: Request
    version: Version
    documents: pa.Table
    near: pa.Table
    tokens: dict[str, int] = field(default_factory=dict)
    shards: list[int] = field(default_factory=list)
    earlier: list[tuple[str, str]] = field(default_factory=list)
    done: bool = False


def open_for_removal(manifest: Path) -> Opened:
    """The run that a manifest lies in; FileNotFoundError or ValueError in a sentence if it is not whole."""
    Manifest.read(manifest)
    folder = manifest.absolute().parent
    if not (folder / runs.NAME).is_file():
        raise FileNotFoundError(f"{folder} holds no {runs.NAME}: documents are looked for in the run that made "
                                f"{manifest}. Name the manifest where its run left it.")  # fmt: skip
    described = runs.load(str(folder))
    versions = history(folder)
    if manifest.absolute() not in [version.path for version in versions]:
        raise ValueError(f"{manifest} is no version of the run in {folder}. Name {versions[-1].path}.")
    return Opened(
        folder, Recipe.model_validate(described["recipe"]), [p["index"] for p in described["parts"]], versions
    )


def remove(
    manifest: Path, request: Request, date: str, register: Path | None = None, dry_run: bool = False,
    known: Entry | None = None,
) -> Outcome:  # fmt: skip
    """Make the version that obeys `request`, after the newest one; add it to `register`. See Outcome.

    NothingFoundError if no document is meant, unless `known`, an entry of a register, is only being obeyed. What
    `register` knows of the same request is looked for too. With `dry_run` nothing is written.
    """
    strict = known is None
    with runs.locked(str(manifest.absolute().parent)):
        run = open_for_removal(manifest)
        if not dry_run:
            clear(run)
        if request.id in run.now.manifest.obeys:
            if register is not None and not dry_run:
                for entry in run.entries():
                    if entry.id == request.id:
                        add(register, entry)
            none = pa.table({"fate": pa.array([], pa.string())})
            return Outcome(request, run.now, none, none, done=True)
        if known is None and register is not None and file_of(register, request.id).is_file():
            known = read_entry(file_of(register, request.id))
        found = gather(str(run.folder), run.indices, run.recipe, request, known)
        outcome = _planned(run, request, found, strict)
        if dry_run:
            return outcome
        rows = register_rows(found, outcome.documents, request, date, run.recipe)
        entry = entry_of(request, date, rows)
        version = _commit(run, entry, outcome, register)
        return Outcome(
            request, version, outcome.documents, outcome.near, outcome.tokens, outcome.shards, outcome.earlier
        )


def obey(manifest: Path, register: Path, dry_run: bool = False) -> list[Outcome]:
    """A version for every request of the register that the newest does not obey yet, also if it takes out none."""
    now = open_for_removal(manifest).now
    made = []
    for request in pending(now.manifest, register):
        entry = read_entry(file_of(register, request))
        made.append(remove(manifest, entry.request, entry.date, register, dry_run, entry))
    return made


def clear(run: Opened) -> None:
    """Delete what a removal that was killed had begun: no manifest names it."""
    for folder in (run.folder, run.folder / "tokens", run.folder / FOLDER):
        sweep(folder)
    named = {run.folder / shard.path for version in run.versions for shard in version.manifest.shards}
    for path in (run.folder / "tokens").glob("shard-*"):
        if version_in(SHARD, path.name) > len(run.versions) and path not in named:
            path.unlink()
    own = run.folder / FOLDER
    for request in requests(own) if own.is_dir() else []:
        if request not in run.now.manifest.obeys and request not in adopted(run.folder):
            file_of(own, request).unlink()
    note_begun(run.folder, half_done(run.folder))


def _planned(run: Opened, request: Request, found: Gathered, strict: bool) -> Outcome:
    """What is to be done, from what was found; documents that went before are left out."""
    before = {name: entry.id for entry in run.entries() for name in entry.documents()["doc_id"].to_pylist()}
    gone = pa.array(list(before), pa.string())
    taken, near = (
        rows.filter(pc.invert(pc.is_in(rows["doc_id"], value_set=gone))) for rows in (found.taken, found.close)
    )
    if strict and not taken.num_rows:
        went = next((before[name] for name in found.taken["doc_id"].to_pylist()), None)
        told = f" They were removed before, by the request {went}." if went else " Nothing was written."
        raise NothingFoundError(f"No document of {run.folder} that is not removed yet is what was asked for.{told}")
    taken, near = _with_fates(run, taken), _with_fates(run, near)
    near = near.filter(pc.equal(near["fate"], "kept"))
    kept = taken.filter(pc.equal(taken["fate"], "kept"))["doc_id"].to_pylist()
    tokens: dict[str, int] = {}
    places = rewrite.places(kept, run.now.manifest)
    for number, names in places.items():
        path = run.folder / run.now.manifest.shards[number].path
        tokens |= (here := rewrite.lengths_in(path, names))
        if missing := sorted(set(names) - here.keys()):
            raise ValueError(f"{path} does not hold the kept document {missing[0]}, as it should. "
                             f"`winnow verify {run.folder}` says what is wrong; nothing was written.")  # fmt: skip
    return Outcome(request, run.now, taken, near, tokens, list(places), found.earlier)


def _with_fates(run: Opened, rows: pa.Table) -> pa.Table:
    """Rows of FOUND with what was decided of each."""
    fates: dict[str, str] = {}
    for part in sorted(set(rows["part"].to_pylist())):
        table = read_table(part_path(str(run.folder), "decisions", part), ["doc_id", "fate"])
        mine = table.filter(pc.is_in(table["doc_id"], value_set=rows["doc_id"].combine_chunks()))
        fates |= dict(zip(mine["doc_id"].to_pylist(), mine["fate"].to_pylist(), strict=True))
    return rows.append_column("fate", pa.array([fates.get(name) for name in rows["doc_id"].to_pylist()], pa.string()))


def _commit(run: Opened, entry: Entry, outcome: Outcome, register: Path | None) -> Version:
    """Write the request, the shards, tell the register, and last the manifest."""
    before = run.now.manifest
    gone = rewrite.places(list(outcome.tokens), before)
    less = _less(run, outcome)
    add(run.folder / FOLDER, entry)
    shards = rewrite.rewritten(run.folder, before, gone, entry.id)
    changes: dict[str, Any] = {
        "shards": [shard.model_dump() for shard in shards],
        "totals": {key: value - less["totals"][key] for key, value in before.totals.model_dump().items()},
        "parent": run.now.sha256, "version": before.version + 1,
        "obeys": sorted({*before.obeys, entry.id}),
        "removal": {"request": entry.id, "reason": entry.request.reason,
                    "documents": less["totals"]["documents"], "tokens": less["totals"]["tokens"]},
    }  # fmt: skip
    for kind in ("sources", "languages"):
        counts = {name: count.model_dump() for name, count in getattr(before, kind).items()}
        left = {name: {key: n - less[f"{kind}\t{name}"][key] for key, n in of.items()} for name, of in counts.items()}
        changes[kind] = {name: of for name, of in left.items() if of["documents"]}
    made = Manifest.model_validate({**before.model_dump(), **changes})
    if register is not None:
        begin(register)  # so that a note of a register that is not there speaks of one that was
        note_begun(run.folder, [*half_done(run.folder), (str(register.absolute()), entry.id)])
        add(register, entry)
    drop_report(run.folder)
    made.write(run.folder / manifest_name(made.version))
    note_begun(run.folder, half_done(run.folder))
    return history(run.folder)[-1]


def _less(run: Opened, outcome: Outcome) -> dict[str, Counter[str]]:
    """What goes, in all, by source and by language: documents, tokens and bytes of text."""
    less: dict[str, Counter[str]] = {"totals": Counter()}
    parts = outcome.documents.filter(pc.equal(outcome.documents["fate"], "kept"))["part"].to_pylist()
    names = pa.array(list(outcome.tokens), pa.string())
    for part in sorted(set(parts)):
        kept = read_table(part_path(str(run.folder), "kept", part), ["doc_id", "source", "lang", "text"])
        mine = kept.filter(pc.is_in(kept["doc_id"], value_set=names))
        sizes = pc.binary_length(mine["text"]).to_pylist()
        columns = (mine[name].to_pylist() for name in ("doc_id", "source", "lang"))
        for doc_id, source, lang, size in zip(*columns, sizes, strict=True):
            for key in ("totals", f"sources\t{source}", f"languages\t{lang or UNKNOWN_LANGUAGE}"):
                count = {"documents": 1, "tokens": outcome.tokens[doc_id], "text_bytes": size}
                less.setdefault(key, Counter()).update(count)
    for kind in ("sources", "languages"):
        for name in getattr(run.now.manifest, kind):
            less.setdefault(f"{kind}\t{name}", Counter())
    if less["totals"]["documents"] != len(outcome.tokens):
        raise ValueError(f"{run.folder}/kept does not hold all documents that are to go. `winnow verify` says what is "
                         "wrong; nothing was written.")  # fmt: skip
    return less
