"""Whether a URL is on a block list of hosts and URLs, and on which.

Sources: UT1 (https://dsi.ut-capitole.fr/blacklists/) as squidGuard reads it: a host entry holds for every host below
it; datatrove's URLFilter compares the host and its registrable domain only. Hosts are compared as `filters.urls` reads
them, so that upper case, ports, user names, trailing dots and Unicode make no difference; of several entries that
match, the longest gives the category, and a URL entry comes before a host. Memory: see `filters.scores.hashes`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from filters.scores.hashes import Hashes, find_parent, find_rows, hash_rows
from filters.scores.interface import Found, Scorer, urls_of
from filters.scores.lists import is_jsonl, lines, rows
from filters.segment import Ints
from filters.urls import ascii_name, hosts, icann_domain, plain_urls
from recipes.scores import UrlList

BATCH = 200_000
SCHEME = re.compile(r"^[a-z]{3,6}://", re.IGNORECASE)
PORT = re.compile(r":\d{1,5}$")
PLAIN = r"^[a-z0-9][a-z0-9._-]*[a-z0-9]$"
WWW = r"^www\d?\."
Codes = np.ndarray


class UrlListScorer(Scorer[UrlList]):
    """Two sorted tables, of hosts and of URLs, each with a category beside its hash."""

    def __init__(self, entry: UrlList, path: Path | None, digest: str) -> None:
        super().__init__(entry, digest)
        self.names: list[str] = []
        host_parts: list[tuple[Hashes, Codes]] = []
        url_parts: list[tuple[Hashes, Codes]] = []
        for category, entries in _categories(entry, path):
            if category not in self.names:
                self.names.append(category)
            code = self.names.index(category)
            while some := list(islice(entries, BATCH)):
                for parts, strings in zip(
                    (host_parts, url_parts), _parted(pa.array(some, pa.large_string())), strict=True
                ):
                    hashes = hash_rows(strings)
                    parts.append((hashes, np.full(len(hashes), code, np.int16)))
        self.hosts, self.host_codes = self._table(host_parts)
        self.urls, self.url_codes = self._table(url_parts)
        if not len(self.hosts) and not len(self.urls):
            raise ValueError("it has no entry.")

    def _table(self, parts: list[tuple[Hashes, Codes]]) -> tuple[Hashes, Codes]:
        """Sorted hashes, each once, and the category of each; one that is on several lists gets `a,b` as its own."""
        keys = np.concatenate([np.zeros(0, np.uint64), *(part[0] for part in parts)])
        codes = np.concatenate([np.zeros(0, np.int16), *(part[1] for part in parts)])
        order = np.lexsort((codes, keys))
        keys, codes = keys[order], codes[order]
        first = np.flatnonzero(np.concatenate([np.ones(min(len(keys), 1), np.bool_), keys[1:] != keys[:-1]]))
        ends = np.append(first[1:], len(keys))
        merged = codes[first].copy()
        for k in np.flatnonzero(ends - first > 1):
            name = ",".join(sorted({self.names[c] for c in codes[first[k] : ends[k]]}))
            if name not in self.names:
                self.names.append(name)
            merged[k] = self.names.index(name)
        return keys[first], merged

    def find(self, batch: pa.RecordBatch, text: pa.LargeStringArray, lang: pa.StringArray) -> Found:
        """1 or 0, and the category of what matched; both null without a valid URL."""
        urls = urls_of(batch)
        names = hosts(urls)
        codes = _code(self._host_places(names), self.host_codes)
        if len(self.urls):
            plain = pc.replace_substring_regex(plain_urls(urls), WWW, "")
            exact = _code(find_rows(plain, self.urls), self.url_codes)
            codes = np.where(exact >= 0, exact, codes)
        known = names.is_valid().to_numpy(zero_copy_only=False)
        hit = (codes >= 0) & known
        category = pa.array(self.names, pa.string()).take(pa.array(np.where(hit, codes, 0), mask=~hit))
        return pa.array(hit.astype(np.float64), mask=~known), category

    def _host_places(self, names: pa.StringArray) -> Ints:
        if self.entry.hosts == "subdomains":
            return find_parent(names, self.hosts)
        places = find_rows(names, self.hosts)
        if self.entry.hosts == "registrable":
            coded = pc.dictionary_encode(names)
            domains = [None if name is None else icann_domain(name) for name in coded.dictionary.to_pylist()]
            own = find_rows(pa.array(domains, pa.string()).take(coded.indices), self.hosts)
            places = np.where(places >= 0, places, own)
        return places


def _code(places: Ints, codes: Codes) -> Ints:
    if not len(codes):
        return np.full(len(places), -1, np.int64)
    return np.where(places >= 0, codes[np.maximum(places, 0)].astype(np.int64), -1)


def _parted(entries: pa.LargeStringArray) -> tuple[pa.LargeStringArray, pa.LargeStringArray]:
    """Hosts and URLs of a list. Nearly all entries are plain hosts already, and only the rest are taken apart."""
    plain = pc.match_substring_regex(entries, PLAIN)
    cut = [_split(one) for one in entries.filter(pc.invert(plain)).to_pylist()]
    odd = pa.array([host for host, rest in cut if host and not rest], pa.large_string())
    urls = pa.array([host + rest for host, rest in cut if host and rest], pa.large_string())
    return pa.concat_arrays([entries.filter(plain), odd]), urls


def _split(entry: str) -> tuple[str, str]:
    """(host, path) of a list's entry, in the form in which `hosts` and `plain_urls` give a document's URL; the host is
    "" if it is none."""
    bare = SCHEME.sub("", entry).partition("#")[0]
    host, slash, path = bare.partition("/")
    rest = (slash + path).rstrip("/ ")
    host = PORT.sub("", host.rpartition("@")[2].lower().removeprefix("*").strip("."))
    return ascii_name(re.sub(WWW, "", host) if rest else host) or "", rest


def _categories(entry: UrlList, path: Path | None) -> Iterator[tuple[str, Iterator[str]]]:
    """Each list with its name."""
    wanted = entry.categories
    if path is None:
        yield "entries", iter(entry.entries)
    elif path.is_dir():
        files = sorted(p for p in path.rglob("*") if p.name.removesuffix(".gz") in ("domains", "urls") and p.is_file())
        if not files:
            raise ValueError("the folder has no file named domains or urls.")
        for file in files:
            if wanted is None or file.parent.name in wanted:
                yield file.parent.name, lines(file)
    elif is_jsonl(path):
        yield from _grouped(rows(path, "domain", "category"), wanted)
    else:
        yield path.name.removesuffix(".gz").removesuffix(".txt"), lines(path)


def _grouped(found: Iterable[tuple[str, str]], wanted: tuple[str, ...] | None) -> Iterator[tuple[str, Iterator[str]]]:
    lists: dict[str, list[str]] = {}
    for domain, category in found:
        if wanted is None or category in wanted:
            lists.setdefault(str(category), []).append(str(domain))
    for category, entries in lists.items():
        yield category, iter(entries)
