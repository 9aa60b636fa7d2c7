"""A PyTorch IterableDataset over a manifest, for a trainer of your own: ordered, mixed, packed, and resumable anywhere.

    data = TokenDataset("runs/first/manifest.json", batch=256, context=2048, rank=rank, ranks=ranks)
    for rows in DataLoader(data, batch_size=None, pin_memory=True):
        loss = model(rows["ids"], rows["targets"], rows["documents"], rows["positions"])

Each item is one rank's share of a step. The position is a number of steps, equal on all ranks, so a state that was
saved by four ranks is loaded by two. Batches are made by a thread, `prefetch` of them ahead; where shards are in object
storage, further threads fetch what the window after the present one needs.

Traded away: with worker processes (`num_workers` above 0) each makes every n-th step, in order, but the state of the
dataset in the main process stands still; count the steps yourself, or use torchdata's StatefulDataLoader.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.utils.data import IterableDataset, get_worker_info

from tokenization.manifest import Manifest, file_sha256
from tokenization.plan import Layout
from training.cache import fetch, is_remote, locked
from training.data import Batch, Sequences, ahead

Rows = dict[str, torch.Tensor]


def local_manifest(path: str, cache: Path) -> tuple[Path, str]:
    """(local file, root of its shards) of a manifest, fetched first if it is a URL."""
    if not is_remote(path):
        return Path(path), str(Path(path).parent)
    target = cache / f"manifest-{hashlib.sha256(path.encode()).hexdigest()[:16]}.json"
    with locked(cache, target.name):  # ranks of one machine ask at the same time
        fetch(path, target)
    return target, path.rpartition("/")[0]


def tensors(batch: Batch) -> Rows:
    """The arrays of a batch by name, as tensors that share their memory."""
    return {name: torch.from_numpy(np.ascontiguousarray(array)) for name, array in batch._asdict().items()}


class TokenDataset(IterableDataset[Rows]):
    """Steps of a training without end, or `steps` of them; see `tokenization.plan.Layout` for `layout`'s keys.

    `cache` is for shards that are fetched (at most `cache_bytes`), unpacked or planned; `root` is where the shards are
    if not beside the manifest. ValueError in a sentence
    if batch and ranks do not fit, or the manifest and its shards do not.
    """

    def __init__(
        self, manifest: str, batch: int, context: int, *, seed: int = 0, rank: int = 0, ranks: int = 1,
        steps: int | None = None, prefetch: int = 4, cache: str = ".winnow-cache", cache_bytes: int = 1 << 40,
        apart: bool = True, root: str | None = None, **layout: Any,
    ) -> None:  # fmt: skip
        if batch % ranks:
            raise ValueError(f"A batch of {batch} sequences cannot be shared equally by {ranks} ranks.")
        file, beside = local_manifest(manifest, Path(cache))
        self.size, self.rank, self.ranks, self.steps, self.prefetch = batch, rank, ranks, steps, prefetch
        how = Layout(context=context, seed=seed, **layout)
        self.sequences = Sequences(Manifest.read(file), root or beside, how, Path(cache), apart, cache_bytes)
        self.identity = json.dumps([file_sha256(file), batch, how.as_dict()], sort_keys=True)
        self.step = 0

    def __iter__(self) -> Iterator[Rows]:
        """This rank's rows from the present step on."""
        worker = get_worker_info()
        first, stride = (self.step, 1) if worker is None else (self.step + worker.id, worker.num_workers)
        last = self.steps if self.steps is not None else 1 << 62
        with Fetcher(self.sequences, self.size) as fetcher:
            for rows in ahead(self._rows, fetcher.along(range(first, last, stride)), self.prefetch):
                self.step += stride
                yield rows

    def _rows(self, step: int) -> Rows:
        return tensors(self.sequences.batch(step, self.size, self.rank, self.ranks))

    def state_dict(self) -> dict[str, Any]:
        """The position: how many steps were taken, and of what."""
        return {"step": self.step, "of": self.identity}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a position, saved by however many ranks; ValueError if it is one in another order."""
        if state["of"] != self.identity:
            raise ValueError("This position is of another manifest, batch or layout: it means nothing here.")
        self.step = int(state["step"])


class Fetcher:
    """Fetches the shards that the steps to come need, a window ahead; does nothing where shards are local."""

    def __init__(self, sequences: Sequences, size: int) -> None:
        self.sequences, self.size = sequences, size
        self.remote = sequences.shards.store.remote
        self.pool = ThreadPoolExecutor(2) if self.remote else None
        self.reach, self.asked = 0, dict[int, Future[object]]()

    def __enter__(self) -> Fetcher:
        return self

    def __exit__(self, *_: object) -> None:
        if self.pool is not None:
            self.pool.shutdown(wait=True, cancel_futures=True)

    def along(self, steps: range) -> Iterator[int]:
        """The steps, each after what lies ahead of it was asked for."""
        for step in steps:
            if self.pool is not None:
                self._ask(step * self.size, self.pool)
            yield step

    def _ask(self, place: int, pool: ThreadPoolExecutor) -> None:
        layout, plan = self.sequences.layout, self.sequences.plan
        window = max(layout.window // layout.context, self.size)
        if layout.window == 0 or place + window <= self.reach:
            return
        first, self.reach = max(place, self.reach), place + 2 * window
        shards = self.sequences.shards
        starts = [plan.segments(n)[0][0] for n in plan.numbers_at(np.arange(first, self.reach)).tolist()]
        wanted = dict.fromkeys(np.searchsorted(shards.ends, starts, side="right").tolist())
        self.asked = {number: one for number, one in self.asked.items() if not one.done()}
        for number in wanted:
            if number not in self.asked and not shards.file(number).is_file():
                self.asked[number] = pool.submit(shards.path, number)
