"""`winnow remove` and `winnow erase`: documents out of the shards, and out of the run's folder."""

from __future__ import annotations

import datetime
import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from flows import settings
from flows.commands.terminal import console, errors

if TYPE_CHECKING:
    import pyarrow as pa

    from pipelines.removal.remove import Outcome
    from pipelines.removal.request import Target

SHOWN = 20  # documents that are told one by one
MANIFEST = typer.Argument(help="A run's manifest; the newest version beside it is what changes.", metavar="MANIFEST")


def remove(
    manifest: Annotated[Path, MANIFEST],
    url: Annotated[list[str] | None, typer.Option(help="A page's address.")] = None,
    domain: Annotated[list[str] | None, typer.Option(help="A domain, with everything below it.")] = None,
    doc: Annotated[list[str] | None, typer.Option(help="A doc_id.")] = None,
    list_: Annotated[
        list[str] | None, typer.Option("--list", help="A file with a URL, domain or doc_id a line.", metavar="FILE")
    ] = None,
    reason: Annotated[str | None, typer.Option(help="Why; the register keeps it.")] = None,
    near: Annotated[
        float | None, typer.Option(help="Take what resembles these at this Jaccard index or more too, such as 0.8.")
    ] = None,
    date: Annotated[str | None, typer.Option(help="Of the request, YYYY-MM-DD; without it, today.")] = None,
    register: Annotated[
        Path | None, typer.Option(help="A register to add the request to; alone: obey all that it asks for.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would go, and write nothing.")] = False,
) -> None:
    """Take documents out of a run's shards: the next version of its manifest, and the register."""
    settings.apply()
    from pipelines.removal.remove import NothingFoundError, obey
    from pipelines.removal.remove import remove as take_out
    from pipelines.removal.request import Request

    targets = targets_of(url or [], domain or [], doc or [], list_ or [])
    day = day_of(date)
    if not targets and register is not None and reason is None:
        made = obey(manifest, register, dry_run)
        for outcome in made:
            _tell(outcome, manifest.parent, dry_run)
        if not made:
            console.print(f"{escape(str(manifest))} obeys all of {escape(str(register))} already.", soft_wrap=True)
        return
    request = Request.of(targets, reason or "", near)
    try:
        _tell(take_out(manifest, request, day, register, dry_run), manifest.parent, dry_run)
    except NothingFoundError as error:
        errors.print(f"winnow: {escape(str(error))}", soft_wrap=True, highlight=False)
        raise typer.Exit(1) from error


def targets_of(urls: list[str], domains: list[str], docs: list[str], lists: list[str]) -> list[Target]:
    """What the options of a removal name; ValueError or FileNotFoundError in a sentence."""
    from pipelines.removal.request import doc_target, domain_target, read_list, url_target

    asked = [*map(url_target, urls), *map(domain_target, domains), *map(doc_target, docs)]
    return [*asked, *(target for path in lists for target in read_list(path))]


def day_of(date: str | None) -> str:
    """A date as the register keeps it, today without one; ValueError in a sentence."""
    try:
        return (datetime.date.fromisoformat(date) if date else datetime.datetime.now(datetime.UTC).date()).isoformat()
    except ValueError as error:
        raise ValueError(f"--date {date}: give it as YYYY-MM-DD.") from error


def _tell(outcome: Outcome, folder: Path, dry_run: bool) -> None:
    """What was done, or would be, in a manifest's folder."""
    version = outcome.version
    if outcome.done:
        told = f"request {outcome.request.id} is obeyed already; the newest version is {folder / version.path.name}"
        console.print(escape(told), soft_wrap=True, highlight=False)
        return
    _lines(outcome.documents, f"request {outcome.request.id}")
    if outcome.near.num_rows:
        _lines(outcome.near.sort_by([("similarity", "descending")]), "near these, and still in the shards")
        alike = [value for value in outcome.near["similarity"].to_pylist() if value is not None]
        if alike:
            bound = math.floor(min(alike) * 100) / 100  # never above what it is to reach
            console.print(f"--near {bound:.2f} takes {len(alike):,} of these too, as another request.", highlight=False)
    for doc_id, generation in outcome.earlier[:SHOWN]:
        console.print(f"{doc_id} repeats a text of the earlier corpus {escape(generation)}: remove it there too.")
    shards = len(version.manifest.shards)
    done = "would be" if dry_run else "are"
    console.print(f"{outcome.documents.num_rows:,} documents {done} removed, {len(outcome.tokens):,} of them from the "
                  f"shards: {sum(outcome.tokens.values()):,} tokens, in {len(outcome.shards):,} of {shards:,} shards.",
                  soft_wrap=True, highlight=False)  # fmt: skip
    if dry_run:
        console.print("Nothing was written.")
    else:
        console.print(f"manifest: {escape(str(folder / version.path.name))}", soft_wrap=True, highlight=False)


def _lines(rows: pa.Table, title: str) -> None:
    """A line a document, so that ids can be copied whole."""
    from stats.show import safe

    if not rows.num_rows:
        return
    console.print(f"{title} ({rows.num_rows:,})", highlight=False)
    for row in rows.slice(0, SHOWN).to_pylist():
        alike = "" if row["similarity"] is None else f"{row['similarity']:.3f}"
        line = f"  {row['kind']:9} {alike:5}  {safe(row['fate']):24} {row['doc_id']}  {safe(row['url']) or '(no URL)'}"
        console.print(escape(line), soft_wrap=True, highlight=False)
    if rows.num_rows > SHOWN:
        console.print(f"  and {rows.num_rows - SHOWN:,} more", highlight=False)


def erase(manifest: Annotated[Path, MANIFEST]) -> None:
    """Delete the shards that removals superseded, and blank the removed texts in documents/, kept/ and papers/."""
    settings.apply()
    from pipelines.removal.erase import erase as wipe

    done = wipe(manifest)
    console.print(f"{len(done.shards):,} shards of {done.bytes:,} bytes deleted; texts blanked: {done.documents:,} in "
                  f"documents/, {done.kept:,} in kept/, {done.samples:,} in the samples of papers/. The crawl, "
                  "papers written elsewhere, copies and trained weights are not touched.",
                  soft_wrap=True, highlight=False)  # fmt: skip
