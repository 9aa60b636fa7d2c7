"""Columns of signals/ that are no kernel's: facts of the document, and what each edit took away.

Apart from the kernels, so that rules become SQL, and a run is asked, without loading a compiler.
"""

from __future__ import annotations

import pyarrow as pa

from recipes.steps import Edit

REMOVED = "removed_word_ratio"  # words that the last edit before the rule took away; no signal of one text alone
# What pages and sites say of their use: columns of signals/, and the columns of rights/ that they are. Null means that
# nothing was said or the site's file is not in the crawl; see docs/rights.md.
RIGHTS_SIGNALS = {
    "opt_out": "opt_out",  # the first reservation that the recipe honours, in words
    "opted_out": "reserved",  # whether there is one
    "noindex": "noindex",
    "noai": "noai",
    "robots_ai": "robots_ai",
    "tdm_reserved": "tdm_reserved",
    "ai_txt": "ai_txt",
    "content_usage": "content_usage",
    "content_signal": "content_signal",
    "domain_opted_out": "domain_opted_out",
    "license_spdx": "license_spdx",
    "license_family": "license_family",
    "license_ambiguous": "license_ambiguous",
}
SAID = ("opt_out", "content_usage", "content_signal", "license_spdx", "license_family")  # text; the others yes or no
DOCUMENT_SIGNALS = {
    "lang": pa.string(),
    "lang_score": pa.float64(),
    **{name: pa.string() if name in SAID else pa.bool_() for name in RIGHTS_SIGNALS},
    "domain": pa.string(),
    "title_only": pa.bool_(),
    "text_density": pa.float64(),
    "text_bytes": pa.int64(),
}


def removed_column(edit: Edit) -> str:
    """The column with the characters that an edit took away."""
    return f"removed_chars_{edit.id.replace('.', '_')}"
