"""Evaluation items found in documents: units and letters, hashed windows, overlap, paragraphs, and what is cut."""
