"""What became of one page: its fate, the rule and value, its duplicates, and where in the crawl it came from."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from filters.columns import removed_column
from stats.run import Run
from stats.show import safe

MOST = 100  # records told of one URL
FOUND = f"""
SELECT f.doc_id, f.url, f.source, f."offset", coalesce(d.length, r.length) AS length, f.fate, f.rule, f.value,
       f.threshold, r.detail, u.kept_id, u.similarity, u.cluster_size, u.method, u.kept_in, k.url AS kept_url,
       t.shard, t.n_tokens, w.reason || ' (' || w.date || ')' AS removal
FROM fates f LEFT JOIN rejects r ON f.doc_id = r.doc_id LEFT JOIN documents d ON f.doc_id = d.doc_id
     LEFT JOIN duplicates u ON f.doc_id = u.doc_id LEFT JOIN documents k ON u.kept_id = k.doc_id AND u.kept_in IS NULL
     LEFT JOIN tokens t ON f.doc_id = t.doc_id LEFT JOIN removals w ON f.doc_id = w.doc_id
WHERE f.doc_id = ? OR list_contains(?::VARCHAR[], f.url)
ORDER BY f.source, f."offset" LIMIT {MOST}
"""
MOST_CUTS, SHOWN = 20, 60  # spans told of one page, and characters of each
CUTS = f"""
SELECT c.method, c.start, c."end", c.other, k.url FROM (
    SELECT * FROM cuts WHERE fate IS NULL UNION ALL SELECT * FROM contamination WHERE fate IS NULL) c
    LEFT JOIN documents k ON c.other = k.doc_id
WHERE c.doc_id = ? ORDER BY c.start, c."end" LIMIT {MOST_CUTS}
"""
# Distance is quadratic in length and URLs come from the crawl, so only their first 300 characters are compared.
NEAREST = """
SELECT url FROM fates WHERE url IS NOT NULL
ORDER BY jaro_winkler_similarity(left(url, 300), left(?, 300)) DESC, url LIMIT 1
"""


@dataclass(frozen=True)
class Cut:
    """A span that was taken out: bytes of the text after the edits, the method, and who has it first."""

    method: str
    start: int
    end: int
    other: str | None
    other_url: str | None
    begins: str

    def text(self, doc_id: str) -> str:
        """A line for the terminal, with the span's first characters, for the page of this id."""
        first = f", first in {safe(self.other_url) or '(no URL)'} ({safe(self.other)})" if self.other else ""
        if self.other == doc_id:
            first = ", first in this page"
        begins = safe(" ".join(self.begins.split()))
        return f"  cut: {self.method}, {self.end - self.start:,} bytes at {self.start}{first}: {begins}"


@dataclass(frozen=True)
class Explanation:
    """The life of one record. What does not apply is None or empty.

    `offset` and `length` are bytes in the crawl file at `path` (rows for Parquet); `value` against `threshold` is
    what `rule` measured; `cuts` are spans that others have first, at most 20; `rights` and `licenses` are what
    is said of the page's use, as in rights/ (`EVIDENCE`, `LICENCE`); `edits` are characters that each edit
    of the recipe took away; `removal` is why and when it was asked to go; `pii` counts the personal data that was
    found, by kind, and `policy` says what was done with a kind; `tokens` includes end-of-text.
    """

    doc_id: str
    url: str | None
    source: str
    offset: int
    length: int | None
    path: str | None
    fate: str | None
    rule: str | None
    value: str | None
    threshold: str | None
    detail: str | None
    method: str | None
    kept_id: str | None
    kept_in: str | None
    kept_url: str | None
    similarity: float | None
    cluster_size: int | None
    tokens: int | None
    shard: str | None
    removal: str | None = None
    cuts: list[Cut] = field(default_factory=list)
    rights: list[dict[str, Any]] = field(default_factory=list)
    licenses: list[dict[str, Any]] = field(default_factory=list)
    edits: dict[str, int] = field(default_factory=dict)
    pii: dict[str, int] = field(default_factory=dict)
    policy: dict[str, str] = field(default_factory=dict)

    def text(self) -> str:
        """Lines for the terminal, harmless whatever the page was called."""
        lines = [safe(self.url) or "(no URL)", f"  doc_id: {self.doc_id}", f"  fate: {self.fate or 'not decided yet'}"]
        if self.rule:
            lines.append(f"  rule: {self.rule} measured {safe(self.value)}, keeps {safe(self.threshold)}")
        elif self.threshold:
            lines.append(f"  left: {safe(self.value)}, keeps {safe(self.threshold)}")
        if self.removal:
            lines.append(f"  why: {safe(self.removal)}")
        if self.detail:
            lines.append(f"  why: {safe(self.detail)}")
        if self.kept_id and self.method != "kept":
            alike = "" if self.similarity is None else f", similarity {self.similarity:.3f}"
            where = safe(self.kept_url) or "(no URL)" if self.kept_in is None else f"earlier corpus {self.kept_in}"
            lines.append(f"  repeats: {where} ({self.kept_id}){alike}")
        if self.cluster_size:
            lines.append(f"  cluster: {self.cluster_size} documents")
        lines.append(f"  from: {safe(self.source)} at {self.offset}, length {self.length}")
        if self.path:
            lines.append(f"  file: {safe(self.path)}")
        lines += [told(one) for one in self.rights]
        lines += [licence_told(one) for one in self.licenses]
        if taken := [f"{name} took {n:,} characters" for name, n in self.edits.items() if n]:
            lines.append(f"  edits: {', '.join(taken)}")
        lines += [cut.text(self.doc_id) for cut in self.cuts]
        if len(self.cuts) == MOST_CUTS:
            lines.append(f"  cut: {MOST_CUTS} spans are told, there may be more")
        if found := [f"{n} {kind} ({self.policy.get(kind, 'leave')})" for kind, n in self.pii.items() if n]:
            lines.append(f"  personal data: {', '.join(found)}")
        if self.shard:
            lines.append(f"  tokens: {self.tokens:,} in {self.shard}")
        return "\n".join(lines)


def told(one: dict[str, Any]) -> str:
    """A line for the terminal: which form, what it says to whom, and where and when the crawl found it."""
    who = f" for {safe(one['agent'])}" if one["agent"] else ""
    form = one["form"] if one["form"] == one["via"] else f"{one['form']} ({one['via']})"
    line = f"line {one['line']}: " if one["line"] else ""
    verdict = "reserves" if one["reserved"] else "does not reserve"
    said = [f"  rights: {safe(form)} {verdict}{who}: {line}{safe(one['says'])}"]
    said += [f"policy {safe(one['policy'])}"] if one["policy"] else []
    said += [f"{safe(one['url'])}, status {one['status']}"] if one["url"] else []
    if one["source"]:
        said += [f"fetched {safe(one['fetched']) or 'at no known time'}", f"{safe(one['source'])} at {one['offset']}"]
    return "; ".join(said)


def licence_told(one: dict[str, Any]) -> str:
    """A line for the terminal: the licence, how and where the page names it."""
    where = ", ".join(filter(None, (one["how"], one["place"], one["scope"])))
    stated = safe(one["url"] or one["said"])
    return f"  licence: {safe(one['spdx']) or 'not known'} ({safe(where)}): {stated}"


def explain(run: Run, page: str) -> list[Explanation]:
    """Every record with this doc_id or URL, in the crawl's order, at most 100.

    If no URL is exactly this one, scheme and a last slash may differ. ValueError in a sentence names the nearest URL.
    """
    run.sound()
    found = _found(run, page, [page]) or _found(run, page, spellings(page))
    if not found:
        near = run.rows(NEAREST, page)
        hint = f" The nearest is {safe(near[0][0])}" if near else " It has no record with a URL yet."
        raise ValueError(f"No record of {run.path} has this URL or doc_id.{hint}")
    return [
        Explanation(
            **row, path=_path(run, row["source"]), cuts=_cuts(run, row["doc_id"]), edits=_edits(run, row["doc_id"]),
            pii=_pii(run, row["doc_id"]), policy=dict(run.recipe.scrub.policy),
            rights=_said(run, row["doc_id"], "evidence"), licenses=_said(run, row["doc_id"], "licenses"),
        )
        for row in found
    ]  # fmt: skip


def spellings(page: str) -> list[str]:
    """The URL with other schemes and with or without its last slash.

    >>> spellings("http://a.example/")[:3]
    ['https://a.example', 'https://a.example/', 'http://a.example']
    """
    bare = page.split("://", 1)[-1].rstrip("/")
    return [f"{scheme}{bare}{slash}" for scheme in ("https://", "http://", "") for slash in ("", "/")]


def _found(run: Run, page: str, urls: list[str]) -> list[dict[str, Any]]:
    rows = run.rows(FOUND, page, urls)
    names = [column[0] for column in run.connection.description or ()]
    return [{("tokens" if n == "n_tokens" else n): v for n, v in zip(names, row, strict=True)} for row in rows]


def _edits(run: Run, doc_id: str) -> dict[str, int]:
    signals = _one(run, "signals", doc_id) if run.recipe.edits else None
    return {edit.id: signals.get(removed_column(edit)) or 0 for edit in run.recipe.edits} if signals else {}


def _cuts(run: Run, doc_id: str) -> list[Cut]:
    rows = run.rows(CUTS, doc_id)
    if not rows:
        return []
    import pyarrow as pa

    from filters.annotate import final_text  # loads every kernel, for a page that was cut alone

    text, lang = run.rows(
        "SELECT d.text, s.lang FROM documents d JOIN signals s ON d.doc_id = s.doc_id WHERE d.doc_id = ?", doc_id
    )[0]
    edited = final_text(pa.array([text], pa.large_string()), pa.array([lang], pa.string()), run.recipe)[0].as_py()
    data = edited.encode()
    return [
        Cut(method, start, end, other, url, data[start:end].decode(errors="replace")[:SHOWN])
        for method, start, end, other, url in rows
    ]


def _said(run: Run, doc_id: str, column: str) -> list[dict[str, Any]]:
    """A list of rights/: the evidence, or the licences."""
    return (_one(run, "rights", doc_id) or {}).get(column) or []


def _pii(run: Run, doc_id: str) -> dict[str, int]:
    kept = _one(run, "kept", doc_id) or {}
    return {name.removeprefix("pii_"): count for name, count in kept.items() if name.startswith("pii_")}


def _one(run: Run, dataset: str, doc_id: str) -> dict[str, Any] | None:
    rows = run.rows(f"SELECT * FROM {dataset} WHERE doc_id = ?", doc_id)
    names = [column[0] for column in run.connection.description or ()]
    return dict(zip(names, rows[0], strict=True)) if rows else None


def _path(run: Run, source: str) -> str | None:
    """The file that a record's source stands for; parts of HTML folders name their files."""
    for part in run.described["parts"]:
        if part["kind"] != "html" and part["source"] == source:
            return str(part["path"])
        for name in part.get("files", ()):
            if source == (f"{part['source']}/{name}" if part["source"] else name):
                return f"{part['path']}/{name.rpartition('/')[2]}"
    return None
