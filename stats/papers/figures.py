"""The numbers of every paper, asked of the run once, in DuckDB.

One temporary table holds a row a document: where it is from, its language, domain, month, licence, fate, bytes of the
text that training sees and tokens. Every figure is a sum over it, so that two papers cannot disagree, and each can be
asked again with `winnow sql`. What was removed since has the fate that the view `fates` gives it, the manifest is the
newest one, and texts come from `paper_kept`, which holds no removed document. Traded away: bytes of kept text are
counted from the text, which reads kept/ once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filters.pii import KINDS
from filters.sql import literal
from pipelines.code import code_version
from stats.papers.facts import RIGHTS
from stats.papers.safe import short
from stats.run import Run, footers
from tokenization.manifest import Manifest, file_sha256
from tokenization.versions import latest

NONE = "(none)"
BLOCK = 10_000  # domains read at a time
UNDETERMINED = "und"
ROWS = f"""
CREATE OR REPLACE TEMP TABLE paper AS
SELECT d.doc_id, d.source, coalesce(s.lang, '{UNDETERMINED}') AS lang, coalesce(s.domain, '{NONE}') AS domain,
       regexp_extract(d.crawled, '^[0-9]{{4}}-[0-9]{{2}}') AS month, coalesce(c.fate, 'undecided') AS fate, c.rule,
       r.licence, coalesce(r.reserved, false) AS reserved, k.bytes, t.tokens
FROM documents d
LEFT JOIN signals s ON d.doc_id = s.doc_id
LEFT JOIN (SELECT doc_id, fate, rule FROM fates) c ON d.doc_id = c.doc_id
LEFT JOIN ({RIGHTS}) r ON d.doc_id = r.doc_id
LEFT JOIN (SELECT doc_id, strlen(text) AS bytes FROM kept) k ON d.doc_id = k.doc_id
LEFT JOIN (SELECT doc_id, n_tokens AS tokens FROM tokens) t ON d.doc_id = t.doc_id"""
KEPT = """
CREATE OR REPLACE TEMP VIEW paper_kept AS
SELECT * FROM kept SEMI JOIN (SELECT doc_id FROM paper WHERE fate = 'kept') p ON kept.doc_id = p.doc_id"""
SUMS = """count(*) AS documents, count(*) FILTER (fate = 'kept') AS kept,
    coalesce(sum(bytes) FILTER (fate = 'kept'), 0)::BIGINT AS bytes, coalesce(sum(tokens), 0)::BIGINT AS tokens"""


@dataclass(frozen=True)
class Group:
    """Documents of one language, source or domain: all, kept, bytes of kept text, tokens in the shards."""

    name: str
    documents: int
    kept: int
    bytes: int
    tokens: int


@dataclass(frozen=True)
class Figures:
    """What a run says of itself. Names that were crawled are one line; whoever prints them escapes them."""

    run: Run
    manifest_file: Path
    manifest: Manifest
    manifest_sha256: str
    records: int
    skipped: int
    rejects: dict[str, int]
    fates: dict[str, int]
    total: Group
    languages: list[Group]
    sources: list[Group]
    domains: int
    top_domains: list[Group]
    months: tuple[str, str] | None
    licences: dict[str, int]
    licensed_kept: dict[str, int]
    licensed: int
    reserved: tuple[int, int]
    pii: dict[str, int]
    made_by: str

    @property
    def recipe(self) -> Any:
        """The resolved recipe."""
        return self.run.recipe

    @property
    def name(self) -> str:
        """A name for the dataset that nobody named: the recipe's, and the beginning of the manifest's sha256."""
        return f"winnow-{self.manifest.recipe}-{self.manifest_sha256[:12]}"

    def policy(self, kind: str) -> str:
        """What the recipe does with a kind of personal data: an action; a kind that it does not name is left."""
        return str(self.recipe.scrub.policy.get(kind, "leave"))

    def domains_by_size(self) -> Iterator[Group]:
        """Every registrable domain with a kept document, most bytes first."""
        first = 0
        while some := self.run.rows(
            f"""SELECT * EXCLUDE (place) FROM paper_domains
            WHERE place > {first} AND place <= {first + BLOCK} ORDER BY place"""
        ):
            yield from (Group(short(name), *rest) for name, *rest in some)
            first += BLOCK


def figures(run: Run) -> Figures:
    """Ask a finished run; ValueError or FileNotFoundError with the remedy for one that is not finished."""
    run.sound()
    file = latest(run.path)
    if file is None:
        raise FileNotFoundError(f"{run.path} is not finished: it has no manifest.json. Give its `winnow run` again.")
    run.rows(ROWS)
    run.rows(KEPT)
    ranked = f"SELECT *, row_number() OVER () AS place FROM ({_by('domain', kept=True)})"
    run.rows(f"CREATE OR REPLACE TEMP TABLE paper_domains AS {ranked}")
    fates = dict(run.rows("SELECT fate, count(*) FROM paper GROUP BY 1 ORDER BY 2 DESC, 1"))
    if "undecided" in fates:
        raise ValueError(f"{run.path}: {fates['undecided']:,} documents have no fate yet. Give its `winnow run` again.")
    rejects = dict(run.rows("SELECT reason, count(*) FROM rejects GROUP BY 1 ORDER BY 2 DESC, 1"))
    skipped = sum(n for _, _, c, _ in footers(run, "documents") for key, n in c.items() if key.startswith("skipped."))
    total = Group("", *run.rows(f"SELECT {SUMS} FROM paper")[0])
    first, last = run.rows("SELECT min(month), max(month) FROM paper WHERE fate = 'kept' AND month <> ''")[0]
    domains = run.rows(f"SELECT count(DISTINCT domain) FROM paper WHERE fate = 'kept' AND domain <> '{NONE}'")[0][0]
    return Figures(
        run=run,
        manifest_file=file,
        manifest=Manifest.read(file),
        manifest_sha256=file_sha256(file),
        records=total.documents + sum(rejects.values()) + skipped,
        skipped=skipped,
        rejects=rejects,
        fates=fates,
        total=total,
        languages=_groups(run, _by("lang")),
        sources=_groups(run, _by("source")),
        domains=domains,
        top_domains=_groups(run, "SELECT * EXCLUDE (place) FROM paper_domains ORDER BY place LIMIT 25"),
        months=(first, last) if first else None,
        licences=_licences(run, "true"),
        licensed_kept=_licences(run, "fate = 'kept'"),
        licensed=run.rows("SELECT count(licence) FROM paper WHERE fate = 'kept'")[0][0],
        reserved=run.rows("SELECT count(*), count(*) FILTER (fate = 'kept') FROM paper WHERE reserved")[0],  # type: ignore[arg-type]
        pii=_pii(run),
        made_by=str(run.described.get("versions", {}).get("winnow") or code_version()),
    )


def _by(column: str, kept: bool = False) -> str:
    """Groups of one column, most kept bytes first, then by name."""
    having = " HAVING count(*) FILTER (fate = 'kept') > 0" if kept else ""
    return f"SELECT {column}, {SUMS} FROM paper GROUP BY 1{having} ORDER BY 4 DESC, 2 DESC, 1"


def _groups(run: Run, query: str) -> list[Group]:
    return [Group(short(name), *rest) for name, *rest in run.rows(query)]


def _licences(run: Run, where: str) -> dict[str, int]:
    """Documents by the licence address they state, the commonest 50; (none) for those without."""
    query = f"""SELECT coalesce(licence, {literal(NONE)}), count(*) FROM paper WHERE {where}
        GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 50"""
    return {short(name): count for name, count in run.rows(query)}


def _pii(run: Run) -> dict[str, int]:
    """Personal data found in kept documents, by kind; kinds without a column in this run are left out."""
    have = {name for name, *_ in run.rows("DESCRIBE paper_kept")}
    kinds = [kind for kind in KINDS if f"pii_{kind}" in have]
    sums = ", ".join(f"coalesce(sum(pii_{kind}), 0)::BIGINT" for kind in kinds)
    return dict(zip(kinds, run.rows(f"SELECT {sums} FROM paper_kept")[0], strict=True)) if kinds else {}
