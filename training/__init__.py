"""A minimal trainer that consumes a manifest."""
