"""Personal data in what sites and pages state: an address in a rights meta, a name's e-mail beside a Disallow.

Evidence is printed and handed on, so it is scrubbed of all kinds by placeholders before it is written; the licence
and what is reserved are found before. Only distinct strings are looked at, and a batch that holds nothing is the same
batch. Traded away: a line of evidence that held personal data no longer is what the site's file says to the letter.
"""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from filters.pii import KINDS, scrub
from filters.rights.judge import evidence_hash
from filters.rights.schema import RIGHTS

TOP = ("opt_out", "tdm_policy")
WITHIN = (("evidence", ("says", "policy")), ("licenses", ("said", "url")))


def without_personal_data(rows: pa.RecordBatch) -> pa.RecordBatch:
    """RIGHTS, row for row, with a placeholder for each piece of personal data; the hashes are of what is left."""
    parts = [rows[name] for name in TOP]
    parts += [pc.struct_field(pc.list_flatten(rows[name]), field) for name, fields in WITHIN for field in fields]
    told = pc.unique(pc.drop_null(pa.chunked_array(parts, pa.string()))).cast(pa.large_string())
    clean = scrub(told, dict.fromkeys(KINDS, "placeholder")).text
    changed = pc.not_equal(told, clean)
    if not pc.any(changed, min_count=0).as_py():
        return rows
    instead = dict(zip(told.filter(changed).to_pylist(), clean.filter(changed).to_pylist(), strict=True))
    return pa.RecordBatch.from_pylist([_row(row, instead) for row in rows.to_pylist()], schema=RIGHTS)


def _row(row: dict[str, Any], instead: dict[str, str]) -> dict[str, Any]:
    row |= {name: instead.get(row[name], row[name]) for name in TOP}
    for name, fields in WITHIN:
        for one in row[name] or ():
            one |= {field: instead.get(one[field], one[field]) for field in fields}
    return row | {"evidence_hash": evidence_hash(row["evidence"] or (), row["licenses"] or ())}
