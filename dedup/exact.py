"""Exact duplicates: a 128-bit hash of the text, as it stands or normalised."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import xxhash

from filters.bytewise import buffers


def normalise(text: pa.LargeStringArray, how: str) -> pa.LargeStringArray:
    """`none`, or `nfkc_lower_space`: NFKC, lower case, one space for each run of white space, none at the ends."""
    if how == "none":
        return text
    lower = pc.utf8_lower(pc.utf8_normalize(text, form="NFKC"))
    return pc.utf8_trim_whitespace(pc.replace_substring_regex(lower, r"[\s\x{3000}\x{A0}]+", " "))


def content_hashes(text: pa.LargeStringArray, how: str) -> npt.NDArray[np.uint64]:
    """xxh3_128 of each normalised text, (texts x 2), high half first."""
    data, bounds = buffers(normalise(text, how))
    # Hashed where it lies, without a Python string each.
    digests = b"".join(xxhash.xxh3_128_digest(data[low:high].data) for low, high in pairwise(bounds.tolist()))
    return np.frombuffer(digests, ">u8").reshape(-1, 2).astype(np.uint64)
