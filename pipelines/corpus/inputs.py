"""Which files are new: those that no run of the corpus has taken, by name and by content.

A file's name below the folder it was found in is its source, and its documents' ids are made of that: so a name is
taken once, and another content under it is told and left alone. The same content under another name is not taken again
either. A file changed within the last moments may still be written to, and is left for the next time. Hashes are kept
in log/ with size and time of change, so that a year of crawls is not read again every night. Traded away: a file that
was changed and had its size and time put back is taken for the old one.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pipelines.corpus.ledger import INPUTS, LOG, CorpusRun, Taken
from pipelines.sources.plan import expand
from tokenization.commit import put
from tokenization.manifest import file_sha256

HASHES = "inputs.json"
UNFINISHED = (".open", ".part", ".partial", ".tmp", ".crdownload", ".filepart")


@dataclass(frozen=True)
class Found:
    """A file that an input stands for, with what it holds."""

    taken: Taken
    path: Path


@dataclass
class Sifted:
    """What is new, and why the rest is not; names of sources, sorted."""

    new: list[Found] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    copies: list[str] = field(default_factory=list)
    young: list[str] = field(default_factory=list)

    def notices(self) -> list[str]:
        """A sentence for everything that a person should know of."""
        told = [f"{name}: it was taken before and has changed since. Its documents stay as they were; give the new "
                "file another name to have it taken." for name in self.changed]  # fmt: skip
        told += [f"{name}: the same bytes were taken under another name." for name in self.copies]
        return told + [f"{name}: it may still be written to: next time." for name in self.young]


def find(corpus: Path, inputs: Sequence[str], settle: float) -> tuple[list[Found], list[str]]:
    """Every file of `inputs` (files, folders, globs, NAME=PATH) with its sha256, and names of those still changing.

    `settle`: seconds for which a file must have stayed as it is. FileNotFoundError if an input is not there; a folder
    that is empty is. ValueError if one is remote, or two files would be one source.
    """
    known, seen = _hashes(corpus), {}
    found: dict[str, Found] = {}
    young: list[str] = []
    for source, path in sorted(_files(inputs)):
        if _is_unfinished(path):
            continue
        state = path.stat()
        if time.time() - state.st_mtime < settle:
            young.append(source)
            continue
        if source in found and found[source].path != path:
            raise ValueError(f"{found[source].path} and {path} would both be the source {source!r}. Name their common "
                             "parent folder, or give one of them as NAME=PATH.")  # fmt: skip
        size, changed, sha256 = known.get(str(path), (-1, -1, ""))
        if (size, changed) != (state.st_size, state.st_mtime_ns):
            sha256 = file_sha256(path)
        seen[str(path)] = (state.st_size, state.st_mtime_ns, sha256)
        found[source] = Found(Taken(source=source, bytes=state.st_size, sha256=sha256), path)
    _keep_hashes(corpus, {**known, **seen})
    return list(found.values()), young


def sift(found: Iterable[Found], taken: Iterable[Taken], young: Sequence[str] = ()) -> Sifted:
    """What of `found` is in none of `taken`, neither by name nor by content."""
    names = {one.source: one.sha256 for one in taken}
    contents = set(names.values())
    out = Sifted(young=sorted(young))
    for one in sorted(found, key=lambda one: one.taken.source):
        before = names.get(one.taken.source)
        if before is not None:
            out.changed += [one.taken.source] * (before != one.taken.sha256)
        elif one.taken.sha256 in contents:
            out.copies.append(one.taken.source)
        else:
            out.new.append(one)
            contents.add(one.taken.sha256)
    return out


def link(corpus: Path, run: CorpusRun, found: Sequence[Found]) -> None:
    """Make the folder of links that a run reads its inputs from; what a command that was killed left is replaced."""
    for one in found:
        target = folder_of(corpus, run) / one.taken.source
        target.parent.mkdir(parents=True, exist_ok=True)
        target.unlink(missing_ok=True)
        target.symlink_to(one.path)


def folder_of(corpus: Path, run: CorpusRun) -> Path:
    """The folder of links of a run."""
    return corpus / INPUTS / f"{run.number:04d}"


def missing(corpus: Path, run: CorpusRun) -> list[str]:
    """Inputs of a run that are gone, or are no longer what was taken: a run cannot go on without them."""
    paths = [(one, folder_of(corpus, run) / one.source) for one in run.inputs]
    return [one.source for one, path in paths if not path.is_file() or path.stat().st_size != one.bytes]


def _files(inputs: Sequence[str]) -> Iterable[tuple[str, Path]]:
    for named in inputs:
        if "://" in named:
            raise ValueError(f"{named}: a corpus takes files of this machine. Mount or copy the crawl first.")
        if Path(named).is_dir() and not any(path.is_file() for path in Path(named).rglob("*")):
            continue
        try:
            yield from ((source, Path(path).absolute()) for source, path, _ in expand(named))
        except FileNotFoundError:
            if not Path(named).is_dir():  # a folder that holds nothing of a known kind yet
                raise


def _is_unfinished(path: Path) -> bool:
    return path.name.startswith(".") or path.name.lower().endswith(UNFINISHED)


def _hashes(corpus: Path) -> dict[str, tuple[int, int, str]]:
    file = corpus / LOG / HASHES
    try:
        return {path: (int(a), int(b), str(c)) for path, (a, b, c) in json.loads(file.read_bytes()).items()}
    except (FileNotFoundError, ValueError, TypeError, AttributeError):  # it only saves time: hashed again without it
        return {}


def _keep_hashes(corpus: Path, known: dict[str, tuple[int, int, str]]) -> None:
    (corpus / LOG).mkdir(parents=True, exist_ok=True)
    there = {path: entry for path, entry in known.items() if os.path.exists(path)}  # noqa: PTH110 - plain strings
    put(corpus / LOG / HASHES, json.dumps(there, sort_keys=True).encode())
