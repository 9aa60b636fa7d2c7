"""Scores by models and lists that are given from outside: `load` a recipe's entry, then `columns` a batch."""

from filters.scores.interface import Scorer, score_types
from filters.scores.load import load

__all__ = ["Scorer", "load", "score_types"]
