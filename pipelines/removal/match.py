"""Which documents a request means: by id, address, domain, or the very text of one that it means.

Columns are compared, never texts: ids and hashes by a set, addresses after they are levelled, domains once a distinct
host. An entry of a register brings what was found before: ids, addresses and hashes of documents that went elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc
import xxhash

from filters.urls import hosts
from pipelines.parts import part_path, read_table
from pipelines.removal.address import same_addresses
from pipelines.removal.register import Entry
from pipelines.removal.request import DOC, DOMAIN, URL, Request

TEXT, DUPLICATE, NEAR = "text", "duplicate", "near"
NO_TEXT = xxhash.xxh3_128_hexdigest(b"")  # of a text that was blanked: it recognises nothing
FOUND = pa.schema(
    [("doc_id", pa.string()), ("url", pa.string()), ("text_hash", pa.string()), ("part", pa.int64()),
     ("row", pa.int64()), ("kind", pa.string()), ("value", pa.string()), ("similarity", pa.float64())]
)  # fmt: skip


@dataclass(frozen=True)
class Wanted:
    """What is looked for: values to what was asked for their sake."""

    docs: dict[str, str]
    urls: dict[str, str]
    domains: frozenset[str]
    hashes: dict[str, str]

    @staticmethod
    def of(request: Request, known: Entry | None = None) -> Wanted:
        """Of a request, and of what a register knows of it."""
        docs, urls = {d: d for d in request.values(DOC)}, {}
        for url in request.values(URL):
            urls.update({url: url, _plain([url])[0] or url: url})
        hashes: dict[str, str] = {}
        if known is not None:
            rows = known.documents()
            ids, addresses, texts = (rows[name].to_pylist() for name in ("doc_id", "url", "text_hash"))
            docs |= {name: name for name in ids}
            for url, plain in zip(addresses, _plain(addresses), strict=True):
                urls.update({key: url for key in (url, plain) if key and key not in urls})
            hashes = {text: name for text, name in zip(texts, ids, strict=True) if text}
        return Wanted(docs, urls, frozenset(request.values(DOMAIN)), hashes)


def _plain(urls: Sequence[str | None]) -> list[str | None]:
    found: list[str | None] = same_addresses(pa.array(urls, pa.string())).to_pylist()
    return found


def parts_of(run: str, indices: Sequence[int]) -> Iterator[tuple[int, pa.Table]]:
    """(part, doc_id, url, text_hash) of documents/."""
    for index in indices:
        yield index, read_table(part_path(run, "documents", index), ["doc_id", "url", "text_hash"])


def found_in(table: pa.Table, part: int, wanted: Wanted) -> pa.Table:
    """Rows of FOUND: the documents of one part that are wanted, and the first reason for each."""
    if not table.num_rows:
        return FOUND.empty_table()
    kinds: dict[int, tuple[str, str]] = {}
    columns = (
        (TEXT, table["text_hash"], wanted.hashes), (URL, table["url"], wanted.urls),
        (URL, same_addresses(table["url"].combine_chunks()) if wanted.urls else None, wanted.urls),
        (DOC, table["doc_id"], wanted.docs),
    )  # fmt: skip
    for kind, column, values in columns:
        if column is not None and values:
            mask = pc.is_in(column, value_set=pa.array(list(values), column.type))
            rows = pc.indices_nonzero(mask)
            for row, value in zip(rows.to_pylist(), column.take(rows).to_pylist(), strict=True):
                kinds[row] = kind, values[value]
    if wanted.domains:
        for row, domain in _below(table["url"].combine_chunks(), wanted.domains):
            kinds.setdefault(row, (DOMAIN, domain))
    return found_rows(table, part, sorted(kinds), [kinds[row] for row in sorted(kinds)])


def found_rows(
    table: pa.Table, part: int, rows: Sequence[int], why: Sequence[tuple[str, str]],
    similarity: Sequence[float | None] | None = None,
) -> pa.Table:  # fmt: skip
    """Rows of FOUND for these rows of a part, each with (kind, value)."""
    taken = table.take(pa.array(rows, pa.int64()))
    count = len(rows)
    return pa.table(
        [taken["doc_id"], taken["url"], taken["text_hash"], pa.array([part] * count, pa.int64()),
         pa.array(rows, pa.int64()), pa.array([kind for kind, _ in why], pa.string()),
         pa.array([value for _, value in why], pa.string()), pa.array(similarity or [None] * count, pa.float64())],
        schema=FOUND,
    )  # fmt: skip


def _below(urls: pa.StringArray, domains: frozenset[str]) -> Iterator[tuple[int, str]]:
    """(row, domain) of addresses whose host is one of `domains` or below one."""
    coded = hosts(urls).dictionary_encode()
    of = {
        number: domain
        for number, host in enumerate(coded.dictionary.to_pylist())
        if host and (domain := _domain_of(host, domains))
    }
    if of:
        codes = coded.indices.fill_null(-1)
        rows = pc.indices_nonzero(pc.is_in(codes, value_set=pa.array(list(of), codes.type)))
        for row, code in zip(rows.to_pylist(), codes.take(rows).to_pylist(), strict=True):
            yield row, of[code]


def _domain_of(host: str, domains: frozenset[str]) -> str | None:
    """The one of `domains` that a host is or lies below; one look-up a label."""
    while host not in domains:
        _, dot, host = host.partition(".")
        if not dot:
            return None
    return host


def find(run: str, indices: Sequence[int], request: Request, known: Entry | None = None) -> pa.Table:
    """Rows of FOUND over the whole run: what is asked, and every document that has the very text of one of these."""
    wanted = [Wanted.of(request), *([] if known is None else [Wanted.of(request, known)])]  # what is asked is why first
    tables = [found_in(table, part, one) for part, table in parts_of(run, indices) for one in wanted]
    first = distinct(pa.concat_tables([FOUND.empty_table(), *tables]))
    texts = dict(zip(first["text_hash"].to_pylist(), first["doc_id"].to_pylist(), strict=True))
    texts.pop(NO_TEXT, None)
    if not texts:
        return first
    same = Wanted({}, {}, frozenset(), texts)
    both = pa.concat_tables([first, *(found_in(t, i, same) for i, t in parts_of(run, indices))])
    return distinct(both)


def distinct(found: pa.Table) -> pa.Table:
    """Each document once, with the first of its rows, in the order of the run."""
    seen: set[str] = set()
    first = []
    for row, doc_id in enumerate(found["doc_id"].to_pylist()):
        if doc_id not in seen:
            seen.add(doc_id)
            first.append(row)
    return found.take(pa.array(first, pa.int64())).sort_by([("part", "ascending"), ("row", "ascending")])
