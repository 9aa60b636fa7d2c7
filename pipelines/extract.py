"""Job: crawl bytes in, `documents/` and `rejects/` out; every record ends in exactly one of the two. What sites say of
their use (robots.txt, tdmrep.json, ai.txt) is rejected as a text and kept in `policies/`.

Parsing happens in child processes that can be stopped. Where workers are threads of one process they share its
sandboxes: Beam deals out parts beforehand, and whoever is done first would leave its own idle. Policies and
rejects are written before documents: a part's documents file is its commit mark, and a part that has it has all three.
"""

from __future__ import annotations

import threading
import weakref
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, cast

import pyarrow as pa
import xxhash
import zstandard
from apache_beam.options.pipeline_options import PipelineOptions

from filters.charset import Decoded, decode
from filters.extract import Extracted, Failure, SandboxPool
from filters.rights.page import header_rights
from filters.rights.tdm import reservation
from pipelines.code import made_by
from pipelines.mapping import map_parts
from pipelines.options import sandboxes_shared
from pipelines.parts import fingerprint, part_path, read_counts, write_part
from pipelines.policies import policy_batches
from pipelines.schemas import DOCUMENTS, POLICIES, REJECTS
from pipelines.sources import Part, PolicyFile, Record, Reject, Skipped, read
from pipelines.sources.part import Item
from recipes.model import Extract, Recipe

BATCH_ROWS = 1024
PACK = 10_000  # rejects that are held as they are
BATCH_BYTES = 64 << 20  # characters of text in a batch: a thousand texts may be of any size


def extract(run: str, parts: list[Part], recipe: Recipe, options: PipelineOptions) -> dict[str, int]:
    """Run the job over all parts; returns counts of records, documents, rejects and skipped records."""
    shared = sandboxes_shared(options)
    try:
        return map_parts(run, "extract", parts, extract_part, options, choices=recipe.extract, shared=shared)
    finally:
        close_sandboxes()


def extract_part(part: Part, run: str, choices: Extract, shared: int = 0) -> dict[str, int]:
    """Make one part of documents/, rejects/ and policies/, unless it is there already.

    `shared` sandboxes serve all threads of this process; with 0 each thread has one of its own.
    """
    mark = fingerprint("extract", made_by(), part.source, part.digest, part.start, part.end, choices.model_dump())
    done = read_counts(part_path(run, "documents", part.index), mark)
    beside = (read_counts(part_path(run, dataset, part.index), mark) for dataset in ("policies", "rejects"))
    if done is not None and all(counts is not None for counts in beside):
        return done
    work = _PartWork(part, sandboxes(choices, shared), choices.max_bytes)

    def write_beside() -> None:
        kept = {"policies": len(work.policies)}
        write_part(part_path(run, "policies", part.index), policy_batches(work.policies), POLICIES, mark, kept)
        counts = {"rejects": work.counts["rejects"]}
        write_part(part_path(run, "rejects", part.index), work.rejects(), REJECTS, mark, counts)

    path = part_path(run, "documents", part.index)
    write_part(path, work.batches(), DOCUMENTS, mark, work.counts, before_commit=write_beside)
    return dict(work.counts)


Read = tuple[Record | Reject, Decoded | None]  # a record on its way to its fate, and what decoding found out


class _PartWork:
    """Reads one part; gathers rejects, policies and counts while documents stream out."""

    def __init__(self, part: Part, pool: SandboxPool[Read], most: int) -> None:
        self.part = part
        self.pool = pool
        self.most = most  # bytes of a text
        self.rejected: list[dict[str, Any]] = []
        self.packed: list[pa.Buffer] = []  # rejects before those: a hostile part can be millions of them
        self.policies: list[tuple[PolicyFile, bytes]] = []  # bodies packed: a small crawl can hold many large ones
        self.rows: list[dict[str, Any]] = []
        self.held = 0
        self.counts: Counter[str] = Counter(records=0, documents=0, rejects=0)

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Documents as batches, in the order in which the part yields them, however many sandboxes there are."""
        for (item, decoded), result in self.pool.extract_many(self._pages(read(self.part))):
            if isinstance(item, Reject):
                self._reject(item, item.reason, item.detail)
                if isinstance(item, PolicyFile):
                    self.policies.append((replace(item, body=b""), zstandard.compress(item.body, 1)))
            elif isinstance(result, Failure):
                self._reject(item, result.reason, result.detail)
            elif result is not None:
                self._keep(item, decoded, result)
            else:
                self._keep_text(item, decoded, decoded.text if decoded is not None else item.text or "")
            if self._full():
                yield self._flush()
        if self.rows:
            yield self._flush()

    def rejects(self) -> Iterator[pa.RecordBatch]:
        """Rejects as batches, in order; one empty batch if there are none."""
        for stream in self.packed:
            yield from pa.ipc.open_stream(stream)
        if self.rejected or not self.packed:
            yield pa.RecordBatch.from_pylist(self.rejected, schema=REJECTS)

    def _full(self) -> bool:
        return len(self.rows) >= BATCH_ROWS or self.held >= BATCH_BYTES

    def _flush(self) -> pa.RecordBatch:
        rows, self.rows, self.held = self.rows, [], 0
        return pa.RecordBatch.from_pylist(rows, schema=DOCUMENTS)

    def _pages(self, items: Iterator[Item]) -> Iterator[tuple[Read, str | None]]:
        """Every record with the HTML that is to be extracted, or None: other text is text already."""
        for item in items:
            self.counts["records"] += 1
            if isinstance(item, Skipped):
                self.counts[f"skipped.{item.record_type}"] += 1
            elif isinstance(item, Reject) or item.text is not None:
                yield (item, None), None
            else:
                decoded = decode(item.payload, item.charset_header)
                yield (item, decoded), None if item.kind == "text" else decoded.text

    def _keep_text(self, record: Record, decoded: Decoded | None, text: str) -> None:
        fields = record.fields
        given = Extracted(text=text, title=fields.get("title"), author=fields.get("author"),
                          date=fields.get("date"), html_lang=fields.get("lang"), license=fields.get("license"),
                          robots=None, tdm_reservation=None, tdm_policy=None)  # fmt: skip
        if not text.strip():
            self._reject(record, "extract.empty", "The record holds no text.")
        elif (size := len(text.encode())) > self.most:
            self._reject(record, "extract.too_large", f"The text has {size} bytes, over the recipe's max_bytes.")
        else:
            self._keep(record, decoded, given)

    def _keep(self, record: Record, decoded: Decoded | None, result: Extracted) -> None:
        self.counts["documents"] += 1
        name = "given" if record.text is not None or record.kind == "text" else self.pool.name
        self.rows.append(document_row(record, decoded, result, name))
        self.held += len(result.text)

    def _reject(self, at: Record | Reject, reason: str, detail: str | None) -> None:
        self.counts["rejects"] += 1
        if len(self.rejected) == PACK:
            self.packed.append(packed(pa.RecordBatch.from_pylist(self.rejected, schema=REJECTS)))
            self.rejected = []
        self.rejected.append(
            {
                "doc_id": at.doc_id,
                "source": at.source,
                "offset": at.offset,
                "length": at.length,
                "url": at.url,
                "reason": reason,
                "detail": detail,
            }
        )


def packed(batch: pa.RecordBatch) -> pa.Buffer:
    """A batch as a compressed Arrow stream."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema, options=pa.ipc.IpcWriteOptions(compression="zstd")) as stream:
        stream.write_batch(batch)
    return sink.getvalue()


_own = threading.local()  # a thread's own pool, by choices; it ends with its thread
_shared: dict[Extract, SandboxPool[Read]] = {}
_all: weakref.WeakSet[SandboxPool[Read]] = weakref.WeakSet()
_opening = threading.Lock()


def sandboxes(choices: Extract, shared: int) -> SandboxPool[Read]:
    """The sandboxes of this process (`shared` of them) or of this thread (0), kept from part to part."""
    pools = _shared if shared else cast("dict[Extract, SandboxPool[Read]]", vars(_own))
    with _opening:
        if choices not in pools or pools[choices].closed:
            pools[choices] = SandboxPool(choices, shared or 1)
            _all.add(pools[choices])
        return pools[choices]


def close_sandboxes() -> None:
    """Close every sandbox of this process: the job is done, and each holds some 200 MB."""
    for pool in list(_all):
        pool.close()


def document_row(record: Record, decoded: Decoded | None, result: Extracted, extractor: str) -> dict[str, Any]:
    """One row of documents/."""
    headers = header_rights(record.http_headers)
    raw = record.payload if record.text is None else record.text.encode()
    # TDMRep 4.4: what a page's metadata say supersedes its headers; a value that is neither 0 nor 1 says nothing.
    by_meta = reservation(result.tdm_reservation) is not None
    tdm = result if by_meta or not headers.tdm_reservation else headers
    return {
        "doc_id": record.doc_id,
        "source": record.source,
        "offset": record.offset,
        "length": record.length,
        "url": record.url,
        "crawled": record.crawled,
        "charset": decoded.charset if decoded else "utf-8",
        "charset_from": decoded.origin if decoded else "given",
        "replaced_chars": decoded.replaced if decoded else 0,
        "raw_bytes": len(raw),
        "raw_hash": xxhash.xxh3_128_hexdigest(raw),
        "extractor": extractor,
        "title": result.title,
        "author": result.author,
        "date": result.date,
        "html_lang": result.html_lang or dict(record.http_headers).get("content-language"),
        "license": result.license,
        "robots": result.robots,
        "x_robots_tag": headers.x_robots_tag,
        "tdm_reservation": tdm.tdm_reservation,
        "tdm_policy": tdm.tdm_policy,
        "tdm_from": ("meta" if tdm is result else "header") if tdm.tdm_reservation else None,
        "content_usage_header": headers.content_usage,
        "license_hits": result.license_hits or None,
        "text_hash": xxhash.xxh3_128_hexdigest(result.text.encode()),
        "text": result.text,
    }
