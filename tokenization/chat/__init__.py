"""Conversations into shards that say which of their tokens are to be learnt."""
