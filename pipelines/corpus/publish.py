"""One manifest over the runs of a corpus: what the newest versions of their own manifests name, by paths below it.

Nothing is copied: a version is a few kilobytes over shards that lie where their run put them. It is written under its
own name first; the rename of `manifest.json` publishes it. A version that was written and never published, because the
command was killed between the two, is written over by the next one. Equal runs make equal bytes.

A request counts as obeyed where every run obeys it. Traded away: sources and languages are summed by name, and the
shuffle is within each run's shards; a trainer shuffles over all of them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pipelines.corpus.ledger import REGISTER, Ledger, load
from pipelines.removal.register import file_of as request_file
from pipelines.removal.register import read_entry
from tokenization.commit import put, sweep
from tokenization.manifest import Manifest
from tokenization.versions import Version, corpus_file_of, file_of, history, latest

ALIKE = ("recipe", "recipe_hash", "dtype", "format", "seed", "labels", "answers")


def newest(corpus: Path) -> Version | None:
    """The version that is published; None if there is none; ValueError if the versions do not follow one another."""
    found = history(corpus)
    return found[-1] if found else None


def publish(corpus: Path) -> Version | None:
    """Make the runs as they are now the newest version; None if they are what it has already.

    ValueError in a sentence if runs do not go together, or one lacks its manifest.
    """
    sweep(corpus)
    ledger = load(corpus)
    if ledger is None or not ledger.joined:
        return None
    before, now = newest(corpus), united(corpus, ledger)
    if before is not None:
        if same(now, before.manifest):
            return None
        changes: dict[str, Any] = {"parent": before.sha256, "version": before.manifest.version + 1}
        changes["removal"] = _removal(corpus, before.manifest, now)
        now = Manifest.model_validate({**now.model_dump(), **changes})
    data = now.as_bytes()
    put(corpus / corpus_file_of(now.version), data)
    put(corpus / file_of(1), data)
    return newest(corpus)


def same(one: Manifest, other: Manifest) -> bool:
    """Whether two manifests name the same shards and obey the same requests, whatever their place in the history."""
    place = {"parent": None, "version": 1, "removal": None}
    return one.model_copy(update=place) == other.model_copy(update=place)


def run_manifests(corpus: Path, ledger: Ledger) -> list[tuple[str, Manifest]]:
    """(folder below the corpus, newest manifest) of every run that joined; ValueError if one has none."""
    found = []
    for run in ledger.joined:
        path = latest(corpus / run.folder)
        if path is None:
            raise ValueError(f"{corpus / run.folder} has lost its manifest. Restore the run from a copy.")
        found.append((run.folder, Manifest.read(path)))
    return found


def united(corpus: Path, ledger: Ledger) -> Manifest:
    """The manifest over all runs that joined, as a first version."""
    runs = run_manifests(corpus, ledger)
    (home, first), others = runs[0], runs[1:]
    for folder, other in others:
        for name in ALIKE:
            if getattr(first, name) != getattr(other, name):
                raise ValueError(f"{corpus / folder} has another {name} than {corpus / home}: one corpus cannot hold "
                                 "both. Leave that run out and curate it into a corpus of its own.")  # fmt: skip
        if other.tokenizer.sha256 != first.tokenizer.sha256:
            raise ValueError(f"{corpus / folder} was made with another tokenizer than {corpus / home}: their ids mean "
                             "different things. Curate it into a corpus of its own.")  # fmt: skip
    every = [manifest for _, manifest in runs]
    made = first.model_dump() | {
        "tokenizer": first.tokenizer.model_dump() | {"file": f"{home}/{first.tokenizer.file}"},
        "shards": [s.model_dump() | {"path": f"{folder}/{s.path}"} for folder, one in runs for s in one.shards],
        "totals": _sum([one.totals.model_dump() for one in every]),
        "sources": _sums([one.sources for one in every]), "languages": _sums([one.languages for one in every]),
        "obeys": sorted(set.intersection(*(set(one.obeys) for one in every))),
        "parent": None, "version": 1, "removal": None,
    }  # fmt: skip
    return Manifest.model_validate(made)


def _sum(counts: Sequence[dict[str, int]]) -> dict[str, int]:
    return {key: sum(one[key] for one in counts) for key in counts[0]}


def _sums(named: Sequence[dict[str, Any]]) -> dict[str, dict[str, int]]:
    found: dict[str, Counter[str]] = {}
    for counts in named:
        for name, count in counts.items():
            found.setdefault(name, Counter()).update(count.model_dump())
    return {name: {"documents": of["documents"], "tokens": of["tokens"]} for name, of in sorted(found.items())}


def _removal(corpus: Path, before: Manifest, now: Manifest) -> dict[str, Any] | None:
    """What one request took out, where that is all that has changed between two versions; else None."""
    new = sorted(set(now.obeys) - set(before.obeys))
    paths = [{shard.path.partition("/tokens/")[0] for shard in one.shards} for one in (before, now)]
    file = request_file(corpus / REGISTER, new[0]) if len(new) == 1 else None
    if file is None or paths[0] != paths[1] or not file.is_file():
        return None
    lost = {key: getattr(before.totals, key) - getattr(now.totals, key) for key in ("documents", "tokens")}
    return {"request": new[0], "reason": read_entry(file).request.reason, **lost} if min(lost.values()) >= 0 else None
