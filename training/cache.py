"""Shards where a trainer can map them: on the local disk, or fetched from object storage into a folder of bounded size.

What is fetched is written beside its final name, hashed on the way to it and renamed only if it has the sha256 that the
manifest states; the name is that hash, so trainings of several manifests may share a cache. Room is made first, by the
files used longest ago, and reserved by a file of the full size. Threads and ranks share a cache: one lock for its list,
held for moments, and one a shard, held while it comes. A file that another rank has mapped stays readable to it after
it went, as POSIX promises, and takes disk until that rank lets go of it. The flat file that a Parquet shard is unpacked
into counts as a fetched one does; beside local shards it stays.

Traded away: shards are fetched whole, so a training over all shards at once needs a cache of all; with `--window` it
needs those of two windows.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from tokenization.manifest import Shard

PIECE = 1 << 22
BEGUN = ".tmp-"
Unpack = Callable[[Path, BinaryIO, BinaryIO], None]  # (name for messages, Parquet file, sink of the ids)
COUNTED = {".arrow", ".parquet", ".uint16", ".uint32"}  # what the bound is for; plans and manifests are not


def is_remote(path: str) -> bool:
    """Whether a path is for fsspec (`s3://...`) and not for the local file system.

    >>> is_remote("s3://bucket/manifest.json"), is_remote("/data/manifest.json")
    (True, False)
    """
    return "://" in path


class Store:
    """Where the files of a manifest are: `root` is its folder, a path or an fsspec URL."""

    def __init__(self, root: str, cache: Path, limit: int) -> None:
        self.root, self.cache, self.limit = root, cache, limit
        self.remote = is_remote(root)

    def path(self, shard: Shard) -> Path:
        """The local file of a shard, fetched first if it has to be. ValueError or OSError in a sentence."""
        if not self.remote:
            return Path(self.root, shard.path)
        target = self.target(shard)
        if not target.is_file():
            with self._locked(target.name):
                if not target.is_file():
                    self._reserve(target, shard.bytes, shard.path)
                    fetch(f"{self.root}/{shard.path}", target, shard.sha256)
        return target

    def held(self, shard: Shard) -> AbstractContextManager[Path]:
        """The local file of a shard, which nobody takes away while it is being opened."""
        return self._held(lambda: self.path(shard))

    def unpacked(self, shard: Shard, dtype: str, write: Unpack) -> AbstractContextManager[Path]:
        """The flat file of a Parquet shard's ids, made by `write` if it is not there, and held as a shard is.

        ValueError in a sentence if the shard has another number of ids than the manifest says.
        """
        return self._held(lambda: self._flat(shard, dtype, write))

    @contextmanager
    def _held(self, find: Callable[[], Path]) -> Iterator[Path]:
        if not self.remote:
            yield find()
            return
        while True:
            path = find()
            with self._locked("list"):
                if path.is_file():
                    os.utime(path)
                    yield path
                    return

    def target(self, shard: Shard) -> Path:
        """Where a fetched shard lies."""
        return self.cache / f"{shard.sha256}{Path(shard.path).suffix}"

    def flat(self, shard: Shard, dtype: str) -> Path:
        """Where a Parquet shard's ids lie, unpacked."""
        return self.cache / f"{shard.sha256}.{dtype}"

    def _flat(self, shard: Shard, dtype: str, write: Unpack) -> Path:
        target, size = self.flat(shard, dtype), shard.tokens * np.dtype(dtype).itemsize
        if target.is_file() and target.stat().st_size == size:
            return target
        with self._locked(target.name), ExitStack() as stack:  # ranks and threads may do this at the same time
            if target.is_file() and target.stat().st_size == size:
                return target
            with self.held(shard) as path:
                source = stack.enter_context(path.open("rb"))  # it may go when room is made, and is read all the same
            if self.remote:
                self._reserve(target, size, f"{shard.path}, unpacked,")
            with _begun(target) as sink:
                write(path, source, sink)
                found = sink.tell() // np.dtype(dtype).itemsize
                if found != shard.tokens:
                    raise ValueError(f"{path} holds {found:,} tokens, the manifest says {shard.tokens:,}. Make the "
                                     "run's shards again with `winnow run`.")  # fmt: skip
        return target

    def _reserve(self, target: Path, size: int, named: str) -> None:
        if size > self.limit:
            raise ValueError(f"{named} has {size:,} bytes, the cache holds {self.limit:,}: use a greater "
                             "--cache-bytes.")  # fmt: skip
        while not self._room(target, size):
            time.sleep(0.02)  # what others are fetching can make room once it is there

    def _room(self, target: Path, size: int) -> bool:
        """Reserve so many bytes for `target`, older files going for them; False if what is being fetched has it all."""
        with self._locked("list"):
            for begun in self.cache.glob(f"{BEGUN}*"):
                if begun.suffix in COUNTED and not self._busy(begun.name.removeprefix(BEGUN)):
                    begun.unlink(missing_ok=True)  # of a process that died
            files = self._files()
            left = sum(stat.st_size for stat, _ in files) + size
            done = sorted((stat.st_mtime_ns, stat.st_size, path) for stat, path in files if path.name[0] != ".")
            for _, bytes_, path in done:
                if left <= self.limit:
                    break
                path.unlink(missing_ok=True)
                left -= bytes_
            if left <= self.limit:
                with begun_of(target).open("wb") as sink:
                    sink.truncate(size)
            return left <= self.limit

    def _files(self) -> list[tuple[os.stat_result, Path]]:
        """What is there and what is being fetched."""
        while True:
            try:
                return [(path.stat(), path) for path in self.cache.iterdir() if path.suffix in COUNTED]
            except FileNotFoundError:
                continue  # one got its final name meanwhile: to pass it over would be to count too little

    def _busy(self, name: str) -> bool:
        """Whether someone holds the lock of a shard."""
        with (self.cache / "locks" / name).open("w") as handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
            return False

    def _locked(self, name: str) -> AbstractContextManager[None]:
        return locked(self.cache, name)


@contextmanager
def locked(cache: Path, name: str) -> Iterator[None]:
    """A lock of this name among all threads and processes that use the cache."""
    (cache / "locks").mkdir(parents=True, exist_ok=True)
    with (cache / "locks" / name).open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def begun_of(target: Path) -> Path:
    """The name under which a file is fetched."""
    return target.with_name(f"{BEGUN}{target.name}")


def fetch(url: str, target: Path, sha256: str | None = None) -> None:
    """Copy a file through fsspec to `target`, whole or not at all; ValueError if it does not have this sha256.

    For one caller at a time: hold the lock of the target's name.
    """
    import fsspec

    digest = hashlib.sha256()
    with _opened(fsspec, url) as source, _begun(target) as sink:
        while piece := source.read(PIECE):
            digest.update(piece)
            sink.write(piece)
        if sha256 is not None and digest.hexdigest() != sha256:
            raise ValueError(f"{url} does not have the sha256 that the manifest states. Restore it from a copy.")


@contextmanager
def _begun(target: Path) -> Iterator[BinaryIO]:
    """A file under its temporary name, over what was reserved for it; it gets its name when the block ends well."""
    temporary = begun_of(target)
    try:
        with temporary.open("r+b" if temporary.is_file() else "wb") as sink:
            yield sink
            sink.truncate()
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


def _opened(fsspec: Any, url: str) -> Any:
    try:
        return fsspec.open(url, "rb").open()
    except ImportError as error:  # the file system of this protocol is a package of its own
        raise ValueError(f"{url}: {error}.") from error
    except FileNotFoundError as error:
        raise FileNotFoundError(f"There is no {url}.") from error
    except ValueError as error:
        raise ValueError(f"{url}: {error}.") from error


def exists(url: str) -> bool:
    """Whether there is a file at an fsspec URL."""
    import fsspec

    system, path = fsspec.core.url_to_fs(url)
    return bool(system.exists(path))
