"""`strip_urls`: DCLM's url_removal_modifier, without backtracking and over UTF-8 bytes.

Its two patterns are restated as scans from each point: a URL is a run of [-a-zA-Z0-9@:%._+~#=] (at most 256 before
the point) with a top-level domain after its last fit point, then whatever may follow in a URL, with a scheme and up
to ten blanks before it; an address is four groups of digits likewise. Domains are the public suffix list's
top level, in lower case as DCLM reads them. Two deviations: DCLM's domain list is an older copy of IANA's, and its
guard `tlds_regex.match` asks whether the *page begins* with a domain's letters, which is taken for a slip:
here every page loses its URLs, as RefinedWeb describes (arXiv:2306.01116, 3.1).
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from filters.compiled import kernel, step
from filters.edits.kernels import before, copy, edit, room
from filters.edits.tables import SPACE, WORD, flags
from filters.scan import find_byte
from filters.segment import Bytes, decode_at

TLDS = Path(__file__).with_name("tlds.txt")
BEFORE_POINT, BLANKS = 256, 10
NAME = "-abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789@:%._+~#="
NAMING, FOLLOWING = 1, 2


def _url_bytes() -> Bytes:
    kinds = np.zeros(256, np.uint8)
    kinds[[ord(c) for c in NAME]] = NAMING | FOLLOWING
    kinds[[ord(c) for c in "()?&/"]] |= FOLLOWING
    return kinds


@cache
def tlds() -> tuple[npt.NDArray[np.uint64], int]:
    """(sorted 64-bit FNV-1a hashes of the domains, characters of the longest)."""
    names = [n for n in TLDS.read_text(encoding="utf-8").split("\n") if n and not n.startswith("#")]
    return np.array(sorted(map(_fnv, names)), np.uint64), max(map(len, names))


def _fnv(name: str) -> int:
    h = 0xCBF29CE484222325
    for byte in name.encode():
        h = (h ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    return h


KINDS = _url_bytes()


@step
def _word_at(data, i, end, flags):  # type: ignore[no-untyped-def]
    """Whether a word character stands at i."""
    return i < end and flags[decode_at(data, i)[0]] & WORD != 0


@step
def _domain_end(data, i, end, flags, hashes, longest):  # type: ignore[no-untyped-def]
    """End of the longest top-level domain at i that ends at a word boundary, or -1."""
    best = -1
    h = np.uint64(0xCBF29CE484222325)
    for _ in range(longest):
        if i >= end:
            break
        code, width = decode_at(data, i)
        if code < 0x80 and not flags[code] & WORD:
            break
        for k in range(i, i + width):
            h = (h ^ np.uint64(data[k])) * np.uint64(0x100000001B3)
        i += width
        if (flags[code] & WORD != 0) != _word_at(data, i, end, flags):
            at = np.searchsorted(hashes, h)
            if at < len(hashes) and hashes[at] == h:
                best = i
    return best


@step
def _scheme_start(data, floor, i):  # type: ignore[no-untyped-def]
    """Start of http://, https:// or ftp:// that ends at i, or i."""
    if i - floor < 6 or data[i - 1] != 0x2F or data[i - 2] != 0x2F or data[i - 3] != 0x3A:
        return i
    for scheme in (b"https", b"http", b"ftp"):
        start = i - 3 - len(scheme)
        if start >= floor:
            k = 0
            while k < len(scheme) and data[start + k] == scheme[k]:
                k += 1
            if k == len(scheme):
                return start
    return i


@step
def _blanks_start(data, floor, i, flags):  # type: ignore[no-untyped-def]
    """Start of the white space before i, at most ten characters of it."""
    for _ in range(BLANKS):
        if i <= floor:
            break
        at = before(data, i)
        if not flags[decode_at(data, at)[0]] & SPACE:
            break
        i = at
    return i


@step
def _url(data, floor, point, end, flags, kinds, hashes, longest):  # type: ignore[no-untyped-def]
    """[start, end) of the URL whose first fit point is at `point`; empty if nothing stands before the point."""
    stop = _domain_end(data, point + 1, end, flags, hashes, longest)
    start = point
    while stop > 0 and start > floor and point - start < BEFORE_POINT and kinds[data[start - 1]] & NAMING:
        start -= 1
    if start == point:
        return point, point
    i = point + 1
    while i < end and i <= start + BEFORE_POINT and kinds[data[i]] & NAMING:
        if data[i] == 0x2E:
            stop = max(stop, _domain_end(data, i + 1, end, flags, hashes, longest))
        i += 1
    while stop < end and kinds[data[stop]] & FOLLOWING:
        stop += 1
    if point - start < BEFORE_POINT or start == floor or not kinds[data[start - 1]] & NAMING:
        start = _blanks_start(data, floor, _scheme_start(data, floor, start), flags)
    return start, stop


@step
def _address(data, begin, floor, i, end, flags, kinds):  # type: ignore[no-untyped-def]
    """[start, end) of the IPv4 address with its digits at i; empty if there is none."""
    if i > begin and flags[decode_at(data, before(data, i))[0]] & WORD:
        return i, i
    start = i
    for _ in range(3):
        digits = i
        while i < end and 0x30 <= data[i] <= 0x39 and i - digits < 4:
            i += 1
        n = i - digits
        if n == 0 or n > 3 or (n == 3 and data[digits] > 0x32) or i >= end or data[i] != 0x2E:
            return start, start
        i += 1
    if i >= end or not 0x30 <= data[i] <= 0x39:
        return start, start
    while i < end and kinds[data[i]] & FOLLOWING:
        i += 1
    scheme = _scheme_start(data, floor, start)
    if scheme == begin or not flags[decode_at(data, before(data, scheme))[0]] & WORD:
        start = scheme
    return _blanks_start(data, floor, start, flags), i


@step
def _digits_start(data, begin, point):  # type: ignore[no-untyped-def]
    """Start of the digits before the point; the point itself if there are none."""
    while point > begin and 0x30 <= data[point - 1] <= 0x39:
        point -= 1
    return point


@kernel
def _strip_urls(data, bounds, flags, kinds, hashes, longest, addresses):  # type: ignore[no-untyped-def]
    """The texts without addresses, or without other URLs; neither is without a point."""
    out, offsets = room(bounds)
    o = 0
    for doc in range(len(bounds) - 1):
        begin, end = bounds[doc], bounds[doc + 1]
        floor, point = begin, find_byte(data, begin, end, 0x2E)
        while point < end:
            start = stop = point
            if addresses:
                digits = _digits_start(data, begin, point)
                if floor <= digits < point:
                    start, stop = _address(data, begin, floor, digits, end, flags, kinds)
            elif point > floor and point + 1 < end and data[point + 1] > 0x2F:
                start, stop = _url(data, floor, point, end, flags, kinds, hashes, longest)
            if stop > start:
                o = copy(data, floor, start, out, o)
                floor = stop
            point = find_byte(data, max(floor, point + 1), end, 0x2E)
        o = copy(data, floor, end, out, o)
        offsets[doc + 1] = o
    return out, offsets


def strip_urls(text: pa.LargeStringArray) -> pa.LargeStringArray:
    """URLs by their top-level domain and IPv4 addresses go, with up to ten blanks before them; see the module."""
    hashes, longest = tlds()
    text = edit(text, _strip_urls, flags(), KINDS, hashes, longest, False)
    return edit(text, _strip_urls, flags(), KINDS, hashes, longest, True)
