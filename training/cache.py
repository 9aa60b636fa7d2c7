"""Shards where a trainer can map them: on the local disk, or fetched from object storage into a folder of bounded size.

What is fetched is written beside its final name, hashed on the way to it and renamed only if it has the sha256 that the
manifest states; the name is that hash, so trainings of several manifests may share a cache. Before something is fetched
the files used longest ago go, under a lock that all ranks of a machine share. A file that another rank has mapped stays
readable to it after it went, as POSIX promises, and takes disk until that rank lets go of it.

Traded away: shards are fetched whole, so a training over all shards at once needs a cache of all; with `--window` it
needs those of two windows.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tokenization.manifest import Shard

PIECE = 1 << 22


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
            if shard.bytes > self.limit:
                raise ValueError(f"{shard.path} has {shard.bytes:,} bytes, the cache holds {self.limit:,}: use a "
                                 "greater --cache-bytes.")  # fmt: skip
            with self._locked():
                if not target.is_file():
                    self._make_room(shard.bytes)
                    fetch(f"{self.root}/{shard.path}", target, shard.sha256)
        os.utime(target)
        return target

    def target(self, shard: Shard) -> Path:
        """Where a fetched shard lies."""
        return self.cache / f"{shard.sha256}{Path(shard.path).suffix}"

    def _make_room(self, size: int) -> None:
        files = [(path.stat(), path) for path in self.cache.iterdir() if len(path.stem) == 64 and path.is_file()]
        left = sum(stat.st_size for stat, _ in files) + size
        for stat, path in sorted(files, key=lambda pair: pair[0].st_mtime_ns):
            if left <= self.limit:
                return
            path.unlink()
            left -= stat.st_size

    @contextmanager
    def _locked(self) -> Iterator[None]:
        self.cache.mkdir(parents=True, exist_ok=True)
        with (self.cache / ".fetching").open("w") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield


def fetch(url: str, target: Path, sha256: str | None = None) -> None:
    """Copy a file through fsspec to `target`, whole or not at all; ValueError if it does not have this sha256."""
    import fsspec

    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".tmp-{os.getpid()}-{target.name}")
    digest = hashlib.sha256()
    try:
        with _opened(fsspec, url) as source, temporary.open("wb") as sink:
            while piece := source.read(PIECE):
                digest.update(piece)
                sink.write(piece)
        if sha256 is not None and digest.hexdigest() != sha256:
            raise ValueError(f"{url} does not have the sha256 that the manifest states. Restore it from a copy.")
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
