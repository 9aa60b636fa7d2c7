"""The columns of rights/: what is known of each document's reservations and licences, and where it is said.

Apart from what fills them, so that a run is asked without loading parsers. A column is null where nothing was said or
the site's file is not in the crawl: that is no permission.
"""

from __future__ import annotations

import pyarrow as pa

HIT = pa.struct([(name, pa.string()) for name in ("url", "said", "how", "scope", "place")])
# scope: page | element; place: head | body | footer; how: rel-license | link | cc-link | rdfa | microdata | meta |
# json-ld | text | given | spdx-tag
LICENCE = pa.struct([*HIT, *((name, pa.string()) for name in ("spdx", "family", "version", "jurisdiction"))])
EVIDENCE = pa.struct(
    [
        ("form", pa.string()),  # one of recipes.rights.FORMS
        ("via", pa.string()),  # robots.txt | tdmrep.json | ai.txt | header | meta | the list's file
        ("reserved", pa.bool_()),
        ("says", pa.string()),  # the line, the directive, or what an answer of the server means
        ("agent", pa.string()),  # the crawler that it is said to; null: all
        ("line", pa.int32()),  # of the file, from 1
        ("policy", pa.string()),  # TDM policy
        ("url", pa.string()),  # of the file; null: the page itself
        ("status", pa.int16()),
        ("fetched", pa.string()),
        ("source", pa.string()),  # the record in the crawl, null for a list
        ("offset", pa.int64()),
        ("sha256", pa.string()),  # of the file's bytes
    ]
)
RIGHTS = pa.schema(
    [
        pa.field("doc_id", pa.string(), nullable=False),
        pa.field("site", pa.string()),  # host, and port where it is not the scheme's own
        pa.field("robots_ai", pa.bool_()),  # robots.txt closes the page to a crawler that is asked for
        pa.field("tdm_reserved", pa.bool_()),
        pa.field("tdm_policy", pa.string()),
        pa.field("ai_txt", pa.bool_()),
        pa.field("content_usage", pa.string()),  # y | n
        pa.field("content_signal", pa.string()),  # y | n
        pa.field("noai", pa.bool_()),
        pa.field("noindex", pa.bool_()),
        pa.field("domain_opted_out", pa.bool_()),
        pa.field("opt_out", pa.string()),  # the first reservation that the recipe honours, in words
        pa.field("reserved", pa.bool_(), nullable=False),  # whether there is one
        pa.field("license_spdx", pa.string()),  # the page's one licence; null if none or ambiguous
        pa.field("license_family", pa.string()),
        pa.field("license_ambiguous", pa.bool_()),
        pa.field("licenses", pa.list_(LICENCE)),
        pa.field("evidence", pa.list_(EVIDENCE)),
        pa.field("evidence_hash", pa.string()),  # sha256 of evidence and licences as JSON with sorted keys
    ]
)
