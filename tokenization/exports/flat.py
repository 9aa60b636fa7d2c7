"""Ids in one flat file: `.npy` for NumPy, and nanoGPT's `train.bin` and `val.bin` without any header.

nanoGPT maps `train.bin` as uint16. A vocabulary above 65,536 is written as uint32, which wants one word of its
`get_batch` changed; no id is ever cut to 16 bits. Its last documents are its validation split: the order is a shuffle.

Traded away: nanoGPT's `meta.pkl`, for a pickle runs code when it is read. Set `vocab_size` by hand there.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from tokenization.exports.source import Source

VALIDATION = 0.0005  # nanoGPT's own split of OpenWebText, data/openwebtext/prepare.py


def write_npy(source: Source, out: Path) -> dict[str, Any]:
    """`tokens.npy`; `ends.npy` (int64), one past each document's last id; `mask.npy` (uint8) where answers are marked.

    ValueError if the shards do not hold what the manifest says.
    """
    totals, dtype = source.manifest.totals, source.manifest.dtype
    made: dict[str, np.ndarray[Any, Any]] = {
        "tokens": _mapped(out / "tokens.npy", dtype, totals.tokens),
        "ends": _mapped(out / "ends.npy", "int64", totals.documents),
    }
    if source.manifest.answers:
        made["mask"] = _mapped(out / "mask.npy", "uint8", totals.tokens)
    at = done = 0
    for rows in source.rows():
        stop, last = at + len(rows.ids), done + len(rows.lengths)
        if stop > totals.tokens or last > totals.documents:
            break
        made["tokens"][at:stop] = rows.ids
        made["ends"][done:last] = at + np.cumsum(rows.lengths)
        if rows.mask is not None:
            made["mask"][at:stop] = rows.mask
        at, done = stop, last
    _check(at, totals.tokens)
    for array in made.values():
        if isinstance(array, np.memmap):
            array.flush()
    return {"dtype": dtype, "read": "numpy.load('DIR/tokens.npy', mmap_mode='r')"}


def _mapped(path: Path, dtype: str, count: int) -> np.ndarray[Any, Any]:
    if count:
        return np.lib.format.open_memmap(path, "w+", np.dtype(dtype), (count,))
    np.save(path, np.empty(0, dtype))  # nothing cannot be mapped
    return np.empty(0, dtype)


def write_nanogpt(source: Source, out: Path, validation: float = VALIDATION) -> dict[str, Any]:
    """`train.bin` and `val.bin`, the second with the last documents: about `validation` of all ids, at least one.

    Where answers are marked, `train_mask.bin` and `val_mask.bin` hold a byte for each id. ValueError as `write_npy`.
    """
    total = source.manifest.totals.tokens
    border = min(total - 1, int(total * (1 - validation)))
    sinks = {name: (out / f"{name}.bin").open("wb") for name in _names(source)}
    counts = {"train": 0, "val": 0}
    try:
        at = 0
        for rows in source.rows():
            ends = at + np.cumsum(rows.lengths)
            # Whole documents on both sides: the first that ends past the border begins the validation split.
            cut = int(rows.lengths[: int(np.searchsorted(ends, border, side="right"))].sum())
            for split, part in (("train", slice(0, cut)), ("val", slice(cut, None))):
                rows.ids[part].tofile(sinks[split])
                counts[split] += len(rows.ids[part])
                if rows.mask is not None:
                    rows.mask[part].tofile(sinks[f"{split}_mask"])
            at += len(rows.ids)
        _check(at, total)
    finally:
        for sink in sinks.values():
            sink.close()
    dtype = source.manifest.dtype
    return {"dtype": dtype, "splits": counts, "read": f"numpy.memmap('DIR/train.bin', dtype='{dtype}', mode='r')"}


def _names(source: Source) -> list[str]:
    return ["train", "val", *(["train_mask", "val_mask"] if source.manifest.answers else [])]


def _check(found: int, said: int) -> None:
    if found != said:
        raise ValueError(f"The shards hold {found:,} tokens or more, the manifest says {said:,}. Make the run's "
                         "shards again.")  # fmt: skip
