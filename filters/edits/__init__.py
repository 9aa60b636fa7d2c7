"""Edits: what changes a text before it is measured again or kept; `EDITS` is the table, `apply_edits` the way in."""

from filters.edits.apply import apply_edit, apply_edits, removed_words
from filters.edits.registry import EDITS, TextEdit

__all__ = ["EDITS", "TextEdit", "apply_edit", "apply_edits", "removed_words"]
