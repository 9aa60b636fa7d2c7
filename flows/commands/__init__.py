"""The commands of `winnow`, one module a subject; `flows.cli` gives them their names."""
