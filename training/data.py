"""Shards by memory map, as fixed-length sequences in a seeded order that any step can be asked for.

All shards are one long stream of ids, cut into sequences of `context` + 1 ids that overlap by one. An epoch is
a permutation of the sequences, from the seed and the epoch's number: the position in the data is a step
number, and resuming needs nothing else.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from tokenization.manifest import Manifest

Ids = npt.NDArray[np.int64]


class Sequences:
    """The corpus of a manifest as sequences of `context` + 1 ids."""

    def __init__(self, manifest: Manifest, folder: Path, context: int, seed: int) -> None:
        self.context, self.seed = context, seed
        self.pieces = [piece for shard in manifest.shards for piece in _pieces(folder / shard.path)]
        self.ends = np.cumsum([len(piece) for piece in self.pieces]) if self.pieces else np.zeros(1, np.int64)
        self.count = (int(self.ends[-1]) - 1) // context
        if self.count < 1:
            raise ValueError(f"The manifest has {int(self.ends[-1])} tokens: too few for one sequence of {context}.")

    def sequence(self, number: int) -> Ids:
        """Ids of one sequence, copied out of the maps."""
        start, wanted = number * self.context, self.context + 1
        out = np.empty(wanted, np.int64)
        filled = 0
        piece = int(np.searchsorted(self.ends, start, side="right"))
        at = start - (int(self.ends[piece - 1]) if piece else 0)
        while filled < wanted:
            taken = self.pieces[piece][at : at + wanted - filled]
            out[filled : filled + len(taken)] = taken
            filled, piece, at = filled + len(taken), piece + 1, 0
        return out

    def batch(self, step: int, size: int, rank: int = 0, ranks: int = 1) -> Ids:
        """This rank's rows of the global batch of `size` sequences at `step` (size / ranks x context + 1)."""
        places = np.arange(step * size + rank, (step + 1) * size, ranks)
        return np.stack([self.sequence(self._at(int(place))) for place in places])

    def _at(self, place: int) -> int:
        epoch, within = divmod(place, self.count)
        return int(_permutation(self.seed, epoch, self.count)[within])

    def unigram_entropy(self, vocab_size: int) -> float:
        """Nats a token if each were drawn from the corpus's own frequencies: what a model must get below."""
        counts = np.zeros(vocab_size, np.int64)
        for piece in self.pieces:
            counts += np.bincount(piece, minlength=vocab_size)
        p = counts[counts > 0] / counts.sum()
        return float(-(p * np.log(p)).sum())


@lru_cache(maxsize=2)
def _permutation(seed: int, epoch: int, count: int) -> npt.NDArray[np.int64]:
    return np.random.default_rng((seed, epoch)).permutation(count)


def _pieces(path: Path) -> list[npt.NDArray[np.integer]]:
    """The id arrays of a shard: views into the map for Arrow IPC, read whole for Parquet."""
    if path.suffix == ".parquet":
        return [c.flatten().to_numpy() for c in pq.read_table(path)["tokens"].chunks]
    reader = pa.ipc.open_file(pa.memory_map(str(path)))
    batches = (reader.get_batch(i) for i in range(reader.num_record_batches))
    return [batch["tokens"].flatten().to_numpy(zero_copy_only=True) for batch in batches]
