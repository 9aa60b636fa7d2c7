"""Removal requests against a corpus: every run obeys, the register remembers, and a version is published for each.

The register is told first, also of what is found nowhere, so that no later run takes it in. Runs follow newest first:
a document that repeats one of an earlier run brings its text's hash to the register before that run is looked through.
Killed anywhere, the same call goes on; asked again, it changes nothing.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pipelines.corpus.forms import Filed
from pipelines.corpus.ledger import REGISTER, load
from pipelines.corpus.publish import newest, publish
from pipelines.removal.register import add, entry_of, file_of, read_entry
from pipelines.removal.remove import remove
from pipelines.removal.request import Request
from pipelines.schemas import REMOVALS
from tokenization.commit import put
from tokenization.versions import latest, requests

ANSWERED = "takedowns"


@dataclass(frozen=True)
class Answer:
    """What became of one request: documents found and removed, of the shards' the tokens; the version that obeys it.

    `version` is None while no run has joined the corpus. `elsewhere` has doc_ids of documents that repeat what an
    earlier run kept; `new` says whether this call did anything.
    """

    request: str
    documents: int
    tokens: int
    version: int | None
    elsewhere: tuple[str, ...] = ()
    new: bool = True


def obeyed(corpus: Path, request: Request) -> bool:
    """Whether the register knows a request and the newest version obeys it."""
    now = newest(corpus)
    known = file_of(corpus / REGISTER, request.id).is_file()
    return known and (now is None or request.id in now.manifest.obeys)


def take_out(corpus: Path, request: Request, date: str) -> Answer:
    """Make a corpus obey a request; `date` is YYYY-MM-DD. ValueError in a sentence if a run is damaged."""
    corpus = corpus.absolute()
    register = corpus / REGISTER
    if obeyed(corpus, request):
        now = newest(corpus)
        return Answer(request.id, 0, 0, now.manifest.version if now else None, new=False)
    add(register, entry_of(request, date, REMOVALS.empty_table()))
    ledger = load(corpus)
    documents = tokens = 0
    elsewhere: list[str] = []
    for run in reversed(ledger.joined if ledger else []):
        manifest = latest(corpus / run.folder)
        if manifest is None:
            raise ValueError(f"{corpus / run.folder} has lost its manifest. Restore the run from a copy.")
        entry = read_entry(file_of(register, request.id))
        outcome = remove(manifest, request, entry.date, register, known=entry)
        documents += outcome.documents.num_rows
        tokens += sum(outcome.tokens.values())
        elsewhere += [doc_id for doc_id, _ in outcome.earlier]
    publish(corpus)
    now = newest(corpus)
    return Answer(request.id, documents, tokens, now.manifest.version if now else None, tuple(elsewhere))


def obey_register(corpus: Path) -> list[Answer]:
    """Obey all that the register asks and the newest version does not obey yet."""
    register = corpus / REGISTER
    entries = [read_entry(file_of(register, known)) for known in requests(register)] if register.is_dir() else []
    return [take_out(corpus, entry.request, entry.date) for entry in entries if not obeyed(corpus, entry.request)]


def remember(corpus: Path, filed: Filed, date: str) -> None:
    """Keep a request's reference and file beside the corpus, for whoever answers the one who asked."""
    file = corpus / ANSWERED / f"{filed.request.id}.json"
    if not file.is_file():
        file.parent.mkdir(parents=True, exist_ok=True)
        told = {"request": filed.request.id, "reference": filed.form.reference, "form": filed.name, "date": date}
        put(file, (json.dumps(told, indent=1, ensure_ascii=False) + "\n").encode())


def unobeyed(corpus: Path, forms: Sequence[Filed]) -> list[Filed]:
    """The forms that ask what is not obeyed yet."""
    return [one for one in forms if not obeyed(corpus, one.request)]
