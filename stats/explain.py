"""What became of one page: its fate, the rule and value, its duplicates, and where in the crawl it came from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from stats.run import Run
from stats.show import safe

FOUND = """
SELECT f.doc_id, f.url, f.source, f."offset", f.fate, f.rule, f.value, f.threshold,
       d.kept_id, d.similarity, d.cluster_size, d.method, t.shard, t.n_tokens, r.detail
FROM fates f LEFT JOIN duplicates d ON f.doc_id = d.doc_id LEFT JOIN tokens t ON f.doc_id = t.doc_id
     LEFT JOIN rejects r ON f.doc_id = r.doc_id
WHERE f.doc_id = ? OR f.url IN (SELECT unnest(?::VARCHAR[])) ORDER BY f.source, f."offset" LIMIT 100
"""
NEAREST = """
SELECT url FROM fates WHERE url IS NOT NULL ORDER BY jaro_winkler_similarity(url, ?) DESC, url LIMIT 1
"""


@dataclass(frozen=True)
class Explanation:
    """The life of one record."""

    found: dict[str, Any]
    kept_url: str | None
    path: str | None

    def text(self) -> str:
        """Lines for the terminal."""
        f = {key: safe(value) if isinstance(value, str) else value for key, value in self.found.items()}
        lines = [
            f"{f['url'] or '(no URL)'}",
            f"  doc_id: {f['doc_id']}",
            f"  fate: {f['fate'] or 'not decided yet'}",
        ]
        if f["rule"]:
            lines.append(f"  rule: {f['rule']} measured {f['value']}, keeps {f['threshold']}")
        if f["detail"]:
            lines.append(f"  why: {f['detail']}")
        if f["method"] and f["method"] != "kept":
            lines.append(f"  repeats: {safe(self.kept_url or '')} ({f['kept_id']}), similarity {f['similarity']:.3f}")
        if f["cluster_size"]:
            lines.append(f"  cluster: {f['cluster_size']} documents")
        lines.append(f"  from: {f['source']} at byte {f['offset']}" + (f" ({safe(self.path)})" if self.path else ""))
        if f["shard"]:
            lines.append(f"  tokens: {f['n_tokens']} in {f['shard']}")
        return "\n".join(lines)


def explain(run: Run, page: str) -> list[Explanation]:
    """Every record with this URL (scheme and a last slash may differ) or doc_id; ValueError names the nearest URL."""
    bare = page.split("://", 1)[-1].rstrip("/")
    urls = [
        page,
        *(f"{scheme}{bare}{slash}" for scheme in ("http://", "https://", "") for slash in ("", "/")),
    ]
    cursor = run.connection.execute(FOUND, [page, urls])
    names = [column[0] for column in cursor.description or ()]
    found = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    if not found:
        near = run.rows(NEAREST, page)
        hint = f" The nearest is {safe(near[0][0])}" if near else ""
        raise ValueError(f"No record of {run.path} has this URL or doc_id.{hint}")
    return [Explanation(row, _url_of(run, row["kept_id"]), _path_of(run, row)) for row in found]


def _url_of(run: Run, doc_id: str | None) -> str | None:
    rows = run.rows("SELECT url FROM documents WHERE doc_id = ?", doc_id) if doc_id else []
    return rows[0][0] if rows else None


def _path_of(run: Run, row: dict[str, Any]) -> str | None:
    return next((p["path"] for p in run.described.get("parts", []) if p["source"] == row["source"]), None)
