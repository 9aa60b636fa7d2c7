"""A supervised fastText model as arrays that a compiled kernel reads (filters/fasttext_kernel.py).

The library gives the numbers: vectors, output and the labels' counts. What it does not give out, its words and which
n-grams a quantised model kept, is read from the model's file, whose format has been the same since version 12
(https://github.com/facebookresearch/fastText, dictionary.cc and fasttext.cc). Traded away: models with word n-grams
or another loss than hierarchical softmax, as lid.176 has it. Whoever changes the order of the fields of `Tables`
deletes what is compiled (`*.nbi` and `*.nbc`): Numba knows them by place.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import NamedTuple

import fasttext
import fasttext_pybind
import numpy as np
import numpy.typing as npt

from filters.bytewise import Bytes, Ints

MAGIC, VERSION = 793_712_314, 12
HEADER = struct.Struct("<ii12id")  # magic, version, twelve options and a rate
SIZES = struct.Struct("<iiiqq")  # entries, words, labels, tokens seen, n-grams kept (-1: all)
COUNT_AND_KIND = 9  # bytes after each entry's text and its NUL
END = b"</s>"
UNMADE = 1e15  # above any count: a node without children yet (loss.cc, buildTree)


class Tables(NamedTuple):
    """The model. Row r is rows[r * dim:(r + 1) * dim]: a word's is its place, that of an n-gram with hash h is
    ngram_row[h % bucket], -1 if it was pruned. Inner node k of the tree has the nodes children[2 * k] and one further
    below it and decides by its row of `output`; nodes before `labels` are the labels, the last is the root.
    """

    dim: int
    rows: npt.NDArray[np.float32]
    words: Bytes  # all words, one after another, and some bytes to read over
    word_bounds: Ints
    end_row: int  # the row of "</s>", which ends every text
    ngram_row: npt.NDArray[np.int32]
    is_kept: Bytes  # a bit for each entry of ngram_row, the lowest first: not pruned
    shortest: int
    longest: int
    output: npt.NDArray[np.float32]
    children: Ints


def read(path: Path, model: fasttext.FastText._FastText) -> Tables:
    """The tables of a model that the library has loaded from `path`.

    Raises ValueError for a model that the kernel cannot stand for.
    """
    options = model.f.getArgs()
    words, kept = _entries(path.read_bytes(), path)
    labels, counts = model.get_labels(include_freq=True)
    plain = all(label.startswith("__label__") for label in labels) and END in words and not options.qout
    if options.loss.name != "hs" or options.wordNgrams != 1 or not options.minn <= options.maxn > 0 or not plain:
        raise ValueError(
            f"{path}: only models with hierarchical softmax, n-grams of characters alone, labels that begin with "
            "__label__ and an output that is not quantised are read."
        )
    if model.is_quantized():
        rows = _vectors(model, len(words) + (options.bucket if kept is None else len(kept)), options.dim)
    else:
        rows = model.get_input_matrix()
    ngram_row = np.arange(options.bucket, dtype=np.int32) + len(words)
    if kept is not None:
        ngram_row[:] = -1
        ngram_row[kept[:, 0]] = kept[:, 1] + len(words)
    return Tables(
        options.dim,
        np.ascontiguousarray(rows, np.float32).ravel(),
        np.frombuffer(b"".join(words) + bytes(8), np.uint8),
        np.cumsum([0, *map(len, words)], dtype=np.int64),
        words.index(END),
        ngram_row,
        np.packbits(ngram_row >= 0, bitorder="little"),
        options.minn,
        options.maxn,
        np.array(model.f.getOutputMatrix(), np.float32).ravel(),  # a copy: the library's own goes with the model
        tree(np.asarray(counts)),
    )


def _vectors(model: fasttext.FastText._FastText, count: int, dim: int) -> npt.NDArray[np.float32]:
    """The rows of a quantised model, which the library gives one by one."""
    rows, vector = np.empty((count, dim), np.float32), fasttext_pybind.Vector(dim)
    values = np.array(vector, copy=False)
    for row in range(count):
        model.f.getInputVector(vector, row)
        rows[row] = values
    return rows


def _entries(raw: bytes, path: Path) -> tuple[list[bytes], npt.NDArray[np.int32] | None]:
    """The words in their order, and (bucket, place) of each n-gram that was kept; None if all were."""
    magic, version, *_ = HEADER.unpack_from(raw)
    if (magic, version) != (MAGIC, VERSION):
        raise ValueError(f"{path}: fastText's format {VERSION} is read, this file has {version}.")
    _, number, labels, _, kept = SIZES.unpack_from(raw, HEADER.size)
    at, words = HEADER.size + SIZES.size, []
    for _ in range(number + labels):
        stop = raw.index(b"\0", at)
        words.append(raw[at:stop])
        at = stop + 1 + COUNT_AND_KIND
    return words[:number], None if kept < 0 else np.frombuffer(raw, "<i4", 2 * kept, at).reshape(-1, 2)


def tree(counts: npt.NDArray[np.int64]) -> Ints:
    """The children of each inner node of fastText's Huffman tree over labels sorted by falling count.

    >>> tree(np.array([5, 2, 1])).tolist()
    [2, 1, 3, 0]
    """
    labels = len(counts)
    weight = np.concatenate([counts.astype(float), np.full(max(labels - 1, 0), UNMADE)])
    children = np.zeros((max(labels - 1, 0), 2), np.int64)
    leaf, node = labels - 1, labels
    for inner in range(labels - 1):
        for side in range(2):
            if leaf >= 0 and weight[leaf] < weight[node]:
                children[inner, side], leaf = leaf, leaf - 1
            else:
                children[inner, side], node = node, node + 1
        weight[labels + inner] = weight[children[inner]].sum()
    return children.ravel()
