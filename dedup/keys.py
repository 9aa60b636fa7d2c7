"""What a document is known by: the keys at which it meets others, and what a pair is judged by.

One row a document. `keys` has one column for each meeting: the address, the text's hash, then bands, or blocks of a
SimHash. Two documents become
candidates when they have the same value in the same column; 0 means that a document has no key there, and a
document without shingles has none at all, since an empty text resembles nothing. Of a signature that nothing
is verified by, the first `SEEN` hashes are kept: enough to estimate a Jaccard within 0.03, where a banding
of 9,000 would otherwise take 36 KB a document.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import comb

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import xxhash

from dedup.bands import band_hashes
from dedup.exact import content_hashes
from dedup.pairs import U64
from dedup.signatures import Signatures, signatures
from dedup.simhash import block_keys, simhashes
from dedup.urls import url_keys
from recipes.dedup import Dedup

SEEN = 256
KEYS_VERSION = 1  # to be raised whenever a key, a mark or a signature is made otherwise
URL, EXACT, BAND, BLOCK = "url", "exact", "band", "block"
METHODS = ("exact", "url", "minhash", "simhash")  # what a document that goes may go by, the surest first


@dataclass(frozen=True)
class Keys:
    """`content` (n x 2): 128 bits of the text; `url` (n): key of the address, 0 for none.

    `mark` (n): 64 bits of what a pair is judged by, if it is judged; `signed` (n x k): the signature, or its beginning.
    """

    content: U64
    url: U64
    mark: U64
    keys: U64
    signed: Signatures


def columns(dedup: Dedup) -> tuple[str, ...]:
    """The kind of each column of `keys`."""
    bands = dedup.minhash.bands if dedup.minhash else 0
    blocks = comb(dedup.simhash.blocks, dedup.simhash.distance) if dedup.simhash else 0
    alone = [kind for kind, wanted in ((URL, dedup.url), (EXACT, dedup.exact)) if wanted]
    return (*alone, *([BAND] * bands), *([BLOCK] * blocks))


def near_method(dedup: Dedup) -> str:
    """What a document goes by that has neither the text nor the address of one before it."""
    ways = (("minhash", dedup.minhash), ("simhash", dedup.simhash), ("exact", dedup.exact), ("url", dedup.url))
    return next(name for name, wanted in ways if wanted)


def signature_width(dedup: Dedup) -> int:
    """How many hashes of a signature are kept."""
    if not dedup.minhash:
        return 0
    by_signature = dedup.minhash.verify is not None and dedup.minhash.verify_by == "signature"
    return dedup.minhash.num_perm if by_signature else min(dedup.minhash.num_perm, SEEN)


def keys_of(text: pa.LargeStringArray, lang: pa.StringArray, url: pa.StringArray | None, dedup: Dedup) -> Keys:
    """Keys of `text`; languages matter only where bands must not meet across them, and `url` where it is a key."""
    content = content_hashes(text, dedup.exact.normalise if dedup.exact else "none")
    address = np.zeros(len(text), np.uint64) if dedup.url is None else url_keys(url, dedup.url.normalise)[0]
    made: list[U64] = [address[:, None]] if dedup.url else []
    if dedup.exact:
        made.append(np.where(content[:, :1] == 0, np.uint64(1), content[:, :1]))
    mark, signed = np.zeros(len(text), np.uint64), np.empty((len(text), 0), np.uint32)
    if minhash := dedup.minhash:
        whole = signatures(text, minhash.ngram, minhash.unit, minhash.num_perm, minhash.seed, minhash.scheme)
        bands = band_hashes(whole, minhash.bands, minhash.rows)
        if minhash.scope == "language":  # no band of one language may meet a band of another
            bands ^= _lang_hashes(lang)[:, None]
        bands[bands == 0] = 1
        bands[(whole == np.uint32(0xFFFFFFFF)).all(axis=1)] = 0
        made.append(bands)
        signed = whole[:, : signature_width(dedup)]
        if minhash.verify is not None:
            mark = _row_hashes(whole) if minhash.verify_by == "signature" else content[:, 1]
    if simhash := dedup.simhash:
        mark, some = simhashes(text, simhash.unit, simhash.window)
        blocks = block_keys(mark, simhash.blocks, simhash.distance)
        blocks[~some] = 0
        made.append(blocks)
    return Keys(content, address, mark, np.hstack(made) if made else np.empty((len(text), 0), np.uint64), signed)


def _row_hashes(rows: Signatures) -> U64:
    return np.fromiter((xxhash.xxh3_64_intdigest(row) for row in np.ascontiguousarray(rows)), np.uint64, len(rows))


def _lang_hashes(lang: pa.StringArray) -> U64:
    coded = lang.dictionary_encode()
    known = [xxhash.xxh3_64_intdigest(code.encode()) for code in coded.dictionary.to_pylist()]
    rows: npt.NDArray[np.uint64] = np.array([*known, 0], np.uint64)[
        coded.indices.fill_null(len(known)).to_numpy(zero_copy_only=False)
    ]
    return rows
