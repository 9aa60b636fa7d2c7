"""Addresses as keys: two documents of one key are two fetches of one page.

`c4` is what C4's code does before it groups pages by address (normalize_url in TFDS text/c4_utils.py): every
"http://", "https://" and a "www." after it go, then "?utm_", "?ref" or "?feed" with all that follows, then slashes at
the end. It minds case and keeps fragments and other queries; `plain` (filters.urls) lowers the host and drops port,
user and fragment. Traded away: 64-bit keys; two of ten billion addresses meet by chance in about three pairs.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from filters.bytewise import buffers, hash_bytes
from filters.compiled import kernel
from filters.urls import plain_urls

Keys = npt.NDArray[np.uint64]


def normalised(urls: pa.StringArray | pa.LargeStringArray, how: str) -> pa.LargeStringArray:
    """Addresses `exact`, `plain` or as `c4` levels them; null where there is none (`plain`: where it names no host)."""
    urls = urls.cast(pa.large_string())
    if how == "exact":
        return urls
    if how == "plain":
        return plain_urls(urls)
    if how != "c4":
        raise ValueError(f"There is no normalisation of URLs named {how!r}: exact, plain and c4 are.")
    bare = pc.replace_substring_regex(urls, r"https?://(www\.)?", "")
    # the code's ".*" ends at a line break
    return pc.utf8_rtrim(pc.replace_substring_regex(bare, r"\?(utm_|ref|feed)[^\n]*", ""), "/")


@kernel
def _keys(data, bounds):  # type: ignore[no-untyped-def]
    out = np.empty(len(bounds) - 1, np.uint64)
    for row in range(len(out)):
        out[row] = hash_bytes(data, bounds[row], bounds[row + 1])
    return out


def url_keys(urls: pa.StringArray | pa.LargeStringArray, how: str) -> tuple[Keys, npt.NDArray[np.bool_]]:
    """(64-bit key of each address, whether it has one); a key without address is 0 and stands for nothing."""
    if not len(urls):
        return np.empty(0, np.uint64), np.empty(0, np.bool_)
    level = normalised(urls, how)
    known = pc.and_(pc.is_valid(level), pc.not_equal(pc.fill_null(level, ""), "")).to_numpy(zero_copy_only=False)
    keys: Keys = _keys(*buffers(level))
    return np.where(known, keys, np.uint64(0)), known
