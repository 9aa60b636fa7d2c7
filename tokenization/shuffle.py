"""The order of documents: a seeded hash of doc_id, so that a global shuffle needs no list of the documents.

The key does not depend on who computes it, on the input's order or on the number of workers. A shard is a
range of keys; shards one after another are the one shuffled order of the corpus.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import xxhash


def order_keys(doc_ids: Sequence[str], seed: int) -> npt.NDArray[np.uint64]:
    r"""xxh3_64 of `seed`, NUL and doc_id in UTF-8, for each document; documents go in the order of their keys.

    >>> int(order_keys(["00ff"], 7)[0]) == xxhash.xxh3_64_intdigest(b"7\x0000ff")
    True
    """
    prefix = f"{seed}\0"
    keys = (xxhash.xxh3_64_intdigest((prefix + doc_id).encode()) for doc_id in doc_ids)
    return np.fromiter(keys, np.uint64, len(doc_ids))


def ids_digest(doc_ids: Iterable[pa.Array], seed: int) -> tuple[int, int]:
    """(count, sum of the keys modulo 2**64) of documents: equal for the same documents in any order.

    >>> ids_digest([pa.array(["a", "b"])], 0) == ids_digest([pa.array(["b"]), pa.array(["a"])], 0)
    True
    """
    count, total = 0, 0
    for ids in doc_ids:
        keys = order_keys(ids.to_pylist(), seed)
        count, total = count + len(keys), (total + int(keys.sum(dtype=np.uint64))) % 2**64
    return count, total


def shard_of(keys: npt.NDArray[np.uint64], shards: int) -> npt.NDArray[np.int64]:
    """The shard of each key, 0 to `shards` - 1: the key's place in its range.

    >>> shard_of(np.array([0, 2**63 - 1, 2**63, 2**64 - 1], np.uint64), 2).tolist()
    [0, 0, 1, 1]
    """
    return ((keys >> np.uint64(32)) * np.uint64(shards) >> np.uint64(32)).astype(np.int64)


def shard_count(text_bytes: int, shard_bytes: int) -> int:
    """Shards for so much kept text: ceil(text_bytes / shard_bytes), at least one.

    >>> shard_count(0, 100), shard_count(100, 100), shard_count(101, 100)
    (1, 1, 2)
    """
    return max(1, -(-text_bytes // shard_bytes))


def in_sample(doc_ids: Sequence[str], seed: int, share: float) -> npt.NDArray[np.bool_]:
    """Which documents belong to the sample that a tokenizer is trained on: about `share` of them.

    The hash is another than the order's, or the sample would be the first shards and nothing else.
    """
    keys = order_keys([f"sample\0{doc_id}" for doc_id in doc_ids], seed)
    return np.asarray(keys <= np.uint64(min(int(share * 2.0**64), 2**64 - 1)))
