"""Signatures, candidate pairs and clusters of near-duplicates."""
