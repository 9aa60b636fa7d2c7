"""Exact duplicates: a 128-bit hash of the text, as it stands or normalised."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc
import xxhash


def normalise(text: pa.LargeStringArray, how: str) -> pa.LargeStringArray:
    """`none`, or `nfkc_lower_space`: NFKC, lower case, one space for each run of white space, none at the ends."""
    if how == "none":
        return text
    lower = pc.utf8_lower(pc.utf8_normalize(text, form="NFKC"))
    return pc.utf8_trim_whitespace(pc.replace_substring_regex(lower, r"[\s\x{3000}\x{A0}]+", " "))


def content_hashes(text: pa.LargeStringArray, how: str) -> list[str]:
    """xxh3_128 of each normalised text, 32 hex digits."""
    return [xxhash.xxh3_128_hexdigest(t.encode()) for t in normalise(text, how).to_pylist()]
