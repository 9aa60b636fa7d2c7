"""GPT-3's quality classifier (arXiv:2005.14165, App. A): white-space words, hashed counts, logistic regression.

Features are scikit-learn's HashingVectorizer's (MurmurHash3 of each word, seed 0, `abs(hash) % 2^bits`), worked out
here over Arrow's bytes: a saved model is used without scikit-learn, and gives the very number that it would give (the
tests hold the two together). Spark's HashingTF, which OpenAI used, has the same hash with another seed. A model is an
.npz of plain arrays and a JSON text; it is read with pickles refused.
"""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import numpy.typing as npt
import orjson
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field
from scipy.sparse import csr_array
from scipy.special import expit

from filters.compiled import kernel, step
from filters.scores.interface import Found, Scorer
from filters.segment import CLASSES, SPACE, Bytes, Ints, buffers, decode_at
from recipes.scores import HashingLR
from recipes.strict import Strict

# Python's str.isspace, by which str.split cuts: Unicode's separators and the control characters that part text.
BLANK = (CLASSES == SPACE).astype(np.uint8)
BLANK[0x1C:0x20] = 1


class Features(Strict):
    """How a text becomes a vector: lower case or not, 2^bits counts, and the vector's length made 1 (`norm`)."""

    bits: int = Field(default=18, ge=8, le=24)
    case: str = Field(default="lower", pattern="^(none|lower)$")
    norm: str = Field(default="l2", pattern="^(none|l2)$")


@step
def murmur3(data: Bytes, start: int, end: int) -> np.int32:
    """MurmurHash3_x86_32 of bytes [start, end), seed 0, as a signed number."""
    h = np.uint32(0)
    c1, c2 = np.uint32(0xCC9E2D51), np.uint32(0x1B873593)
    whole = start + (end - start) // 4 * 4
    for i in range(start, whole, 4):
        k = np.uint32(
            np.uint32(data[i])
            | (np.uint32(data[i + 1]) << np.uint32(8))
            | (np.uint32(data[i + 2]) << np.uint32(16))
            | (np.uint32(data[i + 3]) << np.uint32(24))
        )
        k = np.uint32(k * c1)
        k = np.uint32((k << np.uint32(15)) | (k >> np.uint32(17)))
        h ^= np.uint32(k * c2)
        h = np.uint32((h << np.uint32(13)) | (h >> np.uint32(19)))
        h = np.uint32(np.uint32(h * np.uint32(5)) + np.uint32(0xE6546B64))
    k = np.uint32(0)
    for j in range(end - whole):
        k |= np.uint32(np.uint32(data[whole + j]) << np.uint32(8 * j))
    if end > whole:
        k = np.uint32(k * c1)
        k = np.uint32((k << np.uint32(15)) | (k >> np.uint32(17)))
        h ^= np.uint32(k * c2)
    h ^= np.uint32(end - start)
    h ^= h >> np.uint32(16)
    h = np.uint32(h * np.uint32(0x85EBCA6B))
    h ^= h >> np.uint32(13)
    h = np.uint32(h * np.uint32(0xC2B2AE35))
    h ^= h >> np.uint32(16)
    return np.int32(h)


@kernel
def _columns(data: Bytes, bounds: Ints, blank: Bytes, size: int) -> tuple[Ints, npt.NDArray[np.int32]]:
    """(first word of each text, column of each word)."""
    first = np.zeros(len(bounds), np.int64)
    out = np.empty((bounds[-1] - bounds[0]) // 2 + len(bounds), np.int32)
    n = 0
    for row in range(len(bounds) - 1):
        i, end = bounds[row], bounds[row + 1]
        while i < end:
            start = i
            while i < end:
                code, width = decode_at(data, i)
                if blank[code]:
                    break
                i += width
            if i > start:
                h = np.int64(murmur3(data, start, i))
                out[n] = abs(h) % size
                n += 1
            if i < end:
                i += decode_at(data, i)[1]
        first[row + 1] = n
    return first, out[:n]


def vectors(text: pa.LargeStringArray, how: Features, prefix: int) -> csr_array:
    """n texts as a sparse n x 2^bits matrix of doubles."""
    cut = pc.utf8_slice_codeunits(pc.fill_null(text, ""), 0, prefix)
    data, bounds = buffers(pc.utf8_lower(cut) if how.case == "lower" else cut)
    first, columns = _columns(data, bounds, BLANK, 1 << how.bits)
    matrix = csr_array((np.ones(len(columns)), columns, first), shape=(len(text), 1 << how.bits))
    matrix.sum_duplicates()
    if how.norm == "l2":
        for row in range(len(text)):
            values = matrix.data[matrix.indptr[row] : matrix.indptr[row + 1]]
            if len(values):
                values /= np.sqrt((values * values).sum())  # sums of whole numbers: exact in any order
    return matrix


def save(path: Path, weights: npt.NDArray[np.float64], bias: float, how: Features) -> None:
    """Write a model; the same model gives the same bytes."""
    arrays = {"weights": weights, "bias": np.array([bias]), "features": _text(how.model_dump_json())}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:  # np.savez would write the time of day
        for name, array in arrays.items():
            with archive.open(zipfile.ZipInfo(f"{name}.npy"), "w", force_zip64=True) as file:
                np.lib.format.write_array(file, np.ascontiguousarray(array), allow_pickle=False)


def _text(value: str) -> Bytes:
    return np.frombuffer(value.encode(), np.uint8)


class HashingLRScorer(Scorer[HashingLR]):
    """Null for texts without a word."""

    def __init__(self, entry: HashingLR, path: Path | None, digest: str) -> None:
        super().__init__(entry, digest)
        with np.load(Path(path or "."), allow_pickle=False) as arrays:
            lacking = [name for name in ("weights", "bias", "features") if name not in arrays]
            if lacking:
                raise ValueError(f"it has no array {lacking[0]!r}.")
            self.how = Features.model_validate(orjson.loads(arrays["features"].tobytes()))
            self.weights = arrays["weights"].astype(np.float64, casting="same_kind")
            self.bias = float(arrays["bias"][0])
        if self.weights.shape != (1 << self.how.bits,):
            raise ValueError(f"it has {self.weights.shape} weights, not 2^{self.how.bits}.")

    def find(self, batch: pa.RecordBatch, text: pa.LargeStringArray, lang: pa.StringArray) -> Found:
        """Probabilities of the positive class."""
        matrix = vectors(text, self.how, self.entry.prefix)
        empty = np.diff(matrix.indptr) == 0
        return pa.array(expit(matrix @ self.weights + self.bias), mask=empty), None
