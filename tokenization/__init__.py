"""Tokenizers, packing, shard formats and the manifest."""
