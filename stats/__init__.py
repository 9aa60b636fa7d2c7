"""DuckDB over a finished or half-finished run."""
