"""Whether the shards are what the manifest says, before or while they are trained on.

Presence and sizes of all shards are looked at in any case, which takes milliseconds; hashing a corpus takes as long as
reading it. `start` hashes all before the first step; `background` hashes them in a thread beside the training, which
stops at the next step after a fault was found and does not end before all were hashed. Shards that are fetched from
object storage are hashed as they arrive, whatever is asked.
"""

from __future__ import annotations

import os
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from tokenization.manifest import Manifest, file_sha256
from training.cache import is_remote


class Verified:
    """The check of a manifest's shards under `root`; ValueError in a sentence where one is not as it should be."""

    def __init__(self, manifest: Manifest, root: str, how: str) -> None:
        self.root, self.stopped = Path(root), False
        self.running: Future[None] | None = None
        if is_remote(root):
            return
        for shard in manifest.shards:
            path = f"{root}/{shard.path}"
            try:
                size = os.stat(path).st_size  # noqa: PTH116 - of ten thousand shards, without as many path objects
            except FileNotFoundError as error:
                raise ValueError(f"{path} is missing. Run again to remake it.") from error
            if size != shard.bytes:
                raise ValueError(f"{path} has {size} bytes, the manifest says {shard.bytes}. Run again to remake it.")
        if how == "start" and (problems := manifest.problems(root)):
            raise ValueError(problems[0])
        if how == "background":
            pool = ThreadPoolExecutor(1)
            self.running = pool.submit(self._hash, manifest)
            pool.shutdown(wait=False)

    def _hash(self, manifest: Manifest) -> None:
        for shard in manifest.shards:
            if self.stopped:
                return
            if file_sha256(self.root / shard.path) != shard.sha256:
                raise ValueError(f"{self.root / shard.path} does not have the sha256 that the manifest states. Run "
                                 "again to remake it.")  # fmt: skip

    def check(self, wait: bool = False) -> None:
        """Raise the fault that was found by now, or, with `wait`, by the end of all hashes."""
        if self.running is not None and (wait or self.running.done()):
            self.running.result()

    def stop(self) -> None:
        """Hash no more."""
        self.stopped = True
