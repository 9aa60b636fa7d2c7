"""A run on an object store: made in a folder of this machine, and copied to the store, its manifest last.

Shards and manifest are made on a disk that can be mapped, renamed on and locked; a store can do none of that. So `--out
s3://bucket/run` has a folder here, in which the run is made as any other, and whose finished files are copied while it
goes on. An object appears whole or not at all (a PUT, or the end of a multipart upload), and where there is a manifest,
all that it names is there: shards are copied between its going and its coming. A run that was killed goes on from the
folder, or on another machine from what had been copied.

What is the same is told by the object's ETag and the file's size and time, noted when one was copied to the other.
Traded away: the disk here holds the run once more, and what is asked of a run on a store is first copied here.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from pipelines.claim import Claim
from pipelines.lock import BusyError, locked

EVERY = 5.0  # seconds between two copyings while a run goes on
NOTES = ".copied.json"
# Not part of the result: what only speeds up, working files, what a process has not finished, and this module's own.
PASSED = re.compile(r"(^|/)(\.[^/]*|[^/]*\.tmp|encoded/.*|exchange/.*|gathered/.*|log/beam\.log)$")
PUBLISHED = re.compile(r"^(manifest.*\.json|run\.json|tokens/.*|tokenizer.*|log/(manifest|shards|tokenizer)\.mark)$")
LAST = re.compile(r"^manifest.*\.json$")


def is_url(path: str) -> bool:
    """Whether a path is for a store and not for the local file system."""
    return "://" in path


def folder_of(url: str) -> Path:
    """The folder of this machine in which the run at `url` is made and read: WINNOW_CACHE, or the user's cache."""
    base = os.environ.get("WINNOW_CACHE") or Path(os.environ.get("XDG_CACHE_HOME", "~/.cache"), "winnow")
    name = url.rstrip("/").rpartition("/")[2]
    return Path(base).expanduser() / "runs" / f"{hashlib.sha256(url.rstrip('/').encode()).hexdigest()[:16]}-{name}"


class Mirror:
    """The run at `url` and its folder here. OSError or ValueError in a sentence where the store cannot be reached."""

    def __init__(self, url: str) -> None:
        self.url, self.folder = url.rstrip("/"), folder_of(url)
        self.system, self.root = opened(self.url)
        self.notes = self._noted()
        self.copying = threading.Lock()

    def pull(self) -> None:
        """Bring what the store has and the folder has not, or has otherwise; what has gone there goes here."""
        there = self._there()
        if not there and self.notes:  # it was deleted there, and is to be no more
            shutil.rmtree(self.folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        for name in self.notes.keys() - there.keys():
            (self.folder / name).unlink(missing_ok=True)
        self.notes = {name: note for name, note in self.notes.items() if name in there}
        self._each(self._fetch, [name for name, tag in there.items() if not self._is_as(name, tag)])

    def push(self, whole: bool = False) -> None:
        """Copy finished files that the store has not; `whole`: the run has ended, so shards and manifest too."""
        with self.copying:
            here = list(self._here())
            # first of all, or nobody could go on with what is there
            if "run.json" in here and "run.json" not in self.notes:
                self._each(self._store, ["run.json"])
            changed = [name for name in here if not self._is_noted(name)]
            if not whole:
                self._each(self._store, [name for name in changed if not PUBLISHED.match(name)])
                if "run.json" in changed:
                    self._each(self._store, ["run.json"])
                return
            gone = self.notes.keys() - set(here)
            manifests = [name for name in changed if LAST.match(name)]
            shards = any(PUBLISHED.match(name) and not LAST.match(name) and name != "run.json" for name in changed)
            self._each(self._delete, [name for name in self.notes if LAST.match(name)] if manifests and shards else [])
            self._each(self._store, [name for name in changed if not LAST.match(name)])
            for name in sorted(manifests if not shards else [name for name in here if LAST.match(name)]):
                self._store(name)
            self._each(self._delete, gone & self.notes.keys())
            self._note()

    def _there(self) -> dict[str, str]:
        """(name, tag) of every object of the run."""
        found = self.system.find(self.root, detail=True)
        names = {path[len(self.root) :].lstrip("/"): _tag(told) for path, told in found.items()}
        return {name: tag for name, tag in names.items() if name and not PASSED.search(name)}

    def _here(self) -> Iterator[str]:
        for path in self.folder.rglob("*"):
            name = path.relative_to(self.folder).as_posix()
            if path.is_file() and not PASSED.search(name):
                yield name

    def _state(self, name: str, tag: str) -> list[Any] | None:
        try:
            stat = (self.folder / name).stat()
        except FileNotFoundError:
            return None
        return [tag, stat.st_size, stat.st_mtime_ns]

    def _is_as(self, name: str, tag: str) -> bool:
        """Whether the file here is what was copied when the object had this tag."""
        return name in self.notes and self.notes[name] == self._state(name, tag)

    def _is_noted(self, name: str) -> bool:
        return name in self.notes and self._is_as(name, self.notes[name][0])

    def _fetch(self, name: str) -> None:
        target = self.folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = target.with_name(f".tmp-{target.name}")
        tag = _tag(self.system.info(f"{self.root}/{name}"))
        self.system.get_file(f"{self.root}/{name}", str(temporary))
        temporary.replace(target)
        self.notes[name] = self._state(name, tag)

    def _store(self, name: str) -> None:
        before = self._state(name, "")
        if before is None:  # it went meanwhile
            return
        self.system.put_file(str(self.folder / name), f"{self.root}/{name}")
        self.notes[name] = [_tag(self.system.info(f"{self.root}/{name}")), *before[1:]]

    def _delete(self, name: str) -> None:
        self.system.rm_file(f"{self.root}/{name}")
        self.notes.pop(name, None)

    def _each(self, do: Callable[[str], None], names: Iterable[str]) -> None:
        if names := list(names):
            with ThreadPoolExecutor(8) as pool:
                list(pool.map(do, names))
            self._note()

    def _noted(self) -> dict[str, Any]:
        try:
            told: dict[str, Any] = json.loads((self.folder / NOTES).read_bytes())
        except (FileNotFoundError, ValueError):  # none yet, or cut short: everything is copied once more
            return {}
        return told

    def _note(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        temporary = self.folder / f"{NOTES}.tmp"
        temporary.write_text(json.dumps(self.notes))
        temporary.replace(self.folder / NOTES)


def opened(url: str) -> tuple[Any, str]:
    """fsspec's file system for a URL, without caches of listings, and the path in it."""
    try:
        import fsspec

        system, path = fsspec.core.url_to_fs(url, use_listings_cache=False, skip_instance_cache=True)
    except (ImportError, ValueError) as error:
        raise ValueError(f"{url}: {error}. For s3://, pip install 'winnow-corpus[s3]'.") from error
    return system, path


def _tag(told: dict[str, Any]) -> str:
    return str(told.get("ETag") or [told.get("size"), str(told.get("LastModified") or told.get("created"))])


@contextmanager
def made_at(out: str) -> Iterator[str]:
    """The folder in which the run `out` is to be made: itself, or this machine's for a store, kept equal to it."""
    if not is_url(out):
        yield out
        return
    with ExitStack() as stack:
        with told(out):
            claim = stack.enter_context(Claim(*opened(out.rstrip("/"))))
            mirror = Mirror(out)
            mirror.pull()
        ended = threading.Event()
        copier = threading.Thread(target=_copy, args=(mirror, claim, ended), daemon=True)
        copier.start()
        try:
            yield str(mirror.folder)
        except ValueError as error:  # a person knows the run by its address
            raise ValueError(str(error).replace(str(mirror.folder), out)) from error
        finally:
            ended.set()
            copier.join(60)
        with told(out):
            claim.sure()
            mirror.push(whole=True)


def _copy(mirror: Mirror, claim: Claim, ended: threading.Event) -> None:
    while not ended.wait(EVERY) and not claim.lost.is_set():
        try:
            mirror.push()
        except Exception:  # noqa: BLE001 - the store may answer again in a while; the last copying is not in here
            continue


def copy_of(run: str) -> str:
    """A folder with what the store has of a run, to ask questions of; a local folder is itself."""
    if not is_url(run):
        return run
    with told(run):
        mirror = Mirror(run)
        mirror.folder.mkdir(parents=True, exist_ok=True)
        try:
            with locked(str(mirror.folder)):
                mirror.pull()
        except BusyError:  # it is being made here, and is asked as it lies
            return str(mirror.folder)
        if not mirror.notes:
            raise FileNotFoundError(
                f"{run} holds no run: there is no run.json in it. Name a folder made by `winnow run`."
            )
    return str(mirror.folder)


def publish(run: str, name: str) -> None:
    """Copy one file that was made in a run's folder here, beside its result, to the store."""
    with told(run):
        mirror = Mirror(run)
        mirror._each(mirror._store, [name])


@contextmanager
def told(url: str) -> Iterator[None]:
    """Faults of the store as sentences that name it."""
    try:
        yield
    except (FileNotFoundError, PermissionError) as error:
        if url in str(error):
            raise
        raise type(error)(f"{url}: {error}. Is there such a bucket, and may you write there?") from error
    except Exception as error:
        if type(error).__module__.split(".")[0] in ("botocore", "aiobotocore", "s3fs"):
            raise ValueError(f"{url}: {str(error).splitlines()[0]} Check endpoint and credentials (AWS_ENDPOINT_URL, "
                             "AWS_ACCESS_KEY_ID, ...), and give the same command again.") from error  # fmt: skip
        raise
