"""Units below the document: where they lie in a text, their hashes, and which bytes of a text they cost."""
