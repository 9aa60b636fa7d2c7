"""Hosts and registrable domains of a batch of URLs, read as browsers read them.

The host is found by one pass over Arrow's bytes that follows the WHATWG URL standard (https://url.spec.whatwg.org):
user information ends at the last "@" before the first "/", "\\", "?" or "#", so that `http://good.com@bad.com` is of
bad.com. Names that are not ASCII become punycode (UTS 46), once a distinct host. What is no http, https or ftp URL
with a host that DNS could hold is null. Traded away: percent-encoded hosts and IPv4 written as one number, which
browsers decode, are null here; they are rare, and evade block lists only for who reads the page through them.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, lru_cache

import idna
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from publicsuffixlist import PublicSuffixList

from filters.bytewise import Bytes, Ints, buffers
from filters.compiled import kernel, step

MAX_HOST = 253
BAD, PLAIN, FOREIGN = 0, 1, 2
DIGIT_OR_DOT = frozenset("0123456789.")


@step
def _lower(byte):  # type: ignore[no-untyped-def]
    return byte + 32 if 65 <= byte <= 90 else byte


@step
def _authority(data: Bytes, i: int, end: int) -> tuple[int, int]:
    """First byte after `scheme://` and the end of the authority; (-1, -1) if this is no http, https or ftp URL."""
    while i < end and data[i] <= 32:
        i += 1
    scheme = i
    while i < end and i - scheme < 6 and data[i] != 58:  # ":"
        i += 1
    size = i - scheme
    known = (
        size >= 4
        and _lower(data[scheme]) == 104
        and _lower(data[scheme + 1]) == 116
        and _lower(data[scheme + 2]) == 116
        and _lower(data[scheme + 3]) == 112
        and (size == 4 or (size == 5 and _lower(data[scheme + 4]) == 115))
    ) or (
        size == 3
        and _lower(data[scheme]) == 102
        and _lower(data[scheme + 1]) == 116
        and _lower(data[scheme + 2]) == 112
    )
    if not known or i + 2 >= end or data[i] != 58:
        return -1, -1
    if not (data[i + 1] == 47 or data[i + 1] == 92) or not (data[i + 2] == 47 or data[i + 2] == 92):
        return -1, -1
    start = i + 3
    i = start
    while i < end and data[i] != 47 and data[i] != 92 and data[i] != 63 and data[i] != 35:  # / \ ? #
        i += 1
    return start, i


@step
def _host(data: Bytes, start: int, end: int) -> tuple[int, int, int]:
    """First byte of the host, its end, and BAD, PLAIN (ASCII) or FOREIGN, within the authority [start, end)."""
    while end > start and data[end - 1] <= 32:  # a URL that is only an authority may end in blanks
        end -= 1
    for i in range(end - 1, start - 1, -1):
        if data[i] == 64:  # "@"
            start = i + 1
            break
    if start < end and data[start] == 91:  # "[", an IPv6 address
        stop = start
        while stop < end and data[stop] != 93:
            b = _lower(data[stop])
            if stop > start and not (48 <= b <= 58 or 97 <= b <= 102 or b == 46):
                return 0, 0, 0
            stop += 1
        if stop >= end or stop - start < 3 or not (stop + 1 == end or _port(data, stop + 1, end)):
            return 0, 0, 0
        return start, stop + 1, 1
    stop = start
    while stop < end and data[stop] != 58:
        stop += 1
    if stop < end and not _port(data, stop, end):
        return 0, 0, 0
    if stop > start and data[stop - 1] == 46:  # the root's own dot
        stop -= 1
    if stop == start or stop - start > 4 * 253:
        return 0, 0, 0
    kind = 1
    for i in range(start, stop):
        b = data[i]
        if b >= 128:
            kind = 2
        elif not (48 <= b <= 57 or 97 <= _lower(b) <= 122 or b == 45 or b == 95 or b == 46):
            return 0, 0, 0
        if b == 46 and (i == start or data[i - 1] == 46):
            return 0, 0, 0
    if kind == 1 and (stop - start > 253 or not _name_or_ipv4(data, start, stop)):
        return 0, 0, 0
    return start, stop, kind


@step
def _name_or_ipv4(data: Bytes, start: int, stop: int) -> bool:
    """Whether an ASCII host is no number at its end, or four numbers up to 255 (the standard's ends-in-a-number)."""
    last = stop
    while last > start and data[last - 1] != 46:
        last -= 1
    digits = True
    for i in range(last, stop):
        digits = digits and 48 <= data[i] <= 57
    if not digits:
        return not (data[last] == 48 and stop - last > 1 and _lower(data[last + 1]) == 120)  # 0x1
    numbers, value, size = 1, 0, 0
    for i in range(start, stop):
        if data[i] == 46:
            numbers, value, size = numbers + 1, 0, 0
            continue
        if not 48 <= data[i] <= 57 or (size > 0 and value == 0):
            return False
        value, size = value * 10 + (data[i] - 48), size + 1
        if value > 255:
            return False
    return numbers == 4


@step
def _port(data: Bytes, i: int, end: int) -> bool:
    """Whether [i, end) is ":" and at most five digits."""
    if data[i] != 58 or end - i > 6:
        return False
    good = True
    for j in range(i + 1, end):
        good = good and 48 <= data[j] <= 57
    return good


@kernel
def _spans(data: Bytes, bounds: Ints) -> tuple[Ints, Bytes, Bytes]:
    """(offsets of the hosts, their lower-cased bytes, their kinds) of all URLs."""
    count = len(bounds) - 1
    starts = np.zeros(count, np.int64)
    offsets = np.zeros(count + 1, np.int64)
    kinds = np.zeros(count, np.uint8)
    for row in range(count):
        start, end = _authority(data, bounds[row], bounds[row + 1])
        if start >= 0:
            start, end, kind = _host(data, start, end)
            if kind:
                starts[row], kinds[row] = start, kind
                offsets[row + 1] = end - start
    for row in range(count):
        offsets[row + 1] += offsets[row]
    out = np.empty(offsets[count], np.uint8)
    for row in range(count):
        for j in range(offsets[row + 1] - offsets[row]):
            out[offsets[row] + j] = _lower(data[starts[row] + j])
    return offsets, out, kinds


def hosts(urls: pa.StringArray | pa.LargeStringArray) -> pa.StringArray:
    """Host of each URL: lower case, ASCII, no user, port or trailing dot; null for what has none."""
    if not len(urls):
        return pa.array([], pa.string())
    data, bounds = buffers(urls.cast(pa.large_string()))
    offsets, found, kinds = _spans(data, bounds)
    names = pa.LargeStringArray.from_buffers(len(urls), pa.py_buffer(offsets), pa.py_buffer(found)).cast(pa.string())
    names = pc.if_else(pa.array(kinds != BAD), names, None)
    foreign = kinds == FOREIGN
    return _each(names, ascii_name) if foreign.any() else names


def registrable_domain(urls: pa.StringArray | pa.LargeStringArray, private: bool = False) -> pa.StringArray:
    """Registrable domain of each URL by the public suffix list (https://publicsuffix.org) that the installed
    `publicsuffixlist` carries; no network.

    An IP address, a host without a dot and a host that is itself a public suffix are their own domain. `private`
    also counts suffixes of companies, so that a.github.io and b.github.io differ; by default, as in tldextract,
    both are github.io. Null where `hosts` is null.
    """
    names = hosts(urls)
    return _each(names, private_domain if private else icann_domain)


def _each(names: pa.StringArray, change: Callable[[str], str | None]) -> pa.StringArray:
    """`change` of every name, called once a distinct one."""
    coded = pc.dictionary_encode(names)
    changed = pa.array([None if name is None else change(name) for name in coded.dictionary.to_pylist()], pa.string())
    return changed.take(coded.indices)


@lru_cache(maxsize=65_536)
def ascii_name(host: str) -> str | None:
    """A host in punycode by UTS 46; None if it has none, or is too long for DNS."""
    if host.isascii():
        return host
    try:
        name = idna.encode(host, uts46=True, transitional=False).decode()
    except (idna.IDNAError, UnicodeError):
        return None
    return name if len(name) <= MAX_HOST else None


@cache
def _suffixes(private: bool) -> PublicSuffixList:
    return PublicSuffixList(only_icann=not private)


def _domain(host: str, private: bool) -> str:
    if host.startswith("[") or DIGIT_OR_DOT.issuperset(host):
        return host
    return _suffixes(private).privatesuffix(host) or host


@lru_cache(maxsize=65_536)
def icann_domain(host: str) -> str:
    """Registrable domain of a host as `hosts` gives it, by ICANN's suffixes."""
    return _domain(host, False)


@lru_cache(maxsize=65_536)
def private_domain(host: str) -> str:
    """Registrable domain of a host as `hosts` gives it, by all public suffixes."""
    return _domain(host, True)


AUTHORITY = r"(?s)^[\x00-\x20]*[A-Za-z]+:[/\\]{2}[^/\\?#]*"


def plain_urls(urls: pa.StringArray | pa.LargeStringArray) -> pa.LargeStringArray:
    """`host/path?query` of each URL: no scheme, user, port, fragment or trailing slashes; null where `hosts` is."""
    urls = urls.cast(pa.large_string())
    tails = pc.replace_substring_regex(urls, AUTHORITY, "")
    tails = pc.utf8_rtrim(pc.replace_substring_regex(tails, r"(?s)#.*", ""), "/ \t\r\n")
    names = hosts(urls).cast(pa.large_string())
    return pc.binary_join_element_wise(names, tails, pa.scalar("", pa.large_string()))
