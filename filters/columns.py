"""Columns of signals/ that are no kernel's: facts of the document, and what each edit took away.

Apart from the kernels, so that rules become SQL, and a run is asked, without loading a compiler.
"""

from __future__ import annotations

import pyarrow as pa

from recipes.steps import Edit

REMOVED = "removed_word_ratio"  # words that the last edit before the rule took away; no signal of one text alone
DOCUMENT_SIGNALS = {
    "lang": pa.string(),
    "lang_score": pa.float64(),
    "opt_out": pa.string(),
    "opted_out": pa.bool_(),
    "noindex": pa.bool_(),
    "domain": pa.string(),
    "title_only": pa.bool_(),
    "text_density": pa.float64(),
    "text_bytes": pa.int64(),
}


def removed_column(edit: Edit) -> str:
    """The column with the characters that an edit took away."""
    return f"removed_chars_{edit.id.replace('.', '_')}"
