"""Shards by memory map, as fixed-length sequences in a seeded order that any step can be asked for.

The order is that of `tokenization.sequences`: the position in the data is a step number, and resuming, on any number
of ranks, needs nothing else. The documents of a manifest are shuffled already, so the last sequences of the stream are
a fair sample of documents; those are held out.

Traded away: a Parquet shard, which cannot be mapped, is unpacked once into a flat file beside the checkpoint.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from tokenization.manifest import Manifest, Shard
from tokenization.sequences import Order

Ids = npt.NDArray[np.int64]
COUNTED = 1 << 22  # ids counted at a time: bincount makes 8 bytes of each


class Sequences:
    """The corpus of a manifest as sequences of `context` + 1 ids; the last `held_out` of them, a tenth at most, apart.

    `cache` is where Parquet shards are unpacked. ValueError in a sentence if the shards are not what the manifest
    says, or too small for one sequence.
    """

    def __init__(
        self, manifest: Manifest, folder: Path, context: int, seed: int, held_out: int = 0, cache: Path | None = None
    ) -> None:
        self.context, self.vocab_size = context, manifest.tokenizer.vocab_size
        self.pieces: list[npt.NDArray[np.integer]] = []
        for shard in manifest.shards:
            self.pieces += _pieces(folder / shard.path, shard, manifest.dtype, cache or folder)
        self.ends = np.cumsum([len(piece) for piece in self.pieces], dtype=np.int64)
        tokens = int(self.ends[-1]) if self.pieces else 0
        if tokens != manifest.totals.tokens:
            raise ValueError(
                f"The shards in {folder} hold {tokens:,} tokens, the manifest says {manifest.totals.tokens:,}. "
                "Make the run's shards again with `winnow run`."
            )
        self.order = Order.of(tokens, context, seed, held_out)
        self.held_out, self.count = self.order.held_out, self.order.count
        if self.count < 1:
            raise ValueError(f"The corpus has {tokens:,} tokens, too few for one sequence of {context}: use --context.")

    def sequence(self, number: int) -> Ids:
        """Ids of one sequence, (context + 1,), copied out of the maps."""
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
        """This rank's rows, (size / ranks, context + 1), of the global batch of `size` sequences at `step`."""
        places = range(step * size + rank, (step + 1) * size, ranks)
        return np.stack([self.sequence(self.number_at(place)) for place in places])

    def number_at(self, place: int) -> int:
        """Which sequence comes at `place` (counted from 0 over all epochs) of the training's order."""
        return self.order.number_at(place)

    def held_out_batches(self, size: int, rank: int = 0, ranks: int = 1) -> Iterator[Ids]:
        """This rank's share of the held-out sequences, (at most `size`, context + 1) at a time, the same each time."""
        mine = range(self.count + rank, self.count + self.held_out, ranks)
        for first in range(0, len(mine), size):
            yield np.stack([self.sequence(number) for number in mine[first : first + size]])

    def unigram_entropy(self) -> float:
        """Nats a token if each were drawn from the corpus's own frequencies: what a model must get below.

        Every id is looked at, so an id that the tokenizer does not have is found here: ValueError.
        """
        counts = np.zeros(self.vocab_size, np.int64)
        for piece in self.pieces:
            for first in range(0, len(piece), COUNTED):
                found = np.bincount(piece[first : first + COUNTED], minlength=self.vocab_size)
                if len(found) > self.vocab_size:
                    raise ValueError(
                        f"A shard holds the id {len(found) - 1}, and the manifest's tokenizer has only "
                        f"{self.vocab_size:,}. Make the run's shards again with this tokenizer."
                    )
                counts += found
        p = counts[counts > 0] / counts.sum()
        return float(-(p * np.log(p)).sum())


def _pieces(path: Path, shard: Shard, dtype: str, cache: Path) -> list[npt.NDArray[np.integer]]:
    """The id arrays of a shard, one a record batch: views into the map, nothing is read yet."""
    if path.suffix == ".parquet":
        return [_unpacked(path, shard, dtype, cache)] if shard.tokens else []
    with pa.memory_map(str(path)) as source:  # the arrays keep the map alive
        reader = pa.ipc.open_file(source)
        _check_type(path, reader.schema, dtype)
        batches = [reader.get_batch(i) for i in range(reader.num_record_batches)]
    return [batch["tokens"].flatten().to_numpy(zero_copy_only=True) for batch in batches if batch.num_rows]


def _unpacked(path: Path, shard: Shard, dtype: str, cache: Path) -> npt.NDArray[np.integer]:
    """The ids of a Parquet shard, mapped from a flat file that is written at the first use and named by the hash."""
    target = cache / f"{shard.sha256}.{dtype}"
    if not target.is_file() or target.stat().st_size != shard.tokens * np.dtype(dtype).itemsize:
        cache.mkdir(parents=True, exist_ok=True)
        source = pq.ParquetFile(path)
        _check_type(path, source.schema_arrow, dtype)
        temporary = target.with_suffix(f".{os.getpid()}.tmp")  # ranks may do this at the same time
        with temporary.open("wb") as sink:
            for batch in source.iter_batches(1024, columns=["tokens"]):
                batch["tokens"].flatten().to_numpy().tofile(sink)
        temporary.replace(target)
    return np.memmap(target, np.dtype(dtype), "r")


def _check_type(path: Path, schema: pa.Schema, dtype: str) -> None:
    kind = schema.field("tokens").type if "tokens" in schema.names else None
    found = str(kind.value_type) if kind is not None and hasattr(kind, "value_type") else "no ids"
    if found != dtype:
        raise ValueError(f"{path} holds {found}, the manifest says {dtype}. Make the run's shards again.")
