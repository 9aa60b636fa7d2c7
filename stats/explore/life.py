"""A document's life: the record as it was crawled, the text at each step, what was found and decided, the tokens.

Everything is of bounded length and shown as text. Nothing is blanked here: whoever can open the explorer can read the
run's files, and looks at a document to see what is in it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from filters.sql import literal
from stats.explain import Explanation, explain
from stats.run import Run

RAW, TEXT, TOKENS = 20_000, 20_000, 400  # characters, characters, ids
MATCHES = 50


@dataclass
class Life:
    """One record from crawl to shard; an empty string or list is a step that it did not come to."""

    page: Explanation
    title: str = ""
    raw: str = ""
    headers: list[tuple[str, str]] = field(default_factory=list)
    extracted: str = ""
    edited: str = ""
    kept: str = ""
    signals: list[tuple[str, object]] = field(default_factory=list)
    tokens: list[tuple[int, str]] = field(default_factory=list)
    n_tokens: int = 0
    notes: list[str] = field(default_factory=list)


def search(run: Run, words: str) -> list[tuple[str, str, str]]:
    """(doc_id, URL, fate) of records whose URL holds these characters or whose id this is, at most MATCHES."""
    asked = literal(words)
    found = run.rows(
        f"""SELECT doc_id, coalesce(url, ''), coalesce(fate, 'undecided') FROM fates
        WHERE doc_id = {asked} OR contains(lower(url), lower({asked})) ORDER BY url, doc_id LIMIT {MATCHES}"""
    )
    return [(str(doc_id), str(url), str(fate)) for doc_id, url, fate in found]


def life(run: Run, doc_id: str) -> Life:
    """Everything about one record; ValueError if there is none of this id."""
    found = Life(explain(run, doc_id)[0])
    _crawled(run, found)
    rows = run.rows("SELECT title, text FROM documents WHERE doc_id = ?", doc_id)
    if rows:
        found.title, found.extracted = str(rows[0][0] or ""), rows[0][1]
        _edited(run, found)
    kept = run.rows("SELECT text FROM kept WHERE doc_id = ?", doc_id)
    found.kept = kept[0][0] if kept and found.page.fate == "kept" else ""
    if found.page.tokens:
        _tokenized(run, found)
    for name in ("raw", "extracted", "edited", "kept"):
        text = getattr(found, name)
        if len(text) > TEXT:
            setattr(found, name, text[:TEXT])
            found.notes.append(f"{name}: {len(text):,} characters, of which the first {TEXT:,} are shown")
    return found


def _crawled(run: Run, found: Life) -> None:
    from filters.charset import decode
    from pipelines.refetch import refetch
    from pipelines.sources import Reject

    page = found.page
    try:
        item = refetch(run.described["parts"], page.doc_id, page.source, page.offset, page.length)
    except (OSError, ValueError) as error:
        found.notes.append(str(error))
        return
    if isinstance(item, Reject):
        found.notes.append(f"{item.reason}: {item.detail}")
        return
    found.raw = item.text if item.text is not None else decode(item.payload[: 4 * RAW], item.charset_header).text
    found.headers = [(name[:200], value[:500]) for name, value in item.http_headers][:50]


def _edited(run: Run, found: Life) -> None:
    """The text after the recipe's edits, and the measurements, if the document was measured."""
    rows = run.rows("SELECT * FROM signals WHERE doc_id = ?", found.page.doc_id)
    if not rows:
        return
    names = [column[0] for column in run.connection.description or ()]
    told: dict[str, Any] = dict(zip(names, rows[0], strict=True))
    found.signals = [(name, value) for name, value in told.items() if name != "doc_id" and value is not None]
    if run.recipe.edits:
        import pyarrow as pa

        from filters.annotate import final_text

        text, lang = pa.array([found.extracted], pa.large_string()), pa.array([told.get("lang")], pa.string())
        found.edited = final_text(text, lang, run.recipe)[0].as_py()


def _tokenized(run: Run, found: Life) -> None:
    from stats.trace import place_of_document
    from tokenization.load import load
    from tokenization.manifest import Manifest
    from tokenization.rewrite import read_shard
    from tokenization.versions import latest

    file = latest(run.path)
    manifest = Manifest.read(file) if file else None
    place = place_of_document(run.path, manifest, found.page.doc_id) if manifest else None
    if manifest is None or place is None:
        return
    table = read_shard(run.path / place.shard)
    row = table["doc_id"].to_pylist().index(found.page.doc_id)
    ids = table["tokens"][row].values.to_pylist()
    found.n_tokens = len(ids)
    try:
        tokenizer = load(run.path / manifest.tokenizer.file)
    except (OSError, ValueError) as error:
        found.notes.append(str(error))
        return
    end = manifest.tokenizer.end_of_text
    found.tokens = [(one, "⏹" if one == end else tokenizer.decode([one])) for one in ids[:TOKENS]]
