"""A manifest's shards in the formats that other trainers read."""
