"""The columns of every dataset in a run: the contract between one job and the next.

A dataset is a folder of `part-NNNNN.parquet`, one for each part of the input, in the same row order in
`documents/`, `signals/` and `decisions/`, so that jobs join them by position. Strings that may be long are
`large_string`: their offsets have 64 bits, and the kernels read those buffers in place.
"""

from __future__ import annotations

import pyarrow as pa

from filters.rights.schema import HIT, RIGHTS

__all__ = [
    "CUTS",
    "CUT_SETS",
    "DECISIONS",
    "DOCUMENTS",
    "DUPLICATES",
    "KEPT",
    "POLICIES",
    "REJECTS",
    "RIGHTS",
    "SUPERSEDED",
]

DOCUMENTS = pa.schema(
    [
        pa.field("doc_id", pa.string(), nullable=False),  # 32 hex digits: xxh3_128 of "source\0offset"
        pa.field("source", pa.string(), nullable=False),  # input's name, relative to what the user named
        pa.field("offset", pa.int64(), nullable=False),  # byte of the record in the file; row for Parquet
        pa.field("length", pa.int64()),  # bytes of the record in the file; 1 for Parquet
        pa.field("url", pa.string()),
        pa.field("crawled", pa.string()),  # WARC-Date as written
        pa.field("charset", pa.string()),
        pa.field("charset_from", pa.string()),  # bom | http | meta | detected | given
        pa.field("replaced_chars", pa.int32()),  # U+FFFD that decoding put in
        pa.field("raw_bytes", pa.int64()),  # payload size before decoding
        pa.field("raw_hash", pa.string()),  # xxh3_128 of the payload
        pa.field("extractor", pa.string()),
        pa.field("title", pa.string()),
        pa.field("author", pa.string()),
        pa.field("date", pa.string()),  # ISO 8601 date of publication, as the page says
        pa.field("html_lang", pa.string()),  # <html lang>, else Content-Language
        pa.field("license", pa.string()),  # first licence link of the page
        pa.field("robots", pa.string()),  # robots meta directives, lower case, comma-separated
        pa.field("x_robots_tag", pa.string()),  # the header, lower case
        pa.field("tdm_reservation", pa.string()),  # TDMRep value, meta before header
        pa.field("tdm_policy", pa.string()),
        pa.field("tdm_from", pa.string()),  # meta | header
        pa.field("content_usage_header", pa.string()),  # as sent
        pa.field("license_hits", pa.list_(HIT)),  # every licence that the page names, and where
        pa.field("text_hash", pa.string(), nullable=False),  # xxh3_128 of text in UTF-8
        pa.field("text", pa.large_string(), nullable=False),
    ]
)

REJECTS = pa.schema(
    [
        pa.field("doc_id", pa.string(), nullable=False),
        pa.field("source", pa.string(), nullable=False),
        pa.field("offset", pa.int64(), nullable=False),
        pa.field("length", pa.int64()),
        pa.field("url", pa.string()),
        pa.field("reason", pa.string(), nullable=False),  # see docs/fates.md
        pa.field("detail", pa.string()),  # a sentence; never text of the page
    ]
)

# Files of sites that say how their pages may be used: one row beside the reject of each such record.
POLICIES = pa.schema(
    [
        pa.field("doc_id", pa.string(), nullable=False),
        pa.field("source", pa.string(), nullable=False),
        pa.field("offset", pa.int64(), nullable=False),
        pa.field("length", pa.int64()),
        pa.field("url", pa.string(), nullable=False),
        pa.field("site", pa.string()),  # host, and port where it is not the scheme's own; null: no host
        pa.field("scheme", pa.string(), nullable=False),
        pa.field("path", pa.string(), nullable=False),  # /robots.txt, /.well-known/tdmrep.json, /ai.txt, ...
        pa.field("status", pa.int16(), nullable=False),  # of HTTP
        pa.field("fetched", pa.string()),  # WARC-Date as written
        pa.field("body", pa.large_string(), nullable=False),  # of status 200: at most 500 KiB of it, as UTF-8
        pa.field("truncated", pa.bool_(), nullable=False),  # whether there was more
        pa.field("sha256", pa.string(), nullable=False),  # of the body's first 500 KiB as served, codings undone
    ]
)

DUPLICATES = pa.schema(
    [
        pa.field("doc_id", pa.string(), nullable=False),
        pa.field("cluster_id", pa.string(), nullable=False),  # lowest doc_id of the cluster
        pa.field("kept_id", pa.string(), nullable=False),  # equal to doc_id on the row of the one that stays
        pa.field("cluster_size", pa.int64(), nullable=False),
        pa.field("similarity", pa.float32()),  # Jaccard of doc and kept one, estimated from the signatures
        pa.field("method", pa.string(), nullable=False),  # exact | minhash | kept
        pa.field("partner_id", pa.string()),  # the better-ranking member that it is most like
        pa.field("partner_similarity", pa.float32()),
        pa.field("kept_in", pa.string()),  # the index's generation that kept_id is in; null: this run
    ]
)

# Documents of an index, and the generation each is in.
SUPERSEDED = pa.schema([*DUPLICATES, pa.field("generation", pa.string(), nullable=False)])

DECISIONS = pa.schema(
    [
        pa.field("doc_id", pa.string(), nullable=False),
        pa.field(
            "fate", pa.string(), nullable=False
        ),  # kept | filtered:<rule> | duplicate:<method> | removed:<request>
        pa.field("rule", pa.string()),  # id of the rule that dropped it
        pa.field("value", pa.string()),  # what was measured, as text
        pa.field("threshold", pa.string()),  # the rule's bound, as text: ">= 50"
    ]
)

# Spans to take out of texts that stay, and texts that leave with them: cuts/ (repeated lines, paragraphs, spans,
# substrings) and contamination/ (evaluation sets) have these columns.
CUTS = pa.schema(
    [
        pa.field("doc_id", pa.string(), nullable=False),
        pa.field("start", pa.int64(), nullable=False),  # bytes into the text after the recipe's edits
        pa.field("end", pa.int64(), nullable=False),
        pa.field("method", pa.string(), nullable=False),  # lines, span3, substring, decontam.ngram.v1, ...
        pa.field("other", pa.string()),  # doc_id that has the text first, or the evaluation item
        pa.field("fate", pa.string()),  # null: only the span goes; else the document goes, with this fate
        pa.field("value", pa.string()),  # what was measured, where the document goes
        pa.field("threshold", pa.string()),
    ]
)

# Personal data in the text of kept documents, before the policy was done to it.
PERSONAL = pa.schema(
    [
        pa.field("doc_id", pa.string(), nullable=False),
        pa.field("start", pa.int64(), nullable=False),  # bytes into the text after edits and cuts
        pa.field("end", pa.int64(), nullable=False),
        pa.field("kind", pa.string(), nullable=False),
        pa.field("country", pa.string()),  # ISO 3166-1 alpha-2, where the value tells it
    ]
)

CUT_SETS = ("cuts", "contamination")  # in the order in which they give a document its fate

# A register of removals, one file a request. Rows without doc_id are what was asked; the others are documents.
REMOVALS = pa.schema(
    [
        pa.field("request", pa.string(), nullable=False),  # 16 hex digits: sha256 of what was asked
        pa.field("date", pa.string(), nullable=False),  # ISO 8601, of the request
        pa.field("reason", pa.string(), nullable=False),
        pa.field("near", pa.float64()),  # Jaccard from which others go too; null: none do
        pa.field("kind", pa.string(), nullable=False),  # url | domain | doc | text | duplicate | near
        pa.field("value", pa.string(), nullable=False),  # what was asked, or the doc_id that this one is like
        pa.field("doc_id", pa.string()),
        pa.field("url", pa.string()),
        pa.field("text_hash", pa.string()),  # xxh3_128 of the text as it was extracted
        pa.field("similarity", pa.float64()),  # Jaccard with `value`, estimated from the signatures
        pa.field("signed", pa.binary()),  # MinHash of the text after the edits, uint32 each
        pa.field("signed_by", pa.string()),  # how: signatures are comparable where this is equal
    ]
)

# removed/: documents of this run that a request takes out when it is decided.
REMOVED = pa.schema(
    [
        pa.field("doc_id", pa.string(), nullable=False),
        pa.field("request", pa.string(), nullable=False),
        pa.field("kind", pa.string(), nullable=False),  # as in REMOVALS; `url` also where a URL of the register is met
    ]
)

# kept/ ends in one int32 column `pii_<kind>` for every kind that the scanner knows: what was found, replaced or not.
KEPT = [
    pa.field("doc_id", pa.string(), nullable=False),
    pa.field("url", pa.string()),
    pa.field("source", pa.string(), nullable=False),
    pa.field("lang", pa.string()),
    pa.field("text", pa.large_string(), nullable=False),  # after the recipe's edits and scrubbing
]
