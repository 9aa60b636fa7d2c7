"""What a run found of the truth planted in a synthetic crawl: duplicates, languages, personal data, look-alikes.

winnow sample crawl.warc.gz --pages 20000 --seed 1 && winnow run crawl.warc.gz --out RUN
python benchmarks/planted_truth.py RUN crawl.truth.parquet

Pairs are those within one family of copies whose members pass the rules; their Jaccard value is computed from
their main texts' word 5-grams. "Joined" means in one cluster.
"""

from __future__ import annotations

import itertools
import sys
from collections import Counter, defaultdict
from pathlib import Path

import duckdb

from dedup.shingles import true_jaccard

DATASETS = ("decisions", "duplicates", "kept", "signals", "rejects")
FAMILIES = """SELECT t.dup_of, t.main_text, d.cluster_id FROM truth t JOIN decisions x USING (doc_id)
LEFT JOIN duplicates d USING (doc_id) WHERE t.dup_of IS NOT NULL AND x.fate NOT LIKE 'filtered%'"""
PLANTED = """SELECT count(*) FILTER (NOT contains(k.text, p.value)), count(*)
FROM truth t JOIN kept k USING (doc_id), unnest(t.{}) u(p)"""
LANGUAGE = """SELECT count(*) FILTER (t.lang = s.lang), count(*) FROM truth t JOIN signals s USING (doc_id)
WHERE t.lang IS NOT NULL"""
FATES = "SELECT (SELECT count(*) FROM decisions) + (SELECT count(*) FROM rejects), (SELECT count(*) FROM truth)"


def open_both(run: Path, truth: Path) -> duckdb.DuckDBPyConnection:
    """A connection that sees the run's datasets and the truth."""
    connection = duckdb.connect()
    for name in DATASETS:
        connection.execute(f"CREATE VIEW {name} AS SELECT * FROM read_parquet('{run}/{name}/*.parquet')")
    connection.execute(f"CREATE VIEW truth AS SELECT * FROM read_parquet('{truth}')")
    return connection


def pairs(connection: duckdb.DuckDBPyConnection) -> dict[str, tuple[int, int]]:
    """(joined, all) by kind of pair."""
    families: dict[str, list[tuple[str, str | None]]] = defaultdict(list)
    for family, text, cluster in connection.execute(FAMILIES).fetchall():
        families[family].append((text, cluster))
    joined: Counter[str] = Counter()
    seen: Counter[str] = Counter()
    for members in families.values():
        for (text, cluster), (other, others) in itertools.combinations(members, 2):
            value = 2.0 if text == other else true_jaccard(text, other, 5)
            near = "J >= 0.85" if value >= 0.85 else "J <= 0.5" if value <= 0.5 else "between"
            kind = "exact" if value == 2 else near
            seen[kind] += 1
            joined[kind] += cluster is not None and cluster == others
    return {kind: (joined[kind], seen[kind]) for kind in sorted(seen)}


def main(run: Path, truth: Path) -> None:
    """Print a Markdown table."""
    with open_both(run, truth) as connection:
        rows = {
            "records with one fate": connection.execute(FATES).fetchall()[0],
            "language of pages that have one": connection.execute(LANGUAGE).fetchall()[0],
            "planted personal data scrubbed": connection.execute(PLANTED.format("pii")).fetchall()[0],
            "look-alikes touched": connection.execute(PLANTED.format("lookalikes")).fetchall()[0],
            **{f"pairs joined, {kind}": counts for kind, counts in pairs(connection).items()},
        }
    print("| what | found | of | share |\n|---|---:|---:|---:|")
    for what, (found, of) in rows.items():
        print(f"| {what} | {found:,} | {of:,} | {found / max(of, 1):.2%} |")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
